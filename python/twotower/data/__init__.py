"""Corpora, queries, judgements and runs: readers and writers. Knows no tensor and no index."""

from twotower.data.load import SOURCES, load_collection

__all__ = ["SOURCES", "load_collection"]
