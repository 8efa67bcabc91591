"""Failed runs are flagged, sound ones are not; several seeds; early stopping; callbacks; TensorBoard."""

import itertools
import sys
import types
from statistics import stdev

import numpy as np
import pytest
import torch

from small_collection import ANALYZER, translated, vocabulary_of
from twotower import losses, mine
from twotower.errors import InputTypeError, InvalidInputError, MissingExtraError, TrainingError
from twotower.towers import TwoTower
from twotower.training import spread, tensorboard, train, train_seeds
from twotower.training.health import failure, query_blind_score
from twotower.training.log import History, read_history

QUICK = {"epochs": 3, "batch_size": 32, "lr": 0.05, "progress": False, "threads": 1}


def build(seed=0, collection=None):
    return TwoTower.average(vocabulary_of(collection or translated()), ANALYZER, dim=16, seed=seed)


class TestQueryBlind:
    def test_by_hand(self):
        # documents 1 (3 queries), then 2 (1 of those left), 3 (1): (3 * 1 + 1/2 + 1/3) / 5
        relevant = [frozenset(docs) for docs in ({1}, {1, 2}, {1}, {2}, {3})]
        assert query_blind_score(relevant) == pytest.approx((3 + 1 / 2 + 1 / 3) / 5)

    def test_no_ranking_of_single_documents_is_better(self):
        generator = np.random.default_rng(0)
        relevant = [frozenset({int(doc)}) for doc in generator.integers(5, size=12)]
        best = max(
            np.mean([1 / (order.index(next(iter(docs))) + 1) for docs in relevant])
            for order in itertools.permutations(range(5))
        )
        assert query_blind_score(relevant) == pytest.approx(best)

    def test_beyond_ten_places_nothing_counts(self):
        relevant = [frozenset({doc}) for doc in range(30)]
        assert query_blind_score(relevant) == pytest.approx(sum(1 / r for r in range(1, 11)) / 30)


class TestFailure:
    def test_a_run_that_learns_nothing_is_flagged_and_one_that_learns_is_not(self):
        collection = translated(400)
        good = train(build(collection=collection), collection, **QUICK | {"epochs": 20})
        assert good.failure is None
        assert good.best_valid > 2 * good.blind
        idle = train(build(collection=collection), collection, **QUICK | {"lr": 1e-9})
        assert "RR@10" in idle.failure
        shuffled = train(build(collection=collection), collection, shuffle_labels=True, **QUICK | {"epochs": 20})
        assert "RR@10" in shuffled.failure

    def test_a_collapsed_run_is_flagged_by_its_loss_where_there_is_no_valid_split(self):
        collection = translated()
        model = build(collection=collection)
        with torch.no_grad():
            model.query_tower.embedding.weight.fill_(1)  # all vectors are equal, and stay so at this rate
        history = train(model, collection, valid=None, **QUICK | {"lr": 1e-9})
        assert "without an opinion" in history.failure
        assert history.indifferent[-1] == pytest.approx(np.log(30), rel=0.05)  # 30 documents a batch
        assert train(build(collection=collection), collection, valid=None, **QUICK | {"epochs": 20}).failure is None

    def test_the_valid_split_decides(self):
        assert failure([5.0], 1.0, 0.5, 0.1) is None
        assert "0.1000" in failure([0.5], 1.0, 0.1, 0.1)
        assert "2.0000" in failure([1.0, 3.0], 2.0, None, None)
        assert failure([1.0, 2.9], 2.0, None, None) is None
        assert failure([1.0], None, None, None) is None

    def test_is_read_back_from_the_folder(self, tmp_path):
        collection = translated()
        history = train(build(), collection, folder=tmp_path, **QUICK | {"lr": 1e-9})
        read = read_history(tmp_path / "metrics.jsonl")
        assert read.failure == history.failure is not None


class TestSeeds:
    def test_weights_and_order_apart(self):
        collection = translated()
        runs = train_seeds(build, collection, model_seeds=(0, 1), order_seeds=(0, 5), **QUICK)
        assert [(run.model_seed, run.order_seed) for run in runs] == [(0, 0), (0, 5), (1, 0), (1, 5)]
        first = [run.history.losses for run in runs]
        assert len({tuple(one) for one in first}) == 4
        assert first[1] == train(build(0), collection, seed=5, **QUICK).losses
        alone = train_seeds(build, collection, model_seeds=(0, 1), **QUICK)
        assert [run.history.losses for run in alone] == [first[0], train(build(1), collection, seed=1, **QUICK).losses]

    def test_spread_by_hand_counts_failed_runs(self):
        runs = train_seeds(build, translated(), model_seeds=(0, 1, 2), **QUICK | {"lr": 1e-9})
        values = [run.valid for run in runs]
        found = spread(runs)
        assert found["n"] == found["n_failed"] == 3
        assert found["mean"] == pytest.approx(sum(values) / 3)
        assert found["sd"] == pytest.approx(stdev(values))
        assert [found["min"], found["median"], found["max"]] == sorted(values)
        assert spread(runs[:1])["sd"] is None

    def test_what_cannot_be_compared(self):
        with pytest.raises(InvalidInputError, match="at least one seed"):
            train_seeds(build, translated(), model_seeds=())
        with pytest.raises(InvalidInputError, match="valid split"):
            train_seeds(build, translated(), valid=None)
        model = build()
        with pytest.raises(InvalidInputError, match="trained already"):
            train_seeds(lambda seed: model, translated(), **QUICK)
        with pytest.raises(InputTypeError, match="no option 'seed'"):
            train_seeds(build, translated(), seed=3)
        with pytest.raises(InputTypeError, match="give a function"):
            train_seeds(5, translated())

    def test_each_run_has_a_folder(self, tmp_path):
        runs = train_seeds(build, translated(), model_seeds=(0, 1), folder=tmp_path, **QUICK)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["model-0-order-0", "model-1-order-1"]
        again = train_seeds(build, translated(), model_seeds=(0, 1), folder=tmp_path, resume=True, **QUICK)
        assert [run.history.losses for run in again] == [run.history.losses for run in runs]


