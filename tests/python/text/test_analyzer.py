"""What the analyzer promises: golden values, options, errors, saving, threads, Ctrl-C."""

import _thread
import copy
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
import Stemmer

import twotower as tt
from twotower import Analyzer, Vocabulary
from twotower.errors import InputTypeError, InvalidInputError, VersionWarning
from twotower.text import ANALYZERS, STEMMERS, STOP_WORDS, as_analyzer

COURSE = ["Sweet sweet nurse! Love?", "Sweet sorrow", "How sweet is love?", "Nurse!"]


def test_golden():
    assert Analyzer("english").analyze(COURSE[0]) == ["sweet", "sweet", "nurs", "love"]
    assert Analyzer("plain").analyze_batch(COURSE) == [
        ["sweet", "sweet", "nurse", "love"],
        ["sweet", "sorrow"],
        ["how", "sweet", "is", "love"],
        ["nurse"],
    ]


def test_empty_texts_and_no_texts():
    analyzer = Analyzer()
    assert analyzer.analyze("") == []
    assert analyzer.analyze_batch([]) == []
    assert analyzer.analyze_batch(["", " ", "the"]) == [[], [], []]
    ids, offsets = analyzer.term_ids([], Vocabulary(), grow=True)
    assert (ids.dtype, offsets.dtype, ids.tolist(), offsets.tolist()) == (np.int32, np.int64, [], [0])


def test_term_ids_grow_or_keep_the_place_of_unknown_terms():
    analyzer, vocabulary = Analyzer("plain"), Vocabulary(["love"])
    ids, offsets = analyzer.term_ids(iter(COURSE), vocabulary, grow=False)
    assert ids.tolist() == [-1, -1, -1, 0, -1, -1, -1, -1, -1, 0, -1]
    assert offsets.tolist() == [0, 4, 6, 10, 11]
    assert len(vocabulary) == 1
    ids, _ = analyzer.term_ids(COURSE, vocabulary, grow=True)
    assert ids.tolist() == [1, 1, 2, 0, 1, 3, 4, 1, 5, 0, 2]
    assert vocabulary.terms() == ["love", "sweet", "nurse", "sorrow", "how", "is"]


def test_streams_longer_than_a_batch_keep_numbers_and_order():
    texts = [f"w{n} same" for n in range(10_000)]
    vocabulary = Vocabulary()
    ids, offsets = Analyzer("plain").term_ids((text for text in texts), vocabulary, grow=True)
    assert offsets.tolist() == list(range(0, 20_001, 2))
    assert ids[::2].tolist() == [0, *range(2, 10_001)]
    with pytest.raises(InputTypeError, match="text 9000 is of type NoneType"):
        Analyzer("plain").term_ids([*texts[:9000], None], vocabulary, grow=True)


def test_every_part_is_an_option():
    text = "The Nurses' loving"
    assert Analyzer(stemmer=None).analyze(text) == ["nurses", "loving"]
    assert Analyzer(stop_words=None).analyze(text) == ["the", "nurs", "love"]
    assert Analyzer(stop_words={"b", "NURSES", "a"}).to_config()["stop_words"] == ["NURSES", "a", "b"]
    assert Analyzer(stop_words=["NURSES"], stemmer=None).analyze(text) == ["the", "loving"]
    assert Analyzer("plain", lowercase=False).analyze(text) == ["The", "Nurses", "loving"]
    assert Analyzer("plain", words="whitespace").analyze(text) == ["the", "nurses'", "loving"]
    assert Analyzer(stop_words=None, stemmer="german").analyze("Häuser") == ["haus"]


