"""MS MARCO v1.1 records: from files, through `datasets`, from Python values; and what a malformed record says."""

import copy
import json
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import twotower as tt
from real_data import require
from twotower.data import collection_from_records
from twotower.data.hub import MS_MARCO
from twotower.errors import CorruptFileError, DataFormatError, FileError, HubUnavailableError, InvalidInputError

RECORD = {
    "query_id": 7,
    "query": "cost of sales",
    "query_type": "numeric",
    "answers": ["much"],
    "passages": {
        "is_selected": [0, 1, 0],
        "passage_text": ["It is cheap.", "It is much.", "IT is  much."],
        "url": ["u1", "u2", "u3"],
    },
}


def record(**passages):
    changed = copy.deepcopy(RECORD)
    changed["passages"].update(passages)
    return changed


@pytest.fixture(scope="module")
def sample():
    return json.loads((require("msmarco-v1.1-sample200") / "sample.json").read_text())


def test_one_record():
    collection = collection_from_records([RECORD])
    assert [document.text for document in collection.corpus.values()] == ["It is cheap.", "It is much."]
    cheap, much = collection.corpus
    assert collection.qrels == {"train": {"7": {much: 1}}}
    assert collection.candidates == {"7": [cheap, much]}


def test_a_record_without_a_selected_passage_distracts():
    collection = collection_from_records([record(is_selected=[0, 0, 0])], split="test")
    assert len(collection.corpus) == 2
    assert collection.qrels == {"test": {}}
    assert list(collection.candidates) == ["7"]


def test_a_document_keeps_its_id_whatever_stands_around_it():
    alone = collection_from_records([RECORD])
    other = collection_from_records([{**record(passage_text=["x", "y", "z"]), "query_id": 1}, RECORD])
    assert set(alone.corpus) < set(other.corpus)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (  # 8 flags and 7 passages, as the course's own example has them
            record(is_selected=[0] * 8, passage_text=["p"] * 7, url=["u"] * 7),
            r"records, row 1 \(query_id 7\), field 'passages': 8 is_selected, 7 passage_text, 7 url: .* one length",
        ),
        (
            record(is_selected=[0, 2, 0]),
            r"row 1 \(query_id 7\), field 'passages\.is_selected\[1\]': must be 0 or 1, got int 2",
        ),
        (record(is_selected="010"), r"field 'passages\.is_selected': must be a list, got str '010'"),
        (record(passage_text=["a", None, "c"]), r"field 'passages\.passage_text\[1\]': must be a string, got NoneType"),
        (record(url=None), r"field 'passages\.url': must be a list"),
        ({**RECORD, "passages": [1]}, r"field 'passages': must be an object"),
        ({**RECORD, "query": 3}, r"row 1 \(query_id 7\), field 'query': must be a string, got int 3"),
        ({**RECORD, "query_id": None}, r"row 1, field 'query_id': must be an integer or a string"),
        ({**RECORD, "query_id": True}, r"row 1, field 'query_id': must be an integer or a string, got bool True"),
    ],
)
def test_a_malformed_record_is_named(row, message):
    with pytest.raises(DataFormatError, match=message):
        collection_from_records([row])


def test_a_query_id_twice_names_both_rows():
    with pytest.raises(DataFormatError, match="row 2: query_id 7 stands already at records, row 1"):
        collection_from_records([RECORD, RECORD])


def test_a_file_names_the_bad_row(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(RECORD) + "\n" + json.dumps({**record(url=[]), "query_id": 8}) + "\n")
    with pytest.raises(DataFormatError, match=r"train\.jsonl, line 2 \(query_id 8\)"):
        tt.load_collection(path)


def test_the_file_name_or_the_caller_tells_the_split(tmp_path):
    for name, split in {
        "validation-0.json": "valid",
        "dev.json": "valid",
        "train.json": "train",
        "x.json": "test",
    }.items():
        (tmp_path / name).write_text(json.dumps([RECORD]))
        assert list(tt.load_collection(tmp_path / name).qrels) == [split]
    assert list(tt.load_collection(tmp_path / "x.json", split="valid").qrels) == ["valid"]


