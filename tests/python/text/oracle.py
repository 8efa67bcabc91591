"""The analyzer said again in plain Python, with regular expressions over classes of characters: the specification."""

import re
import unicodedata
from functools import cache
from itertools import pairwise

import Stemmer

LUCENE = """a an and are as at be but by for if in into is it no not of on or such that the their then there these they
this to was will with"""
STOP_WORDS = set(LUCENE.split())
CJK = re.compile(
    r"(CJK (UNIFIED|COMPATIBILITY) IDEOGRAPH|IDEOGRAPHIC|HIRAGANA|HENTAIGANA|(HALFWIDTH )?KATAKANA|HANGUL SYLLABLE)"
)
WORD = re.compile(r"(?P<word>[LN](?:[LNM]|(?<=[LM])'(?=L))*)|(?P<cjk>(?:CM*)+)")


@cache
def kind(char):
    """One letter for the class of a character; "" for one that is as if it were not there."""
    category, name = unicodedata.category(char), unicodedata.name(char, "")
    if char in "'’＇":
        return "'"
    if (category == "Cf" and char != "\u200b") or (category == "Mn" and "VARIATION SELECTOR" in name):
        return "-"
    if category[0] in "LN" and CJK.match(name):
        return "C"
    return category[0] if category[0] in "LMN" else " "


def lower(text):
    return "".join("i" if char == "İ" else char.lower() for char in text)


def words(text):
    """Words of the Unicode rule, before lower case."""
    shown = "".join(char for char in text if kind(char) != "-")
    kinds = "".join(map(kind, shown))
    for match in WORD.finditer(kinds):
        start, end = match.span()
        if match["word"]:
            yield re.sub("[’＇]", "'", shown[start:end])
            continue
        units = [shown[start + unit.start() : start + unit.end()] for unit in re.finditer("CM*", match["cjk"])]
        yield from (map("".join, pairwise(units)) if len(units) > 1 else units)


def analyze(text, rule="unicode", lowercase=True, stop_words=STOP_WORDS, stemmer="english"):
    found = text.split() if rule == "whitespace" else words(text)
    found = [lower(word) for word in found] if lowercase else list(found)
    kept = [word for word in found if word not in stop_words and word.removesuffix("'s") not in stop_words]
    if stemmer:
        kept = Stemmer.Stemmer(stemmer).stemWords(kept)
    return [term for term in kept if term]
