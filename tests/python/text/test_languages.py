"""Named analyzers of languages: stop lists, elision, Turkish letters, and stems equal to PyStemmer's."""

import json
import unicodedata

import pytest
import Stemmer

from real_data import require
from text.oracle import lower, words
from twotower import Analyzer
from twotower.text import ANALYZERS, STOP_WORDS, snowball
from twotower.text.native_analyzer import native_analyzer
from twotower.text.stop_lists import packaged_list

LANGUAGES = sorted(set(ANALYZERS) - {"english", "plain"})

# A sentence, and what is left of it: written by hand.
SENTENCES = {
    "arabic": ("هذا الكتاب على الطاولة", ["كتاب", "طاول"]),
    "catalan": ("L'home va menjar d'amagat", ["hom", "menj", "amag"]),
    "danish": ("Børnene og hundene løber", ["børn", "hund", "løb"]),
    "dutch": ("De kinderen lopen naar het huis", ["kinder", "loop", "huis"]),
    "finnish": ("Talossa ja autoissa", ["talo", "auto"]),
    "french": ("L'amour qu'il donne aux élèves d’Italie", ["amour", "don", "élev", "ital"]),
    "german": ("Die Häuser und daß die Straßen", ["haus", "strass"]),
    "hungarian": ("A házak előtt és a kertekben", ["ház", "kert"]),
    "italian": ("L'amico dell'uomo e le città", ["amic", "uom", "citt"]),
    "norwegian": ("Husene og bilene ikke", ["hus", "bil"]),
    "portuguese": ("Os livros não estão nas mesas", ["livr", "mes"]),
    "russian": ("Книги и столы не на столах", ["книг", "стол", "стол"]),
    "spanish": ("Los libros y las mesas", ["libr", "mes"]),
    "swedish": ("Husen och bilarna är inte", ["hus", "bil"]),
    "turkish": ("TÜRKİYE'DE kitaplar ve IŞIK", ["türki", "kitap", "ışık"]),
}


def test_there_are_at_least_ten():
    assert len(LANGUAGES) == 20
    assert len(SENTENCES) == 15


@pytest.mark.parametrize("name", sorted(SENTENCES))
def test_sentences(name):
    text, terms = SENTENCES[name]
    assert Analyzer(name).analyze(text) == terms


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_stop_word_is_one_word_and_is_dropped(name):
    unstemmed = Analyzer(name, stemmer=None, stop_words=None)
    assert len(packaged_list(name)) > 70
    for word in packaged_list(name):
        assert word == unicodedata.normalize("NFC", word)
        assert len(unstemmed.analyze(word)) <= 1, word
        assert Analyzer(name).analyze(word) == [], word
        capitals = word.replace("i", "İ").upper() if name == "turkish" else word.title()
        assert Analyzer(name).analyze(capitals) == [], word


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_saved_config_holds_the_words_themselves(name):
    config = json.loads(json.dumps(Analyzer(name).to_config()))
    assert config["stop_words"] == list(packaged_list(name))
    assert Analyzer.from_config(config).to_config() == config


def test_entries_that_are_no_word_of_ours():
    assert "l" in packaged_list("french")
    assert "par" in packaged_list("french")  # itself a stop word, and no part of "par-devant"
    assert "devant" in packaged_list("french")
    assert "par-devant" not in packaged_list("french")
    assert "előtt" in packaged_list("hungarian")
    assert not any(set(word) & set("õû") for word in packaged_list("hungarian"))
    assert all("\u200c" not in word for name in LANGUAGES for word in packaged_list(name))


def test_turkish_letters():
    plain = Analyzer("plain", lowercase="turkish")
    assert plain.analyze("IĞDIR İZMİR Iı İi i I") == ["ığdır", "izmir", "ıı", "ii", "i", "ı"]
    assert Analyzer("plain", lowercase="turkish", words="whitespace").analyze("I-I İ") == ["ı-ı", "i"]
    assert Analyzer("plain", lowercase="turkish", stop_words=["I"]).analyze("ı i I İ") == ["i", "i"]


def test_articles_and_cut_words():
    text = "l'amour L’été o'neil l'x'y rock'n'roll"
    assert Analyzer("plain", apostrophes=["l"]).analyze(text) == ["amour", "été", "o'neil", "x'y", "rock'n'roll"]
    assert Analyzer("plain", apostrophes={"L"}).analyze("l'a") == ["a"]
    assert Analyzer("plain", apostrophes="cut").analyze(text) == ["l", "l", "o", "l", "rock"]
    assert Analyzer("plain").analyze("l'amour") == ["l'amour"]


def test_german_spellings_that_the_stemmer_joins():
    analyze = Analyzer("german").analyze
    assert analyze("Straße Strasse STRASSE") == ["strass"] * 3
    assert analyze("Häuser Haeuser") == ["haus", "haus"]


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(Stemmer.algorithms()))
def test_stems_of_the_library_equal_those_of_pystemmer(name, monkeypatch):
    """Every word of a real collection by each of the algorithms: the core's way against Python's."""
    assert snowball.addresses() is not None
    with (require("wiki-vital-summaries") / "corpus.jsonl").open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    found = sorted({lower(word) for text in texts[::20] for word in words(text)})
    analyzer = Analyzer("plain", words="whitespace", lowercase=False, stemmer=name)
    expected = [[stem] if stem else [] for stem in Stemmer.Stemmer(name).stemWords(found)]
    assert len(found) > 5000
    assert analyzer.analyze_batch(found) == expected
    monkeypatch.setattr("twotower.text.native_analyzer.addresses", lambda: None)
    analyzer._native = native_analyzer(analyzer._options)
    assert analyzer.analyze_batch(found) == expected


def test_named_lists_for_any_analyzer():
    assert Analyzer("plain", stop_words="german").analyze("Das Haus und der Hund") == ["haus", "hund"]
    assert set(STOP_WORDS) == {*LANGUAGES, "english"}
