"""Everything that only a machine with an NVIDIA GPU can say about the CUDA search, in one call of a few minutes.

Question: is the search on the device equal to the CPU's, clean under compute-sanitizer, and faster than a matrix product
and a selection? Data: random vectors, made on the device. Baselines: torch (matmul + topk) in the same process, in
turns; FlashLib, cuVS and faiss where their packages can be imported, told as absent where not.

    python benchmarks/cuda_all.py --out cuda_all.json            # builds into build/gpu first
    python benchmarks/cuda_all.py --out cuda_all.json --no-build # with the extension module that is there

Needs: a checkout, CUDA 12.8 or later with nvcc, CMake, ninja, pybind11, NumPy, torch with CUDA; compute-sanitizer if
those two rows shall be more than "absent". No network. Device memory for the large row: 1M x 768 bfloat16 and torch's
scores, 20 GiB (`--docs` makes it smaller).

Legend: N documents, D dimensions, B queries, K results.
"""

import argparse
import importlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "gpu"
DIM, K = 768, 100
REPEATS = 7
TARGETS = {1: 1.2, 128: 2.5, 4096: 2.5}  # ratio to torch, bfloat16, K = 100
SHARE_OF_MATRIX_RATE = 0.65  # at B = 4096


# ---------------------------------------------------------------- build and import


