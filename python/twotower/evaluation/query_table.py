"""One row a query, one column a measure: as arrays, CSV and Markdown.

Legend: Q judged queries, M measures.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twotower.data.rows import StrPath
from twotower.errors import InvalidInputError
from twotower.evaluation.measures import Measure
from twotower.evaluation.rankings import Values
from twotower.storage import write_file_atomically


@dataclass(frozen=True)
class QueryTable:
    """Values of several measures for each judged query.

    Attributes
    ----------
    query_ids : sequence of str, Q
        In the order of the judgements.
    measures : tuple of Measure, M
    values : ndarray of float64, shape [Q, M]
    n_missing : int
        Judged queries that the run lacks; they have 0 everywhere.
    warnings : tuple of str
        Signs that run and judgements do not belong together. All values are 0 then, whatever the system did.
    """

    query_ids: Sequence[str]
    measures: tuple[Measure, ...]
    values: Values
    n_missing: int
    warnings: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the measures."""
        return tuple(measure.name for measure in self.measures)

    def __len__(self) -> int:
        return len(self.query_ids)

    def column(self, name: str) -> Values:
        """Return the values of one measure; [Q].

        Raises
        ------
        InvalidInputError
            If it is not in the table.
        """
        if name not in self.names:
            raise InvalidInputError(f"no measure {name!r} in this table: it has {', '.join(self.names)}")
        return self.values[:, self.names.index(name)]

    def means(self) -> dict[str, float]:
        """Return the mean over all judged queries of each measure; the sum of those that count.

        Raises
        ------
        InvalidInputError
            If there is no judged query.
        """
        if not len(self):
            raise InvalidInputError("qrels has no query: there is nothing to average over")
        return {m.name: m.total(self.values[:, i]) for i, m in enumerate(self.measures)}

    def rows(self) -> Iterator[tuple[str, list[float]]]:
        """Yield the id and the values of each query."""
        for i, query_id in enumerate(self.query_ids):
            yield query_id, self.values[i].tolist()

    def to_csv(self, path: StrPath) -> None:
        """Write the table as CSV, atomically: a header, then one line a query with values that read back exactly."""
        write_csv({"": self}, path)

    def to_markdown(self, limit: int | None = 50) -> str:
        """Return the table as Markdown, with the means below; `limit` shows so many queries (None: all)."""
        lines = [f"| query | {' | '.join(self.names)} |", "|---|" + "---|" * len(self.names)]
        for number, (query_id, values) in enumerate(self.rows()):
            if number == limit:
                lines.append(f"| ... {len(self) - number} more | " + " | " * len(self.names))
                break
            lines.append(f"| {_cell(query_id)} | {' | '.join(f'{value:.4f}' for value in values)} |")
        if len(self):
            lines.append(f"| **all {len(self)}** | {' | '.join(f'{value:.4f}' for value in self.means().values())} |")
        return "\n".join(lines)


def write_csv(tables: Mapping[str, QueryTable], path: StrPath) -> None:
    """Write tables of the same queries side by side, atomically; a column is called "run measure", or "measure" for the run "".

    Raises
    ------
    InvalidInputError
        If the tables do not have the same queries.
    """
    names = [f"{run} {name}".strip() for run, table in tables.items() for name in table.names]
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # with CR LF, or an id with a CR would not be quoted
    writer.writerow(["query_id", *names])
    several = list(tables.values())
    if any(len(table) != len(several[0]) for table in several):
        raise InvalidInputError("the tables have different queries: measure all runs with the same judgements")
    for rows in zip(*(table.rows() for table in several), strict=True):
        if any(query_id != rows[0][0] for query_id, _ in rows):
            raise InvalidInputError("the tables have different queries: measure all runs with the same judgements")
        writer.writerow([rows[0][0], *(repr(value) for _, values in rows for value in values)])
    write_file_atomically(Path(path), text.getvalue().encode())


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
