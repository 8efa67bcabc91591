"""A daemon thread of the user that is inside the core when Python ends: the process ends, too, and quietly."""

import subprocess
import sys

import pytest

START = """
import threading, time
import numpy as np
import twotower as tt
{made}
def forever():
    while True:
        {work}
for _ in range(2):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.2)
"""
CASES = {
    "search": (
        'index = tt.BM25Index.build(["sweet love nurse"] * 5000, threads=1)',
        'index.search("sweet love nurse")',
    ),
    "build": ("", 'tt.BM25Index.build(["sweet love nurse"] * 500, threads=2)'),
    "analyze": ('analyzer = tt.Analyzer("english")', 'analyzer.analyze_batch(["sweet loving nurses"] * 500)'),
    "flat": ("flat = tt.FlatIndex.build(np.ones((2000, 16), np.float32))", "flat.search(np.ones((4, 16), np.float32))"),
    "train": ("", 'tt.BPE.train(["sweet love nurse"] * 50, vocabulary_size=300)'),
}


@pytest.mark.parametrize("case", CASES)
def test_the_process_ends_quietly(case):
    made, work = CASES[case]
    command = [sys.executable, "-c", START.format(made=made, work=work)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
