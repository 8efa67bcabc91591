"""`twotower index`: a corpus into an engine folder."""

import math
import re
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twotower.cli.options import OutFolder, common, emit, log, use_threads

if TYPE_CHECKING:
    from twotower.engine import Engine

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{p}{b}": f ** (i + 1) for i, p in enumerate("kmgt") for b, f in (("b", 1000), ("ib", 1024))},
}


def number_of_bytes(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read a number of bytes with a unit: 2GB, 512MiB, 1.5e9."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?(?:e[0-9]{1,2})?)\s*([a-z]*)", value.strip().lower())
    if match is None or match[2] not in _UNITS:
        raise click.BadParameter(
            f"{value!r} is no number of bytes: write it like 2GB, 512MiB or 1500000000", ctx, param
        )
    number = float(match[1]) * _UNITS[match[2]]
    if not math.isfinite(number):
        raise click.BadParameter(f"{value!r} is more bytes than any machine has", ctx, param)
    return int(number)


@click.command()
@click.argument("source")
@click.option("--out", required=True, type=OutFolder(), help="Engine folder to write.")
@click.option(
    "--model", "model_folder", type=click.Path(path_type=Path, exists=True), help="Two-tower model, adds dense search."
)
@click.option(
    "--dim", type=click.IntRange(1), help="Of the model's vectors, how many leading components. [default: all]"
)
@click.option("--config", help="Configuration of a data set id, such as v1.1.")
@click.option("--analyzer", default="english", show_default=True, help="Analyzer of the BM25 index.")
@click.option(
    "--memory-limit",
    callback=number_of_bytes,
    help="Memory for building the BM25 index, such as 2GB; what is more waits on disk.",
)
@common
def index(
    source: str,
    out: Path,
    model_folder: Path | None,
    dim: int | None,
    config: str | None,
    analyzer: str,
    memory_limit: int | None,
    threads: int,
    seed: int,
    as_json: bool,
) -> None:
    """Index a collection into an engine folder, for `search` and `evaluate`.

    SOURCE is what `tt.load_collection` takes: a BEIR folder, a local file of records, a data set id, or python-docs. If it
    has a split "valid" and --model is given, the fusion is tuned on it. "peak_memory_bytes" of --json is the most that was
    resident at once, pages of mapped files (a collection's texts, those that wait on disk) among it.
    """
    from twotower.data import load_collection
    from twotower.engine import Engine
    from twotower.errors import InvalidInputError
    from twotower.index.build_estimate import estimate_build
    from twotower.index.lexical_build import check_memory_limit

    check_memory_limit(memory_limit)
    if dim is not None and model_folder is None:
        raise InvalidInputError(f"--dim {dim} is of a model's vectors: give --model too")
    threads = use_threads(threads)
    log(f"reading {source}")
    collection = load_collection(source, config=config)
    model = None
    if model_folder is not None:
        from twotower.towers import TwoTower

        model = TwoTower.from_pretrained(model_folder)
    texts = [document.full_text for document in collection.corpus.values()]
    estimate = estimate_build(texts, analyzer=analyzer, threads=threads)
    text_bytes = sum(len(text.encode()) for text in texts)
    del texts
    log(
        f"indexing {estimate.documents:,} documents: about {estimate.terms:,} terms, {estimate.postings:,} postings, "
        f"{estimate.build_bytes / 1e6:,.0f} MB to build, {estimate.memory_bytes / 1e6:,.0f} MB in memory, "
        f"{estimate.disk_bytes / 1e6:,.0f} MB on disk (BM25 alone)"
    )
    _forget_peak()
    started = time.perf_counter()
    with _bar(estimate.documents) as progress:
        engine = Engine.build(
            collection, model=model, dim=dim, analyzer=analyzer, threads=threads, memory_limit=memory_limit,
            progress=progress,
        )  # fmt: skip
    engine.save(out)
    seconds = time.perf_counter() - started
    report = {
        "engine": str(out),
        **_size_of(engine, out),
        "seconds": round(seconds, 3),
        "mb_per_s": round(text_bytes / 1e6 / seconds, 2),
        "peak_memory_bytes": _peak(),
        "fusion": engine.fusion,
        "fingerprint": collection.fingerprint(),
    }
    emit(
        report,
        as_json,
        f"{out}: {len(engine):,} documents, {report['bytes'] / 1e6:.1f} MB in {seconds:.1f} s, "
        f"fusion {engine.fusion or 'none (BM25 alone)'}",
    )


def _size_of(engine: "Engine", folder: Path) -> dict[str, Any]:
    """Return what the engine counts and weighs, in memory and on disk, part by part; other files there do not count."""
    from twotower.engine.saving import load_parts
    from twotower.storage import read_container

    root, _, _ = load_parts(folder)
    sizes = {part.name: _bytes(part.rglob("*")) for part in root.iterdir()}
    sizes["texts"] = _bytes([folder / "twotower.manifest", *folder.glob("twotower-*.data")])
    _, arrays = read_container(root / "bm25", "bm25")
    memory = engine.bm25.memory()
    return {
        "documents": len(engine),
        "terms": len(engine.bm25.vocabulary),
        "postings": memory["docs"] // 4,
        "bytes": sum(sizes.values()),
        "disk_bytes": {**sizes, "bm25_arrays": {name: array.nbytes for name, array in arrays.items()}},
        "memory_bytes": memory,
    }


def _bytes(paths: Iterable[Path]) -> int:
    """Return the bytes of the files among some paths."""
    return sum(path.stat().st_size for path in paths if path.is_file())


@contextmanager
def _bar(n_documents: int) -> Iterator[Callable[[int], object] | None]:
    """Give what draws a bar of the documents done, on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=n_documents, label="BM25", file=sys.stderr) as bar:
        yield lambda done: bar.update(done - bar.pos)


def _forget_peak() -> None:
    """Let the peak of the process's memory begin anew, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> int:
    """Return the most memory that the process had since `_forget_peak`, or ever: pages of mapped files count too."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
