"""The graph of an HNSW index as plain arrays: out of hnswlib, checked, and back into it.

hnswlib believes whatever state it is given and follows links without looking, so every number of a file is checked here
first. Knows hnswlib's memory layout (version 0.8); knows no file and no query.

Legend: N documents, D dimensions, M links a node (2 M on level 0), U the sum of all levels.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import hnswlib
import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError

MAX_M = 256
MAX_EF_CONSTRUCTION = 2**20


class Options(NamedTuple):
    """What a graph is built with."""

    m: int
    ef_construction: int
    seed: int


class Graph(NamedTuple):
    """Links of every node on every level; N is at least 1.

    Attributes
    ----------
    entry_point : int
        The node that a search starts from; it is on the highest level.
    levels : ndarray of uint8, shape [N]
        Highest level of each node.
    links0 : ndarray of uint32, shape [N, 1 + 2 M]
        Level 0: number of links, then so many DocIds; the rest of a row is not used.
    links : ndarray of uint32, shape [U, 1 + M]
        The same for levels 1, 2, ... of node 0, then of node 1, and so on.
    """

    entry_point: int
    levels: npt.NDArray[np.uint8]
    links0: npt.NDArray[np.uint32]
    links: npt.NDArray[np.uint32]


def extract(index: hnswlib.Index) -> Graph:
    """Return the graph of an index whose nodes were added in DocId order by one thread."""
    state = index.__getstate__()[0]
    level0 = state["data_level0"].view(np.uint8).reshape(-1, state["size_data_per_element"])
    return Graph(
        entry_point=int(state["enterpoint_node"]),
        levels=state["element_levels"].astype(np.uint8),
        links0=level0[:, : state["offset_data"]].copy().view(np.uint32),
        links=state["link_lists"].view(np.uint32).reshape(-1, 1 + int(state["max_M"])),
    )


def restore(graph: Graph, options: Options, vectors: npt.NDArray[np.float32]) -> hnswlib.Index:
    """Make the index of a graph that `read_graph` has checked."""
    n, dim = vectors.shape
    level0 = np.zeros(n, [("links", "u4", graph.links0.shape[1]), ("vector", "f4", dim), ("label", "u8")])
    level0["links"] = graph.links0
    level0["vector"] = vectors
    level0["label"] = np.arange(n)
    state = new_index(dim, n, options).__getstate__()[0]  # the sizes and constants that this hnswlib computes
    nodes = np.arange(n)
    state.update(
        ep_added=True,
        cur_element_count=n,
        max_level=int(graph.levels.max()),
        enterpoint_node=graph.entry_point,
        label_lookup_external=nodes.astype(np.uint64),
        label_lookup_internal=nodes.astype(np.uint32),
        element_levels=graph.levels.astype(np.int32),
        data_level0=level0.view(np.int8),
        link_lists=np.ascontiguousarray(graph.links).reshape(-1).view(np.int8),
    )
    return hnswlib.Index(params=state)


def new_index(dim: int, n: int, options: Options) -> hnswlib.Index:
    """Return an hnswlib index for `n` nodes, still without any, for inner products."""
    index = hnswlib.Index(space="ip", dim=dim)
    m, ef_construction, seed = options
    index.init_index(max_elements=n, M=m, ef_construction=ef_construction, random_seed=seed)
    return index


def read_options(meta: Mapping[str, Any], where: str) -> Options:
    """Return the options of a file.

    Raises
    ------
    CorruptFileError
        If one is missing or out of its range.
    """
    return Options(
        m=_integer(meta, "m", 2, MAX_M, where),
        ef_construction=_integer(meta, "ef_construction", 1, MAX_EF_CONSTRUCTION, where),
        seed=_integer(meta, "seed", 0, 2**63 - 1, where),
    )


def read_graph(meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], m: int, n: int, where: str) -> Graph:
    """Return the graph of a file, after checking all that hnswlib would believe.

    Parameters
    ----------
    meta, arrays : mapping
        What the file holds.
    m, n : int
        Links a node, and number of nodes.
    where : str
        What messages call the file.

    Raises
    ------
    CorruptFileError
        If a number is missing or out of range, a shape does not follow from the others, or a link leads nowhere.
    """
    levels = _array(arrays, "levels", np.uint8, (n,), where)
    graph = Graph(
        entry_point=_integer(meta, "entry_point", 0, n - 1, where),
        levels=levels,
        links0=_array(arrays, "links0", np.uint32, (n, 1 + 2 * m), where),
        links=_array(arrays, "links", np.uint32, (int(levels.sum(dtype=np.int64)), 1 + m), where),
    )
    if graph.levels[graph.entry_point] != graph.levels.max():
        raise _corrupt(where, "the entry point is not on the highest level")
    _check_links(graph.links0, np.zeros(n, np.uint8), graph.levels, where)
    owners = np.repeat(np.arange(n), graph.levels)
    firsts = np.cumsum(graph.levels, dtype=np.int64) - graph.levels
    level_of_row = np.arange(len(graph.links)) - firsts[owners] + 1
    _check_links(graph.links, level_of_row.astype(np.uint8), graph.levels, where)
    return graph


def _check_links(
    links: npt.NDArray[np.uint32], row_levels: npt.NDArray[np.uint8], levels: npt.NDArray[np.uint8], where: str
) -> None:
    counts = links[:, 0]
    if (counts >= links.shape[1]).any():
        raise _corrupt(where, "a node has more links than m allows")
    used = np.arange(links.shape[1] - 1) < counts[:, np.newaxis]
    targets = np.where(used, links[:, 1:], 0)
    if (targets >= len(levels)).any():
        raise _corrupt(where, "a link leads to a document that does not exist")
    if (used & (levels[targets] < row_levels[:, np.newaxis])).any():
        raise _corrupt(where, "a link leads to a document that is not on its level")


def _integer(meta: Mapping[str, Any], name: str, least: int, most: int, where: str) -> int:
    value = meta.get(name)
    if type(value) is not int or not least <= value <= most:
        raise _corrupt(where, f"{name} is {value!r}, not an integer from {least} to {most}")
    return value


def _array(
    arrays: Mapping[str, npt.NDArray[Any]], name: str, dtype: type, shape: tuple[int, ...], where: str
) -> npt.NDArray[Any]:
    array = arrays.get(name)
    if array is None or array.dtype != dtype or array.shape != shape:
        raise _corrupt(where, f"{name} is not {dtype.__name__} {list(shape)}")
    return array


def _corrupt(where: str, problem: str) -> CorruptFileError:
    return CorruptFileError(f"{where}: the graph is malformed ({problem}); save the index again")
