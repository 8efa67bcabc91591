"""
Private C++ core of twotower. Use the public classes of the package instead.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import os
import typing
import typing_extensions
__all__: list[str] = ['AdamOptions', 'Analyzer', 'BPE', 'BadLine', 'Bm25Options', 'BuildCounts', 'CudaSearcher', 'DenseCodes', 'DenseIndex', 'DeviceArray', 'InvertedIndex', 'Judgements', 'LexicalBuilder', 'LexicalScorer', 'NotGrouped', 'RunTable', 'SpanUnit', 'SplitRule', 'StreamedRun', 'TextViews', 'TfidfOptions', 'TokenTemplate', 'Vocabulary', 'VocabularyLearner', 'VocabularyRequest', 'Word2VecTraining', 'WordCounter', 'WordCounts', 'WordPiece', 'adam_catch_up', 'adam_rows', 'adam_take', 'bag_gradient', 'bag_means', 'bag_means_bfloat16', 'bm25_variants', 'build_inverted_arrays', 'build_weighted_arrays', 'compose', 'container_dtypes', 'cuda_compiled', 'cuda_device_names', 'dense_codes_make', 'distinct_rows', 'find_in_dict', 'hardware_threads', 'hash_ngrams', 'isa_name', 'isa_names', 'merge_fields', 'most_weight', 'pack_integers', 'pack_postings', 'prune_vocabulary', 'query_algorithms', 'read_container', 'read_dlpack', 'replace_folder', 'unicode_version', 'unpack_integers', 'unpack_postings', 'write_container', 'write_file_atomically']
class TextViews:
    @staticmethod
    def of_arrow_array(schema: typing_extensions.CapsuleType, array: typing_extensions.CapsuleType, what: str) -> TextViews:
        ...
    @staticmethod
    def of_arrow_stream(stream: typing_extensions.CapsuleType, what: str) -> TextViews:
        ...
    @staticmethod
    def of_bytes(bytes: typing_extensions.Buffer, offsets: numpy.typing.NDArray[numpy.int64], what: str) -> TextViews:
        ...
    @staticmethod
    def of_strings(texts: typing.Any, what: str) -> TextViews:
        ...
    def __len__(self) -> int:
        ...
class TokenTemplate:
    """
    Ids around the tokens of a text or a pair.
    """
    def __init__(self, before: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], between: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], after: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> None:
        ...
class SpanUnit:
    """
    Members:
    
      NONE
    
      BYTE
    
      CHAR
    """
    BYTE: typing.ClassVar[SpanUnit]
    CHAR: typing.ClassVar[SpanUnit]
    NONE: typing.ClassVar[SpanUnit]
    __members__: typing.ClassVar[dict[str, SpanUnit]]
    @typing.overload
    def __eq__(self, other: SpanUnit) -> bool:
        ...
    @typing.overload
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __getstate__(self) -> int:
        ...
    def __hash__(self) -> int:
        ...
    def __index__(self) -> int:
        ...
    def __init__(self, value: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def __int__(self) -> int:
        ...
    @typing.overload
    def __ne__(self, other: SpanUnit) -> bool:
        ...
    @typing.overload
    def __ne__(self, other: typing.Any) -> bool:
        ...
    def __repr__(self) -> str:
        ...
    def __setstate__(self, state: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def __str__(self) -> str:
        ...
    @property
    def name(self) -> str:
        ...
    @property
    def value(self) -> int:
        ...
class Vocabulary:
    @typing.overload
    def __init__(self) -> None:
        ...
    @typing.overload
    def __init__(self, blob: numpy.typing.NDArray[numpy.uint8], offsets: numpy.typing.NDArray[numpy.int64]) -> None:
        ...
    def __len__(self) -> int:
        ...
    def find(self, term: typing.Any) -> int:
        ...
    def freeze(self) -> None:
        ...
    def ids_of_terms(self, documents: tuple, grow: bool, first_text_number: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
    def stored(self) -> tuple[numpy.typing.NDArray[numpy.uint8], numpy.typing.NDArray[numpy.int64]]:
        ...
    def term(self, id: typing.SupportsInt | typing.SupportsIndex) -> str:
        ...
    def terms(self) -> list[str]:
        ...
class Analyzer:
    def __init__(self, *, unicode_words: bool, lowercase: bool, turkish: bool, cjk_sizes: typing.SupportsInt | typing.SupportsIndex, cut_apostrophe: bool, articles: collections.abc.Sequence[str], fold_accents: bool, stop_words: collections.abc.Sequence[str], snowball: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex, str] | None, stemmer: collections.abc.Callable[[list[str]], collections.abc.Sequence[str]] | None) -> None:
        ...
    def term_ids(self, texts: TextViews, vocabulary: Vocabulary, grow: bool, threads: typing.SupportsInt | typing.SupportsIndex, first_text_number: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        ...
class WordPiece:
    def __init__(self, tokens: tuple, ids: numpy.typing.NDArray[numpy.int32], added: collections.abc.Sequence[tuple[str, typing.SupportsInt | typing.SupportsIndex, bool, bool]], clean_text: bool, handle_chinese_chars: bool, strip_accents: bool, lowercase: bool, unk_token: str, prefix: str, max_input_chars_per_word: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def encode(self, texts: TextViews, pairs: TextViews, around: TokenTemplate | None, max_length: typing.SupportsInt | typing.SupportsIndex | None, spans: SpanUnit, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        """
        (ids, offsets, n_first or None, spans or None)
        """
class SplitRule:
    """
    Members:
    
      GPT2
    
      GPT4
    
      GPT4_ONE_DIGIT
    
      NONE
    """
    GPT2: typing.ClassVar[SplitRule]
    GPT4: typing.ClassVar[SplitRule]
    GPT4_ONE_DIGIT: typing.ClassVar[SplitRule]
    NONE: typing.ClassVar[SplitRule]
    __members__: typing.ClassVar[dict[str, SplitRule]]
    @typing.overload
    def __eq__(self, other: SplitRule) -> bool:
        ...
    @typing.overload
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __getstate__(self) -> int:
        ...
    def __hash__(self) -> int:
        ...
    def __index__(self) -> int:
        ...
    def __init__(self, value: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def __int__(self) -> int:
        ...
    @typing.overload
    def __ne__(self, other: SplitRule) -> bool:
        ...
    @typing.overload
    def __ne__(self, other: typing.Any) -> bool:
        ...
    def __repr__(self) -> str:
        ...
    def __setstate__(self, state: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def __str__(self) -> str:
        ...
    @property
    def name(self) -> str:
        ...
    @property
    def value(self) -> int:
        ...
class BPE:
    def __init__(self, tokens: tuple, ids: numpy.typing.NDArray[numpy.int32], merges: numpy.typing.NDArray[numpy.int32], added: collections.abc.Sequence[tuple[str, typing.SupportsInt | typing.SupportsIndex, bool, bool, bool]], rule: SplitRule, nfc: bool, add_prefix_space: bool, ignore_merges: bool, trim_spans: bool, trim_keeps_first: bool) -> None:
        ...
    def encode(self, texts: TextViews, pairs: TextViews, around: TokenTemplate | None, max_length: typing.SupportsInt | typing.SupportsIndex | None, spans: SpanUnit, threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
        """
        (ids, offsets, n_first or None, spans or None)
        """
class WordCounts:
    """
    Distinct words, the most frequent first.
    """
    def __init__(self, words: collections.abc.Sequence[tuple[str, typing.SupportsInt | typing.SupportsIndex]]) -> None:
        ...
    def __len__(self) -> int:
        ...
    def items(self) -> list:
        ...
class WordCounter:
    @staticmethod
    def of_byte_level(rule: SplitRule, nfc: bool, add_prefix_space: bool, special_tokens: collections.abc.Sequence[str], max_words: typing.SupportsInt | typing.SupportsIndex) -> WordCounter:
        ...
    @staticmethod
    def of_wordpiece(strip_accents: bool, lowercase: bool, max_input_chars_per_word: typing.SupportsInt | typing.SupportsIndex, special_tokens: collections.abc.Sequence[str], max_words: typing.SupportsInt | typing.SupportsIndex) -> WordCounter:
        ...
    def add(self, texts: TextViews, begin: typing.SupportsInt | typing.SupportsIndex, end: typing.SupportsInt | typing.SupportsIndex, first: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def take(self) -> WordCounts:
        ...
class VocabularyRequest:
    def __init__(self, special_tokens: collections.abc.Sequence[str], vocabulary_size: typing.SupportsInt | typing.SupportsIndex, n_candidates: typing.SupportsInt | typing.SupportsIndex, min_frequency: typing.SupportsInt | typing.SupportsIndex, max_token_length: typing.SupportsInt | typing.SupportsIndex, limit_alphabet: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
class VocabularyLearner:
    @staticmethod
    def of_byte_level(words: WordCounts, request: VocabularyRequest) -> VocabularyLearner:
        ...
    @staticmethod
    def of_wordpiece(words: WordCounts, request: VocabularyRequest, prefix: str) -> VocabularyLearner:
        ...
    def __len__(self) -> int:
        ...
    def merges(self) -> list:
        ...
    def n_fixed(self) -> int:
        ...
    def run(self, n: typing.SupportsInt | typing.SupportsIndex) -> bool:
        ...
    def tokens(self) -> list[str]:
        ...
class Bm25Options:
    """
    A BM25 variant with every option checked and filled in.
    """
    def __init__(self, variant: str, k1: typing.SupportsFloat | typing.SupportsIndex, b: typing.SupportsFloat | typing.SupportsIndex, delta: typing.SupportsFloat | typing.SupportsIndex | None, log_base: str | None) -> None:
        ...
    @property
    def b(self) -> float:
        ...
    @property
    def delta(self) -> float | None:
        ...
    @property
    def k1(self) -> float:
        ...
    @property
    def log_base(self) -> str | None:
        ...
    @property
    def variant(self) -> str:
        ...
class TfidfOptions:
    """
    The SMART switches of tf-idf with every option checked and filled in.
    """
    def __init__(self, smart: str, log_base: str, slope: typing.SupportsFloat | typing.SupportsIndex | None, alpha: typing.SupportsFloat | typing.SupportsIndex | None) -> None:
        ...
    @property
    def alpha(self) -> float | None:
        ...
    @property
    def log_base(self) -> str:
        ...
    @property
    def needs_text_bytes(self) -> bool:
        ...
    @property
    def slope(self) -> float | None:
        ...
    @property
    def smart(self) -> str:
        ...
class InvertedIndex:
    """
    A checked, read-only view over the arrays of an inverted index.
    """
    @staticmethod
    def numbered(term_offsets: numpy.typing.NDArray[numpy.int64], docs: numpy.typing.NDArray[numpy.uint32], numbers: numpy.typing.NDArray[numpy.uint32], n_docs: typing.SupportsInt | typing.SupportsIndex) -> InvertedIndex:
        """
        An index whose postings hold other numbers than occurrences.
        """
    def __init__(self, term_offsets: numpy.typing.NDArray[numpy.int64], docs: numpy.typing.NDArray[numpy.uint32], tfs: numpy.typing.NDArray[numpy.uint32], doc_lengths: numpy.typing.NDArray[numpy.uint32]) -> None:
        ...
    @property
    def n_terms(self) -> int:
        ...
class LexicalScorer:
    """
    Ranks the documents of an inverted index by one scoring formula.
    """
    @staticmethod
    def bm25(index: InvertedIndex, options: Bm25Options) -> LexicalScorer:
        ...
    @staticmethod
    def bm25f(index: InvertedIndex, combinations: numpy.typing.NDArray[numpy.uint32], field_lengths: numpy.typing.NDArray[numpy.uint32], weights: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], bs: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], k1: typing.SupportsFloat | typing.SupportsIndex) -> LexicalScorer:
        ...
    @staticmethod
    def log_count(index: InvertedIndex) -> LexicalScorer:
        ...
    @staticmethod
    def tfidf(index: InvertedIndex, options: TfidfOptions, text_bytes: numpy.typing.NDArray[numpy.uint32] | None = None) -> LexicalScorer:
        ...
    @staticmethod
    def weights(index: InvertedIndex) -> LexicalScorer:
        ...
    def explain(self, ids: numpy.typing.NDArray[numpy.int32], doc: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float32] | None = None) -> list:
        """
        Return rows (term, tf, df, idf, weight, part).
        """
    def quantise(self) -> None:
        """
        Make the quantised postings, once; search does so where its algorithm needs them.
        """
    def score(self, ids: numpy.typing.NDArray[numpy.int32], offsets: numpy.typing.NDArray[numpy.int64], docs: numpy.typing.NDArray[numpy.int64], threads: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float32] | None = None) -> numpy.typing.NDArray[numpy.float32]:
        """
        Return float32 scores in the shape of docs.
        """
    def search(self, ids: numpy.typing.NDArray[numpy.int32], offsets: numpy.typing.NDArray[numpy.int64], k: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex, algorithm: str = 'auto', where: numpy.typing.NDArray[numpy.uint64] | None = None, weights: numpy.typing.NDArray[numpy.float32] | None = None) -> tuple:
        """
        Return (scores float32 [Q, k], docs int64 [Q, k], counts), padded with -inf and -1.
        """
    @property
    def fast_bytes(self) -> int:
        """
        Memory of the quantised postings; 0 before they are made.
        """
    @property
    def is_quantised(self) -> bool:
        """
        Whether the quantised postings are made.
        """
class BuildCounts:
    @property
    def n_docs(self) -> int:
        ...
    @property
    def n_postings(self) -> int:
        ...
    @property
    def n_terms(self) -> int:
        ...
    @property
    def spilled_bytes(self) -> int:
        ...
class LexicalBuilder:
    """
    Inverts documents as they come, in bounded memory.
    """
    def __init__(self, memory_limit: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex, spill_folder: os.PathLike | str | bytes) -> None:
        ...
    def add(self, ids: numpy.typing.NDArray[numpy.int32], offsets: numpy.typing.NDArray[numpy.int64], n_terms: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def arrays(self) -> tuple:
        """
        Return (term_offsets, docs, tfs, doc_lengths); after finish().
        """
    def finish(self) -> BuildCounts:
        ...
    def reserve(self, bytes: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def save(self, folder: os.PathLike | str | bytes, kind: str, meta: bytes, others: collections.abc.Sequence[tuple[str, numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]]]) -> dict:
        """
        Save the packed index with other arrays, return the bytes of its own; after finish().
        """
class DenseIndex:
    """
    Stored vectors, ready to be searched exactly.
    """
    def __init__(self, vectors: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], scales: numpy.typing.NDArray[numpy.float32] | None = None, storage: str = 'float32', metric: str = 'inner_product', threads: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def odd_row(self) -> int:
        """
        The first row that is not finite, or -1.
        """
    def score(self, queries: numpy.typing.NDArray[numpy.float32], docs: numpy.typing.NDArray[numpy.int64], threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float32]:
        """
        Exact scores float32 [Q, C] of DocIds; -1 gives -inf.
        """
    def search(self, queries: numpy.typing.NDArray[numpy.float32], k: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex, where: numpy.typing.NDArray[numpy.uint64] | None = None) -> tuple:
        """
        (scores float32 [Q, k], docs int64 [Q, k])
        """
class DenseCodes:
    """
    Codes of vectors and the vectors, for exact search.
    """
    def __init__(self, vectors: numpy.typing.NDArray[numpy.float32], high: numpy.typing.NDArray[numpy.uint8], low: numpy.typing.NDArray[numpy.uint8], scales: numpy.typing.NDArray[numpy.float32], coarse_radii: numpy.typing.NDArray[numpy.float32], fine_radii: numpy.typing.NDArray[numpy.float32], mean: numpy.typing.NDArray[numpy.float32]) -> None:
        ...
    def intervals(self, queries: numpy.typing.NDArray[numpy.float32], coarse: bool) -> tuple:
        """
        (lower, upper): float64 [Q, N], between which every score lies.
        """
    def search(self, queries: numpy.typing.NDArray[numpy.float32], k: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex, allowed: numpy.typing.NDArray[numpy.uint64] | None) -> tuple:
        """
        (scores float32 [Q, k], docs int64 [Q, k], (rows scanned, refined, scored by the definition))
        """
class DeviceArray:
    """
    A matrix on a CUDA device; read it through DLPack, as torch.from_dlpack.
    """
    def __dlpack__(self, stream: typing.Any = None, max_version: typing.Any = None, dl_device: typing.Any = None, copy: typing.Any = None) -> typing_extensions.CapsuleType:
        ...
    def __dlpack_device__(self) -> tuple:
        ...
    @property
    def __cuda_array_interface__(self) -> dict:
        ...
    @property
    def shape(self) -> tuple:
        ...
class CudaSearcher:
    """
    Stored vectors on a CUDA device, ready to be searched exactly.
    """
    @staticmethod
    def emulated(vectors: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], scales: numpy.typing.NDArray[numpy.float32] | None = None, storage: str = 'float32', metric: str = 'inner_product', capacity: typing.SupportsInt | typing.SupportsIndex = 0, window_docs: typing.SupportsInt | typing.SupportsIndex = 0, groups: bool = False, backward: bool = False) -> CudaSearcher:
        """
        The same kernels on the host, slowly: for checks.
        """
    @staticmethod
    def of_device_rows(vectors: typing.SupportsInt | typing.SupportsIndex, n_docs: typing.SupportsInt | typing.SupportsIndex, dim: typing.SupportsInt | typing.SupportsIndex, storage: str, metric: str, device: typing.SupportsInt | typing.SupportsIndex, stream: typing.SupportsInt | typing.SupportsIndex) -> CudaSearcher:
        ...
    @staticmethod
    def of_host_rows(vectors: numpy.ndarray[typing.Any, numpy.dtype[typing.Any]], scales: numpy.typing.NDArray[numpy.float32] | None = None, storage: str = 'float32', metric: str = 'inner_product', device: typing.SupportsInt | typing.SupportsIndex = 0, capacity: typing.SupportsInt | typing.SupportsIndex = 0, window_docs: typing.SupportsInt | typing.SupportsIndex = 0) -> CudaSearcher:
        ...
    def odd_row(self) -> int:
        """
        The first row that is not finite, or -1.
        """
    def resident(self) -> bool:
        """
        Whether all rows are on the device.
        """
    def search(self, queries: numpy.typing.NDArray[numpy.float32], k: typing.SupportsInt | typing.SupportsIndex, where: numpy.typing.NDArray[numpy.uint64] | None = None) -> tuple:
        """
        (scores float32 [Q, k], docs int64 [Q, k])
        """
    def search_on_device(self, queries: typing.SupportsInt | typing.SupportsIndex, n_queries: typing.SupportsInt | typing.SupportsIndex, storage: str, k: typing.SupportsInt | typing.SupportsIndex, where: numpy.typing.NDArray[numpy.uint64] | None = None, stream: typing.SupportsInt | typing.SupportsIndex = 0) -> tuple:
        """
        The same for queries on the device; results stay there.
        """
class BadLine(ValueError):
    pass
class NotGrouped(ValueError):
    pass
class Judgements:
    """
    Judged documents. Add lists, or feed the bytes of one file; then finish.
    """
    def __init__(self) -> None:
        ...
    def add(self, query_id: typing.Any, doc_ids: list, grades: numpy.typing.NDArray[numpy.int32]) -> None:
        ...
    def feed(self, chunk: bytes) -> None:
        ...
    def finish(self) -> None:
        ...
    def grades(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    def query_ids(self) -> tuple:
        ...
    def query_of(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @property
    def n_queries(self) -> int:
        ...
class RunTable:
    """
    Places of a whole run. Add lists, or feed the bytes of one file; then finish.
    """
    def __init__(self) -> None:
        ...
    def add(self, query_id: typing.Any, doc_ids: list, scores: numpy.typing.NDArray[numpy.float64]) -> None:
        ...
    def feed(self, chunk: bytes) -> None:
        ...
    def find(self, judgements: Judgements) -> tuple:
        ...
    def finish(self) -> None:
        ...
    def query_ids(self) -> tuple:
        ...
    @property
    def n_documents(self) -> int:
        ...
    @property
    def n_queries(self) -> int:
        ...
class StreamedRun:
    """
    Places found while a run file streams past.
    """
    def __init__(self, judgements: Judgements) -> None:
        ...
    def feed(self, chunk: bytes) -> None:
        ...
    def finish(self) -> tuple:
        ...
    @property
    def first_doc_id(self) -> str:
        ...
    @property
    def first_query_id(self) -> str:
        ...
    @property
    def n_queries(self) -> int:
        ...
class AdamOptions:
    """
    Numbers of Adam that are the same in every step.
    """
    def __init__(self, beta1: typing.SupportsFloat | typing.SupportsIndex, beta2: typing.SupportsFloat | typing.SupportsIndex, epsilon: typing.SupportsFloat | typing.SupportsIndex, weight_decay: typing.SupportsFloat | typing.SupportsIndex, bias_correction: bool) -> None:
        ...
class Word2VecTraining:
    """
    Skip-gram or CBOW with negative sampling, in place.
    """
    def __init__(self, ids: numpy.typing.NDArray[numpy.int32], offsets: numpy.typing.NDArray[numpy.int64], inputs: numpy.typing.NDArray[numpy.float32], outputs: numpy.typing.NDArray[numpy.float32], *, cbow: bool, window: typing.SupportsInt | typing.SupportsIndex, negative: typing.SupportsInt | typing.SupportsIndex, epochs: typing.SupportsInt | typing.SupportsIndex, lr: typing.SupportsFloat | typing.SupportsIndex, min_lr: typing.SupportsFloat | typing.SupportsIndex, subsample: typing.SupportsFloat | typing.SupportsIndex, negative_power: typing.SupportsFloat | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def run(self, n_words: typing.SupportsInt | typing.SupportsIndex) -> int:
        """
        Words read since the start.
        """
def adam_catch_up(weights: numpy.typing.NDArray[numpy.float32], first: numpy.typing.NDArray[numpy.float32], second: numpy.typing.NDArray[numpy.float32], current: numpy.typing.NDArray[numpy.int64], met: numpy.typing.NDArray[numpy.int64], rates: numpy.typing.NDArray[numpy.float64], until: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.int64] | None, options: AdamOptions, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Takes the steps that rows (None: all) have missed, with gradients of 0.
    """
