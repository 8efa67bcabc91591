"""Training as a whole: it learns, chooses on valid, writes what it did, and refuses what it cannot do."""

import json
import math

import numpy as np
import pytest
import torch

from small_collection import ANALYZER, translated, vocabulary_of
from twotower import losses
from twotower.errors import InputTypeError, InvalidInputError, TrainingError
from twotower.losses import LOSSES
from twotower.losses.teacher import needs_teacher
from twotower.text import Vocabulary
from twotower.towers import TwoTower
from twotower.training import train
from twotower.training.pairs import training_set
from twotower.training.validation import Validation

QUICK = {"epochs": 2, "batch_size": 32, "lr": 0.05, "progress": False}
LONG = QUICK | {"epochs": 30}


def rr(model, collection, split="test"):
    return Validation.of(training_set(collection, split, model.reader)).score(model)


class TestLearning:
    @pytest.mark.parametrize("tied", [True, False])
    @pytest.mark.parametrize("tower", ["average", "rnn"])
    def test_beats_its_untrained_and_its_shuffled_twin(self, tower, tied):
        collection = translated(400)
        options = {"dim": 24} if tower == "average" else {"dim": 24, "hidden": 24}
        model = TwoTower.build(tower, vocabulary_of(collection), ANALYZER, tied=tied, **options)
        shuffled = model.twin()
        history = train(model, collection, **LONG | {"lr": 0.1})
        train(shuffled, collection, shuffle_labels=True, **LONG | {"lr": 0.1})
        scores = [rr(one, collection) for one in (model, model.twin(), shuffled)]
        assert history.losses[-1] < history.losses[0] / 2
        assert scores[0] > 0.4
        assert max(scores[1:]) < 0.2

    @pytest.mark.parametrize("name", sorted(LOSSES))
    def test_every_loss_learns(self, average, collection, name):
        untrained = rr(average, collection)
        teacher = None
        if needs_teacher(getattr(losses, name)()):  # it knows what is judged relevant, and has scored ten others
            teacher = {q: {**dict.fromkeys(list(collection.corpus)[i % 140 : i % 140 + 10], 0.0), d: 1.0}
                       for i, (q, d) in enumerate(collection.pairs("train"))}  # fmt: skip
        train(average, collection, loss=name, teacher=teacher, **LONG)
        assert rr(average, collection) > untrained + 0.2

    @pytest.mark.parametrize("negatives", ["random", "mapping"])
    def test_explicit_negatives_take_part(self, average, collection, negatives):
        given = {q: list(collection.corpus)[:5] for q in collection.queries} if negatives == "mapping" else negatives
        without = train(average.twin(), collection, **QUICK).losses
        history = train(average, collection, negatives=given, **QUICK)
        assert history.losses[0] > without[0]

    def test_an_earlier_epoch_comes_back_if_it_was_the_best(self, average, collection):
        seen = []

        def spoil(record):
            seen.append(record)
            if "step" in record and sum("valid" in one for one in seen) >= 2:  # from the third epoch on
                with torch.no_grad():
                    average.query_tower.embedding.weight.normal_(generator=torch.Generator().manual_seed(len(seen)))

        history = train(average, collection, callbacks=[spoil], **QUICK | {"epochs": 4})
        assert history.best_epoch <= 2
        assert history.best_valid > history.valid[-1]
        assert rr(average, collection, "valid") == history.best_valid

    def test_the_best_epoch_is_kept(self, average, collection):
        history = train(average, collection, **LONG | {"lr": 2.0})
        assert history.best_epoch == 1 + int(np.argmax(history.valid))
        assert history.best_valid == max(history.valid) == rr(average, collection, "valid")
        assert len(history.valid) == 30
        assert len(history.losses) == 30 * 3
        assert history.seconds > 0

    def test_without_valid_the_last_epoch_is_kept(self, average, collection):
        twin = average.twin()
        history = train(average, collection, valid=None, **QUICK)
        assert (history.valid, history.best_epoch, history.best_valid) == ([], None, None)
        train(twin, collection, **QUICK)
        assert torch.equal(average.query_tower.embedding.weight, twin.query_tower.embedding.weight)

    @pytest.mark.parametrize("kind", ["average", "gru"])
    def test_same_seed_same_losses_and_the_global_state_stays(self, request, collection, kind):
        model = request.getfixturevalue(kind)
        state, threads = torch.get_rng_state(), torch.get_num_threads()
        runs = [train(model.twin(), collection, seed=seed, threads=1, **QUICK).losses for seed in (0, 0, 1)]
        assert runs[0] == runs[1] != runs[2]
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == threads

    def test_batches_without_terms_do_no_harm(self, collection):
        query_id, doc_id = collection.pairs("train")[0]
        known = [collection.queries[query_id].split()[0], collection.corpus[doc_id].text.split()[0]]
        model = TwoTower.average(Vocabulary(known), ANALYZER, dim=4)
        history = train(model, collection, **QUICK | {"batch_size": 2, "valid": None})
        assert all(math.isfinite(loss) for loss in history.losses)
        assert torch.isfinite(model.query_tower.embedding.weight).all()

    @pytest.mark.parametrize(("words", "side"), [(["elsewhere"], "query"), (["q0", "q1", "q2"], "relevant document")])
    def test_a_model_that_knows_no_term_of_a_side_is_refused(self, collection, words, side):
        with pytest.raises(InvalidInputError, match=f"no {side} of split 'train' .* has a term that the model knows"):
            train(TwoTower.average(Vocabulary(words), ANALYZER, dim=4), collection, **QUICK)


