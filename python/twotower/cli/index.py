"""`twotower index`: a corpus into an engine folder."""

from pathlib import Path

import click

from twotower.cli.options import OutFolder, common, emit, log, use_threads


@click.command()
@click.argument("source")
@click.option("--out", required=True, type=OutFolder(), help="Engine folder to write.")
@click.option(
    "--model", "model_folder", type=click.Path(path_type=Path, exists=True), help="Two-tower model, adds dense search."
)
@click.option("--config", help="Configuration of a data set id, such as v1.1.")
@click.option("--analyzer", default="english", show_default=True, help="Analyzer of the BM25 index.")
@common
def index(
    source: str,
    out: Path,
    model_folder: Path | None,
    config: str | None,
    analyzer: str,
    threads: int,
    seed: int,
    as_json: bool,
) -> None:
    """Index a collection into an engine folder, for `search` and `evaluate`.

    SOURCE is what `tt.load_collection` takes: a BEIR folder, a local file of records, a data set id, or python-docs. If it
    has a split "valid" and --model is given, the fusion is tuned on it.
    """
    from twotower.data import load_collection
    from twotower.engine import Engine

    threads = use_threads(threads)
    log(f"reading {source}")
    collection = load_collection(source, config=config)
    model = None
    if model_folder is not None:
        from twotower.towers import TwoTower

        model = TwoTower.from_pretrained(model_folder)
    log(f"indexing {len(collection.corpus):,} documents")
    engine = Engine.build(collection, model=model, analyzer=analyzer, threads=threads)
    engine.save(out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    report = {
        "engine": str(out),
        "documents": len(engine),
        "bytes": size,
        "fusion": engine.fusion,
        "fingerprint": collection.fingerprint(),
    }
    emit(
        report,
        as_json,
        f"{out}: {len(engine):,} documents, {size / 1e6:.1f} MB, fusion {engine.fusion or 'none (BM25 alone)'}",
    )
