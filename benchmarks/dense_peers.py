"""Exact dense search of other libraries on their fast paths, one thread, behind one call: what bench_dense.py compares with.

Knows no data and no clock. A peer is made from vectors [N, D] float32 and gives the DocIds [Q, K] of its best inner products.
"""

import json

import numpy as np


def faiss_default(vectors, k):
    """IndexFlatIP as it comes; `distance_compute_blas_threshold` says from where on it uses BLAS."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return lambda queries: index.search(queries, k)[1]


def faiss_blas(vectors, k):
    """IndexFlatIP with BLAS for every number of queries."""
    import faiss

    search = faiss_default(vectors, k)
    faiss.cvar.distance_compute_blas_threshold = 1
    return search


def svs_flat(vectors, k):
    """Flat index of Scalable Vector Search."""
    import svs

    index = svs.Flat(vectors, svs.DistanceType.MIP, num_threads=1)
    return lambda queries: index.search(queries, k)[0]


def scann(vectors, k):
    """Brute force of ScaNN."""
    from scann.scann_ops.py import scann_ops_pybind

    index = scann_ops_pybind.builder(vectors, k, "dot_product").score_brute_force().build()
    return lambda queries: index.search_batched(queries)[0]


def usearch(vectors, k):
    """Exact search of usearch."""
    from usearch.index import MetricKind, search

    return lambda queries: np.atleast_2d(search(vectors, queries, k, MetricKind.IP, exact=True, threads=1).keys)


def numpy(vectors, k):
    """Matrix product and argpartition."""

    def search(queries):
        scores = queries @ vectors.T
        part = np.argpartition(-scores, k, axis=1)[:, :k]
        return np.take_along_axis(part, np.argsort(-np.take_along_axis(scores, part, 1), axis=1), 1)

    return search


def torch_matmul(vectors, k, dtype="float32"):
    """Matrix product and topk."""
    import torch

    torch.set_num_threads(1)
    rows = torch.from_numpy(vectors).to(getattr(torch, dtype))
    return lambda queries: torch.topk(torch.from_numpy(queries).to(rows.dtype) @ rows.T, k, dim=1).indices.numpy()


def torch_bfloat16(vectors, k):
    """The same in bfloat16: scores are rounded, so the answers are not exact."""
    return torch_matmul(vectors, k, "bfloat16")


PEERS = {
    "faiss": faiss_default,
    "faiss-blas": faiss_blas,
    "svs": svs_flat,
    "scann": scann,
    "usearch": usearch,
    "numpy": numpy,
    "torch": torch_matmul,
    "torch-bf16": torch_bfloat16,
}
INEXACT = {"torch-bf16": 0.8}
"""The share of a peer's answers that must be exact; .99 for the others, which sum float32 in another order."""


def installed(names, vectors, k):
    """Return the peers of these names that are there, ready to search; prints which are absent."""
    found = {}
    for name in names:
        try:
            found[name] = PEERS[name](vectors, k)
        except ImportError as error:
            print(json.dumps({"peer": name, "absent": str(error)}))
    return found
