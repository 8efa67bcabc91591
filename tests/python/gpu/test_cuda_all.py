"""benchmarks/cuda_all.py without a GPU: its checks on the emulated kernels, its rows on the host's torch, its processes."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cuda_checks
import cuda_speed
import pytest
import torch

from twotower.index import FlatIndex, cuda_flat

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "cuda_all.py"


class Emulated:
    """Stands for `core.CudaSearcher`; `wrong` exchanges two hits of each list."""

    def __init__(self, real):
        self.real, self.wrong = real, False

    def of_host_rows(self, rows, scales, storage, metric, device, capacity, window_docs):
        searcher = self.real.emulated(rows, scales, storage, metric, capacity, window_docs, True)
        return SimpleNamespace(search=lambda *given: self.spoiled(*searcher.search(*given)))

    def spoiled(self, scores, docs):
        if self.wrong and docs.shape[1] > 1:
            docs[:, :2] = docs[:, 1::-1].copy()
        return scores, docs


@pytest.fixture
def device(monkeypatch):
    fake = Emulated(cuda_flat.core.CudaSearcher)
    monkeypatch.setattr(cuda_flat.core, "CudaSearcher", fake)
    return fake


class HostTorch:
    """torch, with the host for a device that answers at once."""

    cuda = SimpleNamespace(synchronize=lambda: None, empty_cache=lambda: None)

    def __getattr__(self, name):
        return getattr(torch, name)

    def randn(self, *size, device):
        assert device == "cuda"
        return torch.randn(*size)


class HostIndex:
    """Stands for CudaFlatIndex: the CPU's answers as tensors."""

    def __init__(self, vectors):
        self.index = FlatIndex.build(vectors.float().numpy(), storage=str(vectors.dtype).removeprefix("torch."))

    @classmethod
    def build(cls, vectors):
        return cls(vectors)

    def search(self, queries, k):
        hits = self.index.search(queries.float().numpy(), k)
        return SimpleNamespace(scores=torch.from_numpy(hits.scores.copy()), docs=torch.from_numpy(hits.docs.copy()))


def test_checks_find_nothing_on_equal_answers_and_what_differs_on_others(device):
    kept = []
    found = cuda_checks.every_kernel(kept.append, small=True)
    assert found["different"] == 0
    assert len(found["kernels"]) == len(kept) == 16
    device.wrong = True
    made = [
        (40, 5, 3, 4, "float32", "l2"),
        (0, 5, 3, 4, "int8", "cosine"),
        (300, 16, 2, 10, "bfloat16", "inner_product"),
    ]
    found = cuda_checks.equal_to_cpu(kept.append, made)
    assert (found["searches"], found["different"]) == (3, 2)
    assert found["first"][0]["got"][0] != found["first"][0]["expected"][0]
    json.dumps(found)


def test_hostile_vectors_of_one_kind(device, monkeypatch):
    monkeypatch.setattr("dense_oracle.ADVERSARIAL", ["zero queries"])
    monkeypatch.setattr(cuda_checks, "STORAGES", ("bfloat16",))
    found = cuda_checks.hostile(lambda _: None)
    assert (found["searches"], found["different"]) == (9, 0)


def test_the_list_of_cases_has_each_size_and_draws_the_same_again():
    made = cuda_checks.cases()
    assert made == cuda_checks.cases()
    assert {case[4] for case in made} == set(cuda_checks.STORAGES)
    assert {case[5] for case in made} == set(cuda_checks.METRICS)


def test_rows_of_the_speed_table(monkeypatch):
    limits = cuda_speed.limits
    monkeypatch.setattr(cuda_flat, "CudaFlatIndex", HostIndex)
    monkeypatch.setattr(cuda_speed, "BATCHES", {"bfloat16": (1, 128), "float32": (1,)})
    monkeypatch.setattr(cuda_speed, "DIM", 32)
    monkeypatch.setattr(cuda_speed, "REPEATS", 1)
    monkeypatch.setattr(cuda_speed, "limits", lambda run: limits(run, 1 << 12, 64))
    kept = []
    found = cuda_speed.speed(HostTorch(), 500, kept.append)
    json.dumps(found)
    assert [one["equal"] for one in found["rows"][:2]] == [True, True]
    rows = found["rows"][2:]
    assert [(one["storage"], one["b"], "met" in one) for one in rows] == [
        ("bfloat16", 1, True), ("bfloat16", 128, True), ("float32", 1, False)
    ]  # fmt: skip
    assert set(rows[0]["absent"]) == {"flashlib", "cuvs", "faiss"}
    ms = rows[1]["times"]["ours"]["median_ms"]
    assert rows[1]["share_of_matrix_rate"] == pytest.approx(
        2 * 128 * 500 * 32 / ms / 1e9 / found["limits"]["bfloat16_tflop_per_s"]
    )
    assert len(kept) == 3


@pytest.mark.skipif(cuda_flat.backend().cuda_devices != (), reason="this machine has a CUDA device")
def test_without_a_device_each_stage_says_what_it_lacks(tmp_path):
    out = tmp_path / "all.json"
    command = [
        sys.executable,
        SCRIPT,
        "--no-build",
        "--out",
        out,
        "--only",
        "machine",
        "every_kernel",
        "speed",
        "memcheck",
    ]
    subprocess.run(command, check=True, capture_output=True)
    report = json.loads(out.read_text())
    assert set(report) == {"seconds", "machine", "every_kernel", "speed", "memcheck"}
    assert all("no CUDA" in report[name]["skipped"] for name in report if name != "seconds")
    assert list(tmp_path.iterdir()) == [out]


def test_a_stage_that_is_cut_off_keeps_what_it_had(tmp_path, monkeypatch):
    import cuda_all

    monkeypatch.setattr(cuda_all.sys, "executable", "/bin/sh")
    script = tmp_path / "stage.sh"
    script.write_text('echo "{\\"rows\\": [1]}" > "$4"; exec sleep 60')
    monkeypatch.setattr(cuda_all, "__file__", str(script))
    arguments = SimpleNamespace(out=tmp_path / "all.json", docs=5)
    assert cuda_all.run_process("speed", arguments, 1.0) == {"rows": [1], "cut_off_after_s": 1.0}
    script.write_text("echo it broke; exit 3")
    assert cuda_all.run_process("speed", arguments, 5.0) == {"failed": "it broke\n"}
