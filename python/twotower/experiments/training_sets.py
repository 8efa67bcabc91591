"""What well-known pretrained models were trained on, and what well-known collections were made from. Facts, no code.

Sources: the models' public cards and papers, named at each entry, as read in 2026. Entries name data sets whose texts or pairs were used
for training of the retrieval model itself; the language model below it has read much of the web besides.
"""

from typing import NamedTuple


class Model(NamedTuple):
    """Names of training sets, and where that is said."""

    trained_on: tuple[str, ...]
    source: str


class Origin(NamedTuple):
    """Training sets that a collection was made from, and larger ones that may hold it."""

    made_from: tuple[str, ...]
    may_be_in: tuple[str, ...] = ()


_ONE_BILLION_PAIRS = (
    "AllNLI", "AltLex", "CodeSearchNet", "COCO captions", "ELI5", "Flickr30k captions", "GooAQ", "MS MARCO", "Natural Questions",
    "PAQ", "Quora question pairs", "Reddit", "S2ORC", "SearchQA", "Sentence Compression", "Simple Wikipedia", "SPECTER", "SQuAD",
    "Stack Exchange", "TriviaQA", "WikiAnswers", "WikiHow", "Yahoo Answers",
)  # fmt: skip

MODELS: dict[str, Model] = {
    "all-MiniLM-L6-v2": Model(
        _ONE_BILLION_PAIRS, "card of sentence-transformers/all-MiniLM-L6-v2, table of training data"
    ),
    "all-MiniLM-L12-v2": Model(
        _ONE_BILLION_PAIRS, "card of sentence-transformers/all-MiniLM-L12-v2, table of training data"
    ),
    "all-mpnet-base-v2": Model(
        _ONE_BILLION_PAIRS, "card of sentence-transformers/all-mpnet-base-v2, table of training data"
    ),
    "multi-qa-MiniLM-L6-cos-v1": Model(
        ("ELI5", "GooAQ", "MS MARCO", "Natural Questions", "SearchQA", "Stack Exchange", "TriviaQA", "Yahoo Answers"),
        "card of sentence-transformers/multi-qa-MiniLM-L6-cos-v1, list of data sets",
    ),
    "msmarco-distilbert-base-tas-b": Model(("MS MARCO",), "Hofstätter et al. 2021, arXiv 2104.06967"),
    "dpr-question_encoder-single-nq-base": Model(
        ("Natural Questions",), "card of facebook/dpr-question_encoder-single-nq-base"
    ),
}
"""Pretrained model to the training sets that its makers name."""

ORIGINS: dict[str, Origin] = {
    "msmarco": Origin(("MS MARCO",)),
    "ms_marco": Origin(("MS MARCO",)),
    "trec-dl": Origin(("MS MARCO",)),
    "scifact": Origin(("S2ORC",)),
    "scidocs": Origin(("S2ORC", "SPECTER")),
    "trec-covid": Origin((), ("S2ORC",)),
    "nfcorpus": Origin((), ("S2ORC",)),
    "pubmed": Origin((), ("S2ORC",)),
    "cacm": Origin((), ("S2ORC",)),
    "cranfield": Origin((), ("S2ORC",)),
    "nq": Origin(("Natural Questions",), ("PAQ",)),
    "natural-questions": Origin(("Natural Questions",), ("PAQ",)),
    "trivia": Origin(("TriviaQA",), ("SearchQA",)),
    "squad": Origin(("SQuAD",), ("Wikipedia",)),
    "quora": Origin(("Quora question pairs",)),
    "cqadupstack": Origin(("Stack Exchange",)),
    "fiqa": Origin((), ("Stack Exchange", "Reddit")),
    "hotpotqa": Origin((), ("Wikipedia",)),
    "fever": Origin((), ("Wikipedia",)),
    "python-docs": Origin((), ("CodeSearchNet",)),
}
"""Beginning of a collection's name to its origin."""

TRAINING_SETS = sorted({name for model in MODELS.values() for name in model.trained_on})
"""All names of training sets."""


def origin_of(collection: str) -> Origin | None:
    """Return the origin of a collection by its name, or None; the longest name that fits decides.

    Examples
    --------
    >>> origin_of("msmarco-passage-32k").made_from
    ('MS MARCO',)
    """
    name = collection.rpartition("/")[2].lower()
    fitting = [
        beginning for beginning in ORIGINS if name == beginning or name.startswith((f"{beginning}-", f"{beginning} "))
    ]
    return ORIGINS[max(fitting, key=len)] if fitting else None
