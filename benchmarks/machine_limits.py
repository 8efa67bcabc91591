"""What one core of this machine can do at most: bytes read from memory and products a second, measured by loops of assembly.

Knows no library. Needs a C compiler and AVX-512; a limit that the machine cannot be asked for is None.
Command: python benchmarks/machine_limits.py
"""

import ctypes
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

CHAINS = 24
SOURCE = """
#include <stdint.h>
void products(int64_t n) {
  for (int64_t i = 0; i < n; ++i) __asm__ volatile("%(body)s" ::: %(clobbers)s);
}
void read_all(const char* from, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 512)
    __asm__ volatile("%(loads)s" :: "r"(from + i) : %(clobbers)s);
}
"""
INSTRUCTIONS = {  # and the additions and multiplications of each
    "float32": ("vfmadd231ps", 32),
    "bfloat16": ("vdpbf16ps", 64),
    "int8": ("vpdpbusd", 128),
}


def compile_loops(instruction, folder):
    """Return the two loops as a library."""
    body = "".join(f"{instruction} %%zmm30, %%zmm31, %%zmm{i}\\n" for i in range(CHAINS))
    loads = "".join(f"vmovups {i * 64}(%0), %%zmm{i}\\n" for i in range(8))
    clobbers = ", ".join(f'"xmm{i}"' for i in range(CHAINS))
    text = SOURCE % {"body": body.replace("\n", "\\n"), "loads": loads.replace("\n", "\\n"), "clobbers": clobbers}
    source, library = Path(folder, f"{instruction}.c"), Path(folder, f"{instruction}.so")
    source.write_text(text)
    subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-mavx512f", source, "-o", library], check=True, capture_output=True
    )
    return ctypes.CDLL(str(library))


def best_seconds(function, repeats=5):
    """Return the least time of some calls."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def has_flag(flag):
    """Whether the processor says that it has a feature."""
    info = Path("/proc/cpuinfo")
    return info.exists() and flag in info.read_text().split()


def measure(megabytes=512):
    """Return "read" in bytes a second, and for each storage the operations a second."""
    limits = {"read": None, **dict.fromkeys(INSTRUCTIONS)}
    if shutil.which("cc") is None or not has_flag("avx512f"):
        return limits
    room = np.zeros(megabytes << 17)
    room[:] = 1
    needs = {"float32": "avx512f", "bfloat16": "avx512_bf16", "int8": "avx512_vnni"}
    with tempfile.TemporaryDirectory() as folder:
        for name, (instruction, operations) in INSTRUCTIONS.items():
            if has_flag(needs[name]):
                loops, n = compile_loops(instruction, folder), 2_000_000
                seconds = best_seconds(lambda loops=loops, n=n: loops.products(ctypes.c_int64(n)))
                limits[name] = n * CHAINS * operations / seconds
                bytes_ = ctypes.c_int64(room.nbytes)
                read = best_seconds(lambda loops=loops, b=bytes_: loops.read_all(ctypes.c_void_p(room.ctypes.data), b))
                limits["read"] = max(limits["read"] or 0, room.nbytes / read)
    return limits


if __name__ == "__main__":
    print(json.dumps({name: limit and round(limit / 1e9, 1) for name, limit in measure().items()}))
