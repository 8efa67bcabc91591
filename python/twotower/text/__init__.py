"""From text to terms: analyzers and vocabularies over the C++ core."""

from twotower.text.analyzer import Analyzer, as_analyzer
from twotower.text.analyzers import ANALYZERS, STEMMERS, STOP_WORDS, AnalyzerOptions
from twotower.text.fields import FieldAnalyzers
from twotower.text.term_ids import TermIds
from twotower.text.vocabulary import Vocabulary
from twotower.text.wordpiece import WordPiece
from twotower.text.wordpiece_batch import PaddedTokens, TokenBatch

__all__ = [
    "ANALYZERS",
    "STEMMERS",
    "STOP_WORDS",
    "Analyzer",
    "AnalyzerOptions",
    "FieldAnalyzers",
    "PaddedTokens",
    "TermIds",
    "TokenBatch",
    "Vocabulary",
    "WordPiece",
    "as_analyzer",
]
