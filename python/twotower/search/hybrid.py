"""Several searchers as one: their lists are united and their answers fused.

Knows no fusion's formula. Legend: S searchers, Q queries, C candidates, K results, U size of the largest union.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index.arguments import as_docs, check_integer, check_k
from twotower.registry import resolve
from twotower.search import FUSIONS
from twotower.search.pool import Fusion, Pool, Shares
from twotower.search.ranking import Docs, best
from twotower.search.searcher import Searcher, as_texts, check_same_documents
from twotower.search.tuning import Tuning, sweep
from twotower.types import Collection, Hit, Hits

_BLOCK = 1024  # queries at once: bounds the memory of shares to a few MiB a searcher


@dataclass(frozen=True)
class Candidates:
    """All that fusing a block of queries needs, whatever the weights.

    Attributes
    ----------
    docs : ndarray of int64, shape [Q, U]
    shares : ndarray of float64, shape [S, Q, U]
    listed : ndarray of bool, shape [S, Q, U]
        Whether the searcher's list holds the document.
    """

    docs: Docs
    shares: Shares
    listed: npt.NDArray[np.bool_]

    def best(self, weights: Sequence[float], k: int) -> tuple[npt.NDArray[np.float32], Docs]:
        """Return scores and docs [Q, K]; a document that only searchers of weight 0 list is left out."""
        active = self.listed[[weight > 0 for weight in weights]].any(axis=0)
        return best(weighted_sum(self.shares, weights), np.where(active, self.docs, -1), k)


class Hybrid:
    """Searches with several searchers and fuses what they say.

    Parameters
    ----------
    searchers : sequence of Searcher
        One or more, over the same documents in the same order, with different names.
    fusion : str
        A name of `twotower.search.FUSIONS`: "rrf" (reciprocal ranks; needs no labels) or "linear" (scores; tune it).
    weights : sequence of float, optional
        One a searcher, 0 or more, not all 0. Default: 1 each for "rrf", 1 / S each for "linear".
    depth : int
        How many documents each searcher brings for a query: at most S * depth are ranked, whatever `k` is.
    normalise : {"minmax", "none"}, optional
        Of "linear", see `twotower.search.linear.Linear`.

    Attributes
    ----------
    searchers : tuple of Searcher
    weights : tuple of float
    fusion : str
    depth : int
    normalise : str or None
    tuning : Tuning or None
        How the weights were found, if by `tune`.

    Raises
    ------
    InvalidInputError
        If the searchers differ in their documents or share a name; if an option is unknown or out of range.
    InputTypeError
        If a weight is not a number.

    Notes
    -----
    ``score = sum of weight * share`` over the searchers in their order, in float64, rounded once to float32; the order
    is (score descending, DocId ascending). Candidates are the documents that a searcher with a weight above 0 lists, so
    with a single such weight the hybrid's list is that searcher's. Immutable but for `tune`.

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
        self.normalise = self._fusion.normalise
        self.depth = check_integer(depth, "depth", 1, 2**31)
        if weights is None:
            weights = [self._fusion.default_weight(len(self.searchers))] * len(self.searchers)
        self.weights = _checked_weights(weights, len(self.searchers))
        self.tuning: Tuning | None = None

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
        Cost: S searches of `depth`, and for "linear" S scorings of at most S * depth documents.
        """
        batch, single = as_texts(texts)
        k = check_k(k, len(batch), len(self))
        weights = self.weights
        scores = np.empty((len(batch), k), np.float32)
        docs = np.empty((len(batch), k), np.int64)
        start = 0
        for block in self.candidates(batch):
            stop = start + len(block.docs)
            scores[start:stop], docs[start:stop] = block.best(weights, k)
            start = stop
        hits = Hits(scores, docs, self.doc_ids.__getitem__)
        return hits[0] if single else hits

    def candidates(self, texts: list[str]) -> Iterator[Candidates]:
        """Yield what the searchers say of their candidates, for one block of queries after the other."""
        for start in range(0, len(texts), _BLOCK):
            pool = Pool.collect(self.searchers, texts[start : start + _BLOCK], self.depth)
            docs = pool.candidates
            yield Candidates(docs, self._fusion.shares(pool, docs), pool.ranks(docs) > 0)

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
        wanted, shares = self._shares(texts, docs)
        return np.where(wanted < 0, np.float32(-np.inf), weighted_sum(shares, self.weights))

    def parts(self, texts: Iterable[str], docs: npt.ArrayLike) -> dict[str, npt.NDArray[np.float32]]:
        """Return each searcher's part of the scores of given documents: weight times share.

        Arguments are those of `score`. The parts, by name of the searcher, sum to the score up to rounding.
        """
        wanted, shares = self._shares(texts, docs)
        parts = zip(self.names, self.weights, shares, strict=True)
        return {name: np.where(wanted < 0, -np.inf, weight * share).astype(np.float32) for name, weight, share in parts}

    def _shares(self, texts: Iterable[str], docs: npt.ArrayLike) -> tuple[Docs, Shares]:
        batch, _ = as_texts(texts)
        wanted = as_docs(docs, len(batch), len(self))
        shares = np.empty((len(self.searchers), *wanted.shape))
        for start in range(0, len(batch), _BLOCK):
            rows = slice(start, start + _BLOCK)
            pool = Pool.collect(self.searchers, batch[rows], self.depth)
            shares[:, rows] = self._fusion.shares(pool, wanted[rows])
        return wanted, shares

    def tune(self, collection: Collection, split: str = "valid", measure: str = "nDCG@10") -> Tuning:
        """Find and take the weights of two searchers that do best on one split.

        Parameters
        ----------
        collection : Collection
        split : str
            Never the one on which the hybrid is to be reported.
        measure : str
            An ir-measures name.

        Returns
        -------
        Tuning
            Also kept as `tuning`; weights become (1 - weight, weight).

        Raises
        ------
        InvalidInputError
            If there are not two searchers; if the split or measure is unknown or the split has no judgements.

        Notes
        -----
        Weights of the second searcher 0, 0.05, ..., 1, then steps of 0.01 around the best. Each searcher is asked once.
        """
        if len(self.searchers) != 2:
            raise InvalidInputError(f"tune weighs two searchers, this hybrid has {len(self.searchers)}: give weights")
        tuning = sweep(self, collection, split, measure)
        self.weights = (1 - tuning.weight, tuning.weight)
        self.tuning = tuning
        return tuning

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


def weighted_sum(shares: Shares, weights: Sequence[float]) -> npt.NDArray[np.float32]:
    """Return the sum of weight times share over searchers in their order, rounded once: [S, Q, C] to [Q, C]."""
    total = np.zeros(shares.shape[1:])
    for weight, share in zip(weights, shares, strict=True):
        total += weight * share
    return total.astype(np.float32)


def _checked_weights(weights: Any, n_searchers: int) -> tuple[float, ...]:
    if isinstance(weights, str | bytes) or not isinstance(weights, Iterable):
        raise InputTypeError(f"weights is {weights!r}: give one number a searcher")
    given = list(weights)
    for weight in given:
        if not isinstance(weight, Real) or isinstance(weight, bool):
            raise InputTypeError(f"the weight {weight!r} is {type(weight).__name__}: give a number")
        if not (math.isfinite(weight) and float(weight) >= 0):
            raise InvalidInputError(f"the weight {weight} is out of range: give finite numbers, 0 or more")
    if len(given) != n_searchers:
        raise InvalidInputError(f"{len(given)} weights for {n_searchers} searchers: give one each")
    if not any(given):
        raise InvalidInputError("all weights are 0: nothing would be found")
    return tuple(float(weight) for weight in given)