def adam_rows(weights: numpy.typing.NDArray[numpy.float32], first: numpy.typing.NDArray[numpy.float32], second: numpy.typing.NDArray[numpy.float32], counts: numpy.typing.NDArray[numpy.int64], rows: numpy.typing.NDArray[numpy.int64], gradient: numpy.typing.NDArray[numpy.float32], rate: typing.SupportsFloat | typing.SupportsIndex, options: AdamOptions, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    One step of distinct rows, each with its own count of steps; all arrays change in place.
    """
def adam_take(weights: numpy.typing.NDArray[numpy.float32], first: numpy.typing.NDArray[numpy.float32], second: numpy.typing.NDArray[numpy.float32], current: numpy.typing.NDArray[numpy.int64], met: numpy.typing.NDArray[numpy.int64], rates: numpy.typing.NDArray[numpy.float64], step: typing.SupportsInt | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.int64], gradient: numpy.typing.NDArray[numpy.float32], options: AdamOptions, threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Takes a step of distinct rows that have missed none.
    """
def bag_gradient(outer: numpy.typing.NDArray[numpy.float32], ids: numpy.typing.NDArray[numpy.int64], offsets: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.float32] | None, n_rows: typing.SupportsInt | typing.SupportsIndex, threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float32]:
    """
    Gradient of the table, float32 [n_rows, D], from that of the means, float32 [B, D].
    """
