"""Choose the part of a text to show for a query."""

import re
from collections.abc import Callable, Iterable

_WORD = re.compile(r"\S+")


def snippet(text: str, query_terms: Iterable[str], analyze: Callable[[str], list[str]], n_words: int = 30) -> str:
    """Return the window of `n_words` words that holds the most distinct query terms; the first such window on ties.

    Parameters
    ----------
    text : str
    query_terms : iterable of str
        Analysed terms of the query.
    analyze : callable
        The analyzer of the index: str to list of terms.
    n_words : int
        Length of the window in words split at white space.

    Returns
    -------
    str
        White space runs become one space; "..." marks a cut.
    """
    words = _WORD.findall(text)
    if len(words) <= n_words:
        return " ".join(words)
    wanted = set(query_terms)
    found = [wanted.intersection(analyze(word)) for word in words]
    inside: dict[str, int] = {}
    best, best_start = -1, 0
    for end, terms in enumerate(found):
        for term in terms:
            inside[term] = inside.get(term, 0) + 1
        if end >= n_words:
            for term in found[end - n_words]:
                inside[term] -= 1
                if not inside[term]:
                    del inside[term]
        if len(inside) > best:
            best, best_start = len(inside), max(0, end - n_words + 1)
    window = words[best_start : best_start + n_words]
    return ("... " if best_start else "") + " ".join(window) + (" ..." if best_start + n_words < len(words) else "")
