"""metrics.jsonl: what was written reads back, and what training did not write is refused by file and line."""

import pytest

from twotower.errors import CorruptFileError, FileError
from twotower.training import train
from twotower.training.log import History, read_history, write_history

QUICK = {"epochs": 3, "batch_size": 32, "lr": 0.05, "progress": False, "threads": 1}


def test_a_history_reads_back(average, collection, tmp_path):
    history = train(average, collection, folder=tmp_path / "run", **QUICK)
    assert history.valid_steps == [3, 6, 9]
    write_history(history, tmp_path / "metrics.jsonl")
    for path in (tmp_path / "metrics.jsonl", tmp_path / "run" / "metrics.jsonl"):
        read = read_history(path)
        read.seconds = history.seconds
        assert read == history


def test_a_killed_epoch_has_no_valid_figure(tmp_path):
    write_history(History([3.0, 2.0, 1.5], [0.25], [2], 1), tmp_path / "metrics.jsonl")
    read = read_history(tmp_path / "metrics.jsonl")
    assert (read.losses, read.valid, read.valid_steps, read.best_epoch) == ([3.0, 2.0, 1.5], [0.25], [2], 1)


def test_without_valid_figures(tmp_path):
    write_history(History([3.0]), tmp_path / "metrics.jsonl")
    assert read_history(tmp_path / "metrics.jsonl") == History([3.0])


@pytest.mark.parametrize(
    "line", ["{", "[]", "3", "null", '{"step": 2}', '{"step": 2, "loss": "1"}', '{"epoch": 1, "valid": true}', "\xff", "[" * 10**5]
)  # fmt: skip
def test_a_foreign_line_is_named(tmp_path, line):
    (tmp_path / "m.jsonl").write_bytes(b'{"step": 1, "loss": 1.0}\n' + line.encode("latin-1") + b"\n")
    with pytest.raises(CorruptFileError, match=r"m\.jsonl:2: no line that training wrote"):
        read_history(tmp_path / "m.jsonl")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileError, match=r"cannot read .*m\.jsonl"):
        read_history(tmp_path / "m.jsonl")
