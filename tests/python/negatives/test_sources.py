"""Sources of negatives against a brute-force miner: what is found, and above all what is never found."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from real_data import require
from twotower import BM25Index, mine
from twotower.data import load_collection
from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation import has_answer
from twotower.negatives.choose import as_sources
from twotower.negatives.doc_lists import DocLists
from twotower.types import Collection, Document

N_DOCS, N_QUERIES = 60, 12


def task_of(n_known=3, seed=0, **more):
    """Random texts over few words; a query knows some of the documents that rank high for it. Document 59 repeats 0."""
    generator = np.random.default_rng(seed)
    words = [f"w{i}" for i in range(15)]
    texts = [" ".join(generator.choice(words, 6)) for _ in range(N_DOCS)]
    texts[59] = texts[0]
    queries = [" ".join(generator.choice(words, 3, replace=False)) for _ in range(N_QUERIES)]
    positives = [set(generator.choice(N_DOCS - 1, n_known, replace=False).tolist()) for _ in range(N_QUERIES)]
    positives[0] |= {0}
    corpus = {f"d{i}": Document(text) for i, text in enumerate(texts)}
    collection = Collection("random", corpus, {f"q{i}": text for i, text in enumerate(queries)})
    return mine.Task.of(collection, list(collection.queries), positives, **more)


def brute_force(task, scores, depth, allowed=lambda query, doc: True):
    """Sort all documents with a score above minus infinity; drop the known; cut; filter."""
    found = []
    for query in range(len(task.queries)):
        ranked = sorted(
            (doc for doc in range(N_DOCS) if scores[query, doc] > -np.inf), key=lambda doc: (-scores[query, doc], doc)
        )
        left = [doc for doc in ranked if doc not in task.known[query].tolist()][:depth]
        found.append([doc for doc in left if allowed(query, doc)])
    return found


def listed(lists):
    return [lists[query].tolist() for query in range(len(lists))]


def all_scores(index, task):
    """Every document's score; minus infinity where no term matches, as a search would not return it."""
    every = np.tile(np.arange(N_DOCS), (len(task.queries), 1))
    scores = index.score(task.queries, every).astype(np.float64)
    for query, text in enumerate(task.queries):
        for doc, document in enumerate(task.documents):
            if not set(text.split()) & set(document.split()):
                scores[query, doc] = -np.inf
    return scores


@pytest.fixture
def task():
    return task_of()


@pytest.fixture
def index(task):
    return BM25Index.build(task.documents, task.doc_ids)


class Vectors:
    """A model whose vectors are given."""

    out_dim = 4

    def __init__(self, task, seed=0):
        generator = np.random.default_rng(seed)
        self.queries = generator.standard_normal((len(task.queries), 4)).astype(np.float32)
        self.documents = generator.standard_normal((N_DOCS, 4)).astype(np.float32)

    def encode_queries(self, texts):
        return self.queries

    def encode_documents(self, texts):
        return self.documents


class TestBM25:
    @pytest.mark.parametrize("depth", [1, 5, 1000])
    def test_equals_brute_force(self, task, index, depth):
        found = mine.bm25(index, depth).prepare(task)
        assert listed(found) == brute_force(task, all_scores(index, task), depth)
        assert sum(map(len, listed(found))) > 0

    def test_builds_an_index_of_its_own(self, task, index):
        assert listed(mine.bm25().prepare(task)) == listed(mine.bm25(index).prepare(task))

    def test_never_a_known_document_nor_one_with_its_text(self, task, index):
        for lists in (mine.bm25(index, 1000).prepare(task), mine.dense(Vectors(task), 1000).prepare(task)):
            for query, docs in enumerate(listed(lists)):
                assert not set(docs) & set(task.known[query].tolist())
        assert {0, 59} <= set(task.known[0].tolist())

    def test_an_index_in_another_order_gives_the_same_documents(self, task, index):
        order = np.random.default_rng(1).permutation(N_DOCS)
        other = BM25Index.build([task.documents[i] for i in order], [task.doc_ids[i] for i in order])
        source = mine.bm25(other, 1000, [mine.below_positive(margin=0.5)])
        plain = mine.bm25(index, 1000, [mine.below_positive(margin=0.5)])
        assert [set(docs) for docs in listed(source.prepare(task))] == [
            set(docs) for docs in listed(plain.prepare(task))
        ]

    def test_an_index_of_other_documents_is_refused(self, task):
        with pytest.raises(InvalidInputError, match="not those 60 of the corpus"):
            mine.bm25(BM25Index.build(["a", "b"], ["x", "y"])).prepare(task)

    def test_blocks_of_queries_do_not_show(self, task, index, monkeypatch):
        whole = listed(mine.bm25(index, 7).prepare(task))
        monkeypatch.setattr("twotower.negatives.ranked.BLOCK", 5)
        assert listed(mine.bm25(index, 7).prepare(task)) == whole

    def test_threads_do_not_show(self, task, index):
        source = mine.bm25(index, 7, [mine.below_positive(share=0.9)])
        expected = listed(source.prepare(task))
        assert listed(source.prepare(replace(task, threads=2))) == expected
        with ThreadPoolExecutor(4) as pool:
            for found in pool.map(source.prepare, [task] * 8):
                assert listed(found) == expected


