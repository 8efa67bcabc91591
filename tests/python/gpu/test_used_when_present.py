"""Who asks for a device takes it where one is there, and goes on without it where it fails. The device is emulated."""

from types import SimpleNamespace

import numpy as np
import pytest

from cuda_emulation import OnDevice
from small_collection import ANALYZER, translated, vocabulary_of
from twotower import mine
from twotower.errors import BackendError
from twotower.index import FlatIndex, cuda_flat
from twotower.search import Dense
from twotower.towers import TwoTower
from twotower.training import train


class EmulatedDevice:
    """Stands for `core.CudaSearcher`: makes emulated searchers, counts searches, and fails when it is told to."""

    def __init__(self):
        self.made, self.searches, self.failing = 0, 0, False

    def of_host_rows(self, rows, scales, storage, metric, device):
        assert device == 0
        self.made += 1
        inner = self.real.emulated(rows, scales, storage, metric)
        return SimpleNamespace(
            resident=inner.resident,
            search=lambda *given: self.counted(inner.search, given),
            search_on_device=lambda *given: self.counted(inner.search_on_device, given),
        )

    def counted(self, search, given):
        if self.failing:
            raise BackendError("the CUDA device has no room")
        self.searches += 1
        return search(*given)


@pytest.fixture
def device(monkeypatch):
    fake = EmulatedDevice()
    fake.real = cuda_flat.core.CudaSearcher
    monkeypatch.setattr(cuda_flat.core, "CudaSearcher", fake)
    monkeypatch.setattr(cuda_flat, "backend", lambda: SimpleNamespace(cuda_devices=("emulated",)))
    return fake


@pytest.fixture
def collection():
    return translated()


@pytest.fixture
def model(collection):
    return TwoTower.average(vocabulary_of(collection), ANALYZER, dim=8, seed=0)


def vectors_of(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def test_mining_with_a_model(device, collection, model):
    found = mine.mine(mine.dense(model, 5), collection)
    assert (device.made, device.searches > 0) == (1, True)
    device.failing = True
    again = mine.mine(mine.dense(model, 5), collection)
    np.testing.assert_array_equal(again.lists.docs, found.lists.docs)


def test_refreshes_within_a_training(device, collection, model):
    options = {"epochs": 2, "batch_size": 32, "lr": 0.05, "progress": False, "threads": 1}
    train(model, collection, negatives=mine.dense(depth=5, refresh_every=2), **options)
    assert device.made >= 3  # at the start, and after steps 2 and 4 of 6
    assert device.searches >= device.made


def test_search_with_a_tower(device, collection, model):
    documents = [document.full_text for document in collection.corpus.values()]
    index = FlatIndex.build(model.encode_documents(documents), list(collection.corpus))
    texts = list(collection.queries.values())[:7]
    found = Dense(model, index).search(texts, 4)
    assert device.searches == 1
    np.testing.assert_array_equal(found.docs, index.search(model.encode_queries(texts), 4).docs)


def test_a_search_that_fails_is_done_by_the_processor_if_any_device_will_do(device):
    index = FlatIndex.build(vectors_of(30, 4))
    expected = index.search(vectors_of(2, 4, 1), 3)
    assert index.search(vectors_of(2, 4, 1), 3, device="auto").docs.tolist() == expected.docs.tolist()
    device.failing = True
    assert index.search(vectors_of(2, 4, 1), 3, device="auto").docs.tolist() == expected.docs.tolist()
    with pytest.raises(BackendError, match="no room"):
        index.search(vectors_of(2, 4, 1), 3, device="cuda")
    with pytest.raises(BackendError, match="no room"):
        index.search(OnDevice(vectors_of(2, 4, 1)), 3, device="auto")
    assert (device.made, device.searches) == (2, 1)  # "auto" and "cuda"
