"""The only file of the room that touches the C++ core."""

from twotower._core import Analyzer as NativeAnalyzer
from twotower._core import Vocabulary as NativeVocabulary
from twotower._core import unicode_version

__all__ = ["NativeAnalyzer", "NativeVocabulary", "unicode_version"]
