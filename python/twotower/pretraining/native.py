"""The only file of the room that touches the C++ core."""

from twotower._core import Word2VecTraining as NativeWord2Vec

__all__ = ["NativeWord2Vec"]