def build():
    """Compile the extension module with CUDA and put it into the package. Returns seconds."""
    began = time.perf_counter()
    pybind = subprocess.check_output([sys.executable, "-m", "pybind11", "--cmakedir"], text=True).strip()
    configure = [
        *("cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DTWOTOWER_CUDA=ON"),
        *(
            "-DTWOTOWER_PYTHON=ON",
            "-DTWOTOWER_TESTS=OFF",
            f"-Dpybind11_DIR={pybind}",
            f"-DPython_EXECUTABLE={sys.executable}",
        ),
    ]
    for command in (configure, ["cmake", "--build", BUILD, "-j", str(os.cpu_count())]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    module = next(BUILD.glob("cpp/_core*.so"))
    for old in (ROOT / "python" / "twotower").glob("_core*.so"):
        old.unlink()
    shutil.copy(module, ROOT / "python" / "twotower" / module.name)
    return time.perf_counter() - began


def machine(torch):
    """Return what the rows were measured on."""
    properties = torch.cuda.get_device_properties(0)
    return {
        "device": properties.name,
        "multiprocessors": properties.multi_processor_count,
        "memory_bytes": properties.total_memory,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }


# ---------------------------------------------------------------- equal to the CPU


def cases(small):
    """(N, D, B, K, storage, metric): each pair of the sizes of the dense tests, and random ones."""
    import random

    if small:  # for compute-sanitizer, which is slow: each kernel, each width of tiles
        sizes = [(300, 40), (1000, 129)]
        axes = itertools.product(sizes, (1, 33, 129), ("float32", "bfloat16", "float16", "int8"))
        return [(n, d, b, 10, storage, "inner_product") for (n, d), b, storage in axes]
    ns, ds, bs = (0, 1, 7, 8, 15, 16, 17, 47, 48, 49, 1000), (1, 3, 16, 17, 384, 768, 1000), (1, 2, 31, 32, 33, 257)
    storages, metrics = ("float32", "bfloat16", "float16", "int8"), ("inner_product", "cosine", "l2")
    made, turn = [], 0
    for n, d, storage in itertools.product(ns, ds, storages):
        for k in (1, 10, 100, max(n, 1)):
            turn += 1
            made.append((n, d, bs[turn % len(bs)], k, storage, metrics[turn % 7 % 3]))
    draw = random.Random(0)

    def drawn():
        sizes = draw.randint(1, 60000), draw.randint(1, 800), draw.choice(bs), draw.choice((1, 10, 100, 5000))
        return *sizes, draw.choice(storages), draw.choice(metrics)

    return made + [drawn() for _ in range(60)]


def check_equal(small=False):
    """Compare the device with the CPU. Returns a summary; differences are listed."""
    import numpy as np

    from twotower.index import FlatIndex

    rng, differ, made = np.random.default_rng(1), [], cases(small)
    for i, (n, d, b, k, storage, metric) in enumerate(made):
        vectors = rng.standard_normal((n, d)).astype(np.float32)
        queries = rng.standard_normal((b, d)).astype(np.float32)
        if i % 4 == 3 and n > 4:
            vectors[n // 2 :] = vectors[: n - n // 2]  # ties
        index = FlatIndex.build(vectors, storage=storage, metric=metric)
        where = rng.random(n) < 0.5 if i % 5 == 4 else None
        expected = index.search(queries, k, threads=0, where=where)
        got = index.search(queries, k, where=where, device="cuda")
        if not (np.array_equal(expected.docs, got.docs) and np.array_equal(expected.scores, got.scores)):
            differ.append({"n": n, "d": d, "b": b, "k": k, "storage": storage, "metric": metric})
    return {"searches": len(made), "different": len(differ), "first": differ[:10]}


def check_hostile():
    """The vectors on which float32 searches go wrong, streamed windows and few slots among them."""
    import numpy as np

    sys.path.insert(0, str(ROOT / "tests" / "python"))
    import dense_oracle
    from twotower import _core
    from twotower.index import FlatIndex

    differ = []
    for name, storage, metric in itertools.product(
        dense_oracle.ADVERSARIAL, ("float32", "bfloat16", "float16", "int8"), ("inner_product", "cosine", "l2")
    ):
        vectors, queries = dense_oracle.adversarial(name, np.random.default_rng(2))
        limit = {"float16": 6e4, "bfloat16": 3e38}.get(storage)
        vectors = vectors if limit is None else np.clip(vectors, -limit, limit)
        index = FlatIndex.build(vectors, storage=storage, metric=metric)
        expected = index.search(queries, 20)
        stored = index._stored
        for capacity, window in ((0, 0), (256, 0), (256, 1500)):
            searcher = _core.CudaSearcher.of_host_rows(stored.rows, stored.scales, storage, metric, 0, capacity, window)
            scores, docs = searcher.search(queries, 20)
            if not (np.array_equal(expected.docs, docs) and np.array_equal(expected.scores, scores)):
                differ.append(
                    {"case": name, "storage": storage, "metric": metric, "capacity": capacity, "window": window}
                )
    return {"different": len(differ), "first": differ[:10]}


def check_device_arrays(torch):
    """Tensors in and out, on a stream of their own, without a copy through the host."""
    import numpy as np

    from twotower.index import FlatIndex
    from twotower.index.cuda_flat import CudaFlatIndex

    out = {}
    for dtype, storage in ((torch.float32, "float32"), (torch.bfloat16, "bfloat16"), (torch.float16, "float16")):
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            vectors = torch.randn(20000, 96, device="cuda").to(dtype)
            queries = torch.randn(50, 96, device="cuda").to(dtype)
            hits = CudaFlatIndex.build(vectors).search(queries, 10)
            scores, docs = torch.from_dlpack(hits.scores), torch.from_dlpack(hits.docs)
        stream.synchronize()
        expected = FlatIndex.build(vectors.float().cpu().numpy(), storage=storage).search(
            queries.float().cpu().numpy(), 10
        )
        same = np.array_equal(docs.cpu().numpy(), expected.docs) and np.array_equal(
            scores.cpu().numpy(), expected.scores
        )
        out[storage] = "equal" if same else "DIFFERENT"
    return out


def check_matrix_units(torch):
    """What the error bound takes for granted of matrix units: denormals of float16 count, products are exact."""
    a = torch.full((128, 64), 2.0**-24, dtype=torch.float16, device="cuda")  # denormal
    b = torch.full((64, 128), 1.0, dtype=torch.float16, device="cuda")
    denormal = bool(((a.float() @ b.float()) == (a @ b).float()).all()) and float((a @ b)[0, 0]) == 64 * 2.0**-24
    return {"float16_denormals_count": denormal}


def sanitize():
    """memcheck and racecheck over the small cases."""
    tool = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not Path(tool).exists():
        return {"memcheck": "absent", "racecheck": "absent"}
    out = {}
    for name in ("memcheck", "racecheck"):
        command = [tool, "--tool", name, "--error-exitcode", "9", sys.executable, __file__, "--small"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)
        except subprocess.TimeoutExpired:
            out[name] = "did not end within 150 s"
            continue
        tail = (done.stdout + done.stderr).strip().splitlines()[-3:]
        out[name] = {"clean": done.returncode == 0, "says": tail}
    return out


# ---------------------------------------------------------------- speed


def seconds_of(torch, call):
    """Wall-clock seconds of one call with all its work on the device."""
    torch.cuda.synchronize()
    began = time.perf_counter()
    call()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def in_turns(torch, calls):
    """Median, least and greatest milliseconds of each call, interleaved."""
    for call in calls.values():
        call(), call()
    times = {name: [] for name in calls}
    for _ in range(REPEATS):
        for name, call in calls.items():
            times[name].append(1e3 * seconds_of(torch, call))
    return {
        name: {"median_ms": statistics.median(t), "least_ms": min(t), "most_ms": max(t)} for name, t in times.items()
    }


def limits(torch):
    """Copy bandwidth and matrix rates of this device, on random numbers."""
    source = torch.randn(1 << 30, device="cuda")
    target = torch.empty_like(source)
    copy = in_turns(torch, {"copy": lambda a=source, b=target: b.copy_(a)})["copy"]["median_ms"]
    found = {"copy_gb_per_s": 2 * 4 * source.numel() / copy / 1e6}
    del source, target
    for name, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16), ("float32", torch.float32)):
        n = 8192
        a, b = (torch.randn(n, n, device="cuda").to(dtype) for _ in range(2))
        ms = in_turns(torch, {"product": lambda a=a, b=b: a @ b})["product"]["median_ms"]
        found[f"{name}_tflop_per_s"] = 2 * n**3 / ms / 1e9
    return found


