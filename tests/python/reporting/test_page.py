"""The page as a browser reads it: balanced, self-contained, harmless whatever the texts say, the same bytes each time."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from twotower.errors import CorruptFileError, FileError, InputTypeError, InvalidInputError, MissingExtraError
from twotower.reporting import report
from twotower.training.log import History, write_history
from twotower.types import Collection, Document

VOID = {"meta", "br"}
FIRST = "first <i>$x$</i>"


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on a tag that is closed wrongly."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text, self.styles = [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> does not fit"

    def handle_data(self, data):
        (self.styles if self.open and self.open[-1] == "style" else self.text).append(data)

    def values(self, attribute):
        return [value for _, name, value in self.attributes if name == attribute]


@pytest.fixture
def histories(tmp_path):
    write_history(History([2.0, 1.0, 0.5, 0.4], [0.1, 0.3], [2, 4], 2), tmp_path / "metrics.jsonl")
    return {"trained & <kept>": tmp_path, "no valid": History([3.0, 2.5])}


@pytest.fixture
def html(collection, runs, histories):
    return report(runs, collection, histories=histories, command="twotower report <x>").html


def test_tags_are_balanced_and_ids_unique(html):
    page = Page(html)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for value in page.values("href"):
        assert value.startswith("#")
        assert value[1:] in ids
    for value in page.values("aria-labelledby"):
        assert set(value.split()) <= set(ids)
    for reference in re.findall(r"url\(#([^)]+)\)", html):
        assert reference in ids


def test_nothing_comes_from_elsewhere(html):
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image"} & set(page.tags)
    assert not any(
        name.startswith("on") or name in {"src", "srcset", "action", "xlink:href"} for _, name, _ in page.attributes
    )
    everywhere = [*page.styles, *(value or "" for _, _, value in page.attributes)]
    assert not any(re.search(r"https?:|//|@import|javascript:|data:", value) for value in everywhere)
    [policy] = [value for _, name, value in page.attributes if name == "content" and "default-src" in value]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_texts_are_texts(html):
    page = Page(html)
    shown = "".join(page.text)
    assert "<script>document.title='taken'</script>" in shown
    assert "</title><b>" in shown
    assert "{{ 7*7 }}" in shown
    assert not {"script", "img", "i"} & set(page.tags)
    assert {name for _, name, _ in page.attributes} >= {"viewbox", "role"}
    assert not set("\x00\x1b") & set(html)
    assert "\N{REPLACEMENT CHARACTER}" in shown


def test_every_run_query_and_history_is_there(html, runs):
    shown = "".join(Page(html).text)
    for name in [*runs, "trained & <kept>", "no valid", "small <b>&", "q1", "q2", "q3", "d<4>", "twotower report <x>"]:
        assert name in shown, name


def test_every_drawing_has_a_title_and_a_description(html):
    page = Page(html)
    drawings = [tag for tag, name, value in page.attributes if (name, value) == ("role", "img")]
    # precision, recall, differences, two of scores, loss, valid
    assert len(drawings) == 7
    assert page.tags.count("desc") == 7
    assert page.tags.count("title") == 8
    assert page.tags.count("text") > 50


def test_colours_are_those_of_the_style_sheet(html):
    drawn = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert not re.search(r"#[0-9a-f]{6}\b", drawn)
    used = set(re.findall(r"var\((--[a-z0-9]+)\)", html))
    [light, dark, printed] = re.findall(r":root \{(.*?)\}", html, re.DOTALL)
    for palette in (light, dark, printed):
        assert used - {"--share"} <= set(re.findall(r"(--[a-z0-9]+):", palette))


def test_the_same_arguments_give_the_same_bytes(collection, runs, histories, html):
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": "other"}):
        assert report(runs, collection, histories=histories, command="twotower report <x>").html == html


def test_a_single_run_without_texts(runs, collection):
    page = report({"alone": runs["second"]}, collection.qrels["test"], name="qrels.txt")
    shown = "".join(Page(page.html).text)
    assert "came without a collection" in shown
    assert "Comparison with" not in shown
    assert "qrels.txt" in shown
    assert page.figures.comparison is None


def test_one_judged_query_has_no_comparison(runs, collection):
    page = report(runs, {"q1": collection.qrels["test"]["q1"]})
    assert page.figures.comparison is None
    assert "a paired comparison" not in page.html
    assert "there is no paired comparison" in "".join(Page(page.html).text)


def test_odd_lists(collection):
    """Nothing found, equal scores everywhere, and nothing to tell runs apart."""
    runs = {"empty": {"q1": {}}, "flat": {"q1": {"d1": 1.0, "d2": 1.0}}, "again": {"q1": {"d2": 1.0, "d1": 1.0}}}
    page = report(runs, collection, baseline="flat")
    assert [one.equal for one in page.figures.differences] == [3, 4]
    assert "lists no document" in "".join(Page(page.html).text)


def test_a_judged_query_without_text(collection, runs):
    del collection.queries["q1"]
    assert "no text" in "".join(Page(report(runs, collection).html).text)


def test_lone_surrogates_do_not_stop_the_page(runs, collection, tmp_path):
    collection.queries["q1"] = "wing \ud800"
    page = report({"a\udfff": runs["second"]}, collection.qrels["test"], name="\ud800")
    page.save(tmp_path / "page.html")
    assert "\N{REPLACEMENT CHARACTER}" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_ten_thousand_queries_fit_a_page():
    rng = np.random.default_rng(0)
    texts = {
        f"d{n}": Document(" ".join(rng.choice(["alpha", "beta", "gamma", "delta"], 2000)), "t" * 1000)
        for n in range(50)
    }
    queries = {f"query{n}": f"alpha {n} " * 200 for n in range(10_000)}
    qrels = {q: {f"d{rng.integers(50)}": 1} for q in queries}
    runs = {
        name: {q: {f"d{d}": float(s) for s, d in enumerate(rng.permutation(50)[:8])} for q in queries} for name in "abc"
    }
    page = report(
        runs, Collection("large", texts, queries, {"test": qrels}), histories={"long": History([1.0] * 100_000)}
    )
    assert len(page.html.encode()) < 2_000_000
    assert len(page.figures.differences[0].bars) == 400
    assert len(page.figures.learning["long"].losses) == 200
    Page(page.html)


def test_saved_atomically(collection, runs, tmp_path):
    page = report(runs, collection)
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.html
    with pytest.raises(FileError):
        page.save(tmp_path / "nowhere" / "page.html")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"runs": {}}, InvalidInputError, "no run"),
        ({"runs": {"x": {"other": {"d": 1.0}}}}, InvalidInputError, "'x' has none of the 4 judged queries.*'other'.*'q1'"),
        ({"runs": {"x": {}}}, InvalidInputError, "no query at all"),
        ({"runs": {"x": [1]}}, InputTypeError, "run 'x' is of type list"),
        ({"baseline": "third"}, InvalidInputError, "no run is named 'third': choose one of"),
        ({"measures": ["nDGC@10"]}, InvalidInputError, "nDGC"),
        ({"measures": []}, InvalidInputError, "no measure"),
        ({"measures": "AP"}, InputTypeError, "one string"),
        ({"split": "dev"}, InvalidInputError, "no split 'dev'"),
        ({"worst": 101}, InvalidInputError, "worst"),
        ({"worst": -1}, InvalidInputError, "worst"),
        ({"measures": ["nDCG@10", "NumQ"]}, InvalidInputError, "more NumQ is not better"),
        ({"histories": {"h": "nowhere.jsonl"}}, FileError, "cannot read nowhere.jsonl"),
        ({"histories": {"h": History()}}, InvalidInputError, "'h' has no step"),
        ({"runs": {"x": {"q1": {"d1": float("nan")}}}}, InvalidInputError, "NaN"),
    ],
)  # fmt: skip
def test_bad_input_is_named(collection, runs, changes, error, message):
    arguments = {"runs": runs, "judged": collection} | changes
    with pytest.raises(error, match=message):
        report(arguments.pop("runs"), arguments.pop("judged"), **arguments)


def test_judgements_without_queries(runs):
    with pytest.raises(InvalidInputError, match="no query"):
        report(runs, {})


def test_a_history_that_training_did_not_write(collection, runs, tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 1.0}\nloss 3\n')
    with pytest.raises(CorruptFileError, match=r"metrics.jsonl:2"):
        report(runs, collection, histories={"h": tmp_path})


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_a_missing_extra_is_named_before_any_work(collection, runs, monkeypatch, library):
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(MissingExtraError, match=r"pip install \"twotower\[report\]\""):
        report({}, collection)
