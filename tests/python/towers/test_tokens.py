"""Towers that read subword tokens: every tower of the registry, saved, trained and refused what it cannot read."""

import json

import numpy as np
import pytest
import torch

import twotower as tt
from small_models import WORDS
from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.text import BPE, Vocabulary, WordPiece
from twotower.towers import TwoTower
from twotower.types import Document

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "word", *(f"##{digit}" for digit in range(10))]


@pytest.fixture
def tokenizer(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(TOKENS))
    return WordPiece.from_file(tmp_path / "vocab.txt")


@pytest.fixture(params=["WordPiece", "BPE"])
def either(request, tokenizer):
    return tokenizer if request.param == "WordPiece" else BPE.train(WORDS * 2, vocabulary_size=300)


@pytest.fixture
def model(make, either):
    name, options = make
    return TwoTower.build(name, either, max_terms=12, **options)


def test_terms_are_the_ids_of_the_tokenizer_up_to_max_terms(model, either, texts):
    terms = model.reader.read(iter(texts))
    for row, text in enumerate(texts):
        expected = either.encode(text, add_special_tokens=False)[:12]
        assert terms.ids[terms.offsets[row] : terms.offsets[row + 1]].tolist() == expected
    assert terms.ids.dtype == terms.offsets.dtype == np.int64
    assert model.reader.n_terms == either.vocab_size


def test_vectors_are_those_of_the_ids(model, either):
    ids = torch.tensor(either.encode("word7 strange word", add_special_tokens=False))
    model.eval()
    with torch.inference_mode():
        expected = model.finish(model.query_tower(ids, torch.tensor([0, len(ids)]))).numpy()
    np.testing.assert_allclose(model.encode_queries(["word7 strange word"]), expected, atol=1e-6)


def test_it_comes_back(model, texts, tmp_path):
    model.save_pretrained(tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "config.json", "tokenizer.json", "weights.safetensors"
    ]  # fmt: skip
    again = TwoTower.from_pretrained(tmp_path / "model")
    np.testing.assert_array_equal(again.encode_documents(texts), model.encode_documents(texts))
    np.testing.assert_array_equal(again.twin(seed=3).encode_queries(texts), model.twin(seed=3).encode_queries(texts))


def test_saving_over_a_model_of_words_leaves_nothing_of_it(tokenizer, tmp_path):
    TwoTower.average(Vocabulary(WORDS), dim=2).save_pretrained(tmp_path / "model")
    TwoTower.average(tokenizer, dim=2).save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model" / "vocabulary.safetensors").exists()
    assert isinstance(TwoTower.from_pretrained(tmp_path / "model").reader.tokenizer, WordPiece)


def test_ids_with_gaps_have_rows(tmp_path, tokenizer):
    tokenizer.to_file(tmp_path / "tokenizer.json")
    document = json.loads((tmp_path / "tokenizer.json").read_text())
    document["model"]["vocab"]["##9"] = 40
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    gaps = WordPiece.from_file(tmp_path / "tokenizer.json")
    model = TwoTower.average(gaps, dim=4)
    assert model.query_tower.embedding.weight.shape == (41, 4)
    assert np.isfinite(model.encode_queries(["word9"])).all()


def test_it_learns(tokenizer, tmp_path):
    numbered = list(enumerate(WORDS))
    collection = tt.Collection(
        name="words",
        corpus={f"d{i}": Document(f"{word} {word}") for i, word in numbered},
        queries={f"q{i}": word for i, word in numbered},
        qrels={"train": {f"q{i}": {f"d{i}": 1} for i, _ in numbered}},
    )
    model = TwoTower.average(tokenizer, dim=16, tied=False)
    history = tt.train(model, collection, epochs=5, batch_size=10, lr=0.05, valid=None, folder=tmp_path / "run")
    assert history.losses[-1] < history.losses[0]
    np.testing.assert_array_equal(
        TwoTower.from_pretrained(tmp_path / "run" / "model").encode_queries(WORDS), model.encode_queries(WORDS)
    )


class TestRefused:
    def test_an_analyzer_beside_a_tokenizer(self, tokenizer):
        with pytest.raises(InvalidInputError, match="cuts texts itself"):
            TwoTower.average(tokenizer, "english")

    def test_what_is_no_vocabulary(self):
        with pytest.raises(InputTypeError, match="of type list: give a Vocabulary"):
            TwoTower.average(WORDS)

    def test_texts_that_are_none(self, tokenizer):
        model = TwoTower.average(tokenizer, dim=2)
        with pytest.raises(InputTypeError, match="one str"):
            model.encode_queries("word1")
        with pytest.raises(InputTypeError, match=r"text 1 .*int"):
            model.encode_queries(["word1", 1])
        with pytest.raises(InvalidInputError, match="surrogate"):
            model.encode_queries(["\ud800"])

    @pytest.mark.parametrize("name", ["tokenizer.json", "weights.safetensors"])
    def test_changed_files(self, tokenizer, tmp_path, name):
        TwoTower.average(tokenizer, dim=2).save_pretrained(tmp_path / "model")
        path = tmp_path / "model" / name
        path.write_bytes(path.read_bytes() + b" ")
        with pytest.raises(CorruptFileError, match="not the file that was saved"):
            TwoTower.from_pretrained(tmp_path / "model")

    def test_an_unknown_tokenizer(self, tokenizer, tmp_path):
        TwoTower.average(tokenizer, dim=2).save_pretrained(tmp_path / "model")
        config = json.loads((tmp_path / "model" / "config.json").read_text())
        config["reader"]["tokenizer"] = "Unigram"
        (tmp_path / "model" / "config.json").write_text(json.dumps(config))
        with pytest.raises(CorruptFileError, match="unknown tokenizer 'Unigram'"):
            TwoTower.from_pretrained(tmp_path / "model")
