"""Measures of a user who goes on or stops: RBP, BPM, INST, INSQ, SDCG, NERR8 to NERR11.

Knows the C/W/L framework: C(i) is the chance to go on behind place i, W(i) the share of attention that place i gets, the product
of the C before it over the sum of all such products; the value is the sum of W(i) times gain. Gains are grades scaled to [0, 1].
The goal is what the papers and ir-measures call T: the gain that a user wants.

Legend: Q queries, B queries of one block, D places that a user may see (1000, as cwl_eval).
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError
from twotower.evaluation.rankings import Rankings, Values

DEPTH = 1000
_BLOCK = 1024  # queries whose gains are held at once: 8 MB
Continuation = Callable[[Values, Values], Values | npt.NDArray[np.bool_]]
"""From gains [B, D] and places [D] to C, of a shape that broadcasts to [B, D]."""


def rank_biased_precision(rankings: Rankings, *, k: int | None = None, p: float = 0.8, rel: int) -> Values:
    """Return (1 - p) times the sum of p^(place - 1) over relevant documents.

    Notes
    -----
    Moffat and Zobel 2008; the whole list counts, not its first 1000 places alone.
    """
    found = rankings.found(k, rel)
    weights: Values = np.power(p, rankings.place[found] - 1.0)
    return (1 - p) * rankings.sums(rankings.query[found], weights)


def bejeweled_player(rankings: Rankings, *, k: int, goal: float = 1.0, min_rel: int = 0, max_rel: int) -> Values:
    """Return the static BPM: the user stops with a gain of `goal`, or after k documents (Zhang et al. 2017)."""
    return _expected(rankings, min_rel, max_rel, lambda gain, i: (np.cumsum(gain, axis=1) < goal) & (i < k))


def insq(rankings: Rankings, *, goal: float = 1.0, min_rel: int = 0, max_rel: int) -> Values:
    """Return INSQ: C(i) = ((i + 2T - 1) / (i + 2T))^2 (Moffat, Scholer and Thomas 2012)."""
    return _expected(rankings, min_rel, max_rel, lambda _, i: ((i + 2 * goal - 1) / (i + 2 * goal)) ** 2)


def inst(rankings: Rankings, *, goal: float = 1.0, min_rel: int = 0, max_rel: int) -> Values:
    """Return INST: as INSQ, but T minus the gain so far counts (Moffat et al. 2015)."""

    def goes_on(gain: Values, i: Values) -> Values:
        reach = i + 2 * goal - np.cumsum(gain, axis=1)
        chance: Values = ((reach - 1) / reach) ** 2
        return chance

    return _expected(rankings, min_rel, max_rel, goes_on)


def scaled_dcg(rankings: Rankings, *, k: int, dcg: str = "log2", min_rel: int = 0, max_rel: int) -> Values:
    """Return DCG@k over that of k documents of the highest grade."""
    return _expected(rankings, min_rel, max_rel, lambda _, i: np.log2(i + 1) / np.log2(i + 2) * (i < k))


def nerr8(rankings: Rankings, *, k: int, min_rel: int = 0, max_rel: int) -> Values:
    """Return NERR with C(i) = 1 - gain, up to k (Azzopardi, Mackenzie and Moffat 2021, equation 8)."""
    return _expected(rankings, min_rel, max_rel, lambda gain, i: (1 - gain) * (i < k))


def nerr9(rankings: Rankings, *, k: int, min_rel: int = 0, max_rel: int) -> Values:
    """Return NERR with C(i) = (1 - gain) i / (i + 1), up to k (equation 9)."""
    return _expected(rankings, min_rel, max_rel, lambda gain, i: (1 - gain) * i / (i + 1) * (i < k))


def nerr10(rankings: Rankings, *, p: float = 0.9, min_rel: int = 0, max_rel: int) -> Values:
    """Return NERR with C(i) = p (1 - gain) (equation 10)."""
    return _expected(rankings, min_rel, max_rel, lambda gain, _: p * (1 - gain))


def nerr11(rankings: Rankings, *, goal: float = 1.0, min_rel: int = 0, max_rel: int) -> Values:
    """Return NERR with INSQ's C times 1 - gain (equation 11)."""
    return _expected(
        rankings, min_rel, max_rel, lambda gain, i: ((i + 2 * goal - 1) / (i + 2 * goal)) ** 2 * (1 - gain)
    )


def _expected(rankings: Rankings, min_rel: int, max_rel: int, continuation: Continuation) -> Values:
    if min_rel >= max_rel:
        raise InvalidInputError(
            f"min_rel={min_rel} must be below max_rel={max_rel}: they are the ends of the grades' scale"
        )
    places = np.arange(1.0, DEPTH + 1)
    values = np.zeros(rankings.n_queries)
    for begin, gain in _gains(rankings, min_rel, max_rel):
        goes_on = np.broadcast_to(continuation(gain, places), gain.shape)[:, :-1].astype(np.float64)
        reaches = np.hstack([np.ones((len(gain), 1)), np.cumprod(goes_on, axis=1)])
        values[begin : begin + len(gain)] = (reaches * gain).sum(axis=1) / reaches.sum(axis=1)
    return values


def _gains(rankings: Rankings, min_rel: int, max_rel: int) -> Iterator[tuple[int, Values]]:
    """Yield the number of the first query of a block, and gains [B, D]."""
    seen = rankings.place <= DEPTH
    query, place = rankings.query[seen], rankings.place[seen]
    scaled = (np.clip(np.maximum(rankings.grade[seen], 0), min_rel, max_rel) - min_rel) / (max_rel - min_rel)
    for begin in range(0, rankings.n_queries, _BLOCK):
        gain = np.zeros((min(_BLOCK, rankings.n_queries - begin), DEPTH))
        here = slice(*np.searchsorted(query, (begin, begin + len(gain))))
        gain[query[here] - begin, place[here] - 1] = scaled[here]
        yield begin, gain
