"""Which collections of texts the core can read whole, without copies."""

from collections.abc import Callable
from typing import Any

import numpy as np


def is_column(texts: Any) -> bool:
    """Tell whether `texts` is a list, a tuple, a NumPy array, or an Arrow column that says so and can be asked.

    A pandas column offers Arrow's interface even where pyarrow is absent and nothing would come: it is then a stream
    like any other iterable.
    """
    if isinstance(texts, (list, tuple, np.ndarray)):
        return True
    if hasattr(texts, "__arrow_c_array__"):
        return True
    stream: Callable[[], object] | None = getattr(texts, "__arrow_c_stream__", None)
    if stream is None:
        return False
    return not type(texts).__module__.startswith("pandas") or _pyarrow_is_there()


def _pyarrow_is_there() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None
