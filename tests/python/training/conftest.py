import pytest

from small_collection import ANALYZER, translated, vocabulary_of
from twotower.towers import TwoTower


@pytest.fixture(scope="session")
def collection():
    return translated()


@pytest.fixture(scope="session")
def vocabulary(collection):
    return vocabulary_of(collection)


@pytest.fixture
def average(vocabulary):
    return TwoTower.average(vocabulary, ANALYZER, dim=16)


@pytest.fixture
def gru(vocabulary):
    return TwoTower.rnn(vocabulary, ANALYZER, dim=12, hidden=12, dropout=0.2)
