"""Models on disk: what comes back, and what is refused."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from small_models import WORDS, build
from twotower.errors import CorruptFileError, FileError, InvalidInputError
from twotower.text import Vocabulary
from twotower.towers import TwoTower

MAKE = ("rnn", {"dim": 6, "hidden": 5})


@pytest.fixture
def folder(tmp_path):
    build(MAKE, tied=False).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def change_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    config |= changes
    (folder / "config.json").write_text(json.dumps(config))


def change_weights(folder, change):
    """Change tensors and record the new checksum, as one who forges a file would."""
    weights = load_file(folder / "weights.safetensors")
    change(weights)
    save_file(weights, folder / "weights.safetensors")
    raw = (folder / "weights.safetensors").read_bytes()
    files = json.loads((folder / "config.json").read_text())["files"]
    files["weights.safetensors"] = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    change_config(folder, files=files)


class TestRoundTrip:
    @pytest.mark.parametrize("tied", [True, False])
    @pytest.mark.parametrize("similarity", ["cosine", "dot"])
    def test_every_tower_comes_back_with_all_it_needs(self, make, texts, tmp_path, tied, similarity):
        model = build(make, tied=tied, similarity=similarity, max_terms=9, seed=5)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.25)
        model.save_pretrained(tmp_path / "a" / "model")
        again = TwoTower.from_pretrained(tmp_path / "a" / "model")
        assert (again.tied, again.similarity, again.reader.max_terms, again.seed) == (tied, similarity, 9, 5)
        assert (again.query_tower is again.document_tower) == tied
        np.testing.assert_array_equal(again.encode_queries(texts), model.encode_queries(texts))
        np.testing.assert_array_equal(again.encode_documents(texts), model.encode_documents(texts))
        np.testing.assert_array_equal(again.twin().encode_documents(texts), model.twin().encode_documents(texts))

    def test_what_is_loaded_can_be_trained(self, folder):
        model = TwoTower.from_pretrained(folder)
        model.finish(model.query_tower(torch.tensor([1]), torch.tensor([0, 1]))).sum().backward()
        assert all(parameter.grad is not None for parameter in model.query_tower.parameters())

    def test_saving_replaces_the_earlier_model_and_leaves_nothing_beside_it(self, folder):
        build(MAKE, seed=9).save_pretrained(folder)
        assert TwoTower.from_pretrained(folder).seed == 9
        assert [path.name for path in folder.parent.iterdir()] == ["model"]

    def test_same_model_same_bytes(self, folder, tmp_path):
        TwoTower.from_pretrained(folder).save_pretrained(tmp_path / "again")
        for name in ("config.json", "vocabulary.safetensors", "weights.safetensors"):
            assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()

    def test_a_model_of_version_1_loads(self, folder, texts):
        expected = TwoTower.from_pretrained(folder).encode_queries(texts)
        config = json.loads((folder / "config.json").read_text())
        analyzer = config.pop("reader")["analyzer"]
        (folder / "config.json").write_text(json.dumps(config | {"version": 1, "analyzer": analyzer}))
        np.testing.assert_array_equal(TwoTower.from_pretrained(folder).encode_queries(texts), expected)

    def test_unusual_terms_come_back(self, tmp_path):
        terms = ["a\nb", "", "東京", "\x00", "a"]
        TwoTower.average(Vocabulary(terms), "plain", dim=2).save_pretrained(tmp_path / "m")
        assert TwoTower.from_pretrained(tmp_path / "m").reader.vocabulary.terms() == terms

    def test_another_process_gives_the_same_vectors(self, folder):
        code = (
            "import sys; from twotower.towers import TwoTower;"
            "sys.stdout.write(TwoTower.from_pretrained(sys.argv[1]).encode_queries(['word1 word2']).tobytes().hex())"
        )
        shown = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
        expected = TwoTower.from_pretrained(folder).encode_queries(["word1 word2"])
        assert np.abs(np.frombuffer(bytes.fromhex(shown.stdout), np.float32) - expected[0]).max() < 1e-6


class TestRefused:
    def test_a_function_as_analyzer_cannot_be_saved(self, tmp_path):
        with pytest.raises(InvalidInputError, match="cannot be saved"):
            TwoTower.average(Vocabulary(WORDS), lambda text: text.split()).save_pretrained(tmp_path / "m")
        assert list(tmp_path.iterdir()) == []

    def test_no_folder(self, tmp_path):
        with pytest.raises(FileError, match="there is no folder"):
            TwoTower.from_pretrained(tmp_path / "nowhere")

    @pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "vocabulary.safetensors"])
    def test_missing_file(self, folder, name):
        (folder / name).unlink()
        with pytest.raises(CorruptFileError, match=f"{name} is missing"):
            TwoTower.from_pretrained(folder)

    @pytest.mark.parametrize("name", ["weights.safetensors", "vocabulary.safetensors"])
    def test_every_changed_or_cut_byte_of_the_data_is_seen(self, folder, name):
        raw = (folder / name).read_bytes()
        for damaged in (
            raw[:-1],
            raw + b"\0",
            b"",
            *(raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1 :] for i in (0, 9, len(raw) - 1)),
        ):
            (folder / name).write_bytes(damaged)
            with pytest.raises(CorruptFileError, match="not the file that was saved"):
                TwoTower.from_pretrained(folder)

    @pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"null", b"[" * 100_000])
    def test_config_that_is_none(self, folder, raw):
        (folder / "config.json").write_bytes(raw)
        with pytest.raises(CorruptFileError, match=r"config\.json"):
            TwoTower.from_pretrained(folder)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"format": "other"}, "twotower-model"),
            ({"version": 4}, "version 4"),
            ({"tied": 1}, "'tied' is 1"),
            ({"files": {}}, "not the file"),
            ({"tower": "tree"}, "unknown tower"),
            ({"similarity": "euclid"}, "similarity"),
            ({"max_terms": 0}, "max_terms"),
            ({"seed": -(10**30)}, "seed"),
            ({"options": {"dim": 6, "colour": 1}}, "colour"),
            ({"options": {"dim": 6, "hidden": 10**12}}, "hidden"),
            ({"options": {"dim": "6"}}, "dim is '6'"),
            ({"options": {"layers": 10**9}}, "layers"),
            ({"reader": {}}, "unknown reader None"),
            ({"reader": {"kind": []}}, "list"),
            ({"reader": {"kind": "terms"}}, "analyzer"),
            ({"reader": {"kind": "terms", "analyzer": {}}}, "analyzer"),
            ({"reader": {"kind": "tokens", "tokenizer": "WordPiece"}}, "tokenizer.json is missing"),
            ({"options": {"dim": 6, "hidden": 7}}, "query_tower.cells.*absent|F32"),
            ({"tied": True}, "document_tower.*absent"),
        ],
    )
    def test_config_that_contradicts(self, folder, changes, message):
        change_config(folder, **changes)
        with pytest.raises(CorruptFileError, match=message):
            TwoTower.from_pretrained(folder)

    def test_tensors_that_contradict(self, folder):
        name = "query_tower.embedding.weight"
        for change in (
            lambda weights: weights.pop(name),
            lambda weights: weights.update(more=torch.zeros(1)),
            lambda weights: weights.update({name: torch.zeros(20, 7)}),
            lambda weights: weights.update({name: torch.zeros(20, 6, dtype=torch.float64)}),
        ):
            build(MAKE, tied=False).save_pretrained(folder)
            change_weights(folder, change)
            with pytest.raises(CorruptFileError, match=r"tensor '(more|query_tower)"):
                TwoTower.from_pretrained(folder)
