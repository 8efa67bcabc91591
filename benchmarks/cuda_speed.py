"""Speed of the CUDA search beside torch and other packages, and its shares of the device's limits, for cuda_all.py.

Legend: N documents, D dimensions, B queries, K results.
"""

import importlib
import statistics
import time

DIM, K = 768, 100
REPEATS = 7
TARGETS = {1: 1.2, 128: 2.5, 4096: 2.5}  # ratio to torch, bfloat16, K = 100
SHARE_OF_MATRIX_RATE = 0.65  # at B = 4096
BATCHES = {"bfloat16": (1, 8, 32, 64, 128, 256, 1024, 4096), "float16": (1, 128, 4096), "float32": (1, 128)}


def seconds_of(torch, call):
    """Wall-clock seconds of one call with all its work on the device."""
    torch.cuda.synchronize()
    began = time.perf_counter()
    call()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def in_turns(torch, calls):
    """Median, least and greatest milliseconds of each call, interleaved."""
    for call in calls.values():
        call(), call()
    times = {name: [] for name in calls}
    for _ in range(REPEATS):
        for name, call in calls.items():
            times[name].append(1e3 * seconds_of(torch, call))
    return {
        name: {"median_ms": statistics.median(t), "least_ms": min(t), "most_ms": max(t)} for name, t in times.items()
    }


def limits(torch, n_copied=1 << 30, width=8192):
    """Copy bandwidth and matrix rates of this device, on random numbers."""
    source = torch.randn(n_copied, device="cuda")
    target = torch.empty_like(source)
    copy = in_turns(torch, {"copy": lambda a=source, b=target: b.copy_(a)})["copy"]["median_ms"]
    found = {"copy_gb_per_s": 2 * 4 * source.numel() / copy / 1e6}
    del source, target
    for name in BATCHES:
        a, b = (torch.randn(width, width, device="cuda").to(getattr(torch, name)) for _ in range(2))
        ms = in_turns(torch, {"product": lambda a=a, b=b: a @ b})["product"]["median_ms"]
        found[f"{name}_tflop_per_s"] = 2 * width**3 / ms / 1e9
    return found


def peers(vectors, queries):
    """Calls of other packages on the same tensors; a string where one is absent or fails."""

    def flashlib():
        module = importlib.import_module("flashlib")
        return lambda: module.knn(queries.float(), vectors.float(), min(K, 32))

    def cuvs():
        brute_force = importlib.import_module("cuvs.neighbors.brute_force")
        index = brute_force.build(vectors.float(), metric="inner_product")
        return lambda: brute_force.search(index, queries.float(), K)

    def faiss():
        module = importlib.import_module("faiss")
        index = module.GpuIndexFlatIP(module.StandardGpuResources(), DIM)
        index.add(vectors.float().cpu().numpy())
        host = queries.float().cpu().numpy()
        return lambda: index.search(host, K)

    calls, absent = {}, {}
    for make in (flashlib, cuvs, faiss):
        try:
            call = make()
            call()
            calls[make.__name__] = call
        except Exception as error:
            absent[make.__name__] = f"{type(error).__name__}: {error}"[:200]
    return calls, absent


def row(torch, index, vectors, queries, found, storage):
    """One batch size: ours, torch, the others, shares of the limits."""
    b, n = len(queries), len(vectors)
    target = TARGETS.get(b) if storage == "bfloat16" else None
    others, absent = peers(vectors, queries) if target else ({}, {})
    by_torch = {"torch": lambda: torch.topk(queries @ vectors.T, min(K, n), dim=1)}
    times = in_turns(torch, {"ours": lambda: index.search(queries, K), **by_torch, **others})
    ms = times["ours"]["median_ms"]
    result = {
        "storage": storage, "n": n, "d": DIM, "b": b, "k": K, "times": times, "absent": absent,
        "ratio_to_torch": times["torch"]["median_ms"] / ms,
        "share_of_copy_bandwidth": n * DIM * vectors.element_size() / ms / 1e6 / found["copy_gb_per_s"],
        "share_of_matrix_rate": 2 * b * n * DIM / ms / 1e9 / found[f"{storage}_tflop_per_s"],
    }  # fmt: skip
    if target:
        enough = b != 4096 or result["share_of_matrix_rate"] >= SHARE_OF_MATRIX_RATE
        result |= {"target_ratio": target, "met": result["ratio_to_torch"] >= target and enough}
    return result


def made_on_device(torch, n_docs, n_queries, dtype):
    """Normalised random vectors and queries."""
    torch.manual_seed(3)
    normalise = torch.nn.functional.normalize
    sizes = ((n_docs, DIM), (n_queries, DIM))
    return [normalise(torch.randn(*size, device="cuda"), dim=1).to(dtype) for size in sizes]


def check_answers(torch, index, vectors, many, storage):
    """Compare the large index with the CPU's, through two kernels, before anything is timed."""
    import numpy as np

    from twotower.index import FlatIndex

    host = FlatIndex.build(vectors.float().cpu().numpy(), storage=storage)
    expected = host.search(many[:16].float().cpu().numpy(), K, threads=0)
    rows = []
    for b in (16, len(many)):
        hits = index.search(many[:b], K)
        docs, scores = (torch.from_dlpack(part)[:16].cpu().numpy() for part in (hits.docs, hits.scores))
        equal = np.array_equal(docs, expected.docs) and np.array_equal(scores, expected.scores)
        rows.append({"check": f"first 16 of {b} queries equal the CPU's", "equal": bool(equal)})
    return rows


def speed(torch, n_docs, keep):
    """Rows of the benchmarks and their neighbours."""
    from twotower.index.cuda_flat import CudaFlatIndex

    found, rows = limits(torch), []
    for storage, batches in BATCHES.items():
        vectors, many = made_on_device(torch, n_docs, max(batches), getattr(torch, storage))
        index = CudaFlatIndex.build(vectors)
        if storage == "bfloat16":
            rows += check_answers(torch, index, vectors, many, storage)
        for b in batches:
            try:
                rows.append(row(torch, index, vectors, many[:b], found, storage))
            except Exception as error:  # the other rows still tell something
                rows.append({"storage": storage, "b": b, "failed": f"{type(error).__name__}: {error}"})
            keep({"limits": found, "rows": rows})
        del index, vectors, many
        torch.cuda.empty_cache()
    return {"limits": found, "rows": rows}


def kernels(torch, n_docs):
    """Where the time of a search goes: milliseconds and calls of each kernel, by torch's profiler."""
    from twotower.index.cuda_flat import CudaFlatIndex

    vectors, many = made_on_device(torch, n_docs, 4096, torch.bfloat16)
    index, out = CudaFlatIndex.build(vectors), {}
    for b in TARGETS:
        index.search(many[:b], K)
        activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
        with torch.profiler.profile(activities=activities) as profile:
            index.search(many[:b], K)
            torch.cuda.synchronize()
        out[f"{b} queries"] = {
            event.key[:120]: [round(event.device_time_total / 1e3, 4), event.count]
            for event in profile.key_averages()
            if event.device_time_total > 0
        }
    return out
