"""Corpora, queries, judgements, triples and runs: readers and writers. Knows no tensor and no index."""

from twotower.data.load import SOURCES, load_collection
from twotower.data.msmarco import collection_from_records
from twotower.data.questions import Questions, read_questions
from twotower.data.traps import TrapItem, trap_items
from twotower.data.trec import read_qrels, read_run, write_qrels, write_run
from twotower.data.triples import Triple, collection_from_triples, read_triples, write_triples
from twotower.data.values import collection_from_values

__all__ = [
    "SOURCES",
    "Questions",
    "TrapItem",
    "Triple",
    "collection_from_records",
    "collection_from_triples",
    "collection_from_values",
    "load_collection",
    "read_qrels",
    "read_questions",
    "read_run",
    "read_triples",
    "trap_items",
    "write_qrels",
    "write_run",
    "write_triples",
]
