"""The engine: analyzer, BM25, towers, fusion and texts in one object and one saved folder."""

from twotower.engine.engine import Engine, EngineHit

__all__ = ["Engine", "EngineHit"]
