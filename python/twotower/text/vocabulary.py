"""Terms and their numbers. Knows no words and no stems: an analyzer makes the terms."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, SupportsIndex

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.native import NativeVocabulary
from twotower.text.term_ids import TermIds, batches, joined

if TYPE_CHECKING:
    from twotower.text.analyzer import Analyzer


class Vocabulary:
    """Distinct terms with dense ids, from 0, in order of first appearance.

    Safe to share between threads; two threads that add at once share out the ids in the order in which they come. That of
    an index is frozen.

    Parameters
    ----------
    terms : iterable of str
        First terms; one that comes again keeps its first id.

    Examples
    --------
    >>> vocabulary = Vocabulary(["sweet", "love", "sweet"])
    >>> len(vocabulary), vocabulary.id("love"), vocabulary.id("sorrow"), vocabulary.term(0), "love" in vocabulary
    (2, 1, -1, 'sweet', True)
    """

    def __init__(self, terms: Iterable[str] = ()) -> None:
        self._native = NativeVocabulary()
        if isinstance(terms, str):
            raise InputTypeError("terms is one str: give a list of terms")
        self._native.ids_of_terms((tuple(terms),), True, 0)

    @classmethod
    def count(cls, texts: Iterable[str], analyzer: "Analyzer", min_count: int = 1, max_size: int | None = None) -> Self:
        """Keep the frequent terms of texts, the most frequent first; of equal ones the first to appear.

        Parameters
        ----------
        texts : iterable of str
        analyzer : Analyzer
        min_count : int, at least 1
            Occurrences (not texts) that a term needs.
        max_size : int, optional
            Terms to keep at most.

        Raises
        ------
        InvalidInputError
            If `min_count` is below 1 or `max_size` below 0, or a text is not Unicode text.

        Examples
        --------
        >>> from twotower import Analyzer
        >>> Vocabulary.count(["How sweet is love?", "Sweet sorrow"], Analyzer("plain"), max_size=2).terms()
        ['sweet', 'how']
        """
        if min_count < 1:
            raise InvalidInputError(f"min_count is {min_count}: it must be at least 1, which keeps every term")
        if max_size is not None and max_size < 0:
            raise InvalidInputError(f"max_size is {max_size}: it must be at least 0, or None for no limit")
        seen = cls()
        counts = np.zeros(0, np.int64)
        for batch in analyzer.stream_term_ids(texts, seen, grow=True):
            found = np.bincount(batch.ids, minlength=len(counts))
            found[: len(counts)] += counts
            counts = found
        order = np.argsort(-counts, kind="stable")[:max_size]
        terms = seen.terms()
        return cls(terms[i] for i in order.tolist() if counts[i] >= min_count)

    def __len__(self) -> int:
        return len(self._native)

    def __contains__(self, term: object) -> bool:
        return isinstance(term, str) and self._native.find(term) >= 0

    def __iter__(self) -> Iterator[str]:
        return iter(self.terms())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.terms() == other.terms()

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} terms)"

    def freeze(self) -> None:
        """Add no term any more: what would add one raises InvalidInputError. A copy grows: ``Vocabulary(v.terms())``.

        Examples
        --------
        >>> vocabulary = Vocabulary(["sweet"])
        >>> vocabulary.freeze()
        >>> vocabulary.ids([["sweet"]], grow=True).ids
        array([0], dtype=int32)
        """
        self._native.freeze()

    def id(self, term: str) -> int:
        """Return the id of a term, -1 if it is unknown."""
        return int(self._native.find(term))

    def term(self, id: int) -> str:  # noqa: A002
        """Return the term of an id.

        Raises
        ------
        InvalidInputError
            If no term has it.
        InputTypeError
            If it is no integer.
        """
        if not isinstance(id, SupportsIndex):
            raise InputTypeError(f"id is of type {type(id).__name__}: it must be an integer")
        if not 0 <= id < len(self):
            raise InvalidInputError(f"no term has id {id}: ids go from 0 to below {len(self)}")
        return str(self._native.term(id))

    def terms(self) -> list[str]:
        """Return all terms in the order of their ids. Made on each call."""
        terms: list[str] = self._native.terms()
        return terms

    def ids(self, documents: Iterable[Sequence[str]], grow: bool = False) -> TermIds:
        """Return texts that are lists of terms already as ids.

        Parameters
        ----------
        documents : iterable of sequences of str
            The terms of each text.
        grow : bool
            Add unknown terms; else they get the id -1 and keep their place.

        Raises
        ------
        InputTypeError
            If a document is a str, or a term is no str; the message names both numbers.
        InvalidInputError
            If a term has a lone surrogate, or must be added to a frozen vocabulary.

        Examples
        --------
        >>> Vocabulary(["sweet"]).ids([["sweet", "love"], []])
        TermIds(ids=array([ 0, -1], dtype=int32), offsets=array([0, 2, 2]))
        """
        return joined(self.stream_ids(documents, grow))

    def stream_ids(self, documents: Iterable[Sequence[str]], grow: bool = False) -> Iterator[TermIds]:
        """Do what `ids` does for a few thousand texts at a time, for streams that are not to be held whole."""
        if isinstance(documents, str):
            raise InputTypeError("documents is one str: give a list of lists of terms")
        for first, batch in batches(documents):
            yield self._ids_of_batch(first, batch, grow)

    def _ids_of_batch(self, first: int, documents: tuple[Sequence[str], ...], grow: bool) -> TermIds:
        if all(type(terms) is list for terms in documents):  # by far the most frequent case, read where it is
            return TermIds(*self._native.ids_of_terms(documents, grow, first))
        for n, terms in enumerate(documents, first):
            if isinstance(terms, str) or not isinstance(terms, Sequence):
                raise InputTypeError(f"text {n} is of type {type(terms).__name__}: give a list of terms for each text")
        return TermIds(*self._native.ids_of_terms(tuple(map(tuple, documents)), grow, first))

    def to_arrays(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Return the stored form: all terms as UTF-8 one behind the other, and V + 1 offsets into that blob."""
        blob, offsets = self._native.stored()
        return blob, offsets

    @classmethod
    def from_arrays(cls, blob: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Self:
        """Read what `to_arrays` gave. The arrays are copied and may come from an untrusted file.

        Raises
        ------
        InputTypeError
            If `blob` is not uint8 [bytes], or `offsets` not int64 [V + 1].
        InvalidInputError
            If the offsets do not cut the blob into terms, a term is not valid UTF-8, or a term comes twice.
        """
        for name, array, dtype in (("blob", blob, np.uint8), ("offsets", offsets, np.int64)):
            if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1:
                kind = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
                raise InputTypeError(f"{name} is {kind}: it must be a one-dimensional array of {np.dtype(dtype)}")
        vocabulary = cls.__new__(cls)
        vocabulary._native = NativeVocabulary(np.ascontiguousarray(blob), np.ascontiguousarray(offsets))
        return vocabulary

    def __reduce__(self) -> tuple[Any, ...]:
        return Vocabulary.from_arrays, self.to_arrays()
