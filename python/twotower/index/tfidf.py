"""tf-idf with SMART's switches, over an inverted index."""

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


class TfidfIndex(LexicalIndex):
    """Ranks documents by the inner product of tf-idf vectors; by default the cosine, SMART ltc.ltc. Made by `build` or `load`.

    Attributes
    ----------
    smart : str
        Three letters for documents, a dot, three letters for queries.
    log_base : str
        "10" or "e".
    slope, alpha : float or None
        Of the norms "u" and "b"; None where no letter asks for them.

    Notes
    -----
    A term that stands tf times in a text weighs ``tf factor * df factor / norm``. N documents, df of them with the term:

    ====== ============================================= ======= ================================ ====== =============================
    letter tf factor                                     letter  df factor                        letter norm
    ====== ============================================= ======= ================================ ====== =============================
    n      tf                                            n       1                                n      1
    l      1 + log tf                                    t       log(N / df)                      c      root of the sum of squares
    a      .5 + .5 tf / greatest tf of the text          p       max(0, log((N - df) / df))       u      (1 - slope) pivot + slope u
    b      1                                                                                      b      bytes ** alpha
    L      (1 + log tf) / (1 + log of the text's mean tf)
    d      1 + log(1 + log tf)
    ====== ============================================= ======= ================================ ====== =============================

    Letters: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), fig. 6.15; "d" is of Singhal et al.,
    AT&T at TREC-7 (1998). "u": u distinct terms of the text, `pivot` their mean over all documents (Singhal, Buckley,
    Mitra, SIGIR 1996, section 5, which found a slope of 0.2). "b" is for documents alone, since a query's size scales all
    scores alike: bytes of the text as UTF-8; the index must be built from texts, and the book says of alpha only that it
    is below 1, so it must be given.

    A query term that no document contains has no df. It is left out of the query altogether: of its norm, greatest tf,
    mean tf and number of distinct terms. A text whose weights are all 0 has the cosine norm 1; a document with a query
    term is a hit even if the score is 0.

    Examples
    --------
    >>> index = TfidfIndex.build(["sweet love", "sweet sorrow", "nurse"], ["a", "b", "c"])
    >>> [(hit.doc_id, round(hit.score, 4)) for hit in index.search("sweet love")]
    [('a', 1.0), ('b', 0.1199)]
    >>> [(hit.doc_id, round(hit.score, 4)) for hit in index.search("sweet love", smart="lnc.ltc")]
    [('a', 0.9082), ('b', 0.2448)]
    """

    kind = "tfidf"
    name = "tfidf"
    _option_names = ("smart", "log_base", "slope", "alpha")
    _options_of: ClassVar = {"smart": ("slope", "alpha")}

    def __init__(self, content: LexicalContent, options: Any) -> None:
        lengths = content.stored.lengths
        super().__init__(content, lambda index: core.LexicalScorer.tfidf(index, options, lengths))
        self.smart: str = options.smart
        self.log_base: str = options.log_base
        self.slope: float | None = options.slope
        self.alpha: float | None = options.alpha

    @classmethod
    @with_known_options
    def build(
        cls,
        texts: Iterable[str] | Iterable[list[str]],
        doc_ids: Iterable[str] | None = None,
        *,
        analyzer: AnalyzerLike = "english",
        smart: str = "ltc.ltc",
        log_base: str | int = "10",
        slope: float | None = None,
        alpha: float | None = None,
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
        smart : str
            Letters of the table above, such as "lnc.ltc" or "Lnu.ltu". This and the next three can also be given to a single
            `search`.
        log_base : 10 or "e"
            Of all logarithms.
        slope : float, 0 to 1, optional
            For the norm "u" only (0.2).
        alpha : float, 0 to below 1, optional
            For the norm "b", which needs it.
        threads, memory_limit, progress, store_texts
            As for `BM25Index.build`.

        Raises
        ------
        InputTypeError
            If `texts` or `doc_ids` is a single string or holds other things, or an option has a wrong type; if the norm is
            "b", or `store_texts` is true, and the documents are not texts.
        InvalidInputError
            If an option is unknown, out of range, missing or without a meaning; if a doc_id comes twice, or their number is
            not that of the texts, or a text has lone surrogates; if `memory_limit` is too small.
        """
        options = _options(smart, log_base, slope, alpha)
        content = LexicalContent.build(
            texts,
            doc_ids,
            analyzer,
            threads=threads,
            memory_limit=memory_limit,
            progress=progress,
            recorder=text_recorder(store_texts, options.needs_text_bytes),
        )
        return cls(content, options)

    def _scoring(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._option_names}

    def _make_scorer(self, scoring: dict[str, Any]) -> Any:
        return core.LexicalScorer.tfidf(self._index, core.TfidfOptions(**scoring), self._content.stored.lengths)

    @classmethod
    def _needs_text_lengths(cls, scoring: dict[str, Any]) -> bool:
        return bool(core.TfidfOptions(**scoring).needs_text_bytes)

    @classmethod
    def _checked_scoring(
        cls,
        smart: str = "ltc.ltc",
        log_base: str | int = "10",
        slope: float | None = None,
        alpha: float | None = None,
    ) -> dict[str, Any]:
        checked = _options(smart, log_base, slope, alpha)
        return {name: getattr(checked, name) for name in cls._option_names}

    @classmethod
    def _from_saved(cls, content: LexicalContent, scoring: dict[str, Any]) -> Self:
        # Indexes of the first versions are ltc.ltc and state no options.
        try:
            return cls(
                content, _options(**{"smart": "ltc.ltc", "log_base": "10", "slope": None, "alpha": None, **scoring})
            )
        except (TypeError, InvalidInputError) as error:
            raise CorruptFileError(f"the scoring options of the saved index are malformed ({error})") from error


def _options(smart: str, log_base: str | int, slope: float | None, alpha: float | None) -> Any:
    """Return checked options; the core knows letters and defaults."""
    check_name(smart, "smart", ("ltc.ltc", "lnc.ltc", "..."))
    base = check_name(str(log_base), "log_base", ("e", "10"))
    return core.TfidfOptions(smart, base, _share(slope, "slope"), _share(alpha, "alpha"))


def _share(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, Real) or isinstance(value, bool):
        raise InputTypeError(f"{name} is {value!r} ({type(value).__name__}): give a number")
    try:
        return float(value)
    except OverflowError:
        raise InvalidInputError(f"{name} is beyond the range of float64: give a smaller number") from None
