"""Everything that only a machine with an NVIDIA GPU can say about the CUDA search, in one call of a few minutes.

Question: is the search on the device equal to the CPU's, clean under compute-sanitizer, and faster than a matrix product
and a selection? Data: random vectors, made on the device. Baselines: torch (matmul + topk) in the same process, in
turns; FlashLib, cuVS and faiss where their packages can be imported, told as absent where not.

In the root of a checkout, nothing installed:

    python benchmarks/cuda_all.py --out cuda_all.json               # builds with CUDA into build/gpu first
    python benchmarks/cuda_all.py --out cuda_all.json --no-build    # with the extension module that is there
    python benchmarks/cuda_all.py --out cuda_all.json --no-build --only speed kernels

Each stage is a process of its own with a time limit, as a fault on the device spoils all that the process does later. The
JSON is written after each stage, and by slow stages after each row: what is cut off keeps what it has.

Needs: nvcc (12.8 or later), CMake, ninja, pybind11, Python's headers, NumPy. torch with CUDA for the stages that say so, pytest and
compute-sanitizer for theirs: a stage without what it needs is told as skipped, with the reason. No network. Device
memory for the large rows: 20 GiB (`--docs` makes it smaller).
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cuda_checks
import cuda_speed

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "gpu"
TOOL = "/usr/local/cuda/bin"


class CannotRunError(Exception):
    """A stage cannot run here; the message says what is missing."""


def build():
    """Compile the extension module with CUDA and put it into the package. Returns seconds."""
    began = time.perf_counter()
    pybind = subprocess.check_output([sys.executable, "-m", "pybind11", "--cmakedir"], text=True).strip()
    nvcc = shutil.which("nvcc") or f"{TOOL}/nvcc"
    options = {
        "CMAKE_BUILD_TYPE": "Release", "CMAKE_CUDA_COMPILER": nvcc, "CMAKE_INTERPROCEDURAL_OPTIMIZATION": "OFF",
        "TWOTOWER_CUDA": "ON", "TWOTOWER_PYTHON": "ON", "TWOTOWER_TESTS": "OFF",
        "pybind11_DIR": pybind, "Python_EXECUTABLE": sys.executable,
    }  # fmt: skip
    configure = ["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", *(f"-D{name}={to}" for name, to in options.items())]
    for command in (configure, ["cmake", "--build", BUILD, "--target", "_core", "-j", str(os.cpu_count())]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    module = next(BUILD.glob("cpp/_core*.so"))
    for old in (ROOT / "python" / "twotower").glob("_core*.so"):
        old.unlink()
    shutil.copy(module, ROOT / "python" / "twotower" / module.name)
    return {"seconds": time.perf_counter() - began}


# ---------------------------------------------------------------- stages


def with_device():
    """Raise CannotRunError where the extension module finds no device."""
    from twotower.hardware import backend

    found = backend()
    if not found.cuda_devices:
        raise CannotRunError(
            f"no CUDA device, no driver, or no CUDA code in this build (compiled: {found.cuda_compiled})"
        )


def with_torch():
    """Return torch if it sees a device."""
    with_device()
    try:
        import torch
    except ImportError as error:
        raise CannotRunError(f"torch cannot be imported: {error}") from error
    if not torch.cuda.is_available():
        raise CannotRunError(f"torch {torch.__version__} sees no CUDA device")
    return torch


def machine():
    """Return what the rows were measured on."""
    from twotower.hardware import backend

    with_device()
    asked = {
        "nvidia_smi": [
            "nvidia-smi",
            "--query-gpu=name,driver_version,memory.total,clocks.max.sm",
            "--format=csv,noheader",
        ],
        "commit": ["git", "rev-parse", "HEAD"],
    }
    found = {"devices": backend().cuda_devices}
    for name, command in asked.items():
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
            found[name] = done.stdout.strip()
    return found


def tests():
    """`pytest -m gpu`."""
    with_device()
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "tests/python/gpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return {"passed": done.returncode == 0, "says": (done.stdout + done.stderr).strip().splitlines()[-15:]}


def sanitize(name):
    """compute-sanitizer over the small searches: each kernel, few documents."""
    with_device()
    tool = shutil.which("compute-sanitizer") or f"{TOOL}/compute-sanitizer"
    if not Path(tool).exists():
        raise CannotRunError("compute-sanitizer is not installed")
    command = [tool, "--tool", name, "--error-exitcode", "9", sys.executable, __file__, "--stage", "small"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {"clean": done.returncode == 0, "says": (done.stdout + done.stderr).strip().splitlines()[-12:]}


def small():
    """What compute-sanitizer looks at. Ends with an error where an answer differs."""
    found = cuda_checks.every_kernel(lambda _: None, small=True)
    if found["different"]:
        raise RuntimeError(json.dumps(found))
    return found


def stages(arguments, keep):
    """Return name: (seconds at most, call), in the order of what is worth most."""
    return {
        "build": (400, build),
        "machine": (60, machine),
        "every_kernel": (60, lambda: (with_device(), cuda_checks.every_kernel(keep))[1]),
        "tests": (120, tests),
        "speed": (200, lambda: cuda_speed.speed(with_torch(), arguments.docs, keep)),
        "kernels": (60, lambda: cuda_speed.kernels(with_torch(), arguments.docs)),
        "device_arrays": (60, lambda: cuda_checks.device_arrays(with_torch())),
        "matrix_units": (30, lambda: cuda_checks.matrix_units(with_torch())),
        "memcheck": (120, lambda: sanitize("memcheck")),
        "racecheck": (120, lambda: sanitize("racecheck")),
        "equal_to_cpu": (120, lambda: (with_device(), cuda_checks.equal_to_cpu(keep))[1]),
        "hostile": (60, lambda: (with_device(), cuda_checks.hostile(keep))[1]),
        "small": (600, small),
    }


# ---------------------------------------------------------------- processes


def run_stage(name, arguments):
    """Do one stage in this process, and write what it finds."""

    def keep(found):
        if arguments.part:
            partial = arguments.part.with_suffix(".new")
            partial.write_text(json.dumps(found))
            partial.replace(arguments.part)

    try:
        found = stages(arguments, keep)[name][1]()
    except CannotRunError as reason:
        found = {"skipped": str(reason)}
    keep(found)
    print(json.dumps(found)[:1500])


def run_process(name, arguments, limit):
    """Do one stage in a process of its own. Returns what it found until it ended or was cut off."""
    part = arguments.out.with_suffix(f".{name}.part")
    part.unlink(missing_ok=True)
    command = [sys.executable, __file__, "--stage", name, "--part", part, "--docs", str(arguments.docs)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    troubles = {}
    try:
        said, _ = process.communicate(timeout=limit)
        if process.returncode != 0:
            troubles = {"failed": said[-3000:]}
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        troubles = {"cut_off_after_s": limit}
    found = json.loads(part.read_text()) if part.exists() else {}
    part.unlink(missing_ok=True)
    return found | troubles


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("cuda_all.json"))
    parser.add_argument("--docs", type=int, default=1_000_000, help="N of the large rows")
    parser.add_argument("--seconds", type=float, default=570, help="for all stages together")
    parser.add_argument("--no-build", action="store_true", help="use the extension module that is there")
    parser.add_argument("--only", nargs="+", help="these stages")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--part", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        return run_stage(arguments.stage, arguments)
    here = ROOT / "python"
    is_built_here = not arguments.no_build or any((here / "twotower").glob("_core*.so"))  # else it is installed
    paths = [ROOT / "tests" / "python", *([here] if is_built_here else [])]
    os.environ["PYTHONPATH"] = os.pathsep.join([*map(str, paths), os.environ.get("PYTHONPATH", "")])
    end, report = time.monotonic() + arguments.seconds, {"seconds": {}}
    for name, (most, _) in stages(arguments, None).items():
        if name == "small" or (name == "build" and arguments.no_build) or name not in (arguments.only or [name]):
            continue
        began, left = time.monotonic(), end - time.monotonic()
        report[name] = run_process(name, arguments, min(most, left)) if left > 5 else {"skipped": "no time was left"}
        report["seconds"][name] = time.monotonic() - began
        arguments.out.write_text(json.dumps(report, indent=1))
        print(name, json.dumps(report[name])[:1500], flush=True)
        if name == "build" and "failed" in report[name]:
            raise SystemExit(report[name]["failed"])
    return None


if __name__ == "__main__":
    main()