class TestPatience:
    def test_stops_after_epochs_without_a_better_figure(self, tmp_path):
        collection = translated()
        options = QUICK | {"lr": 1e-9, "epochs": 9}  # the figure never changes: epoch 1 is the best
        history = train(build(), collection, patience=2, **options)
        assert (len(history.valid), history.best_epoch) == (3, 1)
        assert len(train(build(), collection, **options).valid) == 9

    def test_a_stopped_run_stays_stopped_when_resumed(self, tmp_path):
        collection = translated()
        options = QUICK | {"lr": 1e-9, "epochs": 9, "patience": 2, "folder": tmp_path, "resume": True}
        assert [len(train(build(), collection, **options).valid) for _ in range(2)] == [3, 3]


class TestCallbacks:
    def test_get_every_record_and_may_end_the_run(self, tmp_path):
        seen = []
        history = train(build(), translated(), callbacks=[seen.append], folder=tmp_path, **QUICK)
        assert [record["loss"] for record in seen if "step" in record] == history.losses
        assert [record["valid"] for record in seen if "valid" in record] == history.valid
        stopped = train(build(), translated(), callbacks=[lambda record: record.get("step") == 4], **QUICK)
        assert stopped.losses == history.losses[:4]
        assert len(stopped.valid) == 2

    def test_a_history_with_everything_is_written_and_read(self, tmp_path):
        from twotower.training.log import write_history

        history = History([3.0, 2.0], [0.25], [2], 1, blind=0.1, indifferent=[3.4],
                          refreshes=[{"refresh": 1, "at_step": 1, "overlap": 0.5}])  # fmt: skip
        write_history(history, tmp_path / "m.jsonl")
        assert read_history(tmp_path / "m.jsonl") == history
        without = History([3.0, 2.0, 1.0, 0.5], indifferent=[3.4, None])
        write_history(without, tmp_path / "m.jsonl")
        assert read_history(tmp_path / "m.jsonl") == without


