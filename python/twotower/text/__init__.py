"""From text to terms: analyzers and vocabularies over the C++ core."""

from twotower.text.analyzer import Analyzer, as_analyzer
from twotower.text.analyzers import ANALYZERS, STEMMERS, STOP_WORDS, AnalyzerOptions
from twotower.text.bpe import BPE
from twotower.text.fields import FieldAnalyzers
from twotower.text.subword_tokenizer import SubwordTokenizer
from twotower.text.term_ids import TermIds
from twotower.text.token_batch import PaddedTokens, TokenBatch
from twotower.text.vocabulary import Vocabulary
from twotower.text.wordpiece import WordPiece

__all__ = [
    "ANALYZERS",
    "BPE",
    "STEMMERS",
    "STOP_WORDS",
    "Analyzer",
    "AnalyzerOptions",
    "FieldAnalyzers",
    "PaddedTokens",
    "SubwordTokenizer",
    "TermIds",
    "TokenBatch",
    "Vocabulary",
    "WordPiece",
    "as_analyzer",
]
