"""Several searchers as one: their lists are united and their answers fused.

Knows no fusion's formula. Legend: S searchers, Q queries, C candidates, K results.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index.arguments import as_docs, check_integer, check_k
from twotower.registry import resolve
from twotower.search import FUSIONS
from twotower.search.candidates import Candidates
from twotower.search.cost import Cost
from twotower.search.fusion import Fusion
from twotower.search.pool import Pool, Shares
from twotower.search.ranking import Docs
from twotower.search.searcher import Searcher, as_texts, check_same_documents
from twotower.search.sweep import tune_together
from twotower.search.tuning import Tuning
from twotower.search.weights import check_weights
from twotower.types import Collection, Hit, Hits

_BLOCK = 1024  # queries at once: bounds the memory of shares to a few MiB a searcher
Parts = dict[str, npt.NDArray[np.float32]]


class Hybrid:
    """Searches with several searchers and fuses what they say.

    Parameters
    ----------
    searchers : sequence of Searcher
        One or more, over the same documents in the same order, with different names.
    fusion : str
        A name of `twotower.search.FUSIONS`: "rrf" (reciprocal ranks; needs no labels) or "linear" (scores; tune it), among others.
    weights : sequence of float, optional
        One a searcher, 0 or more, not all 0. Default: 1 / S each for "linear" and "convex", 1 each for the others.
    depth : int
        How many documents each searcher brings for a query: at most S * depth are ranked, whatever `k` is.
    normalise : str, optional
        How scores are scaled, one of the fusion's `normalisations`: for "linear" "minmax" (default), "zscore" or "none".

    Attributes
    ----------
    searchers : tuple of Searcher
    names : list of str
    weights : tuple of float
    fusion : str
    depth : int
    normalise : str or None
    tuning : Tuning or None
        How the weights were found, if by `tune` or `twotower.search.tune_together`, or taken over by `take`.
    cost : Cost or None
        What the last search cost: of all threads that search with it, the one that ended last.

    Raises
    ------
    InvalidInputError
        If the searchers differ in their documents or share a name; if an option is unknown or out of range, or the fusion does not
        go with a searcher.
    InputTypeError
        If a weight is not a number.

    Notes
    -----
    ``score = factor * sum of weight * share`` over the searchers in their order, in float64, rounded once to float32; the order
    is (score descending, DocId ascending). Candidates are the documents that a searcher with a weight above 0 lists; a list whose
    scores are all 0 (a query without a known term) brings none, so that a query that nobody knows finds nothing. With a single
    weight above 0 the hybrid's list is that searcher's. Immutable but for the weights and what `Attributes` says of them.

    Examples
    --------
    >>> from twotower.index import BM25Index, TfidfIndex
    >>> texts = ["Sweet sweet nurse! Love?", "Sweet sorrow", "How sweet is love?", "Nurse!"]
    >>> hybrid = Hybrid([BM25Index.build(texts), TfidfIndex.build(texts)])
    >>> [(hit.doc_id, round(hit.score, 4)) for hit in hybrid.search("sweet love", k=2)]
    [('0', 0.0328), ('2', 0.0323)]
    """

    name = "hybrid"

    def __init__(
        self,
        searchers: Sequence[Searcher],
        fusion: str = "rrf",
        weights: Sequence[float] | None = None,
        depth: int = 100,
        normalise: str | None = None,
    ) -> None:
        self.searchers: tuple[Any, ...] = tuple(searchers)
        if not self.searchers:
            raise InvalidInputError("a hybrid of no searchers: give at least one")
        self.names = [searcher.name for searcher in self.searchers]
        for name in self.names:
            if self.names.count(name) > 1:
                raise InvalidInputError(
                    f"two searchers are named {name!r}: tell them apart, as by Dense(..., name=...)"
                )
        check_same_documents(self.searchers)
        self.fusion = fusion
        self._fusion: Fusion = resolve(FUSIONS, fusion, "fusion")(normalise)
        self._fusion.check(self.searchers)
        self.normalise = self._fusion.normalise
        self.depth = check_integer(depth, "depth", 1, 2**31)
        if weights is None:
            weights = [self._fusion.default_weight(len(self.searchers))] * len(self.searchers)
        self.weights = check_weights(weights, len(self.searchers))
        self.tuning: Tuning | None = None
        self.cost: Cost | None = None

    @property
    def doc_ids(self) -> Any:
        """The user's ids by DocId."""
        return self.searchers[0].doc_ids

    def __len__(self) -> int:
        return len(self.doc_ids)

    def __repr__(self) -> str:
        parts = ", ".join(f"{weight:g} {name}" for name, weight in zip(self.names, self.weights, strict=True))
        return f"Hybrid({self.fusion}: {parts})"

    @overload  # a str is an iterable of str too: the order of the overloads decides
    def search(self, texts: str, k: int = 10) -> list[Hit]: ...  # type: ignore[overload-overlap]
    @overload
    def search(self, texts: Iterable[str], k: int = 10) -> Hits: ...
    def search(self, texts: str | Iterable[str], k: int = 10) -> list[Hit] | Hits:
        """Return the `k` best candidates of each text.

        Parameters
        ----------
        texts : str or iterable of str
        k : int
            Results for each query, 0 or more; rows are padded where there are fewer candidates.

        Returns
        -------
        Hits, or list of Hit for a single str

        Raises
        ------
        InputTypeError
            If `texts` holds other things than strings.
        InvalidInputError
            If `k` is negative or not an integer.

        Notes
        -----
        Cost: S searches of `depth`, and for all fusions of scores S scorings of at most S * depth documents. `cost` has it counted.
        """
        batch, single = as_texts(texts)
        hits, _ = self.search_with_parts(batch, k)
        return hits[0] if single else hits

    def search_with_parts(self, texts: Iterable[str], k: int = 10) -> tuple[Hits, Parts]:
        """Return what `search` and then `parts` return, asking the searchers and encoding the queries once.

        Arguments and errors are those of `search`.
        """
        batch, _ = as_texts(texts)
        k = check_k(k, len(batch), len(self))
        weights, cost = self.weights, Cost.of(self.names)
        scores = np.empty((len(batch), k), np.float32)
        docs = np.empty((len(batch), k), np.int64)
        shares = np.empty((len(self.names), len(batch), k))
        start = 0
        for block in self.candidates(batch, cost):
            rows = slice(start, start + len(block.docs))
            scores[rows], docs[rows], columns = block.best(weights, k)
            if block.docs.shape[1]:
                shares[:, rows] = np.take_along_axis(block.parts(weights), columns[np.newaxis], axis=2)
            start = rows.stop
        self.cost = cost.finish(len(batch))
        return Hits(scores, docs, self.doc_ids.__getitem__), self._named(shares, docs)

    def candidates(self, texts: list[str], cost: Cost | None = None) -> Iterator[Candidates]:
        """Yield what the searchers say of their candidates, for one block of queries after the other; count it in `cost`."""
        for pool in self._pools(texts, cost or Cost.of(self.names)):
            yield Candidates.of(pool, self._fusion, pool.candidates)

    def score(self, texts: Iterable[str], docs: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the scores of given documents, candidates or not.

        Parameters
        ----------
        texts : iterable of str
            Q queries.
        docs : array_like of int, shape [Q, C]
            DocIds; -1 is padding.

        Returns
        -------
        ndarray of float32, shape [Q, C]
            What `search` gives to candidates; -inf at padding.

        Raises
        ------
        InputTypeError, InvalidInputError
            As `search`; also for a DocId that there is not.
        """
        wanted, blocks = self._given(texts, docs)
        fused = [block.fused(self.weights) for block in blocks]
        return np.concatenate(fused) if fused else np.empty(wanted.shape, np.float32)

    def parts(self, texts: Iterable[str], docs: npt.ArrayLike) -> Parts:
        """Return each searcher's part of the scores of given documents: factor times weight times share.

        Arguments are those of `score`. The parts, by name of the searcher, sum to the score up to rounding.
        """
        wanted, blocks = self._given(texts, docs)
        parts = [block.parts(self.weights) for block in blocks]
        shape = (len(self.names), *wanted.shape)
        return self._named(np.concatenate(parts, axis=1) if parts else np.empty(shape), wanted)

    def _given(self, texts: Iterable[str], docs: npt.ArrayLike) -> tuple[Docs, list[Candidates]]:
        batch, _ = as_texts(texts)
        wanted = as_docs(docs, len(batch), len(self))
        pools = self._pools(batch, Cost.of(self.names))
        rows = range(0, len(batch), _BLOCK)
        return wanted, [
            Candidates.of(pool, self._fusion, wanted[start : start + _BLOCK])
            for start, pool in zip(rows, pools, strict=True)
        ]

    def _pools(self, texts: list[str], cost: Cost) -> Iterator[Pool]:
        for start in range(0, len(texts), _BLOCK):
            pool = Pool.collect(self.searchers, texts[start : start + _BLOCK], self.depth, cost.parts)
            cost.candidates += int((pool.candidates >= 0).sum())
            yield pool

    def _named(self, parts: Shares, docs: Docs) -> Parts:
        parts = np.where(docs < 0, -np.inf, parts)
        return {name: part.astype(np.float32) for name, part in zip(self.names, parts, strict=True)}

    def tune(self, collection: Collection, split: str | Sequence[str] = "valid", measure: str = "nDCG@10") -> Tuning:
        """Find and take the weights that do best on one split, or on several taken as one.

        Parameters
        ----------
        collection : Collection
        split : str or sequence of str
            Named train, valid, validation or dev, perhaps with a sign and more behind it; others are refused, so that nobody tunes
            on the split on which the hybrid is to be reported. `search_split` warns where one does it the other way round.
        measure : str
            An ir-measures name.

        Returns
        -------
        Tuning
            Also kept as `tuning`.

        Raises
        ------
        InvalidInputError
            If there is a single searcher; if the split or measure is unknown, the split is not one to tune on or has no judgements.

        Notes
        -----
        `twotower.search.weights.search_simplex` says which weights are tried. Each searcher is asked once.
        """
        return tune_together([(self, collection, split)], measure)

    def take(self, tuning: Tuning) -> Self:
        """Take weights that were found elsewhere, on another collection, for searchers of the same names; return self.

        Raises
        ------
        InvalidInputError
            If the tuning is of other searchers, another fusion or another normalisation.
        """
        ours = (self.names, self.fusion, self.normalise)
        theirs = (list(tuning.searchers), tuning.fusion, tuning.normalise)
        if ours != theirs:
            raise InvalidInputError(f"the weights were found for {theirs}, this hybrid is {ours}")
        self.weights = check_weights(tuning.weights, len(self.names))
        self.tuning = tuning
        return self

    def to_config(self) -> dict[str, Any]:
        """Return all options as JSON-able values, with the names of the searchers but not the searchers."""
        return {
            "fusion": self.fusion,
            "searchers": self.names,
            "weights": list(self.weights),
            "depth": self.depth,
            "normalise": self.normalise,
            "tuning": None if self.tuning is None else self.tuning.to_dict(),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], searchers: Sequence[Searcher]) -> Self:
        """Make the hybrid that `to_config` described, of the same searchers.

        Raises
        ------
        CorruptFileError
            If the configuration is malformed, or the searchers are others or do not belong together.
        """
        keys = {"fusion", "searchers", "weights", "depth", "normalise", "tuning"}
        if not isinstance(config, Mapping) or set(config) != keys:
            raise CorruptFileError(f"the fusion is {config!r:.200}: it needs the keys {', '.join(sorted(keys))}")
        names = [searcher.name for searcher in searchers]
        if config["searchers"] != names:
            raise CorruptFileError(
                f"the fusion was of {config['searchers']!r:.200}, but here are {names}: save it again"
            )
        try:
            hybrid = cls(searchers, config["fusion"], config["weights"], config["depth"], config["normalise"])
            hybrid.tuning = None if config["tuning"] is None else Tuning.from_dict(config["tuning"])
        except (InvalidInputError, InputTypeError, TypeError) as error:
            raise CorruptFileError(f"the saved fusion is not usable: {error}") from error
        return hybrid
