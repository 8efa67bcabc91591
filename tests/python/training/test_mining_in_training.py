"""Negatives inside a run: what is drawn, what is never drawn, and lists that are made anew from the current weights."""

import json
import threading

import numpy as np
import pytest
import torch

from small_collection import ANALYZER, translated, vocabulary_of
from twotower import mine
from twotower.errors import CorruptFileError, InvalidInputError
from twotower.negatives.doc_lists import DocLists
from twotower.towers import TwoTower
from twotower.training import refresh, train
from twotower.training.batches import epoch_batches
from twotower.training.drawing import NegativeSource
from twotower.training.pairs import training_set
from twotower.training.refresh import Refresher, vectors_of
from twotower.types import Document

QUICK = {"epochs": 4, "batch_size": 32, "lr": 0.05, "progress": False, "threads": 1}  # 3 steps an epoch


@pytest.fixture
def collection():
    """Like that of the other tests, but each document also says what the query after next asks: BM25 finds it for that one."""
    made = translated()
    asked = list(made.queries.values())
    for i, (doc_id, document) in enumerate(made.corpus.items()):
        made.corpus[doc_id] = Document(f"{document.text} {asked[(i + 2) % 150]}", document.title)
    return made


def model_of(collection, seed=0):
    return TwoTower.average(vocabulary_of(collection), ANALYZER, dim=8, seed=seed)


def drawing_of(negatives, collection, model=None, **options):
    model = model or model_of(collection)
    training = training_set(collection, "train", model.reader)
    return NegativeSource(
        negatives, collection, training, vectors=lambda: vectors_of(model, training), **options
    ), training


class TestDrawn:
    @pytest.mark.parametrize("negatives", ["random", "bm25", "dense"])
    def test_never_a_known_document_over_whole_epochs(self, collection, negatives):
        collection.qrels["train"]["query0"] |= {f"doc{i}": 1 for i in range(0, 140, 2)}
        drawing, training = drawing_of(negatives, collection)
        n = 0
        for epoch in (1, 2):
            for batch in epoch_batches(training, drawing, 32, 0, epoch):
                drawn = batch.documents[len(batch.queries) :]
                n += len(drawn)
                for row, query in enumerate(batch.queries.tolist()):
                    known = np.isin(batch.documents, training.known[query])
                    assert batch.excluded[row][torch.from_numpy(known)].all()
        assert n >= 150
        generator = np.random.default_rng(0)
        assert not set(drawing.draw(np.zeros(500, np.int64), generator).tolist()) & set(training.known[0].tolist())

    def test_several_a_query_from_several_sources(self, collection):
        given = {q: ["doc140"] for q in collection.queries}
        drawing, training = drawing_of([mine.random(3), mine.bm25(depth=5, per_query=2), given], collection)
        batch = next(epoch_batches(training, drawing, 30, 0, 1))
        b = len(batch.queries)
        drawn = batch.documents[b:]
        assert len(drawn) == b * 3 + b * 2 + b
        assert (drawn[-b:] == 140).all()

    def test_the_share_is_a_probability(self, collection):
        collection.candidates = {q: [f"doc{(int(q[5:]) + 7) % 150}"] for q in collection.queries}
        drawing, training = drawing_of(mine.candidates(weight=0.25), collection)
        n = sum(
            len(b.documents) - len(b.queries)
            for epoch in range(40)
            for b in epoch_batches(training, drawing, 32, 0, epoch)
        )
        assert abs(n - 0.25 * 90 * 40) < 5 * np.sqrt(90 * 40 * 0.25 * 0.75)

    def test_ignored_candidates_are_excluded_whoever_brings_them(self, collection):
        collection.candidates = {q: [f"doc{(int(q[5:]) + 7) % 150}"] for q in collection.queries}
        everything = {q: list(collection.corpus) for q in collection.queries}
        drawing, training = drawing_of([everything, mine.candidates("ignore")], collection)
        plain, _ = drawing_of([everything], collection)
        for query, query_id in enumerate(training.query_ids):
            ignored = (int(query_id[5:]) + 7) % 150
            assert ignored in plain.pools[0][query]
            assert ignored not in drawing.pools[0][query]
            assert ignored in drawing.known[query]
        batch = next(epoch_batches(training, drawing, 90, 0, 1))
        place = {doc: column for column, doc in reversed(list(enumerate(batch.documents.tolist())))}
        seen = 0
        for row, query in enumerate(batch.queries.tolist()):
            ignored = (int(training.query_ids[query][5:]) + 7) % 150
            if ignored in place:
                assert batch.excluded[row, place[ignored]]
                seen += 1
        assert seen > 50

    def test_weak_positives_take_the_place_of_the_judged_document_now_and_then(self, collection):
        collection.candidates = {q: [f"doc{(int(q[5:]) + 7) % 150}"] for q in collection.queries}
        drawing, training = drawing_of(mine.candidates("weak_positive", 0.25), collection)
        weak = n = 0
        for epoch in range(40):
            for batch in epoch_batches(training, drawing, 32, 0, epoch):
                for query, doc in zip(batch.queries.tolist(), batch.documents.tolist(), strict=True):
                    own = int(training.query_ids[query][5:])
                    assert doc in (own, (own + 7) % 150)
                    weak += doc != own
                    n += 1
        assert abs(weak - 0.25 * n) < 5 * np.sqrt(n * 0.25 * 0.75)

    def test_same_seed_same_batches(self, collection):
        def documents(seed):
            drawing, training = drawing_of([mine.bm25(depth=9), "random"], collection)
            return [b.documents.tolist() for b in epoch_batches(training, drawing, 32, seed, 1)]

        assert documents(0) == documents(0) != documents(1)


