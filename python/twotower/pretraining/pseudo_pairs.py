"""Pairs that texts hold themselves: a sentence and the rest of its text, a title and what stands under it.

P pairs, N blocks (documents of the corpus that can make a pair).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from twotower.errors import InputTypeError, InvalidInputError
from twotower.negatives.doc_lists import DocLists
from twotower.pretraining.blocks import Blocks, Rows
from twotower.pretraining.sentences import sentence_spans
from twotower.towers.reader import Reader
from twotower.training.pairs import TrainingSet
from twotower.types import Collection, Document

MASK_RATE = 0.9


@dataclass(frozen=True)
class PseudoPairs:
    """Pairs from the corpus of a collection, for `twotower.train` in the place of the collection.

    Made by `ict` and `titles`.

    Attributes
    ----------
    collection : Collection
        Its corpus is read; queries and judgements are not, but for the valid split of `labelled`.
    labelled : Collection
        Where `twotower.train` looks for the valid split.
    kind : {"ict", "titles"}
    mask_rate : float
        Of "ict": how often the sentence is taken out of its block.
    """

    collection: Collection
    labelled: Collection
    kind: str
    mask_rate: float
    _read: list[tuple[Reader, "_Corpus"]] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What results call it."""
        return f"{self.kind} of {self.collection.name}"

    def fingerprint(self) -> str:
        """Return a SHA-256 hex digest of texts and settings: same digest, same pairs."""
        parts = (self.kind, repr(self.mask_rate), self.collection.fingerprint(), self.labelled.fingerprint())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def training_set(self, reader: Reader, seed: int, epoch: int, shuffle_seed: int | None = None) -> TrainingSet:
        """Draw the pairs of an epoch: the same for the same arguments.

        Parameters
        ----------
        reader : Reader
            Of the model that will be trained. The texts are analysed at the first call with it.
        seed, epoch : int
        shuffle_seed : int, optional
            Deal the blocks out to the pseudo-queries anew: the control of a claim that something was learned from them.

        Raises
        ------
        InvalidInputError
            If no text of the corpus can make a pair.
        """
        corpus = self._corpus(reader)
        blocks, first, n = corpus.blocks, corpus.blocks.blocks[:-1], len(corpus.doc_ids)
        if self.kind == "titles":
            asked, masked = first, np.ones(n, bool)
        else:
            generator = np.random.default_rng([seed, epoch, 13])
            asked = corpus.candidates[corpus.starts[:-1] + _below(np.diff(corpus.starts), generator)]
            masked = generator.random(n) < self.mask_rate
        docs = np.arange(n)
        if shuffle_seed is not None:
            docs = np.random.default_rng(shuffle_seed).permutation(n)
        return TrainingSet(
            queries=blocks.select_units(asked),
            documents=blocks.without(np.arange(n), np.where(masked, asked, -1)),
            pairs=np.column_stack([np.arange(n), docs]),
            positives=[frozenset((doc,)) for doc in docs.tolist()],
            known=_equal_texts(corpus.same_text, docs),
            same_text=corpus.same_text,
            query_ids=corpus.doc_ids,
        )

    def _corpus(self, reader: Reader) -> "_Corpus":
        if not self._read or self._read[0][0] is not reader:
            units = _title_and_body if self.kind == "titles" else _title_and_sentences
            self._read[:] = [(reader, _Corpus.of(self.collection, reader, units, titles=self.kind == "titles"))]
        return self._read[0][1]


@dataclass(frozen=True)
class _Corpus:
    """The blocks that can make a pair.

    `candidates` are the units that may be asked for, those of block n at ``starts[n]`` to below ``starts[n + 1]``;
    `same_text` is the first block with the text of each.
    """

    doc_ids: list[str]
    blocks: Blocks
    candidates: Rows
    starts: Rows
    same_text: Rows

    @classmethod
    def of(
        cls, collection: Collection, reader: Reader, units: Callable[[Document], list[str]], *, titles: bool
    ) -> "_Corpus":
        every = Blocks.of((units(document) for document in collection.corpus.values()), reader)
        is_title = np.zeros(len(every.lengths), bool)
        is_title[every.blocks[:-1]] = True
        has_terms = every.lengths > 0
        usable = has_terms & (is_title if titles else ~is_title)
        rest = np.add.reduceat(has_terms & ~is_title, every.blocks[:-1]) if len(every.blocks) > 1 else np.zeros(0, int)
        wanted = np.add.reduceat(usable, every.blocks[:-1]) if len(every.blocks) > 1 else np.zeros(0, int)
        kept = np.flatnonzero((wanted >= 1) & (rest >= 1) if titles else wanted >= 2)
        if len(kept) < 2:
            need = "a title and a body" if titles else "two sentences"
            raise InvalidInputError(
                f"fewer than two documents of {collection.name} have {need} with terms that the model knows: nothing to learn from"
            )
        doc_ids = list(collection.corpus)
        first: dict[str, int] = {}
        texts = [document.full_text for document in collection.corpus.values()]
        blocks = _only(every, kept)
        usable = np.concatenate([usable[every.blocks[n] : every.blocks[n + 1]] for n in kept.tolist()])
        candidates = np.flatnonzero(usable)
        return cls(
            doc_ids=[doc_ids[n] for n in kept.tolist()],
            blocks=blocks,
            candidates=candidates,
            starts=np.searchsorted(candidates, blocks.blocks),
            same_text=np.array([first.setdefault(texts[n], row) for row, n in enumerate(kept.tolist())], np.int64),
        )


