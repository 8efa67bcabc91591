"""`twotower doctor`: what runs here, and whether it gives the right answers."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from twotower.cli.options import emit

PACKAGES = ("numpy", "torch", "hnswlib", "datasets", "PyStemmer", "safetensors", "click")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _golden_bm25() -> bool:
    """Compare BM25 with values worked by hand for four documents of the course."""
    from twotower.index import BM25Index

    texts = ["Sweet sweet nurse! Love?", "Sweet sorrow", "How sweet is love?", "Nurse!"]
    index = BM25Index.build(texts, analyzer="plain", variant="lucene", k1=1.2, b=0.75)
    found = {hit.doc: hit.score for hit in index.search("sweet love", k=4)}
    golden = {0: 0.463320, 1: 0.182485, 2: 0.402371}
    return found.keys() == golden.keys() and all(abs(found[d] - s) < 1e-6 for d, s in golden.items())


def _exact_top_k() -> bool:
    """Compare the dense top-k with NumPy in float64 on a fixed case."""
    import numpy as np

    from twotower.index import FlatIndex

    rng = np.random.default_rng(0)
    vectors, query = rng.standard_normal((500, 33), np.float32), rng.standard_normal(33, np.float32)
    scores = vectors.astype(np.float64) @ query.astype(np.float64)
    hits = FlatIndex.build(vectors).search(query, k=10)
    return np.array_equal([hit.doc for hit in hits], np.argsort(-scores, kind="stable")[:10])


def _save_and_load() -> bool:
    """Save an index, load it and compare the answers."""
    import tempfile

    from twotower.index import BM25Index

    index = BM25Index.build(["one fish", "two fish"])
    with tempfile.TemporaryDirectory() as folder:
        index.save(f"{folder}/index")
        return bool(BM25Index.load(f"{folder}/index").search("two fish", k=2) == index.search("two fish", k=2))


CHECKS = {
    "BM25 equals hand-worked values": _golden_bm25,
    "dense top-k is exact": _exact_top_k,
    "a saved index answers the same": _save_and_load,
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
def doctor(as_json: bool) -> None:
    """Show versions, instruction set and devices, and check that answers are right here."""
    from twotower import __version__
    from twotower.hardware import backend

    found = backend()
    checks = {name: check() for name, check in CHECKS.items()}
    report: dict[str, Any] = {
        "twotower": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "isa": found.isa,
        "isas": list(found.isas),
        "threads": found.threads,
        "cuda_compiled": found.cuda_compiled,
        "cuda_devices": list(found.cuda_devices),
        "packages": {package: _version(package) for package in PACKAGES},
        "checks": checks,
    }
    lines = [f"{key:14} {value}" for key, value in report.items() if key not in ("packages", "checks")]
    lines += [f"{package:14} {found_version}" for package, found_version in report["packages"].items()]
    lines += [f"{'ok' if passed else 'FAILED':14} {name}" for name, passed in checks.items()]
    emit(report, as_json, "\n".join(lines))
    if not all(checks.values()) or "missing" in report["packages"].values():
        raise SystemExit(1)