def bag_means(table: numpy.typing.NDArray[numpy.float32], ids: numpy.typing.NDArray[numpy.int64], offsets: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.float32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float32]:
    """
    Weighted mean of the rows of each bag: float32 [B, D] of a float32 table.
    """
def bag_means_bfloat16(table: numpy.typing.NDArray[numpy.uint16], ids: numpy.typing.NDArray[numpy.int64], offsets: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.float32] | None, threads: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.float32]:
    """
    The same of a table whose uint16 are bfloat16.
    """
def bm25_variants() -> list[str]:
    """
    Names of the BM25 variants.
    """
def build_inverted_arrays(ids: numpy.typing.NDArray[numpy.int32], offsets: numpy.typing.NDArray[numpy.int64], n_terms: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    Return (term_offsets, docs, tfs, doc_lengths) of documents given as term ids.
    """
def build_weighted_arrays(ids: numpy.typing.NDArray[numpy.int32], offsets: numpy.typing.NDArray[numpy.int64], n_terms: typing.SupportsInt | typing.SupportsIndex, weights: numpy.typing.NDArray[numpy.float32]) -> tuple:
    """
    Return (term_offsets, docs, weights) of sparse vectors.
    """
def compose(text: str) -> str:
    """
    Text in normalisation form C.
    """
def container_dtypes() -> list[str]:
    """
    Names of the dtypes that a container holds.
    """
def cuda_compiled() -> bool:
    ...
def cuda_device_names() -> list[str]:
    ...
def dense_codes_make(vectors: numpy.typing.NDArray[numpy.float32], mean: numpy.typing.NDArray[numpy.float32], threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    (high uint8 [B], low uint8 [B], scales, coarse_radii and fine_radii float32 [N])
    """
def distinct_rows(ids: numpy.typing.NDArray[numpy.int64], n_rows: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    (distinct ids ascending int64 [U], place of each id among them int64 [T])
    """
def find_in_dict(run: dict, judgements: Judgements) -> tuple:
    """
    (pair numbers, places, documents listed) of the judged documents of a dict of dicts
    """
def hardware_threads() -> int:
    ...
def hash_ngrams(ids: numpy.typing.NDArray[numpy.int32], offsets: numpy.typing.NDArray[numpy.int64], words: numpy.typing.NDArray[numpy.uint8], word_offsets: numpy.typing.NDArray[numpy.int64], most: typing.SupportsInt | typing.SupportsIndex, n_bins: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    Return (bins int32, offsets) of the n-grams of texts given as word ids; -1 ends a run.
    """
def isa_name() -> str:
    """
    The instruction set in use (TWOTOWER_ISA forces one).
    """
def isa_names() -> list[str]:
    """
    Instruction sets that this machine can run, best last.
    """
def merge_fields(fields: list[tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.uint32]]]) -> tuple:
    """
    Return (term_offsets, docs, numbers, combinations) of the fields' (term_offsets, docs, tfs).
    """
