"""The notation of ir-measures: ``nDCG(dcg='exp-log2')@10``. Knows no metric.

Names are parsed as Python expressions, never run.
"""

import ast
from typing import Any

from twotower.errors import InvalidInputError

LONGEST = 300
_FORM = "write METRIC, (NAME=VALUE, ...) if wanted, @CUTOFF if wanted, such as nDCG@10 or P(rel=2)@5"


def parse_notation(name: str) -> tuple[str, dict[str, Any], Any]:
    """Return the metric's name, its parameters in parentheses, and what stands behind @ (None: nothing).

    Raises
    ------
    InvalidInputError
        If the form is wrong.

    Examples
    --------
    >>> parse_notation("RBP(p=0.8, rel=2)@10")
    ('RBP', {'p': 0.8, 'rel': 2}, 10)
    """
    try:
        if len(name) > LONGEST:
            raise ValueError("too long")
        node = ast.parse(name.strip(), mode="eval").body
        at = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            at, node = ast.literal_eval(node.right), node.left
        given: dict[str, Any] = {}
        if isinstance(node, ast.Call):
            if node.args or any(keyword.arg is None for keyword in node.keywords):
                raise ValueError("parameters need names")
            given, node = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords}, node.func
        if not isinstance(node, ast.Name):
            raise TypeError("no name of a metric")
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise InvalidInputError(f"measure {name[:LONGEST]!r}: {_FORM}") from error
    return node.id, given, at
