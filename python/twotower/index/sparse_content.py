"""What an index over weighted terms holds, and its saved form (docs/formats/sparse.md). Knows no search.

Legend: N documents, V terms, P postings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError
from twotower.index.doc_ids import DocIds
from twotower.index.lexical_content import check_arrays, offsets_of, string_arrays
from twotower.index.native import core
from twotower.storage import read_container, write_container
from twotower.text import Vocabulary

FORMAT = 1
"""Version of the saved form."""

_BYTES = ("postings", "dfs", "vocabulary", "vocabulary_lengths")
_SAVED = {**dict.fromkeys(_BYTES, np.uint8), "group_ends": np.uint64, "weights": np.float32}


@dataclass(frozen=True)
class SparseContent:
    """The postings of weighted terms, and the names of terms and documents.

    Attributes
    ----------
    term_offsets : ndarray of int64, shape [V + 1]
        The postings of term t are those from ``term_offsets[t]`` to below ``term_offsets[t + 1]``.
    docs : ndarray of uint32, shape [P]
        DocIds, strictly ascending within a term.
    weights : ndarray of float32, shape [P]
        Finite, never 0.
    vocabulary : Vocabulary or None
        None: terms are ids.
    doc_ids : DocIds
    """

    term_offsets: npt.NDArray[np.int64]
    docs: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float32]
    vocabulary: Vocabulary | None
    doc_ids: DocIds

    @property
    def n_terms(self) -> int:
        """V; where terms are ids, 1 + the largest."""
        return len(self.term_offsets) - 1

    def inverted(self) -> Any:
        """Return the core's checked view: its numbers are the bits of the weights."""
        return core.InvertedIndex.numbered(
            self.term_offsets, self.docs, self.weights.view(np.uint32), len(self.doc_ids)
        )

    def memory(self) -> dict[str, int]:
        """Return the bytes of each array in memory, and of the doc_ids."""
        own = {name: getattr(self, name).nbytes for name in ("term_offsets", "docs", "weights")}
        return {**own, **{name: array.nbytes for name, array in self.doc_ids.to_arrays().items()}}

    def save(self, folder: str | PathLike[str], kind: str) -> None:
        """Write the container."""
        once = np.ones(len(self.docs), np.uint32)  # the packed form of occurrences, of which one each takes no room
        packed, group_ends = core.pack_postings(self.term_offsets, self.docs, once, 0)
        arrays = {
            "postings": packed,
            "group_ends": group_ends,
            "dfs": core.pack_integers(np.diff(self.term_offsets).astype(np.uint32)),
            "weights": self.weights,
            **string_arrays(self.vocabulary or Vocabulary(), self.doc_ids),
        }
        terms = "ids" if self.vocabulary is None else "strings"
        write_container(folder, kind, {"format": FORMAT, "documents": len(self.doc_ids), "terms": terms}, arrays)

    @classmethod
    def load(cls, folder: str | PathLike[str], kind: str) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        FileError
            If the folder holds no saved index.
        CorruptFileError
            If it is damaged, or something is missing or malformed.
        """
        meta, arrays = read_container(folder, kind)
        n_docs, words = _checked_meta(meta)
        check_arrays(arrays, _SAVED)
        term_offsets = offsets_of(arrays["dfs"])
        docs, once = core.unpack_postings(arrays["postings"], arrays["group_ends"], term_offsets, 0)
        if (once != 1).any() or len(docs) != len(arrays["weights"]):
            raise CorruptFileError(f"{folder}: the postings and the weights do not fit together: save the index again")
        vocabulary = _vocabulary(arrays, len(term_offsets) - 1) if words else None
        if "doc_id_lengths" in arrays:
            check_arrays(arrays, {"doc_ids": np.uint8, "doc_id_lengths": np.uint8})
            arrays["doc_id_offsets"] = offsets_of(arrays["doc_id_lengths"])
        return cls(term_offsets, docs, arrays["weights"], vocabulary, DocIds.from_arrays(arrays, n_docs))


def _vocabulary(arrays: Mapping[str, npt.NDArray[Any]], n_terms: int) -> Vocabulary:
    try:
        vocabulary = Vocabulary.from_arrays(arrays["vocabulary"], offsets_of(arrays["vocabulary_lengths"]))
    except (TypeError, ValueError) as error:
        raise CorruptFileError(f"the saved index cannot be read: {error}") from error
    if len(vocabulary) != n_terms:
        raise CorruptFileError(f"the saved index has {len(vocabulary)} terms and postings of {n_terms}: save it again")
    return vocabulary


def _checked_meta(meta: dict[str, Any]) -> tuple[int, bool]:
    """Return N, and whether terms are strings."""
    if meta.get("format") != FORMAT:
        raise CorruptFileError(
            f"the saved index has format {meta.get('format')!r}, this twotower reads {FORMAT}: load it with the twotower that "
            "saved it"
        )
    n_docs, terms = meta.get("documents"), meta.get("terms")
    if type(n_docs) is not int or not 0 <= n_docs < 2**32 or terms not in ("ids", "strings"):
        raise CorruptFileError("the saved index lacks its number of documents or its kind of terms: save it again")
    return n_docs, terms == "strings"
