"""Saved folders: a checked container of arrays, and atomic replacement of files.

See docs/formats/container.md for every byte. Knows nothing of what the arrays mean.
"""
