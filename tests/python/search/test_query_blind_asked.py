"""The query-blind control that learns from which documents queries wanted."""

import numpy as np
import pytest

from twotower.errors import InputTypeError, InvalidInputError
from twotower.search import QueryBlind
from twotower.search.logistic import Logistic


def noise(n=300, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


def test_documents_that_were_wanted_are_wanted_again_where_the_data_say_so():
    rng = np.random.default_rng(1)
    asked = [{int(doc)} for doc in rng.choice(10, 100)]  # ten documents answer everything
    first = [hit.doc for hit in QueryBlind.fit_asked(noise(), asked).search("any", 10)]
    assert sorted(first) == list(range(10))


def test_documents_that_were_wanted_are_not_wanted_again_where_each_query_has_its_own():
    asked = [{doc} for doc in range(200)]
    first = [hit.doc for hit in QueryBlind.fit_asked(noise(), asked).search("any", 100)]
    assert np.mean(np.array(first) >= 200) > 0.9
    # Knowing positives by memory ranks them first: what cross-fitting is there to avoid.
    features = np.hstack([noise(), np.eye(300, dtype=np.float32)])
    memory = [hit.doc for hit in QueryBlind.fit(features, range(200)).search("any", 100)]
    assert np.mean(np.array(memory) >= 200) == 0


def test_looks_count_where_wishes_do_not_repeat():
    features = noise()
    wanted = np.flatnonzero(features[:, 1] > 0.5)
    blind = QueryBlind.fit_asked(features, [{int(doc)} for doc in wanted[::2]])
    first = [hit.doc for hit in blind.search("any", 30)]
    assert np.mean(np.isin(first, wanted)) > 0.8


def test_the_same_seed_gives_the_same_order_and_empty_wishes_are_skipped():
    asked = [{1, 2}, set(), {3}, {4}, {5}, {6}]
    one, other = (QueryBlind.fit_asked(noise(), asked, folds=3, seed=7).scores for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_every_document_wanted_leaves_no_looks():
    blind = QueryBlind.fit_asked(noise(20), [{doc} for doc in range(20)])
    assert np.isfinite(blind.scores).all()


@pytest.mark.parametrize(
    ("asked", "options", "error", "message"),
    [
        ([{1}, {2}], {}, InvalidInputError, "folds"),
        ([], {"folds": 2}, InvalidInputError, "0 queries"),
        ([{1}] * 5 + [{900}], {}, InvalidInputError, "holds 900"),
        ([{1}] * 5 + [{"a"}], {}, InputTypeError, "integers"),
        ([{1}] * 5, {"seed": -1}, InvalidInputError, "seed"),
    ],
)
def test_refuses(asked, options, error, message):
    with pytest.raises(error, match=message):
        QueryBlind.fit_asked(noise(), asked, **options)


def test_labels_that_are_all_alike_say_nothing():
    assert (Logistic.fit(noise(9), np.ones(9, bool)).scores(noise(9)) == 0).all()
    assert (Logistic.fit(noise(9), np.zeros(9, bool)).scores(noise(9)) == 0).all()


def test_what_nobody_else_wanted_is_no_answer_unless_it_may_be_avoided():
    """Half of the queries teach, the other half is asked, and each has a document of its own: nothing can be known."""
    asked, rest = [{doc} for doc in range(150)], range(150, 300)
    fair = [hit.doc for hit in QueryBlind.fit_asked(noise(), asked, avoid=False).search("any", 50)]
    told = [hit.doc for hit in QueryBlind.fit_asked(noise(), asked).search("any", 50)]
    assert np.mean(np.isin(told, rest)) == 1
    assert np.mean(np.isin(fair, rest)) < 0.8