def peers(torch, vectors, queries):
    """Calls of other packages on the same tensors; a string where one is absent or fails."""

    def flashlib():
        module = importlib.import_module("flashlib")
        return lambda: module.knn(queries.float(), vectors.float(), min(K, 32))

    def cuvs():
        brute_force = importlib.import_module("cuvs.neighbors.brute_force")
        index = brute_force.build(vectors.float(), metric="inner_product")
        return lambda: brute_force.search(index, queries.float(), K)

    def faiss():
        module = importlib.import_module("faiss")
        index = module.GpuIndexFlatIP(module.StandardGpuResources(), DIM)
        index.add(vectors.float().cpu().numpy())
        host = queries.float().cpu().numpy()
        return lambda: index.search(host, K)

    calls, absent = {}, {}
    for make in (flashlib, cuvs, faiss):
        try:
            call = make()
            call()
            calls[make.__name__] = call
        except Exception as error:
            absent[make.__name__] = f"{type(error).__name__}: {error}"[:200]
    return calls, absent


def row(torch, index, vectors, queries, found, storage):
    """One batch size: ours, torch, the others, shares of the limits."""
    b, n = len(queries), len(vectors)

    def by_torch():
        for part in queries.split(4096):
            torch.topk(part @ vectors.T, K, dim=1)

    others, absent = (
        peers(torch, vectors, queries) if storage == "bfloat16" and b in TARGETS and n * DIM < 8e8 else ({}, {})
    )
    times = in_turns(torch, {"ours": lambda: index.search(queries, K), "torch": by_torch, **others})
    ms = times["ours"]["median_ms"]
    item = vectors.element_size()
    result = {
        "storage": storage, "n": n, "d": DIM, "b": b, "k": K, "times": times, "absent": absent,
        "ratio_to_torch": times["torch"]["median_ms"] / ms,
        "share_of_copy_bandwidth": n * DIM * item / ms / 1e6 / found["copy_gb_per_s"],
        "share_of_matrix_rate": 2 * b * n * DIM / ms / 1e9 / found[f"{storage}_tflop_per_s"],
    }  # fmt: skip
    if storage == "bfloat16" and b in TARGETS:
        result["target_ratio"] = TARGETS[b]
        result["met"] = result["ratio_to_torch"] >= TARGETS[b] and (
            b != 4096 or result["share_of_matrix_rate"] >= SHARE_OF_MATRIX_RATE
        )
    return result


