"""Converters alone, on made-up people whose target is known: `python benchmarks/converters.py`.

`--large-pose`: sources turned by less than 30 degrees, driving faces by 60 to 75 (DG, section 4.1).

ACE: mean absolute error of a coordinate in pixels of a 256 px crop, in the plane, over 1,000 triples of people
that no training drew. Separability: how often a linear discriminant names the driving person, among 20, from
the target landmarks; the true targets show what chance is, copying shows what there is to be found.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reenact.data.synthetic import LARGE_POSE, TripleOptions, Triples, landmark_triples
from reenact.errors import ReenactError
from reenact.evaluation.converters import morphable_transfer
from reenact.evaluation.metrics.ace import ace
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.systems import CONVERTERS
from reenact.systems.spec import ConverterSpec, SourceFace, TargetShape
from reenact.types import Floats, Points, Scheme

SEED = 20_261_120
SCHEME: Scheme = "ibug68"
PEOPLE, MOMENTS = 20, 6000


def converted(spec: ConverterSpec, model: FaceModel, triples: Triples) -> Iterator[Points]:
    """What a converter makes of each triple, (68, 2)."""
    nothing = np.zeros((256, 256, 3), np.uint8)
    analytic = morphable_transfer(model)
    for driving, source in zip(triples.driving, triples.source, strict=True):
        if spec.load is None:
            made = TargetShape(analytic(driving, source), model.fit(driving))
        else:
            face = SourceFace(nothing, source, model.fit(source), None, (False,) * 4)
            made = spec.load(face).convert(TargetShape(driving, model.fit(driving)))
        yield made.in_scheme(SCHEME)[:, :2]


def told_apart(points: Floats, person: NDArray[np.integer]) -> float:
    """Share of the second half of faces (T, 68, 2) whose person a discriminant of the first half names."""
    flat = points.reshape(len(points), -1).astype(np.float64)
    half = len(flat) // 2
    seen, names = flat[:half], person[:half]
    known = np.unique(names)
    means = np.stack([seen[names == name].mean(0) for name in known])
    rest = seen - means[np.searchsorted(known, names)]
    spread = rest.T @ rest / half
    spread += 1e-4 * np.trace(spread) / len(spread) * np.eye(len(spread))
    axes = np.linalg.solve(spread, means.T)
    score = flat[half:] @ axes - 0.5 * (means * axes.T).sum(1)
    return float((known[score.argmax(1)] == person[half:]).mean())


def in_scheme(points: Floats) -> Floats:
    """(T, 478, 3) as (T, 68, 2)."""
    from reenact.geometry.schemes import convert_points

    return np.stack([convert_points(one, SCHEME)[:, :2] for one in points])


def main() -> None:
    """Print a row a converter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--converters", default=",".join(CONVERTERS), help="which, with commas")
    parser.add_argument("--count", type=int, default=1000, help="triples for the ACE")
    parser.add_argument("--moments", type=int, default=MOMENTS, help="faces to tell people apart by")
    parser.add_argument("--large-pose", action="store_true", help="sources below 30 degrees, driving above 60")
    given = parser.parse_args()
    model = default_face_model()
    options = TripleOptions(pose=LARGE_POSE[0], source_pose=LARGE_POSE[1]) if given.large_pose else None
    triples = landmark_triples(model, given.count, SEED, options=options)
    people = np.random.default_rng(SEED).standard_normal((PEOPLE, len(model.identity))).astype(np.float32)
    crowd = landmark_triples(model, given.moments, SEED + 1, identities=people, options=options)
    truth, target = in_scheme(triples.target), in_scheme(crowd.target)
    print("| converter | ACE, px | driving person named, % |\n| --- | --- | --- |")
    print(f"| the true target | 0 | {100 * told_apart(target, crowd.driving_person):.1f} |")
    for name in given.converters.split(","):
        try:
            made = np.stack(list(converted(CONVERTERS[name], model, triples)))
            many = np.stack(list(converted(CONVERTERS[name], model, crowd)))
        except ReenactError as error:
            print(f"| {name} | {error} | |")
            continue
        print(f"| {name} | {ace(made, truth):.3f} | {100 * told_apart(many, crowd.driving_person):.1f} |")


if __name__ == "__main__":
    main()
