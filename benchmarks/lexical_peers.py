"""The peers of lexical_speed.py: each takes documents and queries as lists of term numbers, so that all search the same terms.

A peer has ``name``, ``prepare(queries)`` (what its API asks for, made before the clock starts) and
``search(prepared, k)``, which returns (documents, scores) as lists of rows. Knows no corpus and no clock.
"""

import ctypes
import importlib.util
from collections import Counter
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import numpy as np

K1, B = 1.2, 0.75


def folder_bytes(folder, *patterns):
    return sum(
        path.stat().st_size for pattern in patterns or ["**/*"] for path in Path(folder).glob(pattern) if path.is_file()
    )


class Bm25s:
    """bm25s with numba, its fast path, in one batch."""

    def __init__(self, documents, n_terms, folder):
        import bm25s
        from bm25s.tokenization import Tokenized

        self.name = f"bm25s {version('bm25s')} (numba)"
        if not folder.exists():
            index = bm25s.BM25(method="lucene", k1=K1, b=B, backend="numba")
            index.index(Tokenized(ids=documents(), vocab={str(i): i for i in range(n_terms)}), show_progress=False)
            index.save(folder, show_progress=False)
        self.index = bm25s.BM25.load(folder)
        self.index.activate_numba_scorer()
        scores = self.index.scores
        self.memory_bytes = sum(scores[name].nbytes for name in ("data", "indices", "indptr"))
        self.disk_bytes = None

    def prepare(self, queries):
        return [[str(term) for term in query] for query in queries]

    def search(self, queries, k):
        found = self.index.retrieve(queries, k=k, n_threads=1, show_progress=False)
        return found.documents, found.scores


class Tantivy:
    """tantivy by its Python package: one segment, no stored fields, the queries built beforehand."""

    def __init__(self, documents, n_terms, folder):
        import tantivy

        self.name = f"tantivy {version('tantivy')}"
        self.tantivy = tantivy
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("t", stored=False, tokenizer_name="whitespace", index_option="freq")
        self.schema = builder.build()
        if not folder.exists():
            folder.mkdir(parents=True)
            writer = tantivy.Index(self.schema, path=str(folder)).writer(heap_size=1_000_000_000, num_threads=1)
            for terms in documents():
                writer.add_document(tantivy.Document(t=" ".join(map(str, terms))))
            writer.commit()
            writer.wait_merging_threads()
        index = tantivy.Index.open(str(folder))
        index.reload()
        self.searcher = index.searcher()
        self.memory_bytes, self.disk_bytes = None, folder_bytes(folder)

    def prepare(self, queries):
        should, one = self.tantivy.Occur.Should, self.tantivy.Query.term_query
        return [
            self.tantivy.Query.boolean_query([(should, one(self.schema, "t", str(term), "freq")) for term in query])
            for query in queries
        ]

    def search(self, queries, k):
        rows = [self.searcher.search(query, k, count=False).hits for query in queries]
        return [[hit[1].doc for hit in row] for row in rows], [[hit[0] for hit in row] for row in rows]


class Pisa:
    """PISA (block_simdbp) by the extension module of pyterrier-pisa; its rows hold string ids, which it always makes."""

    def __init__(self, documents, n_terms, folder, algorithm="block_max_maxscore"):
        spec = importlib.util.find_spec("pyterrier_pisa")
        if spec is None:
            raise ModuleNotFoundError("pyterrier_pisa")
        for file in distribution("tbb").files or ():
            if file.name == "libtbb.so.2":
                ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
        [library] = Path(spec.origin).parent.glob("_pisathon*.so")
        spec = importlib.util.spec_from_file_location("_pisathon", library)
        self.core = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.core)
        self.name, self.algorithm = f"PISA {algorithm} (pyterrier-pisa {version('pyterrier-pisa')})", algorithm
        if not folder.exists():
            folder.mkdir(parents=True)
            with (folder / "texts").open("w") as file:
                file.writelines(
                    f"{d} {' '.join(f't{term}' for term in terms)}\n" for d, terms in enumerate(documents())
                )
            self.core.index(str(folder / "texts"), str(folder), "", 100_000, 1)
            (folder / "texts").unlink()
        self.context = self.core.RetrievalContext()
        options = {"quantize": 0, "stop_fname": "", "bm25_k1": K1, "bm25_b": B}
        self.core.prepare_index(self.context, str(folder), "block_simdbp", "bm25", "", **options)
        self.memory_bytes, self.disk_bytes = None, folder_bytes(folder, "bm25*")

    def prepare(self, queries):
        return [(i, {f"t{term}": float(n) for term, n in Counter(query).items()}) for i, query in enumerate(queries)]

    def search(self, queries, k):
        n = len(queries) * k
        number, rank, score = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.float32)
        names = np.empty(n, object)
        results = {"result_qidxs": number, "result_docnos": names, "result_ranks": rank, "result_scores": score}
        options = {"threads": 1, "query_weighted": 1, "pretokenised": True}
        n = self.core.retrieve(self.context, self.algorithm, queries, k=k, **options, **results)
        rows = [([], []) for _ in queries]
        order = {query[0]: at for at, query in enumerate(queries)}
        self.last = (number[:n], names[:n], score[:n], order, rows)
        return self.last

    def rows(self, last):
        """Return what `search` gave in the form of the other peers: outside the clock."""
        number, names, score, order, rows = last
        for query, name, value in zip(number.tolist(), names.tolist(), score.tolist(), strict=True):
            rows[order[query]][0].append(int(name))
            rows[order[query]][1].append(value)
        return [row[0] for row in rows], [row[1] for row in rows]


PEERS = {"bm25s": Bm25s, "tantivy": Tantivy, "pisa": Pisa}


def make_peer(name, documents, n_terms, folder):
    """Return a peer over the index in `folder`, which is made if there is none, or why the peer is absent.

    `documents` is called for the documents where they are needed: lists of term ids.
    """
    try:
        return PEERS[name](documents, n_terms, folder)
    except (ImportError, PackageNotFoundError, OSError) as error:
        return f"absent: {error}"