class TestTensorBoard:
    def test_without_the_package_it_says_so(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
        with pytest.raises(MissingExtraError, match="pip install tensorboard"):
            tensorboard(tmp_path)

    def test_gets_all_numbers_at_their_steps(self, tmp_path, monkeypatch):
        written = []

        class SummaryWriter:
            def __init__(self, folder):
                assert folder == str(tmp_path)

            def add_scalar(self, name, value, step):
                written.append((name, value, step))

            def flush(self):
                written.append("flushed")

        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", types.SimpleNamespace(SummaryWriter=SummaryWriter))
        history = train(build(), translated(), callbacks=[tensorboard(tmp_path)], **QUICK)
        assert [
            value for name, value, _ in (w for w in written if w != "flushed") if name == "step/loss"
        ] == history.losses
        assert [w[1:] for w in written if w[0] == "epoch/valid"] == list(zip(history.valid, (3, 6, 9), strict=True))
        assert written.count("flushed") == 3


class TestOptions:
    @pytest.mark.parametrize("optimiser", ["adagrad", "adam", "adam_uncorrected"])
    def test_every_optimiser_learns(self, optimiser):
        collection = translated(400)
        options = QUICK | {"epochs": 20, "optimiser": optimiser, "lr": 0.2 if optimiser == "adagrad" else 0.05}
        history = train(build(collection=collection), collection, **options)
        assert history.best_valid > history.valid[0] + 0.1

    @pytest.mark.parametrize("tower", ["average", "rnn"])
    def test_bfloat16_is_near_float32(self, tower):
        collection = translated()
        options = {"dim": 16, "out_dim": 8} if tower == "average" else {"dim": 16, "hidden": 16, "out_dim": 8}
        model = TwoTower.build(tower, vocabulary_of(collection), ANALYZER, **options)
        runs = [train(model.twin(), collection, precision=precision, **QUICK) for precision in ("float32", "bfloat16")]
        assert runs[0].losses != runs[1].losses
        assert runs[1].losses == pytest.approx(runs[0].losses, rel=0.1)

    @pytest.mark.parametrize(
        ("argument", "message"),
        [
            ({"optimiser": "sgd"}, "unknown optimiser 'sgd'"), ({"precision": "int8"}, "choose one of bfloat16, float32"),
            ({"warmup": 1}, "warmup is 1"), ({"weight_decay": -1}, "weight_decay is -1"), ({"patience": 0}, "patience is 0"),
            ({"loss": "margin_mse"}, r"margin_mse_loss\(temperature=1.0\) needs teacher"),
            ({"teacher": {}}, "takes no teacher"),
            ({"loss": "list_mle", "teacher": {"query0": {"none": 1.0}}}, "document 'none' of query 'query0'"),
            ({"loss": "list_mle", "teacher": {"query0": {"doc0": float("nan")}}}, "finite number"),
            ({"loss": "list_mle", "teacher": {}}, "scored no query"),
        ],
    )  # fmt: skip
    def test_bad_ones_are_refused(self, argument, message):
        with pytest.raises(InvalidInputError, match=message):
            train(build(), translated(), **QUICK | argument)

    @pytest.mark.parametrize(
        ("argument", "message"),
        [
            ({"loss": losses.in_batch}, "with its brackets"), ({"loss": lambda q, d, p, e: 3.0}, "the loss returned 3.0"),
            ({"loss": lambda q, d, p, e: q}, "a tensor with one number"), ({"loss": lambda q, d, p, e: None}, "returned None"),
            ({"split": ["train"]}, "split is"), ({"valid": ["valid"]}, "valid is"), ({"folder": 5}, "give a path"),
            ({"callbacks": 5}, "give a list of functions"), ({"callbacks": "ab"}, "give a list"), ({"callbacks": [5]}, "give a list"),
            ({"buckets": "no"}, "give True or False"), ({"shuffle_labels": "no"}, "give True or False"),
            ({"negatives": mine.dense(filters=[lambda block: 5])}, "must return bool of shape"),
            ({"negatives": mine.dense(filters=[lambda block: np.ones((1, 1), bool)])}, "must return bool of shape"),
        ],
    )  # fmt: skip
    def test_wrong_types_are_refused(self, argument, message):
        with pytest.raises(InputTypeError, match=message):
            train(build(), translated(), **QUICK | argument)

    @pytest.mark.parametrize("collection", [5, "python-docs", {}])
    def test_what_is_no_collection(self, collection):
        with pytest.raises(InputTypeError, match="give a Collection"):
            train(build(), collection, **QUICK)

    @pytest.mark.parametrize("name", ["lr", "clip", "warmup", "weight_decay"])
    @pytest.mark.parametrize("value", ["a", None, True, 10**400, float("nan")])
    def test_what_is_no_number(self, name, value):
        with pytest.raises(InvalidInputError, match=f"{name} is"):
            train(build(), translated(), **QUICK | {name: value})

    def test_weights_that_are_not_finite_are_no_success(self):
        model = build()
        with pytest.raises(TrainingError, match="after epoch 1 a weight is not finite"):
            train(model, translated(), **QUICK | {"weight_decay": 1e38, "epochs": 1, "batch_size": 45})
        assert not model.training

    def test_a_model_is_left_without_dropout(self):
        def stop(record):
            raise KeyboardInterrupt

        model = build()
        with pytest.raises(KeyboardInterrupt):
            train(model, translated(), callbacks=[stop], **QUICK)
        assert not model.training

    def test_too_many_threads(self):
        with pytest.raises(InvalidInputError, match="from 1 to 1024"):
            train(build(), translated(), **QUICK | {"threads": 100_000})

    def test_a_teacher_that_is_no_run(self):
        with pytest.raises(InputTypeError, match="give a run"):
            train(build(), translated(), loss="list_mle", teacher=3, **QUICK)

    def test_a_batch_without_negatives_is_passed_over(self):
        collection = translated()
        history = train(build(), collection, **QUICK | {"batch_size": 1, "epochs": 1})
        assert history.losses == [0.0] * 90
        assert history.passed_over == 90
        assert history.failure.startswith("no batch had a negative")

    def test_the_record_names_the_loss_inside_a_wrapper(self, tmp_path):
        collection = translated()
        loss = losses.matryoshka(losses.in_batch(0.07), [8, 4])
        train(build(), collection, loss=loss, folder=tmp_path, **QUICK)
        same = losses.matryoshka(losses.in_batch(0.07), [8, 4])
        train(build(), collection, loss=same, folder=tmp_path, resume=True, **QUICK)
        other = losses.matryoshka(losses.in_batch(0.08), [8, 4])
        with pytest.raises(InvalidInputError, match=r"loss = .*temperature=0.07.*temperature=0.08"):
            train(build(), collection, loss=other, folder=tmp_path, resume=True, **QUICK)
