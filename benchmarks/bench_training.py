"""How fast do towers learn and read on the CPU?

Question  Pairs a second of a training step (forward, gradient, update) and documents a second of encoding, for the
average and the GRU tower, tied;
          and what the step gains over the plain one: whole embedding table, torch's AdamW, nn.GRU.
Data      python-docs (about 14,000 training pairs, 19,500 documents); 512 pairs a step, 64 terms a text for the GRU.
Check     The loss of the step equals that of the plain one to 1e-5 before anything is timed.
Command   pytest benchmarks/bench_training.py --benchmark-enable
"""

import pytest
import torch

from twotower import losses
from twotower.data import load_collection
from twotower.text import Analyzer, Vocabulary
from twotower.towers import TwoTower
from twotower.training.batches import epoch_batches
from twotower.training.drawing import NegativeSource
from twotower.training.pairs import training_set
from twotower.training.step import Stepper

BATCH = 512
LR = 0.01


@pytest.fixture(scope="module")
def collection():
    return load_collection("python-docs")


@pytest.fixture(scope="module")
def vocabulary(collection):
    texts = [document.full_text for document in collection.corpus.values()]
    return Vocabulary.count([*texts, *collection.queries.values()], Analyzer("english"))


def build(kind, vocabulary):
    if kind == "average":
        return TwoTower.average(vocabulary)
    return TwoTower.rnn(vocabulary, pooling="max", max_terms=64)


def plain_vectors(model, side):
    """Vectors by the whole table and torch's own GRU."""
    tower = model.query_tower
    if model.tower == "average":
        return model.finish(tower(*side))
    ids, offsets = side
    lengths = offsets.diff()
    embedded = torch.nn.utils.rnn.pack_sequence(tower.embedding(ids).split(lengths.tolist()), enforce_sorted=False)
    states, _ = torch.nn.utils.rnn.pad_packed_sequence(tower.cells(embedded)[0], True, padding_value=-torch.inf)
    return model.finish(states.amax(dim=1))


def plain_loss(model, training, batch):
    sides = training.queries.select(batch.queries).tensors(), training.documents.select(batch.documents).tensors()
    return losses.in_batch()(*(plain_vectors(model, side) for side in sides), batch.positive, batch.excluded)


@pytest.fixture(scope="module", params=["average", "gru"])
def case(request, collection, vocabulary):
    model = build(request.param, vocabulary)
    training = training_set(collection, "train", model.reader)
    terms = training.queries.lengths[training.pairs[:, 0]], training.documents.lengths[training.pairs[:, 1]]
    filled = (terms[0] > 0) & (terms[1] > 0)
    training = type(training)(**{**vars(training), "pairs": training.pairs[filled]})
    batch = next(epoch_batches(training, NegativeSource(None, collection, training), BATCH, seed=0, epoch=1))
    return model, training, batch


def report(benchmark, n, unit):
    benchmark.extra_info["torch_threads"] = torch.get_num_threads()
    if benchmark.enabled:
        benchmark.extra_info[f"{unit}_per_s"] = round(n / benchmark.stats.stats.median)


@pytest.mark.parametrize("optimiser", ["adam", "adagrad"])
def test_step(benchmark, case, optimiser):
    model, training, batch = case
    twin = model.twin()
    stepper = Stepper(twin, losses.in_batch(), clip=1.0, optimiser=optimiser)
    expected = plain_loss(twin, training, batch).item()
    assert stepper.step(training, batch, LR)[0] == pytest.approx(expected, abs=1e-5)
    benchmark.pedantic(stepper.step, args=(training, batch, LR), rounds=10)
    report(benchmark, len(batch.queries), "pairs")


def test_plain_step(benchmark, case):
    model, training, batch = case
    twin = model.twin()
    optimiser = torch.optim.AdamW(twin.parameters(), lr=LR, fused=True)

    def step():
        optimiser.zero_grad()
        plain_loss(twin, training, batch).backward()
        torch.nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
        optimiser.step()

    benchmark.pedantic(step, rounds=5, warmup_rounds=1)
    report(benchmark, len(batch.queries), "pairs")


def test_encode(benchmark, case, collection):
    model, _, _ = case
    texts = [document.full_text for document in list(collection.corpus.values())[:5000]]
    benchmark.pedantic(model.encode_documents, args=(texts,), rounds=3)
    report(benchmark, len(texts), "documents")
