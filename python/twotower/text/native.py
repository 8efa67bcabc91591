"""The only file of the room that touches the C++ core."""

from twotower._core import BPE as NativeBPE  # noqa: N811
from twotower._core import Analyzer as NativeAnalyzer
from twotower._core import SpanUnit, SplitRule, compose, prune_vocabulary, unicode_version
from twotower._core import TextViews as NativeTexts
from twotower._core import TokenTemplate as NativeTemplate
from twotower._core import Vocabulary as NativeVocabulary
from twotower._core import VocabularyLearner as NativeLearner
from twotower._core import VocabularyRequest as NativeRequest
from twotower._core import WordCounter as NativeWordCounter
from twotower._core import WordCounts as NativeWordCounts
from twotower._core import WordPiece as NativeWordPiece

__all__ = [
    "NativeAnalyzer",
    "NativeBPE",
    "NativeLearner",
    "NativeRequest",
    "NativeTemplate",
    "NativeTexts",
    "NativeVocabulary",
    "NativeWordCounter",
    "NativeWordCounts",
    "NativeWordPiece",
    "SpanUnit",
    "SplitRule",
    "compose",
    "prune_vocabulary",
    "unicode_version",
]
