"""One object for people who just want search: BM25, a two-tower model, their fusion and the texts in one saved folder."""

import operator
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, SupportsIndex, cast, overload

import numpy as np
import numpy.typing as npt

from twotower.engine.bodies import Bodies
from twotower.engine.saving import load_parts, save_parts
from twotower.errors import CorruptFileError, FileError, InputTypeError, InvalidInputError
from twotower.index import BM25Index, FlatIndex
from twotower.search import Dense, Hybrid, Searcher
from twotower.storage import StringTable, pack_strings
from twotower.text.snippet import snippet
from twotower.towers import TwoTower
from twotower.types import Collection, Document, Hits, Run

TUNING_SPLIT = "valid"
_ATTEMPTS = 3


@dataclass(frozen=True)
class EngineHit:
    """One found document, ready to be shown.

    Attributes
    ----------
    doc_id, title, snippet : str
    score : float
        What the list is ordered by.
    parts : dict of str to float
        Each searcher's share of the score; they sum to it up to rounding.
    """

    doc_id: str
    score: float
    title: str
    snippet: str
    parts: dict[str, float]


class Engine:
    """A search engine over one corpus. Make one with `Engine.build` or `Engine.load`.

    Searching is safe from several threads at once.

    Examples
    --------
    >>> import twotower as tt
    >>> engine = tt.Engine.build(["Sweet sweet nurse! Love?", "Sweet sorrow", "How sweet is love?", "Nurse!"])
    >>> [hit.doc_id for hit in engine.search("sweet love", k=2)]
    ['0', '2']
    """

    def __init__(self, texts: Sequence[str], titles: StringTable, searcher: BM25Index | Hybrid) -> None:
        self._texts = texts
        self._titles = titles
        self.searcher = searcher
        self.bm25: BM25Index = searcher.searchers[0] if isinstance(searcher, Hybrid) else searcher

    @classmethod
    def build(
        cls,
        source: Collection | Iterable[str | Document | Mapping[str, str]],
        *,
        model: TwoTower | None = None,
        dim: int | None = None,
        analyzer: str = "english",
        threads: int = 0,
        memory_limit: int | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> Self:
        """Index a corpus.

        Parameters
        ----------
        source : Collection, or iterable of str, Document or dict
            A dict has the keys "text" and, if wanted, "title" and "doc_id" (default: its number).
        model : TwoTower, optional
            Adds dense search, fused with BM25. If `source` is a Collection with a split "valid", the weights are tuned
            on it; else the fusion is by reciprocal rank.
        dim : int, optional
            Dense search by so many leading components of the model's vectors: smaller and faster, for a model trained with
            ``tt.losses.matryoshka``. None: all.
        analyzer : str
            Of the BM25 index.
        threads : int
            0: every core.
        memory_limit : int, optional
            Bytes that building the BM25 index may take beside it; see `BM25Index.build`.
        progress : callable, optional
            Called with the number of documents of the BM25 index so far.

        Raises
        ------
        InvalidInputError
            For a doc_id that comes twice, a dict without "text", or a `dim` without a model or that it does not allow.
        InputTypeError
            For an item of another type.
        """
        if dim is not None and model is None:
            raise InvalidInputError(f"dim is {dim}, but BM25 has no dimensions: give the model too")
        corpus = source.corpus if isinstance(source, Collection) else _read_corpus(source)
        doc_ids = list(corpus)
        bm25 = BM25Index.build(
            (document.full_text for document in corpus.values()),
            doc_ids,
            analyzer=analyzer,
            threads=threads,
            memory_limit=memory_limit,
            progress=progress,
            store_texts=True,
        )
        searcher: BM25Index | Hybrid = bm25
        if model is not None:
            full_texts = [document.full_text for document in corpus.values()]
            dense = Dense(model, FlatIndex.build(model.encode_documents(full_texts, dim=dim), doc_ids), dim=dim)
            labelled = isinstance(source, Collection) and bool(source.qrels.get(TUNING_SPLIT))
            hybrid = Hybrid([bm25, dense], fusion="linear" if labelled else "rrf")
            if labelled:
                hybrid.tune(source, split=TUNING_SPLIT)
            searcher = hybrid
        titles = StringTable(*pack_strings([document.title for document in corpus.values()]))
        return cls(_bodies(bm25, titles), titles, searcher)

    def __len__(self) -> int:
        return len(self._texts)

    def document(self, doc: int) -> Document:
        """Return the document with DocId `doc`, from 0 to below the number of documents.

        Raises
        ------
        InvalidInputError
            If no document has it.
        InputTypeError
            If it is no integer.
        """
        if isinstance(doc, bool) or not isinstance(doc, SupportsIndex):
            raise InputTypeError(f"doc is of type {type(doc).__name__}: it must be a DocId, an integer")
        if not 0 <= operator.index(doc) < len(self):
            raise InvalidInputError(f"no document has DocId {doc}: they go from 0 to below {len(self)}")
        return Document(self._texts[doc], self._titles[doc])

    @overload  # a str is a sequence of str too: the order of the overloads decides
    def search(self, queries: str, k: int = 10) -> list[EngineHit]: ...  # type: ignore[overload-overlap]
    @overload
    def search(self, queries: Sequence[str], k: int = 10) -> list[list[EngineHit]]: ...
    def search(self, queries: str | Sequence[str], k: int = 10) -> list[EngineHit] | list[list[EngineHit]]:
        """Return the k best documents for a query, or for each of several, with title, snippet and shares.

        A query of which neither part knows a term finds nothing. Fewer than k hits come back where fewer documents match.
        """
        if isinstance(queries, str):
            return self.search([queries], k)[0]
        queries = list(queries)
        hits, parts = self._search(queries, k)
        analyze = self.bm25.analyzer.analyze
        found = []
        for number, row in enumerate(hits):
            terms = analyze(queries[number])
            found.append([
                EngineHit(
                    doc_id=hit.doc_id,
                    score=hit.score,
                    title=self._titles[hit.doc],
                    snippet=snippet(self._texts[hit.doc], terms, analyze),
                    parts={name: float(values[number, rank]) for name, values in parts.items()},
                )
                for rank, hit in enumerate(row)
            ])  # fmt: skip
        return found

    @property
    def fusion(self) -> dict[str, Any] | None:
        """How the parts are fused; None with BM25 alone."""
        return self.searcher.to_config() if isinstance(self.searcher, Hybrid) else None

    @property
    def searchers(self) -> dict[str, Searcher]:
        """What can be measured on its own: BM25, and with a model the dense part and the hybrid."""
        if not isinstance(self.searcher, Hybrid):
            return {"BM25": self.bm25}
        return {"BM25": self.bm25, "dense": self.searcher.searchers[1], "hybrid": self.searcher}

    def search_run(self, queries: Mapping[str, str], k: int = 100) -> Run:
        """Return the run of query_id to text queries, for `tt.evaluate`."""
        hits: Hits = self.searcher.search(list(queries.values()), k)
        return hits.to_run(list(queries))

    def _search(self, queries: list[str], k: int) -> tuple[Hits, dict[str, npt.NDArray[np.float32]]]:
        if isinstance(self.searcher, Hybrid):
            fused, parts = self.searcher.search_with_parts(queries, k)
            return fused, parts
        hits: Hits = self.searcher.search(queries, k)
        return hits, {"bm25": hits.scores}

    def save(self, folder: str | Path) -> None:
        """Save everything into `folder`, in place of what an earlier save left there.

        A kill at any moment leaves the old engine or the new one.

        Raises
        ------
        FileError
            If the folder cannot be written, or another process is saving there.
        """

        def write(parts: Path) -> dict[str, Any]:
            self.bm25.save(parts / "bm25")
            if not isinstance(self.searcher, Hybrid):
                return {"fusion": None}
            dense = self.searcher.searchers[1]
            dense.model.save_pretrained(parts / "model")
            dense.index.save(parts / "dense")
            return {"fusion": self.searcher.to_config()}

        arrays: dict[str, npt.NDArray[Any]] = {
            "titles": self._titles.blob,
            "title_offsets": self._titles.offsets,
        }
        if isinstance(self._texts, StringTable):  # loaded from a folder that kept them beside the index
            arrays |= {"texts": self._texts.blob, "text_offsets": self._texts.offsets}
        save_parts(folder, write, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Open a saved engine: indexes mapped, everything checked.

        Raises
        ------
        FileError
            If there is no engine.
        CorruptFileError
            If a part is damaged, or the parts do not belong together.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                return cls._load(folder)
            except (FileError, CorruptFileError):
                # A save beside us may have replaced the parts between our reading of the manifest and of them.
                time.sleep(0.01)
        return cls._load(folder)

    @classmethod
    def _load(cls, folder: str | Path) -> Self:
        parts, meta, arrays = load_parts(folder)
        try:
            texts = StringTable(arrays["texts"], arrays["text_offsets"]) if "texts" in arrays else None
            titles = StringTable(arrays["titles"], arrays["title_offsets"])
            fusion = meta["fusion"]
        except KeyError as error:
            raise CorruptFileError(f"{folder}: {error} is missing from the engine; save it again") from error
        bm25 = BM25Index.load(parts / "bm25")
        searcher: BM25Index | Hybrid = bm25
        if fusion is not None:
            index = FlatIndex.load(parts / "dense")
            dense = Dense(TwoTower.from_pretrained(parts / "model"), index, dim=index.dim)
            searcher = Hybrid.from_config(fusion, [bm25, dense])
        if texts is None and bm25.texts is None:
            raise CorruptFileError(f"{folder}: the texts are missing from the engine; save it again")
        if not len(bm25) == len(titles) == len(bm25 if texts is None else texts):
            raise CorruptFileError(
                f"{folder}: {len(bm25)} indexed documents, {len(texts or bm25)} texts and {len(titles)} titles; "
                "save the engine again"
            )
        return cls(_bodies(bm25, titles) if texts is None else texts, titles, searcher)


def _bodies(bm25: BM25Index, titles: StringTable) -> Bodies:
    return Bodies(cast(StringTable, bm25.texts), titles)


def _read_corpus(source: Iterable[str | Document | Mapping[str, str]]) -> dict[str, Document]:
    if isinstance(source, str | bytes):
        raise InputTypeError("source is one string: give a Collection, or an iterable of texts, Documents or dicts")
    corpus: dict[str, Document] = {}
    for number, item in enumerate(source):
        doc_id, document = str(number), item
        if isinstance(item, Mapping):
            if "text" not in item:
                raise InvalidInputError(f"document {number} has the keys {sorted(item)}: it needs 'text'")
            doc_id, document = item.get("doc_id", doc_id), Document(item["text"], item.get("title", ""))
        elif isinstance(item, str):
            document = Document(item)
        if not isinstance(document, Document) or not all(
            isinstance(part, str) for part in (doc_id, document.text, document.title)
        ):
            raise InputTypeError(f"document {number} is {item!r:.80}: give a str, a Document, or a dict of strings")
        if doc_id in corpus:
            raise InvalidInputError(f"document {number} has the doc_id {doc_id!r} of an earlier one: make them unique")
        corpus[doc_id] = document
    return corpus
