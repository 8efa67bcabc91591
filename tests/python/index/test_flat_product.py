"""The pairwise part of dense_product.py, on every instruction set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dense_oracle
from twotower.hardware import backend


@pytest.mark.parametrize("isa", backend().isas)
def test_every_pair_of_the_product_equals_the_oracle(isa):
    script = Path(__file__).with_name("dense_product.py")
    path = os.pathsep.join([str(Path(dense_oracle.__file__).parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, script, "--pairwise", "--isa", isa],
        env={**os.environ, "TWOTOWER_ISA": isa, "PYTHONPATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{isa}: " in done.stdout
