"""From texts to a pre-trained model in named steps: what the command line and the benchmark do."""

import time
from collections.abc import Sequence
from typing import Any

from twotower.errors import InvalidInputError
from twotower.pretraining.embeddings import start_from_words
from twotower.pretraining.pseudo_pairs import PAIRS
from twotower.text import Analyzer, Vocabulary, WordPiece
from twotower.towers import TwoTower
from twotower.training import train
from twotower.types import Collection


def joined_corpora(collections: Sequence[Collection]) -> Collection:
    """Return the texts of all collections as one corpus without queries; ids get the collection's number in front.

    Raises
    ------
    InvalidInputError
        If there is no collection.
    """
    if not collections:
        raise InvalidInputError("give at least one collection of texts")
    if len(collections) == 1:
        return Collection(collections[0].name, collections[0].corpus, {})
    corpus = {
        f"{number}/{doc_id}": document
        for number, collection in enumerate(collections)
        for doc_id, document in collection.corpus.items()
    }
    return Collection(" + ".join(collection.name for collection in collections), corpus, {})


def new_model(corpus: Collection, *, dim: int = 256, n_tokens: int | None = None, seed: int = 0) -> TwoTower:
    """Return an untrained average tower over the words of a corpus, or over `n_tokens` subwords learned from it."""
    texts = [document.full_text for document in corpus.corpus.values()]
    if n_tokens is not None:
        return TwoTower.average(WordPiece.train(texts, n_tokens, progress=False), dim=dim, max_terms=256, seed=seed)
    return TwoTower.average(Vocabulary.count(texts, Analyzer("english")), "english", dim=dim, seed=seed)


def run_step(
    model: TwoTower, step: str, corpus: Collection, labelled: Collection | None, **settings: Any
) -> dict[str, Any]:
    """Pre-train `model` by one step and return what was done, in numbers.

    Parameters
    ----------
    model : TwoTower
        Changed in place.
    step : {"word2vec", "ict", "titles"}
    corpus : Collection
    labelled : Collection, optional
        Its split "valid" chooses the best epoch of ict and titles; None: the last epoch is kept.
    **settings
        `epochs`, `batch_size`, `lr`, `seed`, `threads`, `progress`, `shuffle_labels`: of `twotower.train`. word2vec takes
        `epochs`, `seed`, `progress` and one thread.

    Raises
    ------
    InvalidInputError
        If the step is unknown, or as its function.
    """
    started = time.process_time()
    if step == "word2vec":
        texts = [document.full_text for document in corpus.corpus.values()]
        shared = {name: settings[name] for name in ("epochs", "seed", "progress") if name in settings}
        start_from_words(model, texts, **shared)
        return {"step": step, "cpu_seconds": round(time.process_time() - started, 1)}
    if step not in PAIRS:
        raise InvalidInputError(f"unknown step {step!r}: it must be one of word2vec, {', '.join(PAIRS)}")
    valid = None if labelled is None else "valid"
    history = train(model, PAIRS[step](corpus, labelled=labelled), valid=valid, **settings)
    seconds = round(time.process_time() - started, 1)
    return {
        "step": step,
        "cpu_seconds": seconds,
        "loss": history.losses[-1],
        "valid": history.best_valid,
        "epoch": history.best_epoch,
    }
