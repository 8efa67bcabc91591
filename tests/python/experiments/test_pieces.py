"""Long experiments in pieces: what is finished is not made again, and a folder about something else is refused."""

import json

import pytest

from twotower.errors import CorruptFileError, InvalidInputError
from twotower.experiments.pieces import Piece, run_pieces


def counting(made, key, fails=False):
    def make():
        if fails:
            raise KeyboardInterrupt
        made.append(key)
        return {"value": [1.5, 2.0], "of": key}

    return Piece(key, 36.0, make)


def test_a_stopped_experiment_goes_on_where_it_was(tmp_path):
    made = []
    with pytest.raises(KeyboardInterrupt):
        run_pieces(tmp_path, {"seed": 0}, [counting(made, "a"), counting(made, "b", fails=True), counting(made, "c")])
    found = run_pieces(tmp_path, {"seed": 0}, [counting(made, key) for key in "abc"])
    assert made == ["a", "b", "c"]
    assert [record["of"] for record in found.values()] == ["a", "b", "c"]
    assert found["a"]["value"] == [1.5, 2.0]
    assert found["a"]["seconds"] >= 0


def test_a_torn_last_line_is_made_again(tmp_path):
    made = []
    run_pieces(tmp_path, {}, [counting(made, key) for key in "ab"])
    path = tmp_path / "pieces.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    found = run_pieces(tmp_path, {}, [counting(made, key) for key in "ab"])
    assert made == ["a", "b", "b"]
    assert list(found) == ["a", "b"]
    assert [json.loads(line).get("key") for line in path.read_text().splitlines()] == [None, "a", "b"]


def test_the_hours_are_said_before_the_first_piece(tmp_path):
    lines = []
    run_pieces(tmp_path, {}, [counting([], "a")], lines.append)
    run_pieces(tmp_path, {}, [counting([], key) for key in "ab"], lines.append)
    assert lines[0] == "1 pieces, about 0.01 CPU hours; 1 to make, about 0.01 CPU hours"
    assert lines[2] == "2 pieces, about 0.02 CPU hours; 1 to make, about 0.01 CPU hours"


def test_a_budget_leaves_the_rest_for_later(tmp_path):
    made = []
    assert run_pieces(tmp_path, {}, [counting(made, "a")], within=-1.0) == {}
    assert made == []


def test_another_experiment_needs_another_folder(tmp_path):
    run_pieces(tmp_path, {"rates": (0.1, 0.2), "home": "x"}, [])
    run_pieces(tmp_path, {"rates": [0.1, 0.2], "home": "x"}, [])  # JSON knows no tuples
    with pytest.raises(InvalidInputError, match="home"):
        run_pieces(tmp_path, {"rates": [0.1, 0.2], "home": "y"}, [])


def test_damage_is_named(tmp_path):
    path = tmp_path / "pieces.jsonl"
    run_pieces(tmp_path, {}, [counting([], "a")])
    good = path.read_bytes()
    for line, told in ((b"{nonsense\n", "no JSON"), (b"[1]\n", "object"), (b'{"seconds": 1}\n', "without a key")):
        path.write_bytes(good + line)
        with pytest.raises(CorruptFileError, match=f"line 3: .*{told}"):
            run_pieces(tmp_path, {}, [])
    path.write_bytes(b'{"key": "a"}\n')
    with pytest.raises(CorruptFileError, match="line 1"):
        run_pieces(tmp_path, {}, [])


def test_two_pieces_of_one_name_are_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="'a'"):
        run_pieces(tmp_path, {}, [counting([], "a"), counting([], "a")])