class TestDense:
    @pytest.mark.parametrize("depth", [1, 5, 1000])
    def test_equals_brute_force(self, task, depth):
        model = Vectors(task)
        scores = model.queries.astype(np.float64) @ model.documents.T.astype(np.float64)
        assert listed(mine.dense(model, depth).prepare(task)) == brute_force(task, scores, depth)

    def test_the_vectors_of_the_trained_model_are_used(self, task):
        model = Vectors(task, seed=7)
        trained = replace(task, vectors=lambda: (model.queries, model.documents))
        assert listed(mine.dense(depth=9).prepare(trained)) == listed(mine.dense(model, 9).prepare(task))

    def test_without_any_model_it_is_refused(self, task):
        with pytest.raises(InvalidInputError, match="need a model"):
            mine.dense().prepare(task)

    @pytest.mark.parametrize(
        "options",
        [
            {"refresh_every": 0},
            {"lag": 1},
            {"refresh_every": 2, "lag": 3},
            {"model": SimpleNamespace(encode_queries=list), "refresh_every": 2},
            {"depth": 0},
        ],
    )
    def test_bad_options(self, options):
        with pytest.raises(InvalidInputError):
            mine.dense(**options)


class TestFilters:
    def test_answers(self, task, index):
        answers = {query_id: [text.split()[0]] for query_id, text in zip(task.query_ids, task.queries, strict=True)}

        def allowed(query, doc):
            return not has_answer(task.documents[doc], answers[f"q{query}"])

        found = mine.bm25(index, 20, [mine.without_answers(answers)]).prepare(task)
        assert listed(found) == brute_force(task, all_scores(index, task), 20, allowed)
        dropped = sum(map(len, listed(mine.bm25(index, 20).prepare(task)))) - len(found.docs)
        assert 0 < dropped < len(found.docs) + dropped
        for query, docs in enumerate(listed(found)):
            assert not any(answers[f"q{query}"][0] in task.documents[doc].split() for doc in docs)

    def test_a_query_without_a_list_of_answers_is_named(self, task, index):
        with pytest.raises(InvalidInputError, match="answers has none for query 'q0'"):
            mine.bm25(index, filters=[mine.without_answers({})]).prepare(task)

    @pytest.mark.parametrize("options", [{"margin": 0.3}, {"share": 0.8}])
    def test_below_positive(self, task, options):
        model = Vectors(task)
        scores = (model.queries @ model.documents.T).astype(np.float64)

        def allowed(query, doc):
            lowest = min(scores[query, positive] for positive in task.positives[query])
            limit = lowest - options["margin"] if "margin" in options else lowest - 0.2 * abs(lowest)
            return scores[query, doc] <= limit

        found = mine.dense(model, 40, [mine.below_positive(**options)]).prepare(task)
        assert listed(found) == brute_force(task, scores, 40, allowed)
        assert 0 < len(found.docs) < 40 * N_QUERIES

    def test_a_teacher_takes_the_place_of_the_sources_scores(self, task, index):
        def teacher(queries, documents):
            return [float(len(set(q.split()) & set(d.split()))) for q, d in zip(queries, documents, strict=True)]

        def shared(query, doc):
            return len(set(task.queries[query].split()) & set(task.documents[doc].split()))

        def below(query, doc):
            return shared(query, doc) <= min(shared(query, positive) for positive in task.positives[query]) - 1

        scores = all_scores(index, task)
        found = mine.bm25(index, 30, [mine.below_positive(margin=1, teacher=teacher)]).prepare(task)
        assert listed(found) == brute_force(task, scores, 30, below)
        found = mine.bm25(index, 30, [mine.below_score(1, teacher=teacher)]).prepare(task)
        assert listed(found) == brute_force(task, scores, 30, lambda query, doc: shared(query, doc) <= 1)
        assert len(found.docs) > 0

    def test_a_teacher_that_gives_no_finite_score_is_refused(self, task, index):
        for teacher in (lambda q, d: [float("nan")] * len(q), lambda q, d: [1.0]):
            with pytest.raises(InvalidInputError, match="the teacher gave"):
                mine.bm25(index, filters=[mine.below_score(1, teacher=teacher)]).prepare(task)

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"margin": 1, "share": 0.5},
            {"margin": -1},
            {"margin": "1"},
            {"share": 0},
            {"share": 1.5},
            {"share": "1"},
        ],
    )
    def test_bad_options(self, options):
        with pytest.raises(InvalidInputError):
            mine.below_positive(**options)

    @pytest.mark.parametrize("make", [mine.bm25, mine.dense])
    def test_what_is_no_filter_or_searcher(self, make):
        with pytest.raises(InputTypeError, match="filters is 5"):
            make(filters=5)
        with pytest.raises(InputTypeError, match="filters is"):
            make(filters=[5])
        with pytest.raises(InputTypeError, match="is 5: give"):
            make(5)

    @pytest.mark.parametrize("most", [float("nan"), float("inf"), "1", None, True])
    def test_bad_limits(self, most):
        with pytest.raises(InvalidInputError, match="must be a finite number"):
            mine.below_score(most)

    def test_what_is_no_teacher(self):
        with pytest.raises(InputTypeError, match="give a function"):
            mine.below_score(1, teacher="model")
        with pytest.raises(InputTypeError, match="give a function"):
            mine.below_positive(margin=1, teacher="model")

    @pytest.mark.parametrize("answers", [["a"], "a", {"q0": "a"}, {"q0": None}, {"q0": [1]}])
    def test_what_are_no_answers(self, answers):
        with pytest.raises(InputTypeError, match="answers"):
            mine.without_answers(answers)


