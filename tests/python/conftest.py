"""What every test run prints and holds: how many tests were skipped, and none for missing data where the data is."""

import signal

import pytest

from real_data import ABSENT, ROOT


def pytest_configure():
    # A shell starts its background jobs with SIGINT ignored; the tests of Ctrl-C need it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def skips(terminalreporter):
    reports = terminalreporter.stats.get("skipped", [])
    missing = [r for r in reports if isinstance(r.longrepr, tuple) and ABSENT in r.longrepr[2]]
    return reports, missing


def pytest_terminal_summary(terminalreporter):
    reports, missing = skips(terminalreporter)
    where = "present" if ROOT.is_dir() else "absent"
    terminalreporter.write_line(f"skipped: {len(reports)}, for missing data: {len(missing)} (real data {where})")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if reporter and ROOT.is_dir() and skips(reporter)[1]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
