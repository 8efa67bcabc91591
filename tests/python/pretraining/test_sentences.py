"""Where sentences end, and that nothing of a text is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twotower as tt
from real_data import require
from twotower.pretraining import sentence_spans


def sentences(text):
    return [text[a:b] for a, b in sentence_spans(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["One ends.", "Two ends!", "Does three?"],
        ["Dr. Smith met Mrs. Jones of Acme Inc. on Mon."],
        ["J. R. R. Tolkien wrote.", "It was read."],
        ["He lived in the U.S. Army base.", "It closed."],
        ["See Fig. 3 and No. 5 of vol. 2.", "The answer was no.", "Really."],
        ["It is 3.5 m long, i.e. long, cf. Smith et al. 1999.", "So it is."],
        [['"It ends."', " left."][0], "He left."],
        ["It ends (so it does.)", "He left."],
        ["Wait ... and see.", "Now…", "Done."],
        ["no capital. no end. still one."],
        ["A heading without a stop", "And a text."],
        ["これは文です。", "二つ目です。"],
        ["It ends .", "Then ... it goes on ."],
        ["¿Qué?", "¡No!", "Sí."],
    ],
)
def test_cases(expected):
    glue = "\n\n" if expected[0].startswith("A heading") else " "
    assert sentences(glue.join(expected)) == expected


def test_no_text_no_sentence():
    assert sentences("") == sentences(" \n\n ") == []


@given(st.text(alphabet=st.sampled_from("aB. !?\n\"')(。1…")))
def test_every_character_but_white_space_is_in_one_sentence(text):
    spans = sentence_spans(text)
    places = [i for a, b in spans for i in range(a, b)]
    assert places == sorted(set(places))
    assert [c for c in text if not c.isspace()] == [text[i] for i in places if not text[i].isspace()]
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in spans)


@pytest.mark.data
def test_real_abstracts_have_sentences_of_a_usual_length():
    collection = tt.load_collection(require("scifact"))
    lengths = [len(s.split()) for d in collection.corpus.values() for s in sentences(d.text)]
    short = sum(n <= 2 for n in lengths) / len(lengths)
    assert 15 < sum(lengths) / len(lengths) < 30
    assert short < 0.03