def pack_integers(values: numpy.typing.NDArray[numpy.uint32]) -> numpy.typing.NDArray[numpy.uint8]:
    """
    Return numbers, small ones best, as few bytes.
    """
def pack_postings(term_offsets: numpy.typing.NDArray[numpy.int64], docs: numpy.typing.NDArray[numpy.uint32], tfs: numpy.typing.NDArray[numpy.uint32], threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    Return (postings uint8, group_ends uint64).
    """
def prune_vocabulary(words: WordCounts, tokens: collections.abc.Sequence[str], n_fixed: typing.SupportsInt | typing.SupportsIndex, size: typing.SupportsInt | typing.SupportsIndex, prefix: str) -> list[str]:
    ...
def query_algorithms() -> list[str]:
    """
    Names of the query algorithms; all give the same answer.
    """
def read_container(folder: os.PathLike | str | bytes, kind: str) -> tuple:
    """
    (meta bytes, {name: read-only mapped array})
    """
def read_dlpack(capsule: typing_extensions.CapsuleType) -> tuple:
    """
    (pointer, shape, strides, kind, bits, device type, device id) of a capsule that stays its owner's.
    """
def replace_folder(temporary: os.PathLike | str | bytes, target: os.PathLike | str | bytes) -> None:
    ...
def unicode_version() -> str:
    """
    Version of the Unicode tables.
    """
def unpack_integers(bytes: numpy.typing.NDArray[numpy.uint8]) -> numpy.typing.NDArray[numpy.uint32]:
    """
    Return the numbers of untrusted bytes.
    """
def unpack_postings(postings: numpy.typing.NDArray[numpy.uint8], group_ends: numpy.typing.NDArray[numpy.uint64], term_offsets: numpy.typing.NDArray[numpy.int64], threads: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    Return (docs, tfs) of untrusted bytes.
    """
def write_container(folder: os.PathLike | str | bytes, kind: str, meta: bytes, arrays: collections.abc.Sequence[tuple[str, numpy.ndarray[typing.Any, numpy.dtype[typing.Any]]]]) -> None:
    ...
def write_file_atomically(path: os.PathLike | str | bytes, data: bytes) -> None:
    ...
most_weight: float = 1125899906842624.0