class TestRandom:
    def test_all_but_the_known_equally_often(self, task):
        pools = mine.random().prepare(task)
        queries = np.zeros(20_000, np.int64)
        places, docs = pools.draw(queries, 1, np.random.default_rng(0))
        assert (places == np.arange(20_000)).all()
        counts = np.bincount(docs, minlength=N_DOCS)
        known = task.known[0].tolist()
        assert (counts[known] == 0).all()
        others = np.delete(counts, known)
        assert abs(others - others.mean()).max() < 6 * np.sqrt(others.mean())

    def test_several_are_different_and_few_are_all(self, task):
        pools = mine.random(5).prepare(task)
        places, docs = pools.draw(np.arange(N_QUERIES), 5, np.random.default_rng(0))
        for query in range(N_QUERIES):
            drawn = docs[places == query].tolist()
            assert len(drawn) == len(set(drawn)) == 5
            assert not set(drawn) & set(task.known[query].tolist())
        small = replace(task, doc_ids=task.doc_ids[:4], known=DocLists.of([[0, 1]] * N_QUERIES))
        places, docs = mine.random().prepare(small).draw(np.arange(N_QUERIES), 3, np.random.default_rng(0))
        assert [sorted(docs[places == query].tolist()) for query in range(N_QUERIES)] == [[2, 3]] * N_QUERIES


class TestUnselected:
    @pytest.fixture
    def task(self, task):
        names = {
            f"q{query}": [f"d{doc}" for doc in (*task.positives[query].tolist(), 40 + query, 41 + query)]
            for query in range(5)
        }
        return replace(task, candidates=names)

    def maybe(self, task, query):
        return sorted({40 + query, 41 + query} - set(task.known[query].tolist())) if query < 5 else []

    def test_maybe_negatives_are_the_candidates_that_are_not_known(self, task):
        found = listed(mine.candidates().prepare(task))
        assert found == [self.maybe(task, query) for query in range(N_QUERIES)]

    @pytest.mark.parametrize("treat", ["ignore", "weak_positive"])
    def test_other_treatments_bring_none_and_forbid_them(self, task, treat):
        source = mine.candidates(treat)
        assert listed(source.prepare(task)) == [[]] * N_QUERIES
        lists = source.ignored(task) if treat == "ignore" else source.weak_positives(task)
        assert listed(lists) == [self.maybe(task, query) for query in range(N_QUERIES)]

    def test_without_candidates_it_is_refused(self, task):
        with pytest.raises(InvalidInputError, match="no candidates"):
            mine.candidates().prepare(replace(task, candidates={}))

    @pytest.mark.parametrize("options", [{"treat": "negative"}, {"weight": 0}, {"weight": 1.1}, {"per_query": 0}])
    def test_bad_options(self, options):
        with pytest.raises(InvalidInputError):
            mine.candidates(**options)


class TestChoose:
    def test_every_name_has_a_source_that_says_what_it_is(self):
        for name in mine.NEGATIVES:
            (source,) = as_sources(name)
            assert source.describe() == as_sources(name)[0].describe()

    def test_several(self):
        assert [type(source).__name__ for source in as_sources(["random", mine.bm25(), {"q": ["d"]}])] == [
            "RandomDocuments", "Searched", "Given"
        ]  # fmt: skip

    def test_what_is_none(self):
        with pytest.raises(InvalidInputError, match="unknown negatives 'hard': choose one of bm25"):
            as_sources("hard")
        with pytest.raises(InputTypeError, match=r"give a source such as tt\.mine\.bm25"):
            as_sources(5)


@pytest.mark.data
def test_real_records_in_the_three_treatments():
    collection = load_collection(str(require("msmarco-v1.1-sample200") / "sample.json"))
    split = next(iter(collection.qrels))
    lists = mine.mine(mine.candidates(), collection, split)
    rows = list(collection.corpus)
    n = 0
    for query, query_id in enumerate(lists.query_ids):
        relevant = {doc_id for doc_id, grade in collection.qrels[split][query_id].items() if grade > 0}
        found = {rows[doc] for doc in lists.lists[query].tolist()}
        assert not found & relevant
        assert found == {
            doc_id for doc_id in collection.candidates[query_id] if doc_id not in relevant
            and collection.corpus[doc_id].full_text not in {collection.corpus[other].full_text for other in relevant}
        }  # fmt: skip
        n += len(found)
    assert n > 500
