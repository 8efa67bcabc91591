"""Tests marked gpu run where a CUDA device can be used; elsewhere they are skipped with the reason."""

import pytest

from twotower.hardware import backend


def pytest_configure(config):
    config.addinivalue_line("markers", "gpu: needs a CUDA device and a build with CUDA code")


def reason():
    found = backend()
    if not found.cuda_compiled:
        return "this build of twotower has no CUDA code"
    if not found.cuda_devices:
        return "no CUDA device (or no driver) on this machine"
    return None


def pytest_collection_modifyitems(items):
    missing = reason()
    for item in items:
        if missing and item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason=missing))