class TestValidation:
    def test_rank_of_the_best_relevant_document_with_ties_by_place(self):
        collection = translated(40)
        model = TwoTower.average(vocabulary_of(collection), ANALYZER, dim=4)
        with torch.no_grad():
            model.query_tower.embedding.weight.fill_(1)  # all scores are equal: rank = place in the corpus
        collection.qrels["test"] = {"query0": {"doc3": 1, "doc9": 1}, "query1": {"doc0": 1}, "query2": {"doc10": 1}}
        assert rr(model, collection) == pytest.approx((1 / 4 + 1 + 0) / 3)

    def test_equals_a_ranking_by_hand(self, average, collection):
        expected = []
        documents = average.encode_documents([d.full_text for d in collection.corpus.values()])
        for query_id, judged in collection.qrels["test"].items():
            scores = documents @ average.encode_queries([collection.queries[query_id]])[0]
            ranked = [list(collection.corpus)[i] for i in np.argsort(-scores, kind="stable")[:10]]
            ranks = [rank for rank, doc_id in enumerate(ranked, 1) if judged.get(doc_id, 0) > 0]
            expected.append(1 / ranks[0] if ranks else 0)
        assert rr(average, collection) == pytest.approx(np.mean(expected), abs=1e-9)


class TestFolder:
    def test_holds_metrics_and_the_best_model(self, average, collection, tmp_path):
        history = train(average, collection, folder=tmp_path / "run", **QUICK)
        lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
        assert [line["loss"] for line in lines if "step" in line] == history.losses
        assert [line["valid"] for line in lines if "valid" in line] == history.valid
        saved = TwoTower.from_pretrained(tmp_path / "run" / "model")
        assert torch.equal(saved.query_tower.embedding.weight, average.query_tower.embedding.weight)
        assert {path.name for path in (tmp_path / "run").iterdir()} == {"metrics.jsonl", "checkpoint", "model"}

    def test_gives_the_same_as_without(self, average, collection, tmp_path):
        twin = average.twin()
        assert train(average, collection, folder=tmp_path, **QUICK).losses == train(twin, collection, **QUICK).losses
        assert torch.equal(twin.query_tower.embedding.weight, average.query_tower.embedding.weight)

    def test_an_earlier_run_is_not_overwritten(self, average, collection, tmp_path):
        train(average, collection, folder=tmp_path, **QUICK)
        with pytest.raises(InvalidInputError, match="resume=True"):
            train(average, collection, folder=tmp_path, **QUICK)

    def test_an_analyzer_that_cannot_be_saved_is_refused_at_the_start(self, collection, tmp_path):
        model = TwoTower.average(vocabulary_of(collection), lambda text: text.split(), dim=4)
        with pytest.raises(InvalidInputError, match="cannot be saved"):
            train(model, collection, folder=tmp_path, **QUICK)
        train(model, collection, **QUICK)


class TestRefused:
    @pytest.mark.parametrize(
        ("argument", "error", "message"),
        [
            ({"epochs": 0}, InvalidInputError, "epochs is 0"),
            ({"batch_size": 1.5}, InputTypeError, "batch_size"),
            ({"lr": float("nan")}, InvalidInputError, "lr"),
            ({"clip": 0}, InvalidInputError, "clip"),
            ({"seed": -1}, InvalidInputError, "seed"),
            ({"threads": 0}, InvalidInputError, "threads"),
            ({"checkpoint_every": 0}, InvalidInputError, "checkpoint_every"),
            ({"loss": "hinge"}, InvalidInputError, "in_batch, .*triplet"),
            ({"loss": 0.2}, InputTypeError, "tt.losses.in_batch"),
            ({"split": "dev"}, InvalidInputError, "no split 'dev'"),
            ({"valid": "dev"}, InvalidInputError, "no split 'dev'"),
            ({"negatives": "hard"}, InvalidInputError, "'hard'"),
        ],
    )
    def test_arguments(self, average, collection, argument, error, message):
        with pytest.raises(error, match=message):
            train(average, collection, **QUICK | argument)

    def test_what_is_no_model(self, collection):
        with pytest.raises(InputTypeError, match="TwoTower"):
            train(torch.nn.Linear(2, 2), collection)

    @pytest.mark.parametrize("factor", [lambda x: x * float("inf"), lambda x: (x - x.detach()).sqrt()])
    def test_a_loss_or_gradient_that_is_not_finite(self, average, collection, factor):
        def broken(queries, documents, positive, excluded):
            return factor(losses.in_batch()(queries, documents, positive, excluded))

        before = average.query_tower.embedding.weight.detach().clone()
        with pytest.raises(TrainingError, match=r"step 1 .*smaller lr"):
            train(average, collection, loss=broken, **QUICK)
        assert torch.equal(average.query_tower.embedding.weight, before)


class TestProgress:
    def test_goes_to_standard_error_when_asked(self, average, collection, capsys):
        train(average, collection, **QUICK | {"progress": True})
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "training" in shown.err

    def test_is_silent_off_a_terminal(self, average, collection, capsys):
        train(average, collection, **QUICK | {"progress": None})
        assert capsys.readouterr() == ("", "")
