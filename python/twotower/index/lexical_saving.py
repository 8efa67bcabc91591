"""A lexical index built straight into a saved folder, without ever being whole in memory."""

import time
from collections.abc import Iterable
from os import PathLike
from typing import Any

from twotower.index.doc_ids import check_doc_ids
from twotower.index.lexical_build import BuildReport, Progress, folder_beside, invert
from twotower.index.lexical_content import FORMAT, AnalyzerLike, iterate, string_arrays
from twotower.index.stored_texts import text_recorder
from twotower.storage import checked_path, container_meta
from twotower.text import Analyzer, as_analyzer


def saved_meta(analyzer: Analyzer, scoring: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a saved index.

    Raises
    ------
    InvalidInputError
        If the analyzer is a function, which cannot be saved.
    """
    return {"format": FORMAT, "analyzer": analyzer.to_config(), "scoring": scoring}


def build_to(
    folder: str | PathLike[str],
    kind: str,
    texts: Iterable[Any],
    doc_ids: Iterable[str] | None,
    analyzer: AnalyzerLike,
    scoring: dict[str, Any],
    *,
    threads: int,
    memory_limit: int | None,
    progress: Progress | None,
    store_texts: bool = False,
    text_lengths: bool = False,
) -> BuildReport:
    """Do what `LexicalIndex.build_to` says, for an index of `kind` with checked options of its formula.

    `text_lengths`: the formula needs the bytes of each text.
    """
    started = time.perf_counter()
    folder = checked_path(folder)
    analyzer = as_analyzer(analyzer)
    meta = container_meta(kind, saved_meta(analyzer, scoring))
    recorder = text_recorder(store_texts, text_lengths, None if memory_limit is None else folder_beside(folder))
    items = iterate(texts, "texts")
    builder, counts, vocabulary = invert(
        recorder.watch(items) if recorder else items,
        analyzer,
        threads=threads,
        memory_limit=memory_limit,
        progress=progress,
        spill_folder=folder_beside(folder),
        held=recorder.held_bytes if recorder else None,
    )
    arrays = string_arrays(vocabulary, check_doc_ids(doc_ids, counts.n_docs))
    if recorder:
        arrays |= recorder.to_arrays()
    own = builder.save(folder, kind, meta, list(arrays.items()))
    return BuildReport(
        documents=counts.n_docs,
        terms=counts.n_terms,
        postings=counts.n_postings,
        seconds=time.perf_counter() - started,
        spilled_bytes=counts.spilled_bytes,
        disk_bytes={**own, **{name: array.nbytes for name, array in arrays.items()}},
    )
