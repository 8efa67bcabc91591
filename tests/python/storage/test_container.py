"""The container: round trips, refusals, damage of every kind, crashes, and two writers at once."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twotower import _core
from twotower.errors import CorruptFileError, FileError, InputTypeError, InvalidInputError
from twotower.storage import read_container, replace_folder, write_container, write_file_atomically

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
NUMBERS = [0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]


def sample(seed=0, rows=300):
    rng = np.random.default_rng(seed)
    return {
        "vectors": rng.standard_normal((rows, 7)).astype(np.float32),
        "ids": np.arange(rows),
        "none": np.empty((0, 3)),
    }


def answer(folder):
    """Everything a reader sees, as bytes."""
    meta, arrays = read_container(folder, "test")
    return repr((meta, [(name, a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()]))


def files_of(folder):
    return sorted(folder.iterdir())


def checksum(data):
    """CRC-32C, bit by bit: an oracle that shares nothing with the core."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_and_shape_comes_back(tmp_path, dtype):
    arrays = {f"a{i}": np.arange(np.prod(shape), dtype=dtype).reshape(shape) for i, shape in enumerate(
        [(), (1,), (17,), (3, 5), (0,), (4, 0, 2), (2, 3, 4, 5)])}  # fmt: skip
    write_container(tmp_path, "test", {"text": "ü ", "n": 1.5, "none": None}, arrays)
    meta, back = read_container(tmp_path, "test")
    assert meta == {"text": "ü ", "n": 1.5, "none": None}
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert (back[name] == array).all()


def test_every_dtype_of_the_core_is_tested():
    assert sorted(DTYPES) == sorted(_core.container_dtypes())


def test_strided_and_fortran_arrays_are_saved_by_value(tmp_path):
    base = np.arange(24.0).reshape(4, 6)
    arrays = {"f": np.asfortranarray(base), "s": base[::2, ::3], "r": base[::-1]}
    write_container(tmp_path, "test", {}, arrays)
    back = read_container(tmp_path, "test")[1]
    assert all((back[name] == arrays[name]).all() for name in arrays)


def test_arrays_are_read_only_and_outlive_the_next_save(tmp_path):
    write_container(tmp_path, "test", {}, sample())
    vectors = read_container(tmp_path, "test")[1]["vectors"]
    with pytest.raises(ValueError, match="read-only"):
        vectors[0] = 1
    with pytest.raises(ValueError):
        vectors.flags.writeable = True
    write_container(tmp_path, "test", {}, sample(1))
    assert (vectors == sample()["vectors"]).all()
    assert len(files_of(tmp_path)) == 2


def test_files_that_are_not_ours_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for seed in range(3):
        write_container(tmp_path, "test", {}, sample(seed))
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(files_of(tmp_path)) == 3


def test_leftovers_of_a_killed_save_are_removed_by_the_next(tmp_path):
    write_container(tmp_path, "test", {}, sample())
    (tmp_path / "twotower-00000000000000ff.data").write_bytes(b"half")
    (tmp_path / "twotower.manifest.new").write_bytes(b"half")
    assert answer(tmp_path)
    write_container(tmp_path, "test", {}, sample(1))
    assert [f.name for f in files_of(tmp_path)] == ["twotower-0000000000000100.data", "twotower.manifest"]


def test_what_cannot_be_saved_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(InputTypeError, match="'a' is float16: a container holds"):
        write_container(tmp_path, "test", {}, {"a": np.zeros(2, np.float16)})
    with pytest.raises(InputTypeError, match="'a' is >f4"):
        write_container(tmp_path, "test", {}, {"a": np.zeros(2, ">f4")})
    with pytest.raises(InputTypeError, match="'a' is object"):
        write_container(tmp_path, "test", {}, {"a": np.array([None])})
    with pytest.raises(InputTypeError, match="'a' is list"):
        write_container(tmp_path, "test", {}, {"a": [1.0]})
    with pytest.raises(InputTypeError, match="meta of 'test'"):
        write_container(tmp_path, "test", {"f": print}, {})
    with pytest.raises(InvalidInputError, match="meta of 'test'"):
        write_container(tmp_path, "test", {"f": float("nan")}, {})
    with pytest.raises(InvalidInputError, match="meta of 'test'"):
        write_container(tmp_path, "test", {"f": "\ud800"}, {})
    with pytest.raises(InvalidInputError, match="kind 'No way'"):
        write_container(tmp_path, "No way", {}, {})
    with pytest.raises(InvalidInputError, match=r"segment name '\.\./x'"):
        write_container(tmp_path, "test", {}, {"../x": np.zeros(1)})
    with pytest.raises(InvalidInputError, match="over 8 dimensions"):
        write_container(tmp_path, "test", {}, {"a": np.zeros((1,) * 9)})
    assert files_of(tmp_path) == []


def test_what_is_no_container_is_named(tmp_path):
    with pytest.raises(FileError, match="there is no such folder"):
        read_container(tmp_path / "none", "test")
    with pytest.raises(FileError, match=r"has no twotower\.manifest"):
        read_container(tmp_path, "test")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError):
        read_container(tmp_path / "file", "test")
    with pytest.raises(FileError):
        write_container(tmp_path / "file", "test", {}, {})
    write_container(tmp_path, "test", {}, {})
    with pytest.raises(CorruptFileError, match="holds a saved 'test', not a 'flat': load it with the class"):
        read_container(tmp_path, "flat")


