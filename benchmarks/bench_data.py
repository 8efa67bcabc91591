"""Question: how long does it take until a collection is in memory, and a run on disk and back?

Data: python-docs of this interpreter; BEIR folders pubmed-titles (33,272 documents, gzip) and msmarco-passage-32k; a
run of 1,000 queries with 100 documents each. Baseline of reading it: `ir_measures.read_trec_run`, with the same scores.

    pytest benchmarks/bench_data.py --benchmark-enable
"""

import ir_measures
import pytest

import twotower as tt
from real_data import require


def test_python_docs(benchmark):
    collection = benchmark.pedantic(tt.load_collection, args=("python-docs",), rounds=1)
    benchmark.extra_info.update(documents=len(collection.corpus), fingerprint=collection.fingerprint())


@pytest.mark.quick
@pytest.mark.parametrize("name", ["pubmed-titles", "msmarco-passage-32k"])
def test_beir(benchmark, name):
    collection = benchmark.pedantic(tt.load_collection, args=(require(name),), rounds=3)
    benchmark.extra_info.update(documents=len(collection.corpus))


@pytest.fixture(scope="module")
def run():
    return {f"q{i}": {f"d{(i * 7919 + j) % 100_000}": 30.0 - j / 7 for j in range(100)} for i in range(1000)}


@pytest.mark.quick
def test_write_run(benchmark, run, tmp_path):
    benchmark.pedantic(tt.write_run, args=(run, tmp_path / "run.trec"), rounds=5)


@pytest.mark.quick
@pytest.mark.parametrize("reader", ["twotower", "ir_measures"])
def test_read_run(benchmark, run, tmp_path, reader):
    path = tmp_path / "run.trec"
    tt.write_run(run, path)
    if reader == "twotower":
        assert benchmark.pedantic(tt.read_run, args=(path,), rounds=5) == run
    else:
        rows = benchmark.pedantic(lambda: list(ir_measures.read_trec_run(str(path))), rounds=5)
        assert all(run[row.query_id][row.doc_id] == row.score for row in rows)
