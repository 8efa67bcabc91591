"""One self-contained HTML page about runs: means, comparison, curves, differences, scores, learning, and the worst queries with why.

Takes runs, judgements and training logs; knows no searcher but BM25, with which it explains. Figures are computed first
(`Figures`, all plain numbers), then drawn: the page shows nothing that `Figures` does not hold.
"""

from twotower.reporting.build import Report, report
from twotower.reporting.figures import Figures

__all__ = ["Figures", "Report", "report"]
