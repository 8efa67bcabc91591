"""The documents' texts without their titles, out of what the BM25 index stores. Knows no search."""

from collections.abc import Sequence
from typing import overload


class Bodies(Sequence[str]):
    """Texts by DocId, cut on use from full texts (title, a space, text: `Document.full_text`).

    Parameters
    ----------
    full_texts, titles : sequence of str
        Of the same documents.
    """

    def __init__(self, full_texts: Sequence[str], titles: Sequence[str]) -> None:
        self._full_texts = full_texts
        self._titles = titles

    def __len__(self) -> int:
        return len(self._full_texts)

    @overload
    def __getitem__(self, doc: int) -> str: ...
    @overload
    def __getitem__(self, doc: slice) -> list[str]: ...
    def __getitem__(self, doc: int | slice) -> str | list[str]:
        if isinstance(doc, slice):
            return [self[i] for i in range(*doc.indices(len(self)))]
        title = self._titles[doc]
        return self._full_texts[doc][len(title) + 1 if title else 0 :]
