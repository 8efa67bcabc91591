"""How weights were found: on which judgements, what else was tried. Knows not how weights are looked for."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from twotower.errors import InvalidInputError
from twotower.types import Collection

Weights = tuple[float, ...]


@dataclass(frozen=True)
class TunedOn:
    """A part of the judgements that weights have seen: collection, its content's SHA-256, splits, judged queries."""

    collection: str
    fingerprint: str
    splits: tuple[str, ...]
    n_queries: int


@dataclass(frozen=True)
class Tuning:
    """How weights were found.

    Attributes
    ----------
    searchers : tuple of str
        Names, in the order of the weights.
    fusion : str
    normalise : str or None
    measure : str
    seen : tuple of TunedOn
    weights : tuple of float
        Those with the best mean; they sum to 1. Among equals the nearest to equal weights.
    means : dict of tuple of float to float
        Mean of the measure by weights, for all that were tried: over the queries of a collection, then over collections, each of
        which counts the same. With a single weight of 1 it is the mean of that searcher.
    """

    searchers: tuple[str, ...]
    fusion: str
    normalise: str | None
    measure: str
    seen: tuple[TunedOn, ...]
    weights: Weights
    means: dict[Weights, float]

    @property
    def best(self) -> float:
        """The mean of the measure at `weights`."""
        return self.means[self.weights]

    @property
    def n_queries(self) -> int:
        """Judged queries of all collections."""
        return sum(seen.n_queries for seen in self.seen)

    @property
    def weight(self) -> float:
        """The weight of the last searcher; of two, the first has the rest."""
        return self.weights[-1]

    @property
    def sensitivity(self) -> dict[float, float]:
        """What the weight of the last searcher matters: `profile` of it."""
        return self.profile(self.searchers[-1])

    def profile(self, searcher: str) -> dict[float, float]:
        """Return the mean by the weight of one searcher, ascending; with three or more searchers the best over the others' weights.

        Raises
        ------
        InvalidInputError
            If there is no searcher of that name.
        """
        if searcher not in self.searchers:
            raise InvalidInputError(f"no searcher is named {searcher!r}: choose one of {', '.join(self.searchers)}")
        place = self.searchers.index(searcher)
        profile: dict[float, float] = {}
        for weights, mean in self.means.items():
            profile[weights[place]] = max(mean, profile.get(weights[place], mean))
        return dict(sorted(profile.items()))

    def saw(self, collection: Collection, split: str) -> bool:
        """Tell whether the weights were found on this split of this collection."""
        digests = {seen.fingerprint for seen in self.seen if split in seen.splits}
        return bool(digests) and collection.fingerprint() in digests

    def to_markdown(self) -> str:
        """Return what was found, and a table of means by weight."""
        from twotower.search.sensitivity import to_markdown

        return to_markdown(self)

    def plot(self) -> str:
        """Return an SVG of the mean by the weight of each searcher; the same text for the same tuning.

        Raises
        ------
        MissingExtraError
            Without matplotlib, which ``pip install "twotower[report]"`` brings.
        """
        from twotower.search.sensitivity import to_svg

        return to_svg(self)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values; the means are a list of [weights, mean]."""
        means = [[list(weights), mean] for weights, mean in self.means.items()]
        return {**asdict(self), "means": means}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make the report that `to_dict` described.

        Raises
        ------
        InvalidInputError
            If the values are malformed.
        """
        try:
            means = {tuple(float(w) for w in weights): float(mean) for weights, mean in values["means"]}
            seen = tuple(TunedOn(**{**one, "splits": tuple(one["splits"])}) for one in values["seen"])
            lists = {name: tuple(values[name]) for name in ("searchers", "weights")}
            tuning = cls(**{**values, **lists, "means": means, "seen": seen})
        except (TypeError, ValueError, KeyError) as error:
            raise InvalidInputError(f"the tuning report is malformed ({error})") from error
        if not tuning._is_sound():
            raise InvalidInputError(f"the tuning report is malformed: {values!r:.200}")
        return tuning

    def _is_sound(self) -> bool:
        texts = [*self.searchers, self.fusion, self.measure]
        texts += [text for one in self.seen for text in (one.collection, one.fingerprint, *one.splits)]
        return (
            all(isinstance(text, str) for text in texts)
            and isinstance(self.normalise, str | None)
            and all(isinstance(one.n_queries, int) for one in self.seen)
            and self.weights in self.means
            and all(len(weights) == len(self.searchers) for weights in self.means)
        )
