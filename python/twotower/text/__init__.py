"""From text to terms: analyzers and vocabularies over the C++ core."""

from twotower.text.analyzer import Analyzer, as_analyzer
from twotower.text.analyzers import ANALYZERS, STOP_WORDS, AnalyzerOptions
from twotower.text.term_ids import TermIds
from twotower.text.vocabulary import Vocabulary

__all__ = ["ANALYZERS", "STOP_WORDS", "Analyzer", "AnalyzerOptions", "TermIds", "Vocabulary", "as_analyzer"]
