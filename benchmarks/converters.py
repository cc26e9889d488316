"""Converters alone, on made-up people whose target is known: `python benchmarks/converters.py`.

`--large-pose`: sources turned by less than 30 degrees, driving faces by 60 to 75 (DG, section 4.1).

ACE: mean absolute error of a coordinate in pixels of a 256 px crop, in the plane, over 1,000 triples of people
that no training drew, and over 6,000 of 20 such people among themselves. Separability: how often a linear
discriminant names the driving person, among the 20, from the target landmarks; the true targets show what
chance is, copying shows what there is to be found. `lst-known` is LSt as GLG has it, by each person's mean and
deviation over some 300 pictures; it knows nobody but the 20.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reenact.data.synthetic import LARGE_POSE, TripleOptions, Triples, landmark_triples
from reenact.errors import ReenactError
from reenact.evaluation.converters import morphable_transfer
from reenact.evaluation.metrics.ace import ace
from reenact.geometry.align import apply, crop_matrix
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.schemes import convert_points
from reenact.systems import CONVERTERS
from reenact.systems.crop import state_square
from reenact.systems.glg.lst import SIDE, KnownStyle, Person
from reenact.systems.spec import ConverterSpec, SourceFace, TargetShape
from reenact.types import Floats, Scheme

SEED = 20_261_120
SCHEME: Scheme = "ibug68"
PEOPLE, MOMENTS = 20, 6000
KNOWN = "lst-known"


class Faces:
    """Triples, and their driving and source faces as converters see them, each fitted once."""

    def __init__(self, model: FaceModel, triples: Triples) -> None:
        nothing = np.zeros((256, 256, 3), np.uint8)
        self.triples = triples
        self.driving = [TargetShape(points, model.fit(points)) for points in triples.driving]
        self.sources = [
            SourceFace(nothing, points, model.fit(points), None, (False,) * 4) for points in triples.source
        ]
        self.targets = np.stack([convert_points(points, SCHEME)[:, :2] for points in triples.target])


def converted(spec: ConverterSpec, model: FaceModel, faces: Faces) -> Floats:
    """What a converter makes of each triple, (T, 68, 2)."""
    analytic, made = morphable_transfer(model), []
    for driving, source in zip(faces.driving, faces.sources, strict=True):
        if spec.load is None:
            made.append(replace(driving, points=analytic(driving.points, source.points)))
        else:
            made.append(spec.load(source).convert(driving))
    return np.stack([one.in_scheme(SCHEME)[:, :2] for one in made])


def by_each_persons_pictures(faces: Faces) -> Floats:
    """What LSt makes of each triple, (T, 68, 2), by the statistics of both people over all their driving
    faces."""
    upright = np.stack(
        [
            apply(crop_matrix(state_square(face.state), SIDE), face.in_scheme(SCHEME)[:, :2])
            for face in faces.driving
        ]
    )
    driver, source = faces.triples.driving_person, faces.triples.source_person
    people = {name: Person.of(upright[driver == name]) for name in range(PEOPLE)}
    pairs = zip(faces.driving, driver.tolist(), source.tolist(), strict=True)
    return np.stack([KnownStyle(people[a], people[b]).convert(face).points for face, a, b in pairs])


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


def main() -> None:
    """Print a row a converter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--converters", default=",".join((*CONVERTERS, KNOWN)), help="which, with commas")
    parser.add_argument("--count", type=int, default=1000, help="triples for the ACE")
    parser.add_argument("--moments", type=int, default=MOMENTS, help="faces to tell people apart by")
    parser.add_argument("--large-pose", action="store_true", help="sources below 30 degrees, driving above 60")
    given = parser.parse_args()
    model = default_face_model()
    options = TripleOptions(pose=LARGE_POSE[0], source_pose=LARGE_POSE[1]) if given.large_pose else None
    strangers = Faces(model, landmark_triples(model, given.count, SEED, options=options))
    people = np.random.default_rng(SEED).standard_normal((PEOPLE, len(model.identity))).astype(np.float32)
    crowd = Faces(model, landmark_triples(model, given.moments, SEED + 1, identities=people, options=options))
    driver = crowd.triples.driving_person
    print("| converter | ACE, px | ACE of the 20, px | driving person named, % |\n| --- | --- | --- | --- |")
    print(f"| the true target | 0 | 0 | {100 * told_apart(crowd.targets, driver):.1f} |", flush=True)
    for name in given.converters.split(","):
        try:
            if name == KNOWN:
                alone, many = "", by_each_persons_pictures(crowd)
            else:
                made = converted(CONVERTERS[name], model, strangers)
                alone, many = f"{ace(made, strangers.targets):.3f}", converted(CONVERTERS[name], model, crowd)
        except ReenactError as error:
            print(f"| {name} | {error} | | |")
            continue
        of_20, named = ace(many, crowd.targets), 100 * told_apart(many, driver)
        print(f"| {name} | {alone} | {of_20:.3f} | {named:.1f} |", flush=True)


if __name__ == "__main__":
    main()
