"""What the room refuses by type, with errors of its own."""

import numpy as np
import pytest

from twotower.errors import InputTypeError, InvalidInputError
from twotower.pretraining import WordVectors, sentence_spans, start_from_words, word2vec
from twotower.text import Analyzer, Vocabulary
from twotower.towers import TwoTower

TEXTS = ["sweet love sweet sorrow"] * 20
VECTORS = WordVectors(["a"], np.zeros((1, 2), np.float32))


def model():
    return TwoTower.average(Vocabulary.count(TEXTS, Analyzer("english")), dim=4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sentence_spans(5), "text is 5 .int.: give a str"),
        (lambda: sentence_spans(b"A. B."), "give a str"),
        (lambda: word2vec(TEXTS, foo=1), "word2vec has no option 'foo': it takes method, dim, window"),
        (lambda: start_from_words(model(), TEXTS, foo=1), "has no option 'foo'"),
        (lambda: VECTORS.save_text(5), "path is 5 .int.: give a path"),
    ],
)
def test_other_types_are_refused(call, message):
    with pytest.raises(InputTypeError, match=message):
        call()


@pytest.mark.parametrize("option", ["lr", "subsample"])
@pytest.mark.parametrize("value", [10**400, -1, float("nan"), float("inf")])
def test_rates_are_finite(option, value):
    with pytest.raises(InvalidInputError, match=f"{option} is"):
        word2vec(TEXTS, **{option: value})


def test_a_path_without_a_name_that_files_can_have_is_refused():
    with pytest.raises(InvalidInputError, match="null character"):
        VECTORS.save_text("a\0b")
