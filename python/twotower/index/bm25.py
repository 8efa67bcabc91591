"""BM25 in six variants, over an inverted index."""

from collections.abc import Iterable
from numbers import Real
from typing import Any, ClassVar, Self

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index.arguments import check_name, with_known_options
from twotower.index.lexical import LexicalIndex
from twotower.index.lexical_build import Progress
from twotower.index.lexical_content import AnalyzerLike, LexicalContent
from twotower.index.native import core
from twotower.index.stored_texts import text_recorder


class BM25Index(LexicalIndex):
    """Ranks documents by BM25. Made by `build` or `load`.

    Attributes
    ----------
    variant : str
    k1, b : float
    delta : float or None
        None where the variant has none.
    log_base : str or None
        "e" or "10"; None for all variants but "slide".

    Notes
    -----
    The score is the sum over the query's terms, repeated ones included, of ``idf * part``. With N documents, df of them
    holding the term tf times, ``K = k1 * (1 - b + b * |d| / avgdl)`` and ``c = k1 * tf / K``:

    ========= ======================================= =======================================
    variant   idf                                     part
    ========= ======================================= =======================================
    robertson ln((N - df + .5) / (df + .5))           tf / (K + tf)
    lucene    ln(1 + (N - df + .5) / (df + .5))       tf / (K + tf)
    atire     ln(N / df)                              (k1 + 1) tf / (K + tf)
    bm25l     ln((N + 1) / (df + .5))                 (k1 + 1) (c + delta) / (k1 + c + delta)
    bm25plus  ln((N + 1) / df)                        (k1 + 1) tf / (K + tf) + delta
    slide     log(N / df), of base `log_base`         tf / (K + tf)
    ========= ======================================= =======================================

    "robertson" gives a term in more than half of the documents a negative idf, which is kept. "bm25l" and "bm25plus"
    sum over the terms that a document contains, as their papers do (bm25s adds the part of tf = 0 for the others).
    ``|d|`` is the number of analysed terms. Variants: Kamphuis et al., "Which BM25 do you mean?", ECIR 2020.

    Examples
    --------
    >>> index = BM25Index.build(["Sweet sweet nurse! Love?", "Sweet sorrow", "How sweet is love?", "Nurse!"])
    >>> [(hit.doc_id, round(hit.score, 4)) for hit in index.search("sweet love", k=2)]
    [('0', 0.5565), ('2', 0.5324)]
    >>> explained = index.explain("sweet love", "2")  # each term's part; they sum to the score
    >>> [(part.term, part.tf, part.df, round(part.score, 4)) for part in explained.terms]
    [('sweet', 1, 3, 0.1809), ('love', 1, 2, 0.3515)]
    >>> [round(hit.score, 4) for hit in index.search("sweet love", k=2, k1=1.2, b=0.75)]  # for this call alone
    [0.4437, 0.4411]
    """

    kind = "bm25"
    name = "bm25"
    _option_names = ("variant", "k1", "b", "delta", "log_base")
    _options_of: ClassVar = {"variant": ("delta", "log_base")}

    def __init__(self, content: LexicalContent, options: Any) -> None:
        super().__init__(content, lambda index: core.LexicalScorer.bm25(index, options))
        self.variant: str = options.variant
        self.k1: float = options.k1
        self.b: float = options.b
        self.delta: float | None = options.delta
        self.log_base: str | None = options.log_base

    @classmethod
    @with_known_options
    def build(
        cls,
        texts: Iterable[str] | Iterable[list[str]],
        doc_ids: Iterable[str] | None = None,
        *,
        analyzer: AnalyzerLike = "english",
        variant: str = "lucene",
        k1: float = 0.9,
        b: float = 0.4,
        delta: float | None = None,
        log_base: str | int | None = None,
        threads: int = 0,
        memory_limit: int | None = None,
        progress: Progress | None = None,
        store_texts: bool = False,
    ) -> Self:
        """Build an index of documents in memory; `build_to` builds one on disk.

        Parameters
        ----------
        texts : iterable of str, or iterable of list of str
            Texts are analysed; lists are terms as they are. Consumed once, in chunks. NumPy arrays and Arrow columns of
            strings are taken, too.
        doc_ids : iterable of str, optional
            One for each document, each once; "0", "1", ... if absent.
        analyzer : str, Analyzer or callable
            Makes terms of texts, now and when searching. An index with a callable cannot be saved.
        variant : str
            A row of the table above.
        k1 : float, 0 to 1e6
            How slowly repeated occurrences saturate. This and the next four can also be given to a single `search`.
        b : float, 0 to 1
            How much long documents are held back.
        delta : float, 0 to 1e6, optional
            For "bm25l" (0.5) and "bm25plus" (1.0) only.
        log_base : "e" or 10, optional
            For "slide" only ("e").
        threads : int
            The most threads that building may use, 0 for every core. The index is the same for any number.
        memory_limit : int, optional
            Bytes that building may take beside the finished index (8 a posting); postings beyond it wait in a temporary
            file (in the folder that TMPDIR names). The index is the same with and without.
        progress : callable, optional
            Called with the number of documents read so far, every few thousand.
        store_texts : bool
            Keep the texts too: `text` and `texts` give them back. They must be strings then. Their bytes as UTF-8 are added
            to the index, in memory and saved.

        Raises
        ------
        InputTypeError
            If `texts` or `doc_ids` is a single string or holds other things, or an option has a wrong type.
        InvalidInputError
            If an option is unknown, out of range or not one of the variant; if a doc_id comes twice, or their number is
            not that of the texts; if a text has lone surrogates; if `memory_limit` is too small (the message says how
            much works).
        """
        options = _options(variant, k1, b, delta, None if log_base is None else str(log_base))
        content = LexicalContent.build(
            texts,
            doc_ids,
            analyzer,
            threads=threads,
            memory_limit=memory_limit,
            progress=progress,
            recorder=text_recorder(store_texts, False),
        )
        return cls(content, options)

    def _scoring(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._option_names}

    def _make_scorer(self, scoring: dict[str, Any]) -> Any:
        return core.LexicalScorer.bm25(self._index, core.Bm25Options(**scoring))

    @classmethod
    def _checked_scoring(
        cls,
        variant: str = "lucene",
        k1: float = 0.9,
        b: float = 0.4,
        delta: float | None = None,
        log_base: str | int | None = None,
    ) -> dict[str, Any]:
        checked = _options(variant, k1, b, delta, None if log_base is None else str(log_base))
        return {name: getattr(checked, name) for name in cls._option_names}

    @classmethod
    def _from_saved(cls, content: LexicalContent, scoring: dict[str, Any]) -> Self:
        try:
            options = _options(**scoring)
        except (TypeError, InvalidInputError) as error:
            raise CorruptFileError(f"the scoring options of the saved index are malformed ({error})") from error
        return cls(content, options)


def _options(variant: str, k1: float, b: float, delta: float | None, log_base: str | None) -> Any:
    """Return checked options; the core's table of variants knows the defaults."""
    k1, b = as_number(k1, "k1"), as_number(b, "b")
    delta = None if delta is None else as_number(delta, "delta")
    check_name(variant, "variant", core.bm25_variants())
    if log_base is not None:
        check_name(log_base, "log_base", ("e", "10"))
    return core.Bm25Options(variant, k1, b, delta, log_base)


def as_number(value: Any, name: str) -> float:
    """Return an option as a float; the error calls it `name`."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise InputTypeError(f"{name} is {value!r} ({type(value).__name__}): give a number")
    try:
        return float(value)
    except OverflowError:
        raise InvalidInputError(f"{name} is beyond the range of float64: give a smaller number") from None
