"""What a subword tokenizer makes of many texts: flat ids, and matrices when asked for. Knows no text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, SupportsIndex

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.tokenizer_config import Template

# Legend: N texts (or pairs), T tokens of all texts, L tokens of a row.


class PaddedTokens(NamedTuple):
    """Tokens of N texts as matrices, the form that transformer encoders take.

    Attributes
    ----------
    ids, attention_mask, type_ids : ndarray of int32, shape [N, L]
        The mask is 1 at a token and 0 at padding.
    """

    ids: npt.NDArray[np.int32]
    attention_mask: npt.NDArray[np.int32]
    type_ids: npt.NDArray[np.int32]


@dataclass(frozen=True)
class TokenBatch:
    """Tokens of N texts (or pairs) as T ids, one behind the other.

    Attributes
    ----------
    ids : ndarray of int32, shape [T]
    offsets : ndarray of int64, shape [N + 1]
        The tokens of text n are ``ids[offsets[n]:offsets[n + 1]]``.
    spans : ndarray of int32, shape [T, 2], or None
        Where each token begins and ends in its text, if that was asked for; 0, 0 for what the template put there.
    """

    ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    spans: npt.NDArray[np.int32] | None
    _template: Template
    _n_first: npt.NDArray[np.int64] | None
    _padding: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, n: int) -> npt.NDArray[np.int32]:
        if not -len(self) <= n < len(self):
            raise IndexError(f"text {n} of {len(self)}")
        n %= len(self)
        return self.ids[self.offsets[n] : self.offsets[n + 1]]

    def __iter__(self) -> Iterator[npt.NDArray[np.int32]]:
        return (self[n] for n in range(len(self)))

    def __repr__(self) -> str:
        return f"TokenBatch({len(self)} texts, {len(self.ids)} tokens)"

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each text, int64 [N]."""
        return np.diff(self.offsets)

    @cached_property
    def type_ids(self) -> npt.NDArray[np.int32]:
        """Segment number of each token, int32 [T]: 0 in a text and its template, 1 in the second text of a pair (BERT)."""
        return self._by_part(lambda item: item[1], self._template.text_types)

    @cached_property
    def special_tokens_mask(self) -> npt.NDArray[np.int32]:
        """1 at each token that the template put there, 0 at a token of a text, int32 [T]."""
        return self._by_part(lambda item: 1, (0, 0))

    def _by_part(self, of_item: Any, of_texts: tuple[int, ...]) -> npt.NDArray[np.int32]:
        """Repeat a value for each token of the template and for each text over its tokens."""
        template, ones = self._template, np.ones(len(self), np.int64)
        between = [] if self._n_first is None else [*template.between]
        values = [of_item(item) for item in template.before] + [of_texts[0]] + [of_item(item) for item in between]
        fixed = len(template.before) + len(between) + len(template.after)
        first = self.lengths - fixed if self._n_first is None else self._n_first
        counts = [*[ones] * len(template.before), first, *[ones] * len(between)]
        if self._n_first is not None:
            values.append(of_texts[1])
            counts.append(self.lengths - fixed - first)
        values += [of_item(item) for item in template.after]
        counts += [ones] * len(template.after)
        return np.repeat(np.tile(np.array(values, np.int32), len(self)), np.stack(counts, axis=1).ravel())

    def padded(
        self,
        length: int | None = None,
        multiple_of: int | None = None,
        side: Literal["right", "left"] | None = None,
    ) -> PaddedTokens:
        r"""Return matrices with one row a text.

        Parameters
        ----------
        length : int, optional
            Columns; the longest text by default.
        multiple_of : int, optional
            Round the columns up to a multiple of it.
        side : {"right", "left"}, optional
            Where the padding goes; what the tokenizer's file says by default, else "right".

        Raises
        ------
        InvalidInputError
            If `length` is below the longest text (give `max_length` when encoding), `multiple_of` is below 1, or there
            is no padding token.
        InputTypeError
            If `length` or `multiple_of` is no integer.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from twotower import WordPiece
        >>> vocabulary = pathlib.Path(tempfile.mkdtemp()) / "vocab.txt"
        >>> _ = vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "sweet", "love"]))
        >>> batch = WordPiece.from_file(vocabulary).encode_batch(["sweet love", "love"])
        >>> batch.padded().ids.tolist()
        [[2, 4, 5, 3], [2, 5, 3, 0]]
        >>> batch.padded().attention_mask.tolist()
        [[1, 1, 1, 1], [1, 1, 1, 0]]
        """
        for name, value in (("length", length), ("multiple_of", multiple_of)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, SupportsIndex)):
                raise InputTypeError(f"{name} is of type {type(value).__name__}: it must be an integer")
        lengths = self.lengths
        longest = int(lengths.max(initial=0))
        columns = longest if length is None else length
        if columns < longest:
            raise InvalidInputError(
                f"length is {length}, the longest text has {longest} tokens: encode it with max_length={length}"
            )
        if multiple_of is not None:
            if multiple_of < 1:
                raise InvalidInputError(f"multiple_of is {multiple_of}: it must be at least 1")
            columns = -(-columns // multiple_of) * multiple_of
        side = side or self._padding["side"]
        if side not in ("right", "left"):
            raise InvalidInputError(f'side is {side!r}: it must be "right" or "left"')
        if self._padding["id"] is None and (lengths != columns).any():
            raise InvalidInputError(
                f"the vocabulary has no {self._padding['token']} and the file names no padding token: use ids and offsets"
            )
        shift = columns - lengths if side == "left" else np.zeros_like(lengths)
        column = np.arange(columns)
        mask = (column >= shift[:, None]) & (column < (shift + lengths)[:, None])

        def filled(values: npt.NDArray[np.int32], pad: int) -> npt.NDArray[np.int32]:
            matrix = np.full(mask.shape, pad, np.int32)
            matrix[mask] = values
            return matrix

        ids = filled(self.ids, self._padding["id"] or 0)
        return PaddedTokens(ids, mask.astype(np.int32), filled(self.type_ids, self._padding["type_id"]))
