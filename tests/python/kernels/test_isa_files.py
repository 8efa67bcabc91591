"""An instruction-set file must hand no shared inline function to the linker: it would become everyone's copy."""

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FLAGS = {
    "avx2.cpp": ["-mavx2", "-mfma", "-msse4.2"],
    "avx512.cpp": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma", "-msse4.2"],
}
ALLOWED = {"<cstddef>", "<cstdint>", "<immintrin.h>", '"kernels/kernels.h"'}


@pytest.mark.parametrize("name", FLAGS)
def test_no_weak_symbol(name, tmp_path):
    compiler = shutil.which("g++")
    if compiler is None or shutil.which("nm") is None or platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("needs g++ and nm on x86-64")
    source, built = ROOT / "cpp" / "src" / "kernels" / name, tmp_path / "file.o"
    include = ROOT / "cpp" / "src"
    # Nothing here throws; without this, noexcept alone brings a weak reference to the exception handler.
    flags = ["-std=c++20", "-O0", "-fno-exceptions", *FLAGS[name]]
    subprocess.run([compiler, *flags, "-I", include, "-c", source, "-o", built], check=True)
    symbols = subprocess.run(["nm", built], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line for line in symbols if re.search(r" [WwVvu] ", line)] == []
    assert any("kAvx" in line for line in symbols)


@pytest.mark.parametrize("name", FLAGS)
def test_only_harmless_includes(name):
    text = (ROOT / "cpp" / "src" / "kernels" / name).read_text()
    assert set(re.findall(r"#include (\S+)", text)) <= ALLOWED


def test_dispatch_alone_has_conditional_code():
    files = [f for f in (ROOT / "cpp" / "src" / "kernels").iterdir() if re.search(r"^#if", f.read_text(), re.M)]
    assert [f.name for f in files] == ["dispatch.cpp"]