class TestRefresh:
    def test_uses_the_weights_of_its_step(self, collection):
        """Planted: between two refreshes all weights are replaced; the lists follow."""
        model, other = model_of(collection), model_of(collection, seed=5)
        drawing, training = drawing_of(mine.dense(depth=10, refresh_every=2), collection, model)
        refresher = Refresher(drawing, 0, model, training)
        before = drawing.pools[0]
        with torch.no_grad():
            model.query_tower.embedding.weight.copy_(other.query_tower.embedding.weight)
        assert refresher.after(1) is None
        assert drawing.pools[0] is before
        record = refresher.after(2)
        expected = drawing_of(mine.dense(depth=10), collection, other)[0].pools[0]
        assert drawing.pools[0].docs.tolist() == expected.docs.tolist() != before.docs.tolist()
        assert (record["staleness"], record["staleness_before"], record["overlap"]) == (0, 2, 1)
        assert record["overlap_before"] < 0.5
        refresher.close()

    def test_with_a_lag_the_old_weights_are_searched_and_the_age_is_told(self, collection):
        model, other = model_of(collection), model_of(collection, seed=5)
        drawing, training = drawing_of(mine.dense(depth=10, refresh_every=4, lag=3), collection, model)
        refresher = Refresher(drawing, 0, model, training)
        start = drawing.pools[0].docs.tolist()
        with torch.no_grad():
            model.query_tower.embedding.weight.add_(torch.randn(1))  # other weights than at the start
        assert refresher.after(4) is None
        snapshot = drawing_of(mine.dense(depth=10), collection, model)[0].pools[0].docs.tolist()
        with torch.no_grad():
            model.query_tower.embedding.weight.copy_(other.query_tower.embedding.weight)
        assert [refresher.after(step) for step in (5, 6)] == [None, None]
        assert drawing.pools[0].docs.tolist() == start
        record = refresher.after(7)
        assert drawing.pools[0].docs.tolist() == snapshot
        assert (record["at_step"], record["mined_at"], record["staleness"], record["staleness_before"]) == (7, 4, 3, 7)
        assert record["overlap"] < 0.5
        refresher.close()

    def test_a_lag_lets_the_training_go_on(self, collection, monkeypatch):
        """The miner waits until the trainer has moved on: a training that waited for it would never end."""
        model = model_of(collection)
        drawing, training = drawing_of(mine.dense(depth=5, refresh_every=2, lag=2), collection, model)
        refresher = Refresher(drawing, 0, model, training)
        moved_on, real = threading.Event(), refresh.vectors_of

        def wait(*arguments):
            if threading.current_thread() is not threading.main_thread():
                assert moved_on.wait(60)
            return real(*arguments)

        monkeypatch.setattr(refresh, "vectors_of", wait)
        assert refresher.after(2) is None
        assert refresher.after(3) is None
        moved_on.set()
        assert refresher.after(4)["mined_at"] == 2
        refresher.close()

    def test_an_error_of_the_miner_reaches_the_training(self, collection, monkeypatch):
        model = model_of(collection)
        drawing, training = drawing_of(mine.dense(depth=5, refresh_every=1, lag=1), collection, model)
        refresher = Refresher(drawing, 0, model, training)
        monkeypatch.setattr(refresh, "vectors_of", lambda *_: 1 / 0)
        refresher.after(1)
        with pytest.raises(ZeroDivisionError):
            refresher.after(2)
        refresher.close()

    @pytest.mark.parametrize("lag", [0, 2])
    def test_in_a_run(self, collection, tmp_path, lag):
        source = mine.dense(depth=8, refresh_every=3, lag=lag)
        histories = [
            train(model_of(collection), collection, negatives=source, folder=folder, **QUICK)
            for folder in (None, tmp_path)
        ]
        assert histories[0].losses == histories[1].losses
        assert histories[0].refreshes == histories[1].refreshes
        found = histories[0].refreshes
        assert [record["at_step"] for record in found] == [step + lag for step in (3, 6, 9, 12) if step + lag <= 12]
        assert all(record["staleness"] == lag for record in found)
        assert all(record["overlap"] > record["overlap_before"] for record in found)
        lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
        assert [line for line in lines if "refresh" in line] == found
        without = train(model_of(collection), collection, negatives=mine.dense(depth=8), **QUICK)
        assert without.losses[:3] == histories[0].losses[:3]
        assert without.losses != histories[0].losses

    @pytest.mark.parametrize("lag", [0, 2])
    def test_a_resumed_run_has_the_lists_it_had(self, collection, tmp_path, lag):
        source = mine.dense(depth=8, refresh_every=3, lag=lag)
        options = QUICK | {"negatives": source, "checkpoint_every": 2}
        whole = train(model_of(collection), collection, **options)

        class Killed(Exception):
            pass

        def kill(record):
            if record.get("step") == 5 and not (tmp_path / "killed").exists():
                (tmp_path / "killed").touch()
                raise Killed

        with pytest.raises(Killed):
            train(model_of(collection), collection, folder=tmp_path, callbacks=[kill], **options)
        resumed = train(model_of(collection), collection, folder=tmp_path, resume=True, **options)
        assert resumed.losses == whole.losses
        assert resumed.refreshes == whole.refreshes

    def test_damaged_lists_are_refused(self, collection, tmp_path):
        options = QUICK | {"negatives": mine.dense(depth=8, refresh_every=3)}
        train(model_of(collection), collection, folder=tmp_path, **options)
        DocLists.of([[1]]).save(tmp_path / "checkpoint" / "negatives-0", {"taken_at": 3, "n_refreshes": 1})
        with pytest.raises(InvalidInputError, match="lists of 1 queries"):
            train(model_of(collection), collection, folder=tmp_path, resume=True, **options)
        DocLists.of([[1]] * 90).save(tmp_path / "checkpoint" / "negatives-0", {})
        with pytest.raises(CorruptFileError, match="which step"):
            train(model_of(collection), collection, folder=tmp_path, resume=True, **options)

    def test_other_negatives_are_refused_on_resume(self, collection, tmp_path):
        train(model_of(collection), collection, folder=tmp_path, negatives=mine.bm25(depth=5), **QUICK)
        with pytest.raises(InvalidInputError, match=r"negatives = .*depth=5.*this call .*depth=6"):
            train(model_of(collection), collection, folder=tmp_path, resume=True, negatives=mine.bm25(depth=6), **QUICK)


def test_mined_ahead_gives_the_run_that_mining_inside_gives(collection, tmp_path):
    source = mine.bm25(depth=6, per_query=2)
    ahead = mine.mine(source, collection, folder=tmp_path / "lists")
    runs = [
        train(model_of(collection), collection, negatives=negatives, **QUICK).losses for negatives in (source, ahead)
    ]
    assert runs[0] == runs[1]


def test_names_of_sources_are_enough():
    collection = translated(40)
    for name in ("bm25", "dense", "random"):
        assert train(model_of(collection), collection, negatives=name, **QUICK).losses[0] > 0
