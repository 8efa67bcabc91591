"""A killed run goes on as if nothing had happened: losses, valid figures and weights are bit for bit the same."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from twotower.errors import CorruptFileError, InvalidInputError
from twotower.towers import TwoTower
from twotower.training import train
from twotower.training.log import read_history

sys.path.insert(0, str(Path(__file__).parent))
import small_run

QUICK = {"epochs": 2, "batch_size": 32, "progress": False, "threads": 1}


def launch(*arguments: object) -> int:
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), *sys.path])}
    command = [sys.executable, str(Path(small_run.__file__)), *map(str, arguments)]
    return subprocess.run(command, env=environment, check=False).returncode


@pytest.mark.parametrize("kind", ["average", "gru"])
def test_killed_at_five_random_steps(kind, tmp_path):
    points = random.Random(kind).sample(range(2, small_run.N_STEPS + 1), 5)
    for number in sorted(points):
        assert launch(tmp_path, kind, "step", number) == -signal.SIGKILL
    assert launch(tmp_path, kind) == 0
    model, history = small_run.start(None, kind)
    resumed = read_history(tmp_path / "metrics.jsonl", 10**9)
    assert resumed.losses == history.losses
    assert len(resumed.losses) == small_run.N_STEPS
    assert resumed.valid == history.valid
    assert resumed.best_epoch == history.best_epoch
    saved = TwoTower.from_pretrained(tmp_path / "model")
    for ours, theirs in zip(saved.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("point", ["written", "replaced"])
def test_killed_while_a_checkpoint_is_put_in_place(point, tmp_path):
    assert launch(tmp_path, "average", point, 3) == -signal.SIGKILL
    _, history = small_run.start(str(tmp_path), "average")
    assert history.losses == small_run.start(None, "average")[1].losses
    assert {path.name for path in tmp_path.iterdir()} == {"metrics.jsonl", "checkpoint", "model"}


def test_a_finished_run_resumes_to_its_end(average, collection, tmp_path):
    first = train(average, collection, folder=tmp_path, resume=True, **QUICK)
    twin = average.twin()
    again = train(twin, collection, folder=tmp_path, resume=True, **QUICK)
    assert (again.losses, again.valid, again.best_epoch) == (first.losses, first.valid, first.best_epoch)
    assert torch.equal(twin.query_tower.embedding.weight, average.query_tower.embedding.weight)
    assert again.seconds > 0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"lr": 0.01}, "lr"),
        ({"seed": 1}, "seed"),
        ({"loss": "triplet"}, "loss"),
        ({"shuffle_labels": True}, "shuffle"),
        ({"threads": 2}, "threads"),
    ],
)
def test_other_settings_are_refused_by_name(average, collection, tmp_path, change, name):
    train(average, collection, folder=tmp_path, **QUICK)
    with pytest.raises(InvalidInputError, match=f"{name}.* = .*this call"):
        train(average, collection, folder=tmp_path, resume=True, **QUICK | change)


def test_another_model_or_collection_is_refused(average, collection, tmp_path):
    train(average, collection, folder=tmp_path, **QUICK)
    with pytest.raises(InvalidInputError, match="model = "):
        train(average.twin(seed=1), collection, folder=tmp_path, resume=True, **QUICK)
    changed = type(collection)("other", collection.corpus, collection.queries | {"more": "q1"}, collection.qrels)
    with pytest.raises(InvalidInputError, match="collection = "):
        train(average, changed, folder=tmp_path, resume=True, **QUICK)


class TestDamage:
    @pytest.fixture
    def folder(self, average, collection, tmp_path):
        train(average, collection, folder=tmp_path, **QUICK)
        return tmp_path

    def resume(self, model, collection, folder):
        return train(model, collection, folder=folder, resume=True, **QUICK)

    @pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"null", b'{"version": 1, "sha256": "", "step": 1}'])
    def test_position(self, average, collection, folder, raw):
        (folder / "checkpoint" / "state.json").write_bytes(raw)
        with pytest.raises(CorruptFileError, match=r"state\.json"):
            self.resume(average, collection, folder)

    def test_other_version(self, average, collection, folder):
        path = folder / "checkpoint" / "state.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 9}))
        with pytest.raises(CorruptFileError, match="version 9"):
            self.resume(average, collection, folder)

    def test_tensors(self, average, collection, folder):
        path = folder / "checkpoint" / "state.safetensors"
        raw = path.read_bytes()
        path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        with pytest.raises(CorruptFileError, match=r"state\.safetensors"):
            self.resume(average, collection, folder)

    def test_metrics_cut(self, average, collection, folder):
        raw = (folder / "metrics.jsonl").read_bytes()
        (folder / "metrics.jsonl").write_bytes(raw[:-9])
        with pytest.raises(CorruptFileError, match=r"metrics\.jsonl"):
            self.resume(average, collection, folder)

    def test_metrics_overwritten(self, average, collection, folder):
        path = folder / "metrics.jsonl"
        path.write_bytes(b"x" + path.read_bytes()[1:])
        with pytest.raises(CorruptFileError, match=r"metrics\.jsonl"):
            self.resume(average, collection, folder)

    def test_lines_after_the_checkpoint_are_taken_back(self, average, collection, folder):
        before = (folder / "metrics.jsonl").read_bytes()
        with (folder / "metrics.jsonl").open("ab") as file:
            file.write(json.dumps({"step": 99, "loss": 1.0}).encode())
        self.resume(average, collection, folder)
        assert (folder / "metrics.jsonl").read_bytes() == before