def test_every_flipped_bit_of_a_small_container_is_reported(tmp_path):
    write_container(tmp_path, "test", {"k": 1}, sample(rows=8))
    good, n_flips = answer(tmp_path), 0
    for path in files_of(tmp_path):
        content = path.read_bytes()
        for bit in range(0, len(content) * 8, 3):
            damaged = bytearray(content)
            damaged[bit // 8] ^= 1 << bit % 8
            path.write_bytes(damaged)
            with pytest.raises((CorruptFileError, FileError)):
                read_container(tmp_path, "test")
            n_flips += 1
        path.write_bytes(content)
    assert n_flips > 900
    assert answer(tmp_path) == good


def test_every_truncation_and_extension_is_reported(tmp_path):
    write_container(tmp_path, "test", {"k": 1}, sample(rows=8))
    for path in files_of(tmp_path):
        content = path.read_bytes()
        for size in [*range(len(content)), len(content) + 1]:
            path.write_bytes((content + b"\0")[:size])
            with pytest.raises(CorruptFileError, match=str(tmp_path)):
                read_container(tmp_path, "test")
        path.write_bytes(content)
    files_of(tmp_path)[0].unlink()
    with pytest.raises(CorruptFileError, match="is missing"):
        read_container(tmp_path, "test")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    edits=st.lists(
        st.tuples(st.integers(8, 400), st.sampled_from([1, 4, 8]), st.sampled_from(NUMBERS)), min_size=1, max_size=4
    )
)
def test_manifests_that_lie_under_a_right_checksum_never_crash(tmp_path, edits):
    write_container(tmp_path, "test", {"k": 1}, sample(rows=8))
    path = tmp_path / "twotower.manifest"
    good = answer(tmp_path)
    content = bytearray(path.read_bytes())
    for at, size, value in edits:
        at = min(at, len(content) - 4 - size)
        content[at : at + size] = (value % 256**size).to_bytes(size, "little")
    content[-4:] = checksum(content[:-4]).to_bytes(4, "little")
    path.write_bytes(content)
    try:
        seen = answer(tmp_path)
    except (CorruptFileError, FileError):
        return
    # Accepted edits left everything as it was, or changed a name, a digit, a dtype or a shape to one of equal size:
    # a reader never sees more bytes than the file has.
    assert len(seen) <= len(good) + 100


def test_metadata_must_be_a_json_object(tmp_path):
    for raw in (b"[1]", b"{", b"\xff", b"[" * 100_000, b""):
        _core.write_container(tmp_path, "test", raw, [])
        with pytest.raises(CorruptFileError, match="metadata"):
            read_container(tmp_path, "test")


SAVER = """
import sys, numpy as np
from twotower.storage import write_container
folder, i = sys.argv[1], 0
print("ready", flush=True)
while True:
    i += 1
    write_container(folder, "test", {"i": i}, {"a": np.full(200_000, i), "b": np.full((3, i % 50), i, np.float32)})
"""


def test_a_kill_at_any_moment_leaves_an_old_or_a_new_generation(tmp_path):
    rng = np.random.default_rng(0)
    write_container(tmp_path, "test", {"i": 0}, {"a": np.zeros(200_000, np.int64), "b": np.empty((3, 0), np.float32)})
    last = 0
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", SAVER, tmp_path], stdout=subprocess.PIPE)
        assert child.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + rng.uniform(0.0, 0.15)
        while time.monotonic() < deadline:  # a reader beside the writer sees whole generations only
            check_generation(tmp_path)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        last = max(last, check_generation(tmp_path))
    assert last > 0
    write_container(tmp_path, "test", {"i": -1}, {"a": np.full(200_000, -1), "b": np.empty((3, 49), np.float32)})
    assert len(files_of(tmp_path)) == 2


def check_generation(folder):
    meta, arrays = read_container(folder, "test")
    i = meta["i"]
    assert (arrays["a"] == i).all()
    assert arrays["b"].shape == (3, i % 50)
    assert (arrays["b"] == i).all()
    return i


def test_two_savers_at_once_one_is_refused_and_the_result_is_whole(tmp_path):
    script = """
import sys, numpy as np
from twotower.errors import FileError
from twotower.storage import write_container
done = refused = 0
for i in range(60):
    try:
        b = np.full((3, i % 50), i, np.float32)
        write_container(sys.argv[1], "test", {"i": i}, {"a": np.full(300_000, i), "b": b})
        done += 1
    except FileError as error:
        assert "is saving to" in str(error), error
        refused += 1
print(done, refused)
"""
    savers = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    counts = [saver.communicate(timeout=120)[0].split() for saver in savers]
    assert all(saver.returncode == 0 for saver in savers)
    assert all(int(done) + int(refused) == 60 for done, refused in counts)
    assert sum(int(done) for done, _ in counts) > 0
    check_generation(tmp_path)
    assert len(files_of(tmp_path)) == 2


def test_write_file_atomically(tmp_path):
    path = tmp_path / "f.json"
    for data in (b"", b"a\0b", b"x" * 3_000_000):
        write_file_atomically(path, data)
        assert path.read_bytes() == data
    assert files_of(tmp_path) == [path]
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    with pytest.raises(FileError, match="nowhere"):
        write_file_atomically(tmp_path / "nowhere" / "f", b"")


def test_replace_folder_swaps_whole_folders(tmp_path):
    target, fresh = tmp_path / "model", tmp_path / "model.new"
    for text in ("one", "two"):
        fresh.mkdir()
        (fresh / "f").write_text(text)
        replace_folder(fresh, target)
        assert (target / "f").read_text() == text
        assert not fresh.exists()
    with pytest.raises(FileError, match="no folder"):
        replace_folder(fresh, target)
    fresh.mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="not a folder"):
        replace_folder(fresh, tmp_path / "file")


def test_a_path_that_is_not_utf8_is_named_in_the_message(tmp_path):
    with pytest.raises(FileError, match=r"nothing saved at .*\\xff"):
        read_container(os.fsdecode(bytes(tmp_path) + b"/\xff"), "test")