def ict(collection: Collection, *, mask_rate: float = MASK_RATE, labelled: Collection | None = None) -> PseudoPairs:
    """Return the pairs of the Inverse Cloze Task: a sentence asks for the text that it was taken from.

    Parameters
    ----------
    collection : Collection
        Every document with at least two sentences makes a pair an epoch, with a sentence drawn anew.
    mask_rate : float
        How often the sentence is taken out of its text; else it stays, so that word overlap is learned too.
    labelled : Collection, optional
        Has the valid split that `twotower.train` chooses the best epoch on. None: `collection`.

    Raises
    ------
    InvalidInputError
        If `mask_rate` is not from 0 to 1.
    InputTypeError
        If `collection` is no Collection.

    Notes
    -----
    The title stays with the text and is never asked for. A text of one sentence, which would leave nothing, makes no
    pair. Source: Lee, Chang and Toutanova 2019, section 4; .9 is theirs.

    Examples
    --------
    >>> pile = Collection("pile", {"a": Document("It stacks. Last in, first out."), "b": Document("It waits. First in.")}, {})
    >>> ict(pile).name
    'ict of pile'
    """
    if isinstance(mask_rate, bool) or not isinstance(mask_rate, int | float) or not 0 <= mask_rate <= 1:
        raise InvalidInputError(f"mask_rate is {mask_rate!r}: it must be a number from 0 to 1")
    return _checked(collection, labelled, "ict", float(mask_rate))


def titles(collection: Collection, *, labelled: Collection | None = None) -> PseudoPairs:
    """Return pairs of a title and what stands under it; the document is read without its title.

    Parameters
    ----------
    collection : Collection
        Every document with a title and a text makes one pair. A text that begins with its title loses it.
    labelled : Collection, optional
        As of `ict`.

    Raises
    ------
    InputTypeError
        If `collection` is no Collection.
    """
    return _checked(collection, labelled, "titles", 1.0)


PAIRS: dict[str, Callable[..., PseudoPairs]] = {"ict": ict, "titles": titles}
"""Name to what makes pairs of a collection."""


def _checked(collection: Collection, labelled: Collection | None, kind: str, mask_rate: float) -> PseudoPairs:
    labelled = collection if labelled is None else labelled
    for given in (collection, labelled):
        if not isinstance(given, Collection):
            raise InputTypeError(
                f"a collection is of type {type(given).__name__}: give a Collection, as of twotower.load_collection"
            )
    return PseudoPairs(collection, labelled, kind, mask_rate)


def _title_and_body(document: Document) -> list[str]:
    title, text = document.title.strip(), document.text.strip()
    return [title, text.removeprefix(title) if title else text]


def _title_and_sentences(document: Document) -> list[str]:
    return [document.title, *(document.text[a:b] for a, b in sentence_spans(document.text))]


def _only(every: Blocks, rows: Rows) -> Blocks:
    """Return some of the blocks."""
    counts = np.diff(every.blocks)[rows]
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    units = np.arange(ends[-1]) + np.repeat(every.blocks[rows] - ends[:-1], counts)
    terms = every.select_units(units)
    return Blocks(terms.ids.astype(np.int32), terms.offsets, ends, every.max_terms)


def _below(counts: Rows, generator: np.random.Generator) -> Rows:
    return np.minimum((generator.random(len(counts)) * counts).astype(np.int64), counts - 1)


def _equal_texts(same_text: Rows, docs: Rows) -> DocLists:
    """Return for each query all documents with the text of its own."""
    order = np.argsort(same_text, kind="stable")
    ranked = same_text[order]
    first, last = (np.searchsorted(ranked, same_text[docs], side) for side in ("left", "right"))
    counts = last - first
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return DocLists(offsets, order[np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], counts)].astype(np.uint32))
