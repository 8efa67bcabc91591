"""Files, tables and dictionaries give one answer; what is wrong in a file is said as the plain reader says it."""

import gzip
import lzma
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import measures_oracle as oracle
import twotower as tt
from real_data import require
from twotower.errors import DataFormatError, FileError, InputTypeError, InvalidInputError, TwoTowerError
from twotower.evaluation.files import feed_qrels, feed_run
from twotower.evaluation.native import core
from twotower.evaluation.run_table import rank_judged

NAMES = ["AP", "nDCG@3", "RR", "P@2", "Judged@3", "NumRet", "Accuracy", "infAP"]
IDS = st.text("ab1é漢", min_size=1, max_size=3)
SCORES = st.one_of(st.integers(-3, 3).map(float), st.floats(-10, 10), st.sampled_from([1.0, 1.0 + 1e-9, 1.0 + 1e-7]))
RUNS = st.dictionaries(st.sampled_from("pqrs"), st.dictionaries(IDS, SCORES, min_size=1, max_size=12), max_size=4)
QRELS = st.dictionaries(
    st.sampled_from("pqrt"), st.dictionaries(IDS, st.integers(-2, 4), min_size=1, max_size=8), min_size=1
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def lines_of(run):
    return [
        f"{query_id} Q0 {doc_id} 1 {score!r} t\n"
        for query_id, scores in run.items()
        for doc_id, score in scores.items()
    ]


def everywhere(run, qrels, folder, rng):
    """The same run and judgements in every form that is taken."""
    grouped, mixed, judged = folder / "grouped.trec", folder / "mixed.trec", folder / "qrels.txt"
    lines = lines_of(run)
    grouped.write_text("".join(lines))
    mixed.write_text("".join(lines[i] for i in rng.permutation(len(lines))))
    tt.write_qrels(qrels, judged)
    yield run, judged
    yield run, tt.QrelsTable.from_qrels(qrels)
    yield tt.RunTable.from_run(run), qrels
    yield grouped, qrels
    yield str(mixed), judged
    yield tt.RunTable.read(mixed), tt.QrelsTable.read(judged)


@settings(max_examples=300, deadline=None)
@given(run=RUNS, qrels=QRELS, seed=st.integers(0, 99))
def test_every_form_of_run_and_judgements_gives_the_same_values(run, qrels, seed, folder):
    expected = tt.evaluate_table(run, qrels, NAMES)
    for some_run, some_qrels in everywhere(run, qrels, folder, np.random.default_rng(seed)):
        table = tt.evaluate_table(some_run, some_qrels, NAMES)
        assert list(table.query_ids) == list(qrels)
        assert (table.values == expected.values).all()
        assert table.n_missing == expected.n_missing == len(qrels.keys() - run.keys())


@settings(max_examples=300, deadline=None)
@given(run=RUNS, qrels=QRELS)
def test_places_are_those_of_a_sorted_list(run, qrels):
    rankings = rank_judged(run, tt.QrelsTable.from_qrels(qrels)).rankings
    found = zip(rankings.query.tolist(), rankings.place.tolist(), rankings.grade.tolist(), strict=True)
    expected = []
    for number, (query_id, judged) in enumerate(qrels.items()):
        docs = oracle.trec_order(run.get(query_id, {}))
        expected += [(number, place, judged[doc]) for place, doc in enumerate(docs, 1) if doc in judged]
        assert rankings.n_retrieved[number] == len(docs)
    assert list(found) == expected


def test_long_lists_of_many_ties_in_any_order():
    rng = np.random.default_rng(0)
    scores = rng.choice([0.0, -0.0, 1.0, 2.5, np.inf, -np.inf, 1e300, 1e-60], 20_000)
    run = {"q": {f"d{i}": float(score) for i, score in zip(rng.permutation(20_000), scores, strict=True)}}
    qrels = {"q": {f"d{i}": 1 for i in rng.permutation(30_000)[:3000]}}
    order = {doc: place for place, doc in enumerate(oracle.trec_order(run["q"]), 1)}
    expected = sorted(order[doc] for doc in qrels["q"] if doc in order)
    table = tt.QrelsTable.from_qrels(qrels)
    assert rank_judged(run, table).rankings.place.tolist() == expected
    assert rank_judged(tt.RunTable.from_run(run), table).rankings.place.tolist() == expected


def test_compressed_files_are_read(folder):
    text = "q Q0 a 1 2 t\nq Q0 b 2 1 t\n"
    for name, opener in (("run.trec.gz", gzip.open), ("run.trec.xz", lzma.open)):
        with opener(folder / name, "wt") as file:
            file.write(text)
        assert tt.evaluate(folder / name, {"q": {"b": 1}}, ["RR"]) == {"RR": 0.5}


def test_beir_judgements_are_read(folder):
    (folder / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq 1\td\t1\n\nq 1\te f\t2\r\n")
    table = tt.QrelsTable.read(folder / "test.tsv")
    assert list(table.query_ids) == ["q 1"]
    assert table.grade.tolist() == [1, 2]
    assert tt.evaluate({"q 1": {"e f": 1.0}}, table, ["P@1"]) == {"P@1": 1}


@pytest.mark.data
def test_real_judgements_of_both_kinds(folder):
    for name, split in (("msmarco-passage-32k", "dl19"), ("scifact", "test"), ("cranfield", "test")):
        path = require(name) / "qrels" / f"{split}.tsv"
        plain = tt.read_qrels(path)
        run = {q: {d: float(i % 3) for i, d in enumerate(judged)} for q, judged in plain.items()}
        tt.write_run(run, folder / "real.trec")
        assert tt.evaluate(folder / "real.trec", path, NAMES) == tt.evaluate(run, plain, NAMES)


BYTES = st.binary(max_size=40) | st.text("q Q0a12.5-+e\t\r\f\vé\0\n_", max_size=60).map(str.encode)
NUMBERS = st.sampled_from(
    [
        "1",
        "+2.5",
        "-0",
        ".5",
        "5.",
        "1e5",
        "1E-400",
        "1e400",
        "nan",
        "inf",
        "1_0",
        "0x1p3",
        "--1",
        "+-1",
        "１",
        "1,5",
        "",
    ]
)


def failure(read):
    try:
        read()
    except TwoTowerError as error:
        return type(error), str(error)
    return None


def same_failure(path, plain, native):
    """Both readers agree, or fail alike; grouped or not."""
    assert failure(lambda: native(path)) == failure(lambda: plain(path))


@settings(max_examples=500, deadline=None)
@given(content=st.lists(BYTES, max_size=6).map(b"\n".join))
@example(content=b"q Q0 d 1 2 t\nq Q0 e 1 2 t\nq Q0 d 1 3 t\n")
@example(content=b"q Q0 d 1 2 t\np Q0 e 1 2 t\nq Q0 d 1 3 t\n")
@example(content=b"q Q0 d 1 2\n")
@example(content=b"q Q0 \xc3 1 2 t\n")
def test_the_fast_reader_of_runs_fails_where_and_as_the_plain_one_does(content, folder):
    path = folder / "any.trec"
    path.write_bytes(content)
    same_failure(path, tt.read_run, tt.RunTable.read)
    same_failure(path, tt.read_run, lambda p: tt.evaluate_table(p, {"q": {"d": 1}}, ["AP"]))


@settings(max_examples=300, deadline=None)
@given(number=NUMBERS | st.floats().map(repr) | st.text("0123456789.eE+-", max_size=8))
def test_scores_are_read_as_python_reads_them(number, folder):
    path = folder / "score.trec"
    path.write_text(f"q Q0 a 1 {number} t\nq Q0 b 1 1.5 t\n")
    same_failure(path, tt.read_run, tt.RunTable.read)
    if failure(lambda: tt.read_run(path)) is None:
        qrels = {"q": {"a": 1}}
        assert tt.evaluate(path, qrels, ["RR"]) == tt.evaluate(tt.read_run(path), qrels, ["RR"])


@settings(max_examples=500, deadline=None)
@given(
    content=st.lists(BYTES | st.sampled_from([b"q 0 d 1", b"q 0 d 2", b"q\td\t1", b"a\tb\tscore"]), max_size=5).map(
        b"\n".join
    )
)
@example(content=b"q 0 a 1\nq 0 a 1\nq 0 a 2147483648\n")
@example(content=b"q 0 a -2147483647\nq 0 b 0000000001\nq 0 c 00000000001\n")
@example(content=b"q 0 a -2147483648\n")
@example(content=b"query-id\tcorpus-id\tscore\nq\td\n")
@example(content=b"query-id\tcorpus-id\tscore\nq\td\thigh\n")
def test_the_fast_reader_of_judgements_fails_as_the_plain_one_does(content, folder):
    path = folder / "any.qrels"
    path.write_bytes(content)
    plain, fast = failure(lambda: tt.read_qrels(path)), failure(lambda: tt.QrelsTable.read(path))
    if (
        plain is not None and "but" in plain[1] and " at " in plain[1]
    ):  # the place of the first line is said more shortly
        assert fast[1].split(" at ")[0] == plain[1].split(" at ")[0]
    else:
        assert fast == plain
    if plain is None:
        table = tt.QrelsTable.read(path)
        assert list(table.query_ids) == list(tt.read_qrels(path))
        assert (
            table.grade.tolist() == [grade for judged in tt.read_qrels(path).values() for grade in judged.values()]
            or len(table) != 1
        )


def test_a_document_twice_is_named_with_its_line(folder):
    path = folder / "twice.trec"
    path.write_text("q Q0 d1 1 2.0 x\n\nq Q0 d2 2 1.0 x\nq Q0 d1 3 0.5 x\n")
    for read in (tt.RunTable.read, lambda p: tt.evaluate(p, {"q": {"d1": 1}}, ["AP"])):
        with pytest.raises(DataFormatError, match=r"twice\.trec, line 4: document 'd1' comes twice for query 'q'"):
            read(path)
    (folder / "twice.qrels").write_text("q 0 a 1\nq 0 a 1\nq 0 a 0\n")
    with pytest.raises(
        DataFormatError, match=r"twice\.qrels, line 3: query 'q' and document 'a' have grade 0, but 1 at line 1"
    ):
        tt.evaluate({}, folder / "twice.qrels", ["AP"])


@pytest.mark.parametrize("size", range(1, 30))
def test_chunks_may_end_anywhere(size):
    data = "q Q0 a 1 2.0 t\r\nq Q0 é漢 2 1.5 t\np Q0 b 1 1 t".encode()
    judgements = tt.QrelsTable.from_qrels({"p": {"b": 1}, "q": {"é漢": 2, "a": 1}})
    for reader in (core.StreamedRun(judgements.native), core.RunTable()):
        for begin in range(0, len(data), size):
            reader.feed(data[begin : begin + size])
        found = reader.finish() or reader.find(judgements.native)
        assert [part.tolist() for part in found] == [[0, 2, 1], [1, 1, 2], [1, 2]]


def test_a_missing_or_damaged_file_is_said(folder):
    for read in (tt.RunTable.read, tt.QrelsTable.read):
        with pytest.raises(FileError, match="nowhere"):
            read(folder / "nowhere")
    (folder / "cut.gz").write_bytes(gzip.compress(b"q Q0 a 1 2 t\n" * 100)[:-12])
    with pytest.raises(OSError, match=r"cut\.gz"):
        tt.evaluate(folder / "cut.gz", {"q": {"a": 1}}, ["AP"])


def test_hits_with_their_queries_are_a_run():
    hits = tt.Hits(
        np.array([[2.0, 1.0], [3.0, -np.inf]], np.float32), np.array([[1, 0], [0, -1]]), ["a", "b"].__getitem__
    )
    table = tt.RunTable.from_hits(hits, ["p", "q"])
    assert repr(table) == "RunTable(2 queries, 3 documents)"
    assert tt.evaluate_queries(table, {"p": {"a": 1}, "q": {"b": 1}}, ["RR"]) == {"RR": {"p": 0.5, "q": 0.0}}
    with pytest.raises(InputTypeError, match=r"from_hits"):
        tt.evaluate(hits, {"p": {"a": 1}}, ["RR"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((3, 4, 5), "measures is int"),
        ((3, {"q": {"d": 1}}, ["AP"]), "run is int: give a mapping"),
        (([("q", "d", 1.0)], {"q": {"d": 1}}, ["AP"]), "run is list: give a mapping"),
        ((None, {"q": {"d": 1}}, ["AP"]), "run is NoneType"),
        (({}, 4, ["AP"]), "qrels is int: give a mapping"),
        (({"q": [("d", 1.0)]}, {"q": {"d": 1}}, ["AP"]), "'q'.*list.*mapping"),
        (({}, {"q": ["d"]}, ["AP"]), "'q'.*list.*mapping"),
        (({"q": {"d": 1.0}}, {"q": {3: 1}}, ["AP"]), "document id 3 is of type int"),
        (({"q": {"d": 1.0}}, {3: {"d": 1}}, ["AP"]), "query id 3 is of type int"),
        (({"q": {"d": 1.0}}, {"q": {"d": 1}}, [3]), "a measure is int"),
        (({"q": {"d": "high"}}, {"q": {"d": 1}}, ["AP"]), "'q'.*'d'.*'high', not a number"),
    ],
)
def test_wrong_types_are_refused_with_advice(arguments, said):
    with pytest.raises(InputTypeError, match=said):
        tt.evaluate(*arguments)


def test_a_lone_surrogate_in_an_id_is_refused():
    for run, qrels in (({}, {"\ud800": {"d": 1}}), ({}, {"q": {"\ud800": 1}})):
        with pytest.raises(InvalidInputError, match="surrogate"):
            tt.evaluate(run, qrels, ["AP"])
    with pytest.raises(InvalidInputError, match="surrogate"):
        tt.RunTable.from_run({"q": {"\ud800": 1.0}})


def test_a_table_takes_nan_no_more_than_a_dictionary_does():
    with pytest.raises(InvalidInputError, match=r"'q'.*'d'.*NaN"):
        tt.RunTable.from_run({"q": {"d": float("nan")}})
    with pytest.raises(InputTypeError, match=r"'q'.*not a number"):
        tt.RunTable.from_run({"q": {"d": "high"}})
    with pytest.raises(InputTypeError, match="mapping"):
        tt.RunTable.from_run({"q": ["d"]})


def test_reading_can_be_interrupted(folder):
    """Ctrl-C while a large file streams."""
    program = f"""
        import os, signal, threading, time
        import twotower as tt
        from twotower.evaluation.native import core
        run = core.RunTable()
        chunk = b"".join(b"q%d Q0 d 1 1.0 t\\n" % i for i in range(200_000))
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        try:
            while time.monotonic() < started + 30:
                core.RunTable().feed(chunk)
        except KeyboardInterrupt:
            raise SystemExit({40 + signal.SIGINT})
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False, timeout=60)
    assert done.returncode == 40 + signal.SIGINT


def test_a_reader_that_failed_names_the_failing_file(folder):
    path = folder / "bad.trec"
    path.write_text("q Q0 d 1 high t\n")
    with pytest.raises(DataFormatError, match=r"bad\.trec, line 1: score 'high' must be a finite number"):
        feed_run(path, core.RunTable())
    path.write_text("q 0 d high\n")
    with pytest.raises(DataFormatError, match=r"bad\.trec, line 1: grade 'high' must be an integer"):
        feed_qrels(path, core.Judgements())


@pytest.mark.parametrize("run", [{1: {"a": 1.0}}, {"1": {7: 1.0}}, {b"1": {"a": 1.0}}])
def test_ids_that_are_no_strings_are_refused(run):
    with pytest.raises(InputTypeError, match="ids must be strings"):
        tt.evaluate(run, {"1": {"a": 1}}, ["AP"])
