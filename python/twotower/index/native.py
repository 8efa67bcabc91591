"""The room's one door to the C++ core: ``from twotower.index.native import core``."""

from twotower import _core as core

__all__ = ["core"]
