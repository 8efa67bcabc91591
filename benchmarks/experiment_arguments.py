"""What the long experiments of this folder share: their options, and how pieces are made and tables printed."""

import argparse
import sys
from pathlib import Path

import torch

from twotower.experiments.pieces import run_pieces


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every long experiment has."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("data", type=Path, help="folder of the real collections (see tests/python/real_data.py)")
    made.add_argument("--out", type=Path, required=True, help="folder for finished pieces; a run goes on where it was")
    made.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ... (default 3)")
    made.add_argument("--threads", type=int, default=1, help="of torch and of indexes (default 1)")
    made.add_argument("--within", type=float, default=float("inf"), help="CPU seconds after which no piece is begun")
    made.add_argument("--only", default="", help="make only pieces whose key begins with one of these, with semicolons")
    made.add_argument("--tables", action="store_true", help="make nothing: print the tables of the finished pieces")
    return made


def make_pieces(arguments: argparse.Namespace, name: str, about: dict, pieces: list) -> dict:
    """Make what is asked for and not there yet; return all finished pieces by key."""
    torch.set_num_threads(arguments.threads)
    folder = arguments.out / name
    log = lambda line: print(f"{name}: {line}", file=sys.stderr, flush=True)  # noqa: E731
    begins = tuple(filter(None, arguments.only.split(";"))) or ("",)
    if not arguments.tables:
        run_pieces(folder, about, [p for p in pieces if p.key.startswith(begins)], log, arguments.within)
    return run_pieces(folder, about, pieces, within=-1.0)
