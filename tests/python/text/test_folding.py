"""Accent folding against unicodedata, said again in plain Python; n-grams of CJK text against plain Python."""

import re
import unicodedata
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text.oracle import CJK, kind, lower, words
from text.test_oracle import TEXTS
from twotower import Analyzer
from twotower.errors import InputTypeError, InvalidInputError

OWN = {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ẞ": "SS", "þ": "th", "Þ": "TH", "ð": "d", "Ð": "D"}
OWN |= {"ı": "i", "ȷ": "j", "ŋ": "n", "Ŋ": "N", "ĸ": "k"}
WITH = re.compile(r"LATIN (SMALL|CAPITAL) LETTER (?:DOTLESS )?([A-Z]) WITH ")


def fold_char(char):
    out = ""
    for part in unicodedata.normalize("NFKD", char):
        place, named = unicodedata.combining(part), WITH.match(unicodedata.name(part, ""))
        if place == 1 or 10 <= place <= 36 or place >= 200:
            continue
        base = (named[2] if named[1] == "CAPITAL" else named[2].lower()) if named else part
        out += OWN.get(part, base)
    out = unicodedata.normalize("NFC", out)
    return out if all(unicodedata.category(part)[0] in "LMN" for part in out) else char


def fold(word):
    kept = (char if unicodedata.category(char)[0] not in "LMN" else fold_char(char) for char in word)
    return lower("".join(kept))


def oracle(text):
    return [folded for word in words(text) if (folded := fold(lower(word)))]


FOLDED = Analyzer("plain", fold_accents=True)


def test_golden():
    text = "Ångström ŁÓDŹ Søren Æther œuvre Straße STRASSE Þór İstanbul ışık ﬁn ２１ x² ℕ ½ Việt Nam"
    folded = "angstrom lodz soren aether oeuvre strasse strasse thor istanbul isik fin 21 x2 n ½ viet nam"
    assert FOLDED.analyze(text) == folded.split()
    assert FOLDED.analyze("ёлка йод Ελλάδα שָׁלוֹם مُحَمَّد") == ["елка", "иод", "ελλαδα", "שלום", "محمد"]
    assert FOLDED.analyze("हिन्दी ไทย が か\u3099 한국 ガ") == ["हिन्दी", "ไทย", "が", "か\u3099", "한국", "ガ"]
    assert Analyzer("plain", fold_accents=True, lowercase=False).analyze("Ærø ÉCOLE ℕ") == ["AEro", "ECOLE", "N"]


def test_composed_and_decomposed_are_one_term():
    for word in ("élève", "Škoda", "niño", "Việt", "Øresund"):
        forms = " ".join(unicodedata.normalize(form, word) for form in ("NFC", "NFD"))
        first, second = FOLDED.analyze(forms)
        assert first == second
        assert first.isascii()


def test_folding_comes_before_stop_words_and_stems():
    analyzer = Analyzer("french", fold_accents=True)
    assert analyzer.analyze("été ete ÉTÉ") == []
    assert analyzer.analyze("élèves eleves") == [analyzer.analyze("eleves")[0]] * 2


def test_every_scalar_value_alone():
    scalars = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    letters = [
        char for char in scalars if kind(char) and kind(char) in "LN" and not CJK.match(unicodedata.name(char, ""))
    ]
    assert len(letters) > 20_000
    assert FOLDED.analyze_batch(letters) == [[found] if (found := fold(lower(char))) else [] for char in letters]


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=3))
def test_random_texts(texts):
    assert FOLDED.analyze_batch(texts) == [oracle(text) for text in texts]


def ngrams(text, sizes):
    """Words in which each run of CJK characters is cut into n-grams."""
    shown = "".join(char for char in text if kind(char) != "-")
    units = re.findall(r"(?s).", shown)
    out = []
    for cjk, run in groupby(units, lambda char: kind(char) == "C"):
        run = list(run)
        if not cjk:
            out += [lower(word) for word in words("".join(run))]
        elif len(run) < min(sizes):
            out.append("".join(run))
        else:
            out += ["".join(run[i : i + n]) for i in range(len(run)) for n in sizes if i + n <= len(run)]
    return out


@pytest.mark.parametrize("sizes", [(1,), (2,), (1, 2), (3,), (2, 3), (1, 4, 8)])
@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet="東京都日本語ひらガ한국어 ab,。", max_size=40))
def test_ngrams_of_random_texts(sizes, text):
    assert Analyzer("plain", cjk_ngrams=sizes).analyze(text) == ngrams(text, sizes)


def test_ngrams_as_an_option():
    text = "東京都 山"
    assert Analyzer("plain").analyze(text) == ["東京", "京都", "山"]
    assert Analyzer("plain", cjk_ngrams=1).analyze(text) == ["東", "京", "都", "山"]
    assert Analyzer("plain", cjk_ngrams=(2, 1)).analyze(text) == ["東", "東京", "京", "京都", "都", "山"]
    assert Analyzer("plain", cjk_ngrams={3}).to_config()["cjk_ngrams"] == [3]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cjk_ngrams": 0}, InvalidInputError, "cjk_ngrams has 0: it must be from 1 to 8"),
        ({"cjk_ngrams": (1, 2, 3, 4)}, InvalidInputError, "has 4 sizes: give one to 3"),
        ({"cjk_ngrams": ()}, InvalidInputError, "has 0 sizes"),
        ({"cjk_ngrams": "2"}, InputTypeError, "cjk_ngrams is of type str"),
        ({"cjk_ngrams": True}, InputTypeError, "of type bool"),
        ({"cjk_ngrams": 2.0}, InputTypeError, "of type float"),
        ({"fold_accents": 1}, InputTypeError, "fold_accents is of type int"),
        ({"apostrophes": "drop"}, InvalidInputError, "unknown rule for apostrophes 'drop': choose keep, cut"),
        ({"apostrophes": [1]}, InputTypeError, "article 0 is of type int"),
        ({"lowercase": 1}, InputTypeError, "lowercase is of type int"),
        ({"lowercase": "english"}, InputTypeError, "lowercase is of type str, 'english'"),
    ],
)
def test_errors(options, error, message):
    with pytest.raises(error, match=message):
        Analyzer("plain", **options)
