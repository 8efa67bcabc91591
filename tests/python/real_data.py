"""The one place that knows where real collections are: TWOTOWER_DATA, else ../shared/data beside the checkout."""

import os
from pathlib import Path

import pytest

ABSENT = "real data is absent"
ROOT = Path(os.environ.get("TWOTOWER_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def require(name: str) -> Path:
    """Return the folder of a real collection; skip the test, saying why, where the data is absent altogether.

    Where the data folder is present, a collection missing from it is a failure, never a skip.
    """
    if not ROOT.is_dir():
        pytest.skip(f"{ABSENT}: set TWOTOWER_DATA to a folder with {name}")
    folder = ROOT / name
    assert folder.exists(), f"{ROOT} is there but has no {name}"
    return folder
