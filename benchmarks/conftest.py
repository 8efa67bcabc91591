"""Which benchmarks a run of the whole test suite takes: those that end within seconds. `pytest benchmarks` takes all."""


def pytest_collection_modifyitems(config, items):
    if all("benchmarks" in argument for argument in config.args):
        return
    here = __file__.rpartition("/")[0]
    slow = [item for item in items if str(item.path).startswith(here) and not item.get_closest_marker("quick")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in set(slow)]
