"""The model: a query and a document tower (one object when tied), and the analyzer and vocabulary they read with.

N texts, D dimensions, B queries and M documents of a batch.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from twotower.errors import InvalidInputError
from twotower.registry import resolve
from twotower.text import Analyzer, Vocabulary, as_analyzer
from twotower.towers import TOWERS
from twotower.towers.encoding import encode
from twotower.towers.saving import load_model, save_model
from twotower.towers.shape import check_seed, check_similarity, unit_rows
from twotower.towers.terms import TermReader
from twotower.towers.tower import Tower


class TwoTower(nn.Module):
    """Vectors of queries and of documents whose inner product is their score.

    Made by `TwoTower.average`, `TwoTower.rnn`, `TwoTower.build` or `TwoTower.from_pretrained`.

    Parameters
    ----------
    tower : str
        A name of ``twotower.towers.TOWERS``.
    vocabulary : Vocabulary
        The terms that have a vector. Count it over the corpus and the training queries.
    analyzer : str, Analyzer or callable
        How texts become terms; the vocabulary must have been counted with the same one.
    options : dict
        Keyword arguments of the tower.
    tied : bool
        One tower for both sides, or two. Two start with equal weights, so that untied towers too know from the start
        that a word resembles itself.
    similarity : {"cosine", "dot"}
        "cosine": vectors are divided by their length.
    max_terms : int
        Terms of a text beyond this many are not read.
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
        If the tower or similarity is unknown, a size is below 1, the vocabulary is empty, or ``similarity="cosine"``
        has one output dimension: its gradient would be exactly zero.
    """

    def __init__(
        self,
        tower: str,
        vocabulary: Vocabulary,
        analyzer: "str | Analyzer | Callable[[str], list[str]]",
        options: dict[str, Any],
        *,
        tied: bool = True,
        similarity: str = "cosine",
        max_terms: int = 128,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if len(vocabulary) == 0:
            raise InvalidInputError("the vocabulary has no term: count it over texts with at least one word")
        self.tower = tower
        self.tied = tied
        self.similarity = similarity
        self.seed = check_seed(seed)
        self.reader = TermReader(vocabulary, as_analyzer(analyzer), max_terms)
        make = resolve(TOWERS, tower, "tower")
        self.query_tower: Tower = _seeded(make, len(vocabulary), options, seed)
        self.document_tower: Tower = self.query_tower if tied else _seeded(make, len(vocabulary), options, seed)
        self.out_dim = self.query_tower.out_dim
        check_similarity(similarity, self.out_dim)

    @classmethod
    def build(cls, tower: str, vocabulary: Vocabulary, analyzer: Any = "english", *, tied: bool = True,
              similarity: str = "cosine", max_terms: int = 128, seed: int = 0, **options: Any) -> Self:  # fmt: skip
        """Return an untrained model with any tower of the registry; `options` are the tower's own."""
        return cls(
            tower, vocabulary, analyzer, options, tied=tied, similarity=similarity, max_terms=max_terms, seed=seed
        )

    @classmethod
    def average(
        cls,
        vocabulary: Vocabulary,
        analyzer: Any = "english",
        *,
        dim: int = 256,
        out_dim: int | None = None,
        **shared: Any,
    ) -> Self:
        """Return an untrained model whose towers average word embeddings.

        Parameters
        ----------
        vocabulary, analyzer
            As of the class.
        dim, out_dim
            As of `twotower.towers.average.AverageTower`.
        **shared
            `tied`, `similarity`, `max_terms`, `seed`: as of the class.

        Examples
        --------
        >>> from twotower.text import Analyzer, Vocabulary, as_analyzer
        >>> texts = ["sweet sorrow", "parting is such"]
        >>> model = TwoTower.average(Vocabulary.count(texts, Analyzer("english")), dim=8)
        >>> model.encode_documents(texts).shape
        (2, 8)
        """
        return cls.build("average", vocabulary, analyzer, dim=dim, out_dim=out_dim, **shared)

    @classmethod
    def rnn(
        cls,
        vocabulary: Vocabulary,
        analyzer: Any = "english",
        *,
        cell: str = "gru",
        max_terms: int = 64,
        **options: Any,
    ) -> Self:
        """Return an untrained model whose towers read with a GRU or LSTM.

        Parameters
        ----------
        vocabulary, analyzer
            As of the class.
        cell : {"gru", "lstm"}
        max_terms : int
            Fewer than the average reads: time grows with the longest text of a batch.
        **options
            `dim`, `hidden`, `layers`, `bidirectional`, `pooling`, `dropout`, `out_dim`: as of
            `twotower.towers.recurrent.RecurrentTower`; `tied`, `similarity`, `seed`: as of the class.

        Examples
        --------
        >>> from twotower.text import Analyzer, Vocabulary
        >>> texts = ["sweet sorrow", "parting is such"]
        >>> model = TwoTower.rnn(Vocabulary.count(texts, Analyzer("english")), hidden=8)
        >>> model.encode_documents(texts).shape
        (2, 8)
        """
        return cls.build("rnn", vocabulary, analyzer, cell=cell, max_terms=max_terms, **options)

    def twin(self, seed: int | None = None) -> Self:
        """Return an untrained model of the same make: with this model's first weights, or those of another `seed`."""
        return type(self)(
            self.tower, self.reader.vocabulary, self.reader.analyzer, self.query_tower.options, tied=self.tied,
            similarity=self.similarity, max_terms=self.reader.max_terms, seed=self.seed if seed is None else seed,
        )  # fmt: skip

    def forward(
        self, queries: tuple[torch.Tensor, torch.Tensor], documents: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the vectors of (ids, offsets) of B queries and of M documents: float32 [B, D] and [M, D]."""
        return self.finish(self.query_tower(*queries)), self.finish(self.document_tower(*documents))

    def finish(self, vectors: torch.Tensor) -> torch.Tensor:
        """Make what a tower returns comparable: unit rows under the cosine, unchanged under the inner product."""
        return unit_rows(vectors) if self.similarity == "cosine" else vectors

    def encode_queries(
        self, texts: Iterable[str], batch_size: int = 256, *, progress: bool = False
    ) -> npt.NDArray[np.float32]:
        """Return the vectors of queries, float32 [N, D], in the order given.

        Parameters
        ----------
        texts : iterable of str
        batch_size : int
            Texts read at once; does not change the vectors beyond rounding (1e-6).
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

        Notes
        -----
        Dropout is off meanwhile; the model is left in the mode it was in.
        """
        return encode(self, self.query_tower, texts, batch_size, progress)

    def encode_documents(
        self, texts: Iterable[str], batch_size: int = 256, *, progress: bool = False
    ) -> npt.NDArray[np.float32]:
        """Return the vectors of documents; as `encode_queries`, with the document tower."""
        return encode(self, self.document_tower, texts, batch_size, progress)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model into `folder` (safetensors and JSON), replacing an earlier model there in one step.

        Raises
        ------
        InvalidInputError
            If the analyzer is a callable of the user's own, which cannot be saved.
        FileError
            If the folder cannot be written, or holds something else than a model.
        """
        save_model(self, Path(folder))

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
        return load_model(cls, Path(folder))


def _seeded(make: Callable[..., Tower], n_terms: int, options: dict[str, Any], seed: int) -> Tower:
    """Build a tower with the first weights of `seed`; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(n_terms, **options)
