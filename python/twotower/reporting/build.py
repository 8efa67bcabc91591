"""`report`: from runs and judgements to a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

from twotower.evaluation.rankings import AnyQrels, AnyRun
from twotower.reporting.figures import Figures, compute
from twotower.reporting.material import gather
from twotower.reporting.page import render
from twotower.reporting.svg import need_extra
from twotower.storage import write_file_atomically
from twotower.training.log import History
from twotower.types import Collection

MEASURES = ("nDCG@10", "RR@10", "R@100", "AP")


@dataclass(frozen=True)
class Report:
    """A finished report.

    Attributes
    ----------
    figures : Figures
        All that the page shows, as numbers and texts.
    html : str
        The page: one file, no script, nothing loaded from elsewhere.
    """

    figures: Figures
    html: str

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page, atomically.

        Raises
        ------
        FileError
            If the system refuses.
        """
        write_file_atomically(path, self.html.encode())


def report(
    runs: Mapping[str, AnyRun],
    judged: Collection | AnyQrels,
    *,
    split: str = "test",
    measures: Sequence[str] = MEASURES,
    baseline: str | None = None,
    histories: Mapping[str, History | str | PathLike[str]] | None = None,
    worst: int = 10,
    seed: int = 0,
    threads: int = 0,
    name: str = "judgements",
    command: str | None = None,
) -> Report:
    """Make one page about runs: how good, where they differ, how they learned, where they fail and why.

    Parameters
    ----------
    runs : mapping of str to run
        By name.
    judged : Collection, or mapping of query_id to mapping of doc_id to grade
        With a collection, the page shows texts and explains the worst queries by BM25.
    split : str
        Of the collection.
    measures : sequence of str
        ir-measures names. The first compares and orders queries; its ``rel=`` says which grades are relevant in all curves.
    baseline : str, optional
        A name in `runs`, with which all others are compared; default: the first.
    histories : mapping of str to History or path, optional
        Trainings to draw: what `twotower.train` returned, a metrics.jsonl, or a folder that holds one.
    worst : int, 0 to 100
        Queries to show of each run, and wins and losses of each comparison.
    seed : int
        Of the resamples.
    threads : int
        For BM25; 0: every core.
    name : str
        What the page calls the judgements if there is no collection.
    command : str, optional
        What the page says that made it.

    Returns
    -------
    Report

    Raises
    ------
    InvalidInputError
        If there is no run, judged query or measure; if a run shares no query with the judgements; if the baseline, the split
        or a measure is unknown; if a history has no step.
    CorruptFileError, FileError
        If a history cannot be read.
    MissingExtraError
        Without the libraries of ``pip install "twotower[report]"``.

    Notes
    -----
    The same arguments give the same bytes: the page has no date. Definitions of all figures stand on the page.

    Examples
    --------
    >>> page = report({"good": {"q": {"a": 2.0, "b": 1.0}}, "bad": {"q": {"b": 1.0}}}, {"q": {"a": 1}}, measures=["RR"])
    >>> [(run.name, run.means["RR"].mean) for run in page.figures.runs]
    [('good', 1.0), ('bad', 0.0)]
    >>> page.save("report.html")  # doctest: +SKIP
    """
    need_extra()
    material = gather(runs, judged, split, measures, baseline, histories or {}, worst, name)
    figures = compute(material, seed=seed, threads=threads, command=command)
    return Report(figures, render(figures))
