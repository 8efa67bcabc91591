"""The memory that a build really takes, in a process of its own: within its limit, and near its estimate."""

import json
import subprocess
import sys
import textwrap

import pytest

from twotower.errors import InputTypeError
from twotower.index.build_estimate import estimate_build

CHILD = """
    import json, sys
    from pathlib import Path
    import numpy as np
    from twotower.index.bm25 import BM25Index

    def peak():
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def texts(n):
        random = np.random.default_rng(1)
        for _ in range(n):
            yield " ".join(f"w{i}" for i in np.minimum(random.zipf(1.2, 40), 200_000))

    BM25Index.build(texts(100))
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    limit, n = json.loads(sys.argv[2])
    report = BM25Index.build_to(sys.argv[1], texts(n), memory_limit=limit, threads=2)
    print(json.dumps({"taken": peak() - before, "spilled": report.spilled_bytes, "postings": report.postings}))
"""


def build_in_child(folder, limit, n):
    command = [sys.executable, "-c", textwrap.dedent(CHILD), folder, json.dumps([limit, n])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_memory_stays_within_the_limit(tmp_path):
    limit = 124 << 20
    limited = build_in_child(tmp_path / "limited", limit, 120_000)
    free = build_in_child(tmp_path / "free", None, 120_000)
    assert limited["spilled"] > 5_000_000
    assert free["spilled"] == 0
    assert limited["taken"] < limit
    assert limited["taken"] < free["taken"]
    for name in ("twotower.manifest", "twotower-0000000000000001.data"):
        assert (tmp_path / "limited" / name).read_bytes() == (tmp_path / "free" / name).read_bytes()


def test_estimates_of_all_texts_are_exact_and_of_a_sample_are_near():
    texts = [f"all d{n % 1000} e{n % 7} {'x ' * (n % 5)}" for n in range(20_000)]
    small = estimate_build(texts[:3000], analyzer="plain")
    assert (small.documents, small.terms, small.postings) == (3000, 1009, 3 * 3000 + 2400)
    whole = estimate_build(texts, analyzer="plain", threads=1)
    assert whole.documents == 20_000
    assert abs(whole.postings / (3 * 20_000 + 16_000) - 1) < 0.05
    assert whole.build_bytes < estimate_build(texts, analyzer="plain", threads=4).build_bytes
    assert estimate_build([text.split() for text in texts]) == estimate_build(texts, analyzer=str.split)
    assert estimate_build([]).postings == 0


@pytest.mark.parametrize(
    "texts", ["str", b"str", None, 3, iter(["a"]), {"a"}, {"a": "b"}], ids=lambda t: type(t).__name__
)
def test_an_estimate_needs_a_sequence(texts):
    with pytest.raises(InputTypeError, match=f"texts is one {type(texts).__name__}"):
        estimate_build(texts)
