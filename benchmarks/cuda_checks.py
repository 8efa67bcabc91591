"""Comparisons of the CUDA search with the CPU's, for cuda_all.py. Each returns what differed; none raises for a difference.

Legend: N documents, D dimensions, B queries, K results.
"""

import itertools
import random

STORAGES = ("float32", "bfloat16", "float16", "int8")
METRICS = ("inner_product", "cosine", "l2")


def on_device(index, queries, k, capacity=0, window_docs=0):
    """Scores and DocIds of a search on device 0, with few slots or in windows if that is asked for."""
    from twotower.index.cuda_flat import core

    stored = index._stored
    searcher = core.CudaSearcher.of_host_rows(
        stored.rows, stored.scales, index.storage, index.metric, 0, capacity, window_docs
    )
    return searcher.search(queries, k)


def difference(expected, scores, docs):
    """None, or what differs first: (query, place, expected DocId and score, those of the device)."""
    import numpy as np

    places = np.argwhere((expected.docs != docs) | (expected.scores != scores))
    if len(places) == 0:
        return None
    q, i = map(int, places[0])
    return {
        "cells": len(places), "query": q, "place": i,
        "expected": [int(expected.docs[q, i]), float(expected.scores[q, i])],
        "got": [int(docs[q, i]), float(scores[q, i])],
    }  # fmt: skip


def compare(found, index, queries, k, about, **how):
    """Add one search to what was found. A search that fails is a difference."""
    expected = index.search(queries, k, threads=0)
    found["searches"] += 1
    try:
        differs = difference(expected, *on_device(index, queries, k, **how))
    except Exception as error:
        differs = {"failed": f"{type(error).__name__}: {error}"}
    if differs:
        found["different"] += 1
        if len(found["first"]) < 10:
            found["first"].append(about | how | differs)


def every_kernel(keep, small=False):
    """Each storage with each width of tiles, with many slots and with few, so that each kernel says if it is right."""
    import numpy as np

    from twotower.index import FlatIndex

    rng, kernels = np.random.default_rng(0), {}
    n, dims = (700, (40, 129)) if small else (20000, (16, 100, 768))
    for storage, b in itertools.product(STORAGES, (1, 33, 100, 257)):
        found = {"searches": 0, "different": 0, "first": []}
        for d, capacity in itertools.product(dims, (256,) if small else (0, 256)):
            index = FlatIndex.build(rng.standard_normal((n, d)).astype(np.float32), storage=storage)
            queries = rng.standard_normal((b, d)).astype(np.float32)
            compare(found, index, queries, 10, {"n": n, "d": d, "b": b}, capacity=capacity)
        kernels[f"{storage}, {b} queries"] = found
        keep({"kernels": kernels})
    return {"different": sum(found["different"] for found in kernels.values()), "kernels": kernels}


def cases():
    """(N, D, B, K, storage, metric): each pair of the sizes of the dense tests, and random ones."""
    ns, ds, bs = (0, 1, 7, 8, 15, 16, 17, 47, 48, 49, 1000), (1, 3, 16, 17, 384, 768, 1000), (1, 2, 31, 32, 33, 257)
    made, turn = [], 0
    for n, d, storage in itertools.product(ns, ds, STORAGES):
        for k in (1, 10, 100, max(n, 1)):
            turn += 1
            made.append((n, d, bs[turn % len(bs)], k, storage, METRICS[turn % 7 % 3]))
    draw = random.Random(0)

    def drawn():
        sizes = (
            draw.randint(1, 60000),
            draw.randint(1, 800),
            draw.choice((*bs, 128, 700)),
            draw.choice((1, 10, 100, 5000)),
        )
        return *sizes, draw.choice(STORAGES), draw.choice(METRICS)

    return made + [drawn() for _ in range(60)]


def equal_to_cpu(keep, made=None):
    """The sizes of the dense tests and random ones; every fourth with ties."""
    import numpy as np

    from twotower.index import FlatIndex

    rng, found = np.random.default_rng(1), {"searches": 0, "different": 0, "first": []}
    for i, (n, d, b, k, storage, metric) in enumerate(made or cases()):
        vectors = rng.standard_normal((n, d)).astype(np.float32)
        if i % 4 == 3 and n > 4:
            vectors[n // 2 :] = vectors[: n - n // 2]
        index = FlatIndex.build(vectors, storage=storage, metric=metric)
        queries = rng.standard_normal((b, d)).astype(np.float32)
        about = {"n": n, "d": d, "b": b, "k": k, "storage": storage, "metric": metric}
        compare(found, index, queries, k, about, capacity=(0, 0, 512)[i % 3], window_docs=(0, 20000)[i % 2])
        if i % 50 == 0:
            keep(found)
    return found


def hostile(keep):
    """The vectors on which float32 searches go wrong, streamed windows and few slots among them."""
    import numpy as np

    import dense_oracle
    from twotower.index import FlatIndex

    found = {"searches": 0, "different": 0, "first": []}
    for name, storage, metric in itertools.product(dense_oracle.ADVERSARIAL, STORAGES, METRICS):
        vectors, queries = dense_oracle.adversarial(name, np.random.default_rng(2))
        limit = {"float16": 6e4, "bfloat16": 3e38}.get(storage)
        vectors = vectors if limit is None else np.clip(vectors, -limit, limit)
        index = FlatIndex.build(vectors, storage=storage, metric=metric)
        for capacity, window in ((0, 0), (256, 0), (256, 1500)):
            about = {"case": name, "storage": storage, "metric": metric}
            compare(found, index, queries, 20, about, capacity=capacity, window_docs=window)
        keep(found)
    return found


def device_arrays(torch):
    """Tensors in and out, on a stream of their own, without a copy through the host."""
    import numpy as np

    from twotower.index import FlatIndex
    from twotower.index.cuda_flat import CudaFlatIndex

    out = {}
    for dtype, storage in ((torch.float32, "float32"), (torch.bfloat16, "bfloat16"), (torch.float16, "float16")):
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            vectors = torch.randn(20000, 96, device="cuda").to(dtype)
            queries = torch.randn(50, 96, device="cuda").to(dtype)
            hits = CudaFlatIndex.build(vectors).search(queries, 10)
            scores, docs = torch.from_dlpack(hits.scores), torch.from_dlpack(hits.docs)
        stream.synchronize()
        host = FlatIndex.build(vectors.float().cpu().numpy(), storage=storage)
        expected = host.search(queries.float().cpu().numpy(), 10)
        same = np.array_equal(docs.cpu().numpy(), expected.docs)
        same &= np.array_equal(scores.cpu().numpy(), expected.scores)
        out[storage] = "equal" if same else "DIFFERENT"
    return out


def matrix_units(torch):
    """What the error bound takes for granted of matrix units: denormals of float16 count."""
    a = torch.full((128, 64), 2.0**-24, dtype=torch.float16, device="cuda")
    b = torch.full((64, 128), 1.0, dtype=torch.float16, device="cuda")
    return {"float16_denormals_count": bool(((a @ b).float() == 64 * 2.0**-24).all())}
