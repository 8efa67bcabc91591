"""Question: does a Siamese time-delay network verify speakers that it never heard, better than without training and than DTW?

Data: Japanese Vowels (Kudo, Toyama and Shimbo 1999): nine speakers, two vowels in a row, 12 LPC coefficients, 7 to 29 frames; 270
      and 370 recordings. Looked for in the folder $TWOTOWER_JAPANESE_VOWELS (JapaneseVowels_TRAIN.ts, JapaneseVowels_TEST.ts), then in
      the installed packages aeon and sktime, which bring these files.
Folds: twelve of three test speakers each: the lines of the affine plane of nine points, so that any two speakers meet in one
      fold exactly. Of the six others the network hears everything, of the three nothing.
Trials: a speaker is enrolled with six recordings of the first file (five times, with disjoint ones); every recording of the second file by
      the three is a trial for each of them. One threshold for all three. EER by fold.
Chosen: by fold, among its six training speakers alone (two of them held out): network and score; for DTW mean or nearest distance.
Twins: the same network untrained, and trained on shuffled labels (with the same disguises: what these teach without labels).
Comparison: differences by fold (mean over seeds), 95 % bootstrap interval over the twelve folds.
Command: python benchmarks/japanese_vowels.py [--seeds 3]
"""

import argparse
import importlib.util
import itertools
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from twotower.towers.sequences import SequenceEncoder
from twotower.training.siamese import Disguise, train_siamese
from twotower.verification import SCORES, dtw_distances, enrol, error_curve, pack_template, unpack_template

VARIABLE = "TWOTOWER_JAPANESE_VOWELS"
FILES = ("JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts")
PACKAGES = {"aeon": "datasets/data/JapaneseVowels", "sktime": "datasets/data/JapaneseVowels"}
FOLDS = [tuple(sorted(3 * x + (a * x + b) % 3 for x in range(3))) for a in range(3) for b in range(3)]
FOLDS += [(0, 1, 2), (3, 4, 5), (6, 7, 8)]
GRID = [
    {"layers": [(64, 5, 1)], "disguise": Disguise(4, 0.7, 0.2)},
    {"layers": [(64, 5, 1)], "disguise": Disguise(4, 1.2, 0.3)},
    {"layers": [(32, 3, 1), (64, 3, 1)], "disguise": Disguise(4, 0.7, 0.2)},
]
TRAINING = {"steps": 250, "lr": 3e-3, "per_subject": 6, "n_subjects": 6}
N_ENROLMENTS, ENROLLED = 5, 6
AT_MOST = 0.05


class Recordings(NamedTuple):
    """Frames [L, 12] of each recording, and its speaker from 0 to 8."""

    frames: list
    speakers: np.ndarray


def find_folder():
    """Return the folder of the two files, or end with a list of the places looked at."""
    looked = []
    if os.environ.get(VARIABLE):
        looked.append(Path(os.environ[VARIABLE]))
    for package, inside in PACKAGES.items():
        spec = importlib.util.find_spec(package)  # finds the package without importing it
        if spec is not None and spec.origin is not None:
            looked.append(Path(spec.origin).parent / inside)
    for folder in looked:
        if all((folder / name).is_file() for name in FILES):
            return folder
    raise SystemExit(
        f"Japanese Vowels is not there: looked for {' and '.join(FILES)} in {[str(folder) for folder in looked] or 'no folder'}. "
        f"Set {VARIABLE} to a folder with these files, or pip install --no-deps aeon (or sktime), which bring them"
    )


def read(path):
    """Read a .ts file: a recording a line, channels between colons, the label last."""
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.strip().lower() == "@data":
            break
    frames, speakers = [], []
    for line in lines:
        *channels, label = line.strip().split(":")
        frames.append(np.array([[float(value) for value in channel.split(",")] for channel in channels]).T)
        speakers.append(int(label) - 1)
    return Recordings(frames, np.array(speakers))


def curve_of(first, second, speakers, score):
    """Pool the trials of `speakers`; ``score(rows)`` gives each recording of the second file a score against enrolled rows."""
    genuine, impostor = [], []
    of_these = np.isin(second.speakers, speakers)
    for speaker in speakers:
        own = np.flatnonzero(first.speakers == speaker)
        for group in range(N_ENROLMENTS):
            rows = own[group::N_ENROLMENTS][:ENROLLED]
            scores = score(rows)
            genuine.append(scores[second.speakers == speaker])
            impostor.append(scores[of_these & (second.speakers != speaker)])
    return error_curve(np.concatenate(genuine), np.concatenate(impostor))


class Network:
    """An encoder over frames scaled by the training speakers' mean and deviation."""

    def __init__(self, first, second, speakers, config, seed, *, trained, shuffled=False):
        chosen = [
            (frames, speaker)
            for part in (first, second)
            for frames, speaker in zip(part.frames, part.speakers, strict=True)
            if speaker in speakers
        ]
        everything = np.concatenate([frames for frames, _ in chosen])
        self.mean, self.deviation = everything.mean(axis=0), everything.std(axis=0)
        self.encoder = SequenceEncoder(12, config["layers"], seed=seed)
        if trained:
            labels = [speaker for _, speaker in chosen]
            if shuffled:
                labels = np.random.default_rng(seed).permutation(labels)
            recordings = self.scaled([frames for frames, _ in chosen])
            train_siamese(self.encoder, recordings, labels, disguise=config["disguise"], seed=seed, **TRAINING)
        self.vectors = [self.encoder.encode(self.scaled(part.frames)) for part in (first, second)]

    def scaled(self, frames):
        return [(part - self.mean) / self.deviation for part in frames]

    def curve(self, first, second, speakers, kind):
        enrolled, trials = self.vectors
        return curve_of(first, second, speakers, lambda rows: enrol(enrolled[rows]).scores(trials, kind))

    def curve_of_templates(self, first, second, speakers):
        """The mean cosine, with no more kept of a speaker than 80 bytes."""
        enrolled, trials = self.vectors
        units = trials / np.linalg.norm(trials, axis=1, keepdims=True)

        def score(rows):
            mean = unpack_template(pack_template(enrol(enrolled[rows]).mean))
            return units @ (mean / np.linalg.norm(mean))

        return curve_of(first, second, speakers, score)


