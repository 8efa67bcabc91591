"""An instruction-set file must hand no shared inline function to the linker: it would become everyone's copy."""

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FLAGS = {
    "avx2": ["-mavx2", "-mfma", "-mf16c", "-msse4.2"],
    "avx512": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma", "-mf16c", "-msse4.2"],
}
FLAGS["avx512vnni"] = [*FLAGS["avx512"], "-mavx512vnni"]
FLAGS["avx512bf16"] = [*FLAGS["avx512"], "-mavx512bf16"]
KERNELS = ROOT / "cpp" / "src" / "kernels"
FILES = sorted(path for isa in FLAGS for path in (KERNELS / isa).glob("*.cpp"))
by_file = pytest.mark.parametrize("source", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")


@by_file
def test_no_weak_symbol(source, tmp_path):
    compiler = shutil.which("g++")
    if compiler is None or shutil.which("nm") is None or platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("needs g++ and nm on x86-64")
    built, isa = tmp_path / "file.o", source.parent.name
    include = ROOT / "cpp" / "src"
    # Nothing here throws; without this, noexcept alone brings a weak reference to the exception handler.
    flags = ["-std=c++20", "-O0", "-fno-exceptions", *FLAGS[isa]]
    subprocess.run([compiler, *flags, "-I", include, "-c", source, "-o", built], check=True)
    symbols = subprocess.run(["nm", built], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line for line in symbols if re.search(r" [WwVvu] ", line)] == []
    assert any(re.search(rf"7kernels{len(isa)}{isa}\d+k[A-Z]", line) for line in symbols), "no table of kernels"


@by_file
def test_only_harmless_includes(source):
    allowed = {"<cstddef>", "<cstdint>", "<immintrin.h>", f'"kernels/{source.stem.split("_")[0]}.h"'}
    assert set(re.findall(r"#include (\S+)", source.read_text())) <= allowed


def test_dispatch_alone_has_conditional_code():
    files = [f for f in KERNELS.rglob("*.*") if re.search(r"^#if", f.read_text(), re.M)]
    assert [f.name for f in files] == ["dispatch.cpp"]