def test_damaged_parquet(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 no more than that")
    with pytest.raises(CorruptFileError, match=r"train\.parquet"):
        tt.load_collection(tmp_path)


@pytest.mark.data
def test_the_real_sample(sample):
    collection = tt.load_collection(require("msmarco-v1.1-sample200") / "sample.json")
    assert len(collection.queries) == len(collection.candidates) == 200
    assert len(collection.qrels["test"]) == 189
    assert set(collection.corpus) == {doc_id for ids in collection.candidates.values() for doc_id in ids}
    for query_id, doc_id in collection.pairs("test"):
        assert doc_id in collection.candidates[query_id]
    texts = {text for row in sample for text in row["passages"]["passage_text"]}
    assert {document.text for document in collection.corpus.values()} <= texts


@pytest.mark.data
def test_parquet_and_jsonl_and_json_are_one_collection(sample, tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    pq.write_table(pa.Table.from_pylist(sample), tmp_path / "a" / "test-00000-of-00001.parquet")
    (tmp_path / "b" / "test.jsonl").write_text("\n".join(map(json.dumps, sample)))
    (tmp_path / "c" / "test.json").write_text(json.dumps(sample))
    prints = {tt.load_collection(tmp_path / name).fingerprint() for name in ("a", "b", "c")}
    assert len(prints) == 1


@pytest.fixture
def data_set(sample, tmp_path, monkeypatch):
    """A data set's folder as the hub holds it: two configurations, splits in Parquet."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "ms_marco"
    card = ["---", "configs:"]
    for config, rows in (("v1.1", sample), ("v2.1", sample[:20])):
        card += [f"- config_name: {config}", "  data_files:"]
        for split, part in (("validation", rows[: len(rows) // 2]), ("train", rows[len(rows) // 2 :])):
            path = folder / config / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(part), path)
            card += [f"  - split: {split}", f"    path: {config}/{split}-*"]
    (folder / "README.md").write_text("\n".join([*card, "---", "# MS MARCO", ""]))
    return folder


@pytest.mark.data
def test_a_local_data_set_through_datasets(sample, data_set):
    collection = tt.load_collection(data_set, config="v1.1")
    assert sorted(collection.qrels) == ["train", "valid"]
    assert len(collection.queries) == 200
    by_file = tt.load_collection(data_set / "v1.1")
    assert set(by_file.corpus) == set(collection.corpus)
    assert by_file.qrels["valid"] == collection.qrels["valid"]
    assert list(tt.load_collection(data_set, config="v1.1", split="valid").qrels) == ["valid"]


@pytest.mark.data
def test_damaged_files_of_a_data_set(data_set):
    next((data_set / "v2.1").glob("train*")).write_bytes(b"PAR1 no more than that")
    with pytest.raises(CorruptFileError, match="ms_marco: its files cannot be read"):
        tt.load_collection(data_set, config="v2.1")


@pytest.mark.data
def test_configurations_are_listed(data_set):
    for config in (None, "v3"):
        with pytest.raises(InvalidInputError, match=r"v1\.1.*v2\.1"):
            tt.load_collection(data_set, config=config)


@pytest.mark.data
def test_a_bad_row_of_a_data_set_is_named(data_set):
    import datasets

    rows = [{**RECORD, "query_id": 1}, {**record(url=["u"]), "query_id": 2}]
    pq.write_table(pa.Table.from_pylist(rows), next((data_set / "v2.1").glob("train*")))
    assert datasets.config.HF_DATASETS_CACHE.name == "cache"
    with pytest.raises(DataFormatError, match=r"ms_marco, train, row 2 \(query_id 2\)"):
        tt.load_collection(data_set, config="v2.1")


def test_an_unreachable_hub_says_so_within_seconds(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    start = time.perf_counter()
    with pytest.raises(HubUnavailableError, match=r"cannot be reached.*local copy"):
        tt.load_collection(MS_MARCO, config="v1.1")
    assert time.perf_counter() - start < 20


def test_offline_mode_without_a_cache(monkeypatch, tmp_path):
    import datasets
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    with pytest.raises(HubUnavailableError, match="HF_HUB_OFFLINE"):
        tt.load_collection(MS_MARCO)


def test_an_endpoint_without_the_data_set(monkeypatch):
    import datasets
    import huggingface_hub

    def load_dataset(source, config):
        raise datasets.exceptions.DatasetNotFoundError("nothing of that name")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(HubUnavailableError, match="nothing of that name"):
        tt.load_collection(MS_MARCO)


def test_only_the_retrieval_configuration_is_taken():
    with pytest.raises(InvalidInputError, match=r"no config 'v2\.1' here: use 'v1\.1'"):
        tt.load_collection(MS_MARCO, config="v2.1")


def test_unknown_sources_list_what_is_accepted(tmp_path):
    for source in ("python-doc", tmp_path / "nowhere", Path("no/such")):
        with pytest.raises(FileError, match=r"python-docs.*BEIR.*triples"):
            tt.load_collection(source)
    (tmp_path / "x.csv").touch()
    with pytest.raises(InvalidInputError, match="unknown kind of file"):
        tt.load_collection(tmp_path / "x.csv")
    with pytest.raises(TypeError, match="cannot load a collection from int"):
        tt.load_collection(5)
    with pytest.raises(InvalidInputError, match="python-docs has no configurations"):
        tt.load_collection("python-docs", config="x")
