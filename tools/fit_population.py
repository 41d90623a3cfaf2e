#!/usr/bin/env python3
"""Fits the generated population of faces (tests/support/src/population.rs) to real embeddings.

    facecore embed --json --detector yunet_n_dynamic.onnx --embedder mobilefacenet_128.onnx \
        lfw/*/*.jpg > embeddings.jsonl
    tools/fit_population.py embeddings.jsonl

Photographs are grouped by their folder, one folder a person. Prints what population.rs has as
`REFERENCE`, the parameters that come nearest to it at 512 dimensions, and what those give.
Needs numpy; takes about two minutes.
"""

import argparse
import itertools
import json
import pathlib

import numpy as np

QUANTILES = [0.01, 0.5, 0.99, 0.999, 0.9999, 0.99999]
DIRECTIONS = [1, 10, 32, 64]
DIMENSION = 512
# Two draws of so many strangers are averaged: the last quantile of 8 million pairs rests on 80 of them.
STRANGERS = 4000
SEEDS = (1, 2)


def read(path):
    """Unit embeddings and the folder of each; of several faces the one nearest to the photograph's centre."""
    vectors, people = [], []
    for line in open(path, encoding="utf-8"):
        photo = json.loads(line)
        if not photo.get("faces"):
            continue
        centre = np.array([photo["width"], photo["height"]]) / 2

        def off_centre(face):
            x1, y1, x2, y2 = face["box"]
            return np.hypot(*(np.array([x1 + x2, y1 + y2]) / 2 - centre))

        vectors.append(min(photo["faces"], key=off_centre)["embedding"])
        people.append(pathlib.PurePath(photo["image"]).parent.name)
    vectors = np.array(vectors, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.array(people)


def shares(vectors):
    """The shares of the variance in the first of the covariance's eigen-directions."""
    values = np.linalg.eigvalsh(np.cov(vectors.T))[::-1]
    return np.cumsum(values)[np.array(DIRECTIONS) - 1] / values.sum()


def impostors(vectors, people):
    first, second = np.triu_indices(len(vectors), 1)
    cosines = (vectors @ vectors.T)[first, second]
    different = people[first] != people[second]
    return cosines[different], cosines[~different]


def strangers(count, seed, ratio, bend, mean, groups, group_share):
    """Strangers as population.rs draws them, without the rotation, which changes no cosine."""
    rng = np.random.default_rng(seed)
    k = np.arange(DIMENSION)
    spread = np.sqrt(ratio**k * bend ** (k * (k - 1) / 2)).astype(np.float32)
    centres = rng.standard_normal((groups, DIMENSION), np.float32) * np.float32(group_share**0.5) + np.float32(mean)
    own = rng.standard_normal((count, DIMENSION), np.float32) * np.float32((1 - group_share) ** 0.5)
    vectors = spread * (own + centres[rng.integers(0, groups, count)])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def measure(parameters):
    found = []
    for seed in SEEDS:
        vectors = strangers(STRANGERS, seed, *parameters)
        cosines, _ = impostors(vectors, np.arange(STRANGERS))
        found.append((np.quantile(cosines, QUANTILES), shares(vectors)))
    return np.mean([q for q, _ in found], axis=0), np.mean([s for _, s in found], axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("embeddings", help="what `facecore embed --json` wrote")
    vectors, people = read(parser.parse_args().embeddings)
    different, same = impostors(vectors, people)
    quantiles, spectrum = np.quantile(different, QUANTILES), shares(vectors)
    print(f"{len(vectors)} photographs, {len(set(people))} people, {len(different)} pairs of different people")
    print("quantiles", QUANTILES, quantiles.round(4))
    print("shares   ", DIRECTIONS, spectrum.round(4))
    print("cosines of the same person, 1, 50, 99 %:", np.quantile(same, [0.01, 0.5, 0.99]).round(3))

    ratios = [np.exp(-1 / tau) for tau in (50, 53, 56)]
    bends = [0.99999, 0.99998, 0.99996]
    best = None
    for parameters in itertools.product(ratios, bends, [0.11, 0.12], [100], [0.16, 0.18, 0.20]):
        found = measure(parameters)
        miss = np.abs(found[0] - quantiles).max() + np.abs(found[1] - spectrum).max() / 2
        if best is None or miss < best[0]:
            best = (miss, parameters, *found)
    print("ratio, bend, mean, groups, group share:", *(round(float(value), 5) for value in best[1]))
    print("quantiles", best[2].round(4))
    print("shares   ", best[3].round(4))


if __name__ == "__main__":
    main()