@pytest.mark.parametrize("stemmer", Stemmer.algorithms())
def test_every_snowball_algorithm(stemmer):
    text = "loving книгами Häuser l'homme पुस्तकें αγάπη"
    plain = Analyzer("plain").analyze(text)
    assert Analyzer("plain", stemmer=stemmer).analyze(text) == Stemmer.Stemmer(stemmer).stemWords(plain)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: Analyzer("klingon"),
            InvalidInputError,
            "unknown analyzer 'klingon': choose one of arabic, .*english, .*plain",
        ),
        (lambda: Analyzer(stemmer="klingon"), InvalidInputError, "unknown stemmer 'klingon'.* english, .* yiddish"),
        (
            lambda: Analyzer(stop_words="klingon"),
            InvalidInputError,
            "unknown stop list 'klingon': choose arabic, .*english",
        ),
        (lambda: Analyzer(words="regex"), InvalidInputError, "unknown word rule 'regex': choose .*unicode, whitespace"),
        (lambda: Analyzer(lowercase="no"), InputTypeError, "lowercase is of type str"),
        (lambda: Analyzer(stop_words=["a", 1]), InputTypeError, "stop word 1 is of type int"),
        (lambda: Analyzer(stop_words=7), InputTypeError, "stop_words is of type int"),
        (lambda: Analyzer(stop_words=["\ud800"]), InvalidInputError, r"stop word 0, '\\ud800', has a lone surrogate"),
        (lambda: Analyzer(stopwords=None), InputTypeError, "no option 'stopwords': it takes words, lowercase"),
        (lambda: Analyzer(7), InputTypeError, "name of an analyzer is of type int"),
        (lambda: Analyzer(str.split, stemmer=None), InvalidInputError, "takes no options, stemmer came"),
        (lambda: Analyzer().analyze(b"love"), InputTypeError, "text 0 is of type bytes"),
        (lambda: Analyzer().analyze_batch(["a", 3.5]), InputTypeError, "text 1 is of type float"),
        (lambda: Analyzer().analyze_batch("love"), InputTypeError, "texts is one str"),
        (lambda: Analyzer().analyze_batch(7), InputTypeError, "texts is of type int"),
        (lambda: Analyzer().analyze_batch(["a", "b\ud83d"]), InvalidInputError, r"text 1 .*U\+D83D, at character 1"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_errors_are_the_builtin_ones_too():
    with pytest.raises(ValueError, match="lone surrogate"):
        Analyzer().analyze("\udc00")
    with pytest.raises(TypeError):
        Analyzer().analyze(None)


def test_a_function_is_an_analyzer():
    analyzer, vocabulary = Analyzer(lambda text: text.upper().split()), Vocabulary(["B"])
    assert analyzer.analyze("a b") == ["A", "B"]
    assert analyzer.term_ids(["a b", "c"], vocabulary, grow=False).ids.tolist() == [-1, 0, -1]
    assert as_analyzer(analyzer) is analyzer
    assert as_analyzer(str.split).analyze("x y") == ["x", "y"]
    with pytest.raises(InvalidInputError, match=r"cannot be saved: give it a name with .*ANALYZERS"):
        analyzer.to_config()
    with pytest.raises(InputTypeError, match="gave 'ab' for text 0: it must give a list of str"):
        Analyzer(lambda text: text).analyze("ab")
    with pytest.raises(InputTypeError, match="text 1 is of type int"):
        analyzer.analyze_batch(["a", 1])


def test_registered_analyzers(monkeypatch):
    monkeypatch.setitem(ANALYZERS, "wrapped", "textwrap:wrap")
    monkeypatch.setitem(ANALYZERS, "french", {"stemmer": "french"})
    analyzer = Analyzer("wrapped")
    assert analyzer.analyze("love " * 30) == [("love " * 14).strip(), ("love " * 14).strip(), "love love"]
    assert Analyzer.from_config(analyzer.to_config()).analyze("a b") == ["a b"]
    assert Analyzer("french").analyze("Les amours") == ["le", "amour"]


@pytest.mark.parametrize("name", sorted(ANALYZERS))
def test_config_survives_json(name):
    for options in ({}, {"stop_words": ["x", "Y"]}, {"words": "whitespace", "lowercase": False}):
        analyzer = Analyzer(name, **options)
        config = json.loads(json.dumps(analyzer.to_config()))
        again = Analyzer.from_config(config)
        assert again.to_config() == config
        text = "The x Y don't LOVING"
        assert again.analyze(text) == analyzer.analyze(text)
        assert repr(again) == repr(analyzer)
        assert copy.deepcopy(analyzer).to_config() == config


def test_pickling_for_worker_processes():
    assert pickle.loads(pickle.dumps(Analyzer("english"))).analyze("loving") == ["love"]
    assert pickle.loads(pickle.dumps(Analyzer(str.split))).analyze("a b") == ["a", "b"]


def test_another_version_warns_and_never_passes_in_silence():
    config = Analyzer("english").to_config()
    with pytest.warns(VersionWarning, match=r"analysed with Unicode 3\.0\.0, here is Unicode"):
        Analyzer.from_config({**config, "unicode_version": "3.0.0"})
    with pytest.warns(VersionWarning, match=r"analysed with PyStemmer 1\.0, here is PyStemmer"):
        Analyzer.from_config({**config, "pystemmer_version": "1.0"})
    Analyzer.from_config({**config, "stemmer": None, "pystemmer_version": "1.0"})  # nothing was stemmed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 3}, "has version 3: this twotower reads version 1 to 2"),
        ({"extra": 1}, "has the keys .*extra.*: it must have .*cjk_ngrams, fold_accents, lowercase"),
        ({"stemmer": "klingon"}, "unknown stemmer"),
        ({"words": []}, "unknown word rule"),
        ({"stemmer": ["english"]}, "unknown stemmer"),
    ],
)
def test_damaged_config(change, message):
    with pytest.raises((InvalidInputError, InputTypeError), match=message):
        Analyzer.from_config({**Analyzer().to_config(), **change})