def speed(torch, n_docs):
    """Rows of benchmarks.md and their neighbours; answers of the large index are compared with the CPU's first."""
    import numpy as np

    from twotower.index import FlatIndex
    from twotower.index.cuda_flat import CudaFlatIndex

    found, rows = limits(torch), []
    for storage, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16), ("float32", torch.float32)):
        torch.manual_seed(3)
        vectors = torch.nn.functional.normalize(torch.randn(n_docs, DIM, device="cuda"), dim=1).to(dtype)
        many = torch.nn.functional.normalize(torch.randn(4096, DIM, device="cuda"), dim=1).to(dtype)
        index = CudaFlatIndex.build(vectors)
        if storage == "bfloat16":
            host = FlatIndex.build(vectors.float().cpu().numpy(), storage=storage)
            expected = host.search(many[:16].float().cpu().numpy(), K, threads=0)
            for b in (16, 4096):
                hits = index.search(many[:b], K)
                docs = torch.from_dlpack(hits.docs)[:16].cpu().numpy()
                rows.append(
                    {
                        "check": f"first 16 of {b} queries equal the CPU's",
                        "equal": bool(np.array_equal(docs, expected.docs)),
                    }
                )
            del host
        batches = (1, 32, 64, 128, 1024, 4096) if storage == "bfloat16" else (1, 128)
        rows.extend(row(torch, index, vectors, many[:b], found, storage) for b in batches)
        del index, vectors, many
        torch.cuda.empty_cache()
    return {"limits": found, "rows": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("cuda_all.json"))
    parser.add_argument("--docs", type=int, default=1_000_000, help="N of the large rows")
    parser.add_argument("--no-build", action="store_true", help="use the extension module that is there")
    parser.add_argument(
        "--small", action="store_true", help="only the small comparisons, as compute-sanitizer runs them"
    )
    arguments = parser.parse_args()
    report = {}
    sys.path.insert(0, str(ROOT / "python"))
    if arguments.small:
        summary = check_equal(small=True)
        print(summary)
        raise SystemExit(1 if summary["different"] else 0)
    if not arguments.no_build:
        report["build_seconds"] = build()
    import torch

    if not torch.cuda.is_available():
        raise SystemExit("torch sees no CUDA device: nothing can be measured here")
    stages = {
        "machine": lambda: machine(torch),
        "equal_to_cpu": check_equal,
        "hostile": check_hostile,
        "device_arrays": lambda: check_device_arrays(torch),
        "matrix_units": lambda: check_matrix_units(torch),
        "speed": lambda: speed(torch, arguments.docs),
        "compute_sanitizer": sanitize,
    }
    for name, stage in stages.items():
        began = time.perf_counter()
        try:
            report[name] = stage()
        except Exception as error:  # the other stages still tell something
            report[name] = {"failed": f"{type(error).__name__}: {error}"}
        report.setdefault("seconds", {})[name] = time.perf_counter() - began
        arguments.out.write_text(json.dumps(report, indent=1))  # a run that is cut off keeps what it has
        print(name, json.dumps(report[name])[:1500], flush=True)


if __name__ == "__main__":
    main()
