"""The room's one door to the C++ core: ``from twotower.evaluation.native import core``."""

from twotower import _core as core

__all__ = ["core"]