def test_config_that_lacks_a_key():
    config = Analyzer().to_config()
    del config["words"]
    with pytest.raises(InvalidInputError, match="it must have"):
        Analyzer.from_config(config)
    with pytest.raises(InputTypeError, match="config is of type list"):
        Analyzer.from_config([])


def test_own_stop_list_by_name(monkeypatch):
    monkeypatch.setitem(STOP_WORDS, "mine", ("love",))
    assert Analyzer("plain", stop_words="mine").analyze("Love me") == ["me"]


def test_threads_share_an_analyzer_and_a_vocabulary():
    texts = [" ".join(f"loving{n * 31 % 997}s" for n in range(start, start + 200)) for start in range(200)]
    expected = Analyzer().analyze_batch(texts)
    analyzer, vocabulary, found = Analyzer(), Vocabulary(), {}

    def work(number):
        found[number] = analyzer.term_ids(texts, vocabulary, grow=True)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    terms = vocabulary.terms()
    for ids, offsets in found.values():
        assert [[terms[i] for i in ids[a:b]] for a, b in pairwise(offsets)] == expected


def test_the_gil_is_free_during_the_analysis():
    text, ticks, stop = "love " * 8_000_000, [0], threading.Event()

    def tick():
        while not stop.is_set():
            ticks[0] += 1
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(100)  # nobody is asked to give the GIL away
    try:
        thread.start()
        before = ticks[0]
        Analyzer("plain").term_ids([text], Vocabulary(), grow=True)
        assert ticks[0] > before + 5
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        thread.join()


