"""Stop lists of many languages from the package `stop-words`, brought into the form of our words. Knows no analyzer."""

import unicodedata
from functools import cache

# The package writes two Hungarian letters as ISO 8859-1 had to: with a tilde for the double acute.
_LETTERS = {"hungarian": str.maketrans("õû", "őű")}
_EDGES = "'’\".,;: "


@cache
def packaged_list(language: str) -> tuple[str, ...]:
    """Return the stop words of a language, each once, in the package's order.

    Quotes and full stops around an entry go away ("l'" becomes "l", "c." becomes "c"), and entries that are not one
    word ("par-devant") are left out: their parts alone are not stop words.
    """
    from stop_words import get_stop_words

    letters = _LETTERS.get(language, {})
    words = (_without_format(entry).strip(_EDGES).translate(letters) for entry in get_stop_words(language))
    return tuple(dict.fromkeys(word for word in words if _is_one_word(word)))


def _without_format(entry: str) -> str:
    return "".join(char for char in entry if unicodedata.category(char) != "Cf")


def _is_one_word(entry: str) -> bool:
    return entry != "" and all(char == "'" or unicodedata.category(char)[0] in "LMN" for char in entry)
