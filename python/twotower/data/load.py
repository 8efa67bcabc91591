"""`load_collection`: one door to every kind of data. Knows which reader fits a source, not what is in the files."""

from twotower.registry import resolve
from twotower.types import Collection

SOURCES = {
    "python-docs": "twotower.data.python_docs:load_python_docs",
}
"""Collections that have a name."""


def load_collection(source: str) -> Collection:
    """Load a corpus with its queries and judgements.

    Parameters
    ----------
    source : str
        "python-docs".

    Examples
    --------
    >>> collection = load_collection("python-docs")
    >>> "json.loads" in collection.corpus
    True
    """
    loader = resolve(SOURCES, source, "collection")
    collection: Collection = loader()
    return collection