def choose(first, second, speakers, fold):
    """Return configuration and scores (trained, untrained) that do best on two held-out training speakers."""
    held_out = speakers[2 * (fold % 3) :][:2]
    heard = [speaker for speaker in speakers if speaker not in held_out]
    found, untrained = [], []
    for config in GRID:
        for trained, rows in ((True, found), (False, untrained)):
            network = Network(first, second, heard, config, 0, trained=trained)
            rows += [
                (network.curve(first, second, held_out, kind).equal_error_rate, kind, config) for kind in sorted(SCORES)
            ]
    best = min(found, key=lambda row: row[0])
    kind_untrained = min((row for row in untrained if row[2] is best[2]), key=lambda row: row[0])[1]
    return best[2], best[1], kind_untrained


def dtw_rate(first, second, distances, speakers, test):
    """EER on the test speakers, with mean or nearest distance as suits the training speakers."""
    pools = {"mean": np.mean, "nearest": np.min}
    rates = {
        name: curve_of(
            first, second, speakers, lambda rows, pool=pool: -pool(distances[:, rows], axis=1)
        ).equal_error_rate
        for name, pool in pools.items()
    }
    pool = pools[min(rates, key=rates.get)]
    return curve_of(first, second, test, lambda rows: -pool(distances[:, rows], axis=1))


def one_fold(first, second, distances, number, seeds):
    """Return the figures of a fold; lists are by seed."""
    test = list(FOLDS[number])
    speakers = [speaker for speaker in range(9) if speaker not in test]
    config, kind, kind_untrained = choose(first, second, speakers, number)
    dtw = dtw_rate(first, second, distances, speakers, test)
    found = {"dtw": [dtw.equal_error_rate], "accepted_dtw": [dtw.at_false_accepts(AT_MOST).genuine_accepts]}
    for seed in range(seeds):
        untrained = Network(first, second, speakers, config, seed, trained=False)
        shuffled = Network(first, second, speakers, config, seed, trained=True, shuffled=True)
        trained = Network(first, second, speakers, config, seed, trained=True)
        curve = trained.curve(first, second, test, kind)
        figures = {
            "untrained": untrained.curve(first, second, test, kind_untrained).equal_error_rate,
            "shuffled": shuffled.curve(first, second, test, kind).equal_error_rate,
            "trained": curve.equal_error_rate,
            "accepted": curve.at_false_accepts(AT_MOST).genuine_accepts,
            "mean_cosine": trained.curve(first, second, test, "mean_cosine").equal_error_rate,
            "template": trained.curve_of_templates(first, second, test).equal_error_rate,
        }
        for name, value in figures.items():
            found.setdefault(name, []).append(value)
    found["chosen"] = {**config, "disguise": vars(config["disguise"]), "score": kind, "score_untrained": kind_untrained}
    return found


def interval(differences):
    draw = np.random.default_rng(0)
    means = draw.choice(differences, (10_000, len(differences))).mean(axis=1)
    return np.percentile(means, [2.5, 97.5])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=len(FOLDS), help="only the first so many: for a quick look")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = find_folder()
    first, second = (read(folder / name) for name in FILES)
    assert set(itertools.chain(*(itertools.combinations(fold, 2) for fold in FOLDS))) == set(
        itertools.combinations(range(9), 2)
    )
    distances = dtw_distances(second.frames, first.frames)
    folds = []
    for number in range(options.folds):
        folds.append(one_fold(first, second, distances, number, options.seeds))
        print(json.dumps({"fold": FOLDS[number], **folds[-1]}), flush=True)
    by_fold = {name: np.array([np.mean(fold[name]) for fold in folds]) for name in folds[0] if name != "chosen"}
    print("\n| verifier | EER | lowest to highest fold |\n|---|---|---|")
    for name in ("dtw", "untrained", "shuffled", "trained", "mean_cosine", "template"):
        print(f"| {name} | {by_fold[name].mean():.4f} | {by_fold[name].min():.4f} to {by_fold[name].max():.4f} |")
    for name in ("accepted_dtw", "accepted"):
        print(f"{name}: {by_fold[name].mean():.3f} of genuine trials at no more than {AT_MOST:.0%} of impostors")
    print("\n| difference in EER | mean | 95 % interval over folds | folds below 0 |\n|---|---|---|---|")
    pairs = [("trained", other) for other in ("untrained", "shuffled", "dtw")] + [("template", "mean_cosine")]
    for name, other in pairs:
        differences = by_fold[name] - by_fold[other]
        low, high = interval(differences)
        print(
            f"| {name} - {other} | {differences.mean():+.4f} | {low:+.4f} to {high:+.4f} | {(differences < 0).sum()} of {len(folds)} |"
        )


if __name__ == "__main__":
    main()
