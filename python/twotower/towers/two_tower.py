"""The model: a query and a document tower (one object when tied), and the reader that makes terms of texts for both.

N texts, D dimensions, B queries and M documents of a batch.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from twotower.errors import InputTypeError, InvalidInputError
from twotower.registry import check_options
from twotower.storage import checked_path
from twotower.text import SubwordTokenizer, Vocabulary, as_analyzer
from twotower.towers.encoding import encode
from twotower.towers.first_weights import check_sums, first_vectors, first_weights
from twotower.towers.heads import HeadedTower, check_head
from twotower.towers.reader import Reader
from twotower.towers.saving import load_model, save_model
from twotower.towers.shape import check_flag, check_seed, check_similarity, unit_rows
from twotower.towers.sharing import MODEL_OPTIONS, make_towers
from twotower.towers.terms import TermReader
from twotower.towers.tokens import TokenReader

_AVERAGE_OPTIONS = ("dim", "out_dim", "vectors", "weights", "corpus", "frozen", "saturation")


class TwoTower(nn.Module):
    """Vectors of queries and of documents whose inner product is their score.

    Made by `TwoTower.average`, `TwoTower.rnn`, `TwoTower.tdnn`, `TwoTower.transformer`, `TwoTower.build` or
    `TwoTower.from_pretrained`.

    Parameters
    ----------
    tower : str
        A name of ``twotower.towers.TOWERS``.
    reader : Reader
        How texts become rows of the embedding tables: `TermReader` (words), `TokenReader` (subword tokens).
    options : dict
        Keyword arguments of the tower.
    tied : bool
        One tower for both sides, or two. Two start with equal weights, so that untied towers too know from the start
        that a word resembles itself.
    shared : {"embedding", "encoder"}, optional
        What two towers that are not tied have in common all the same. "embedding": the table. "encoder": all but the
        head.
    head : mapping, optional
        A projection behind each tower: ``{"kind": "linear", "dim": 64}`` or ``{"kind": "mlp", "dim": 64, "hidden":
        256}``; no bias, so that a text without terms stays the zero vector.
    similarity : {"cosine", "dot"}
        "cosine": vectors are divided by their length.
    seed : int
        Of the first weights; the same seed gives the same weights, whatever the global random state, which is left
        alone.

    Attributes
    ----------
    query_tower, document_tower : nn.Module
        The same object when tied.
    out_dim : int
        D, the width of all vectors.

    Raises
    ------
    InvalidInputError
        If the tower, similarity, head or `shared` is unknown, a size is below 1, the reader has no term, ``shared``
        does not fit `tied` or `head`, or ``similarity="cosine"`` has one output dimension: its gradient would be exactly
        zero.
    """

    def __init__(
        self,
        tower: str,
        reader: Reader,
        options: dict[str, Any],
        *,
        tied: bool = True,
        shared: str | None = None,
        head: Mapping[str, Any] | None = None,
        similarity: str = "cosine",
        seed: int = 0,
    ) -> None:
        super().__init__()
        if reader.n_terms == 0:
            raise InvalidInputError("the vocabulary has no term: count it over texts with at least one word")
        self.tower = tower
        self.tied, self.shared = tied, shared
        self.head = None if head is None else check_head(head)
        self.similarity = similarity
        self.seed = check_seed(seed)
        self.reader = reader
        self.query_tower, self.document_tower = make_towers(
            tower, reader.n_terms, options, tied=tied, shared=shared, head=self.head, seed=seed
        )
        self.given: dict[str, torch.Tensor] = {}  # parameters of a tower that did not begin at random
        self.out_dim = self.query_tower.out_dim
        check_similarity(similarity, self.out_dim)

    @classmethod
    def build(
        cls, tower: str, vocabulary: Vocabulary | SubwordTokenizer, analyzer: Any = None, *, tied: bool = True,
        shared: str | None = None, head: Mapping[str, Any] | None = None, similarity: str = "cosine", max_terms: int = 128,
        seed: int = 0, **options: Any,
    ) -> Self:  # fmt: skip
        """Return an untrained model with any tower of the registry.

        Parameters
        ----------
        tower : str
            A name of ``twotower.towers.TOWERS``.
        vocabulary : Vocabulary, WordPiece or BPE
            What has a vector: words, best counted over the corpus and the training queries, or the tokens of a
            subword tokenizer.
        analyzer : str, Analyzer or callable, optional
            How texts become words; the vocabulary must have been counted with the same one. None: "english". A
            tokenizer cuts texts itself and takes none.
        max_terms : int
            Words or tokens of a text beyond this many are not read.
        tied, shared, head, similarity, seed
            As of the class.
        **options
            Of the tower.

        Raises
        ------
        InputTypeError
            If `vocabulary` is neither.
        InvalidInputError
            If an analyzer is given beside a tokenizer; and as the class.
        """
        return cls(
            tower, _reader(vocabulary, analyzer, max_terms), options, tied=tied, shared=shared, head=head,
            similarity=similarity, seed=seed,
        )  # fmt: skip

    @classmethod
    def average(
        cls,
        vocabulary: Vocabulary | SubwordTokenizer,
        analyzer: Any = None,
        *,
        dim: int | None = None,
        out_dim: int | None = None,
        vectors: Any = None,
        weights: Any = None,
        corpus: Iterable[str] | None = None,
        frozen: bool = False,
        saturation: float | None = None,
        **shared: Any,
    ) -> Self:
        """Return an untrained model whose towers average word embeddings.

        Parameters
        ----------
        vocabulary, analyzer
            As of `build`.
        dim, out_dim
            As of `twotower.towers.average.AverageTower`; with `vectors` dim is theirs.
        vectors : ndarray, str or Path, optional
            First embeddings: a matrix [V, dim], a file of word vectors (GloVe, word2vec) or the folder of a BERT whose
            tokenizer is `vocabulary`; see `twotower.towers.first_weights.first_vectors`. None: random ones.
        weights : "idf" or ndarray of float [V], optional
            Of terms in the mean; not trained. "idf" is counted over `corpus`.
        corpus : iterable of str, optional
        frozen : bool
            Keep the embeddings as they are in training.
        saturation : float, optional
            k above 0: a term that comes f times in a text counts f / (f + k) times, as in BM25. None: f times.
        **shared
            `tied`, `shared`, `head`, `similarity`, `max_terms`, `seed`: as of `build`.

        Raises
        ------
        InvalidInputError
            If `dim` is not that of `vectors`, or sums of `vectors` with `weights` would overflow; and as `build`,
            `first_vectors` and `first_weights`.

        Examples
        --------
        >>> from twotower.text import Analyzer, Vocabulary, as_analyzer
        >>> texts = ["sweet sorrow", "parting is such"]
        >>> model = TwoTower.average(Vocabulary.count(texts, Analyzer("english")), dim=8)
        >>> model.encode_documents(texts).shape
        (2, 8)
        """
        check_options("TwoTower.average", shared, [*_AVERAGE_OPTIONS, *MODEL_OPTIONS])
        check_flag("frozen", frozen)
        given: dict[str, Any] = {}
        if vectors is not None or weights is not None:
            reader = _reader(vocabulary, analyzer, shared.get("max_terms", 128))
            if vectors is not None:
                found = first_vectors(reader, vectors, frozen=frozen, seed=shared.get("seed", 0))
                if dim not in (None, found.shape[1]):
                    raise InvalidInputError(f"dim is {dim}, but the vectors given have {found.shape[1]} dimensions")
                dim, given["embedding.weight"] = found.shape[1], found
            if weights is not None:
                given["weights"] = first_weights(reader, weights, corpus)
            check_sums(given, reader.max_terms)
        if corpus is not None and not isinstance(weights, str):
            raise InvalidInputError('corpus is for weights="idf": give both or none')
        model = cls.build(
            "average", vocabulary, analyzer, dim=256 if dim is None else dim, out_dim=out_dim,
            weighted=weights is not None, frozen=frozen, start="given" if given else "random",
            saturation=saturation, **shared,
        )  # fmt: skip
        model.given = {name: torch.from_numpy(values) for name, values in given.items()}
        model._put_given()
        return model

    @classmethod
    def rnn(
        cls,
        vocabulary: Vocabulary | SubwordTokenizer,
        analyzer: Any = None,
        *,
        cell: str = "gru",
        max_terms: int = 64,
        **options: Any,
    ) -> Self:
        """Return an untrained model whose towers read with a GRU or LSTM.

        Parameters
        ----------
        vocabulary, analyzer
            As of `build`.
        cell : {"gru", "lstm"}
        max_terms : int
            Fewer than the average reads: time grows with the longest text of a batch.
        **options
            `dim`, `hidden`, `layers`, `bidirectional`, `pooling`, `dropout`, `out_dim`: as of
            `twotower.towers.recurrent.RecurrentTower`; `tied`, `shared`, `head`, `similarity`, `seed`: as of `build`.

        Examples
        --------
        >>> from twotower.text import Analyzer, Vocabulary
        >>> texts = ["sweet sorrow", "parting is such"]
        >>> model = TwoTower.rnn(Vocabulary.count(texts, Analyzer("english")), hidden=8)
        >>> model.encode_documents(texts).shape
        (2, 8)
        """
        return cls.build("rnn", vocabulary, analyzer, cell=cell, max_terms=max_terms, **options)

    @classmethod
    def tdnn(
        cls,
        vocabulary: Vocabulary | SubwordTokenizer,
        analyzer: Any = None,
        *,
        layers: Sequence[Sequence[int]] = ((256, 3, 1),),
        max_terms: int = 64,
        **options: Any,
    ) -> Self:
        """Return an untrained model whose towers are time-delay networks: tied, Bromley et al.'s Siamese network.

        Parameters
        ----------
        vocabulary, analyzer
            As of `build`.
        layers : sequence of (channels, width, stride)
            `channels` units see `width` terms in a row, every `stride` terms.
        max_terms : int
        **options
            `dim`, `pooling`, `dropout`, `out_dim`: as of `twotower.towers.tdnn.TimeDelayTower`; `tied`, `shared`, `head`,
            `similarity`, `seed`: as of `build`.

        Examples
        --------
        >>> from twotower.text import Analyzer, Vocabulary
        >>> texts = ["sweet sorrow", "parting is such"]
        >>> model = TwoTower.tdnn(Vocabulary.count(texts, Analyzer("english")), layers=[(8, 3, 1)])
        >>> model.encode_documents(texts).shape
        (2, 8)
        """
        return cls.build("tdnn", vocabulary, analyzer, layers=layers, max_terms=max_terms, **options)

    @classmethod
    def transformer(
        cls,
        vocabulary: Vocabulary | SubwordTokenizer,
        analyzer: Any = None,
        *,
        dim: int = 128,
        heads: int = 4,
        layers: int = 2,
        max_terms: int = 64,
        **options: Any,
    ) -> Self:
        """Return an untrained model whose towers are small transformers.

        Parameters
        ----------
        vocabulary, analyzer
            As of `build`.
        dim, heads, layers : int
        max_terms : int
            Attention grows with its square.
        **options
            `hidden`, `norm`, `positions`, `max_positions`, `pooling`, `dropout`, `out_dim`: as of
            `twotower.towers.transformer.TransformerTower`; `tied`, `shared`, `head`, `similarity`, `seed`: as of `build`.

        Examples
        --------
        >>> from twotower.text import Analyzer, Vocabulary
        >>> texts = ["sweet sorrow", "parting is such"]
        >>> model = TwoTower.transformer(Vocabulary.count(texts, Analyzer("english")), dim=8, heads=2)
        >>> model.encode_documents(texts).shape
        (2, 8)
        """
        return cls.build(
            "transformer", vocabulary, analyzer, dim=dim, heads=heads, layers=layers, max_terms=max_terms, **options
        )

    def twin(self, seed: int | None = None) -> Self:
        """Return an untrained model of the same make: with this model's first weights, or those of another `seed`."""
        if self.query_tower.options.get("start") == "given" and not self.given:
            raise InvalidInputError(
                "this model began with vectors or weights that were given and are not kept on disk: build its twin from them"
            )
        twin = type(self)(
            self.tower,
            self.reader,
            self.query_tower.options,
            tied=self.tied,
            shared=self.shared,
            head=self.head,
            similarity=self.similarity,
            seed=self.seed if seed is None else seed,
        )
        twin.given = self.given
        twin._put_given()
        return twin

    def _put_given(self) -> None:
        """Copy the first embeddings and weights that were given into both towers."""
        with torch.no_grad():
            for name, values in self.given.items():
                for tower in (self.query_tower, self.document_tower):
                    body = tower.body if isinstance(tower, HeadedTower) else tower
                    body.get_parameter(name).copy_(values)

    def forward(
        self, queries: tuple[torch.Tensor, torch.Tensor], documents: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the vectors of (ids, offsets) of B queries and of M documents: float32 [B, D] and [M, D]."""
        return self.finish(self.query_tower(*queries)), self.finish(self.document_tower(*documents))

    def finish(self, vectors: torch.Tensor) -> torch.Tensor:
        """Make what a tower returns comparable: unit rows under the cosine, unchanged under the inner product."""
        return unit_rows(vectors) if self.similarity == "cosine" else vectors

    def encode_queries(
        self, texts: Iterable[str], batch_size: int = 256, *, dim: int | None = None, progress: bool = False
    ) -> npt.NDArray[np.float32]:
        """Return the vectors of queries, float32 [N, D], in the order given.

        Parameters
        ----------
        texts : iterable of str
        batch_size : int
            Texts read at once; does not change the vectors beyond rounding (1e-6).
        dim : int, optional
            Only so many leading components, of length 1 again under the cosine: for a model trained with
            ``tt.losses.matryoshka``, whose sizes then are good values. None: D.
        progress : bool
            Show a bar on standard error.

        Returns
        -------
        ndarray of float32, shape [N, D]
            Rows of length 1 under the cosine; zero for a text of which the vocabulary knows no term.

        Raises
        ------
        InputTypeError
            If `texts` is one str or contains something else than str.
        InvalidInputError
            If `dim` is above D, below 1, or 1 under the cosine.

        Notes
        -----
        Dropout is off meanwhile; the model is left in the mode it was in.
        """
        return encode(self, self.query_tower, texts, batch_size, progress, dim)

    def encode_documents(
        self, texts: Iterable[str], batch_size: int = 256, *, dim: int | None = None, progress: bool = False
    ) -> npt.NDArray[np.float32]:
        """Return the vectors of documents; as `encode_queries`, with the document tower."""
        return encode(self, self.document_tower, texts, batch_size, progress, dim)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model into `folder` (safetensors and JSON), replacing an earlier model there in one step.

        Raises
        ------
        InvalidInputError
            If the analyzer is a callable of the user's own, which cannot be saved.
        FileError
            If the folder cannot be written, or holds something else than a model.
        """
        save_model(self, Path(checked_path(folder)))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Read a model that `save_pretrained` wrote.

        Raises
        ------
        FileError
            If there is no such folder, or a file cannot be read.
        CorruptFileError
            If a file is missing, damaged, foreign, of an unknown version, or contradicts the others.
        """
        return load_model(cls, Path(checked_path(folder)))


def _reader(vocabulary: Vocabulary | SubwordTokenizer, analyzer: Any, max_terms: int) -> Reader:
    if isinstance(vocabulary, Vocabulary):
        return TermReader(vocabulary, as_analyzer("english" if analyzer is None else analyzer), max_terms)
    if not isinstance(vocabulary, SubwordTokenizer):
        raise InputTypeError(
            f"vocabulary is of type {type(vocabulary).__name__}: give a Vocabulary of words, a WordPiece or a BPE"
        )
    if analyzer is not None:
        raise InvalidInputError(
            f"analyzer is {analyzer!r} beside a {type(vocabulary).__name__}, which cuts texts itself: give none"
        )
    return TokenReader(vocabulary, max_terms)
