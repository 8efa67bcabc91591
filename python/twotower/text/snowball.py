"""The stemmers of PyStemmer, for the core: straight from its library where that can be found, else through Python.

PyStemmer's extension module contains libstemmer, whose four public functions the core can call by itself: no str is made
for a word, no lock of Python is needed, and the stems are those of PyStemmer by construction. Where a build of PyStemmer
hides them, words go through `stemWords` in batches.
"""

import ctypes
from collections.abc import Callable
from functools import cache, partial

import Stemmer

_FUNCTIONS = ("sb_stemmer_new", "sb_stemmer_delete", "sb_stemmer_stem", "sb_stemmer_length")


@cache
def addresses() -> tuple[int, int, int, int] | None:
    """Return where the functions of libstemmer are, or None. The library stays loaded for the life of the process."""
    try:
        library = ctypes.CDLL(Stemmer.__file__)
        found = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in _FUNCTIONS]
    except (OSError, AttributeError):
        return None
    new, delete, stem, length = (address or 0 for address in found)
    return (new, delete, stem, length) if new and delete and stem and length else None


def stem_words(algorithm: str) -> Callable[[list[str]], list[str]]:
    """Return a function from words to their stems by PyStemmer, for any thread."""
    return partial(_stems_of, algorithm)


def _stems_of(algorithm: str, words: list[str]) -> list[str]:
    """Stem words with a stemmer of this call's own: PyStemmer's objects are not safe to share between threads."""
    stems: list[str] = Stemmer.Stemmer(algorithm, 0).stemWords(words)
    return stems