def test_ctrl_c_stops_between_texts():
    texts, vocabulary = ["love " * 20_000] * 30_000 + ["end"], Vocabulary()
    timer = threading.Timer(0.1, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        Analyzer().term_ids(texts, vocabulary, grow=True)
    assert "end" not in vocabulary
    assert Analyzer().analyze("loving") == ["love"]


def test_a_signal_handler_may_use_the_analyzer_that_is_at_work():
    analyzer, seen = Analyzer(), []
    old = signal.signal(signal.SIGALRM, lambda *_: seen.append(analyzer.analyze("loving nurses")))
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        analyzer.term_ids(["love " * 20_000] * 500, Vocabulary(), grow=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert seen
    assert all(terms == ["love", "nurs"] for terms in seen)


def test_configs_of_version_1_still_load():
    versions = {key: value for key, value in Analyzer().to_config().items() if key.endswith("_version")}
    first = {"version": 1, "words": "unicode", "lowercase": True, "stop_words": "english", "stemmer": "english"}
    analyzer = Analyzer.from_config({**first, **versions})
    assert analyzer.to_config() == Analyzer("english").to_config()
    assert analyzer.analyze("The nurse's 東京都") == ["nurs", "東京", "京都"]
    assert Analyzer.from_config({"version": 1, "name": "english", **versions}).analyze("loving") == ["love"]
    with pytest.raises(InvalidInputError, match=r"it must have lowercase, .*stop_words, unicode_version"):
        Analyzer.from_config({**first, **versions, "cjk_ngrams": [2]})


def test_a_function_may_stem(monkeypatch):
    analyzer = Analyzer("plain", stop_words=["a"], stemmer=lambda word: word[:3] if word != "drop" else "")
    for _ in range(2):
        assert analyzer.analyze("A nurses' drop élèves, a nurse") == ["nur", "élè", "nur"]
    assert copy.copy(analyzer).analyze("nurses") == ["nur"]
    with pytest.raises(InvalidInputError, match=r"the stemmer is the function .* cannot be saved: .*STEMMERS"):
        analyzer.to_config()
    with pytest.raises(InputTypeError, match="gave None for 'nurse': it must give a str"):
        Analyzer("plain", stemmer=lambda word: None).analyze("nurse")
    with pytest.raises(ZeroDivisionError):
        Analyzer("plain", stemmer=lambda word: 1 / 0).analyze("nurse")
    monkeypatch.setitem(STEMMERS, "mine", "string:capwords")
    named = Analyzer("english", stemmer="mine")
    assert Analyzer.from_config(named.to_config()).analyze("the nurse loves") == ["Nurse", "Loves"]
    assert Analyzer("english", stemmer="mine").to_config()["stemmer"] == "mine"
    assert pickle.loads(pickle.dumps(Analyzer("plain", stemmer=str.upper))).analyze("a") == ["A"]


def test_each_distinct_word_is_stemmed_once():
    seen = []
    analyzer = Analyzer("plain", stemmer=lambda word: seen.append(word) or word)
    texts = [f"sweet “love” w{n % 50} élève\u2014w{n % 70}" for n in range(20_000)]
    analyzer.term_ids(texts, Vocabulary(), grow=True, threads=1)
    analyzer.analyze("love élève w3 “w3”")
    assert len(seen) == len(set(seen)) == 73


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_and_forms_of_columns_do_not_matter(threads):
    texts = [" ".join(f"word{n * k % 983}s \u201cq{k}\u201d" for k in range(20)) for n in range(9000)]
    vocabulary, expected = Vocabulary(), Vocabulary()
    ids, offsets = Analyzer().term_ids(iter(texts), expected, grow=True, threads=1)
    for column in (texts, np.array(texts), pa.chunked_array([texts[:10], texts[10:]]), blob_of(texts), iter(texts)):
        vocabulary = Vocabulary()
        found = Analyzer().term_ids(column, vocabulary, grow=True, threads=threads)
        assert found.ids.tobytes() == ids.tobytes()
        assert found.offsets.tobytes() == offsets.tobytes()
        assert vocabulary.terms() == expected.terms()
    assert Analyzer().analyze_batch(texts[:50], threads) == Analyzer().analyze_batch(iter(texts[:50]))


def blob_of(texts):
    encoded = [text.encode() for text in texts]
    return b"".join(encoded), np.cumsum([0, *map(len, encoded)])


def test_columns_that_are_wrong():
    with pytest.raises(InvalidInputError, match="text 1 is null"):
        Analyzer().analyze_batch(pa.array(["a", None]))
    with pytest.raises(InvalidInputError, match="text 1 is not valid UTF-8 at byte 1"):
        Analyzer().analyze_batch((b"ab\xff", np.array([0, 1, 3])))
    with pytest.raises(InputTypeError, match="threads is of type float"):
        Analyzer().analyze_batch(["a"], threads=1.0)
    with pytest.raises(InvalidInputError, match="threads is -1"):
        Analyzer().analyze_batch(["a"], threads=-1)


def test_every_isa_gives_the_same_ids():
    """Real words, hostile edges and long runs, in processes of their own: the instruction set is chosen once."""
    code = (
        "import hashlib, twotower as tt\n"
        "edges = \"ab'cd 'x' don't 1'0 \\u2019 \\u00e9'\\u00e9 \\u6771\\u4eac\\u90fd \\0a\\x1fb \"\n"
        "texts = [(edges * 7)[i:] + 'Q' * i + chr(0x300 + i) + '\\U0001d518' * (i % 5) for i in range(200)]\n"
        "for options in ({}, {'words': 'whitespace'}, {'lowercase': False, 'stemmer': None}):\n"
        "    v = tt.Vocabulary(); ids = tt.Analyzer('english', **options).term_ids(texts, v, grow=True)\n"
        "    print(hashlib.sha256(ids.ids.tobytes() + repr(v.terms()).encode()).hexdigest())\n"
    )
    names = tt.backend().isas
    outputs = set()
    for isa in names:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TWOTOWER_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 3
