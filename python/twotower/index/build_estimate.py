"""How large an inverted index will be, and how much memory its build takes, from a sample of the texts.

Legend: N documents, V vocabulary, P postings, T terms with repetitions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twotower.errors import InputTypeError
from twotower.hardware import backend
from twotower.index.arguments import check_threads
from twotower.index.lexical_build import OUTSIDE_BYTES, TERM_BYTES
from twotower.index.lexical_content import AnalyzerLike, listed
from twotower.index.native import core
from twotower.text import TermIds, Vocabulary, as_analyzer
from twotower.text.text_columns import is_column

SAMPLE = 4000
"""Texts that are analysed, drawn at random, the same in every run; all of them where there are fewer."""

_BLOCK_TERMS = 2**21
_BYTES_PER_TERM_OF_A_BLOCK = 20
_WAITING_BYTES = 3.3
"""A posting that waits to be merged: 3 bytes, and its share of its block's table of terms."""
_IMPACT_BYTES = 3
"""A quantised posting, about."""


@dataclass(frozen=True)
class BuildEstimate:
    """What a build will take, within about a third.

    Attributes
    ----------
    documents : int
        Exact.
    terms, postings : int
    build_bytes : int
        Memory of the build without a limit, the finished index and the texts excepted.
    memory_bytes : int
        The finished index in memory: its postings, those quantised for searching, and document lengths.
    disk_bytes : int
        The saved index, without doc_ids.
    """

    documents: int
    terms: int
    postings: int
    build_bytes: int
    memory_bytes: int
    disk_bytes: int


def estimate_build(
    texts: Sequence[str] | Sequence[list[str]], *, analyzer: AnalyzerLike = "english", threads: int = 0
) -> BuildEstimate:
    """Estimate a build of these texts.

    Parameters
    ----------
    texts : sequence of str, or sequence of list of str
        Only a sample is read.
    analyzer : str, Analyzer or callable
    threads : int
        0 for every core. More threads hold more blocks at once.

    Raises
    ------
    InputTypeError
        If `texts` is no sequence, or holds neither texts nor lists of terms.

    Notes
    -----
    Postings and their packed size grow in step with the documents; the vocabulary as ``V = K T^beta`` (Heaps' law:
    Heaps, "Information Retrieval", 1978), whose beta is fitted to the second half of the sample.

    Examples
    --------
    >>> estimate = estimate_build(["sweet love", "sweet sorrow"] * 10)
    >>> estimate.documents, estimate.terms, estimate.postings
    (20, 3, 40)
    """
    if isinstance(texts, str | bytes) or not (isinstance(texts, Sequence) or is_column(texts)):
        raise InputTypeError(f"texts is one {type(texts).__name__}: give a list, of strings or of lists of terms")
    if not isinstance(texts, Sequence):
        texts = listed(texts, "texts")
    workers = check_threads(threads) or backend().threads
    n_sampled = min(SAMPLE, len(texts))
    places = np.random.default_rng(0).choice(len(texts), n_sampled, replace=False)  # no order of the texts misleads it
    sample: list[Any] = [texts[i] for i in np.sort(places).tolist()]
    vocabulary = Vocabulary()
    if sample and not isinstance(sample[0], str):
        ids = vocabulary.ids(sample, grow=True)
    else:
        ids = as_analyzer(analyzer).term_ids(sample, vocabulary, grow=True)
    offsets, docs, tfs, _ = core.build_inverted_arrays(ids.ids, ids.offsets, len(vocabulary))
    packed = core.pack_postings(offsets, docs, tfs, 1)[0].nbytes / max(1, len(docs))
    scale = len(texts) / max(1, len(sample))
    terms = _vocabulary_size(ids, scale)
    postings = round(len(docs) * scale)
    term_bytes = vocabulary.to_arrays()[0].nbytes / max(1, len(vocabulary))
    block = _BYTES_PER_TERM_OF_A_BLOCK * min(_BLOCK_TERMS, len(ids.ids) * scale)
    return BuildEstimate(
        documents=len(texts),
        terms=terms,
        postings=postings,
        build_bytes=round(OUTSIDE_BYTES + TERM_BYTES * terms + _WAITING_BYTES * postings + workers * block),
        memory_bytes=(8 + _IMPACT_BYTES) * postings + 4 * len(texts) + 8 * (terms + 1),
        disk_bytes=round(packed * postings + (term_bytes + 1.2) * terms + len(texts)),
    )


def _vocabulary_size(ids: TermIds, scale: float) -> int:
    """Return the terms of a collection `scale` times as large as the sample."""
    n = len(ids.ids)
    whole = len(np.unique(ids.ids))
    half = len(np.unique(ids.ids[: n // 2]))
    if scale == 1 or half in (0, whole):
        return whole
    return int(whole * scale ** math.log2(whole / half))
