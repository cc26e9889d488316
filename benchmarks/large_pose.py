"""Portraits in large poses (DG, figure 2, section 4.4): `python benchmarks/large_pose.py FACES... --out DIR`.

Each portrait is driven by faces of other people, turned by 60 to 75 degrees, made by the face model, so that
the target landmarks are known. `copy+dg` draws along the driving landmarks, `dg` along those of the shape
generator. A row a system: how often a face is found in the picture, how far its landmarks are from the target
(px of a 256 px crop, in the plane), and the cosine of its identity vector with the source's (dlib). The
portraits should be turned by less than 30 degrees; others are left out and counted.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reenact.data.synthetic import LARGE_POSE, turned_away
from reenact.errors import ReenactError
from reenact.evaluation.metrics import ace, angles, csim
from reenact.evaluation.scenes import Finder
from reenact.evaluation.sheets import sheet, strip
from reenact.geometry.align import face_square
from reenact.geometry.draw import landmark_map
from reenact.geometry.face_model import default_face_model, rotation_matrix, rotation_vector
from reenact.geometry.schemes import convert_points
from reenact.geometry.transfer import Blend, Drive
from reenact.media.stills import write_still
from reenact.perception.head_pose import HeadPose, pose_matrix
from reenact.perception.identity import IdentityEmbedder, open_identity
from reenact.pipeline.portrait import Portrait, Puppet, read_portrait
from reenact.types import Floats, Image, Landmarks, Points

SEED = 20_261_127
SIDE = 256
MOST_SOURCE_YAW = LARGE_POSE[1].yaw


@dataclass
class Figures:
    """Of one system, a number a picture; None where no face was found."""

    error: list[float | None] = field(default_factory=list)
    likeness: list[float | None] = field(default_factory=list)

    def row(self) -> str:
        """found %, mean error, mean likeness."""
        errors = [one for one in self.error if one is not None]
        alike = [one for one in self.likeness if one is not None]
        found = 100 * len(errors) / max(len(self.error), 1)
        means = " | ".join(f"{np.mean(of):.3f}" if of else "-" for of in (errors, alike))
        return f"{found:.0f} | {means}"


def drives(portrait: Portrait, count: int, rng: np.random.Generator) -> list[tuple[Drive, Floats]]:
    """`count` moments in large pose at the portrait's own place and size, each with an identity to drive it."""
    model, pose = default_face_model(), LARGE_POSE[0]
    own = model.fit(portrait.points)
    made = []
    for number in range(count):
        side = 1 if number % 2 else -1
        yaw = float(turned_away(side * rng.uniform(0, pose.yaw), pose))
        turn = pose_matrix(HeadPose(yaw, rng.uniform(-8, 8), 0.0))
        expression = (0.7 * rng.standard_normal(len(model.expression))).clip(-1.5, 1.5).astype(np.float32)
        driver = rng.standard_normal(len(model.identity)).astype(np.float32)
        made.append((Drive(rotation_vector(turn), own.scale, own.translation, expression), driver))
    return made


def compare(
    portrait: Portrait, systems: dict[str, Figures], count: int, finder: Finder, embedder: IdentityEmbedder
) -> Image:
    """Draw one portrait with all systems, add to their figures, and return the sheet."""
    moments = drives(portrait, count, np.random.default_rng(SEED))
    blend = Blend(relative=False, in_frame=True)
    own = embedder.embed(portrait.picture, Landmarks(portrait.points, "mesh478"))
    unit = SIDE / face_square(portrait.points).side
    strips: dict[str, Image] = {}
    for name, figures in systems.items():
        pictures, asked = [], []
        for drive, driver in moments:
            puppet = Puppet(portrait, name, blend, driver=driver)
            picture, target = puppet.render(drive, drive), puppet.target(drive, drive)
            pictures.append(picture)
            asked.append(_map(target, picture))
            found = finder(picture[..., :3])
            figures.error.append(None if found is None else unit * ace(_flat(found), _flat(target)))
            figures.likeness.append(
                None
                if found is None
                else csim(embedder.embed(picture[..., :3], Landmarks(found, "mesh478")), own)
            )
        strips.setdefault("target landmarks", strip(asked))
        strips[name] = strip(pictures)
    return sheet(portrait.picture[..., :3], strips)


def _flat(points: Points) -> Points:
    return convert_points(points, "ibug68")[:, :2]


def _map(points: Points, picture: Image) -> Image:
    height, width = picture.shape[:2]
    drawn = landmark_map(convert_points(points, "ibug68"), (height, width))
    return np.repeat((255 * drawn[0]).astype(np.uint8)[..., None], 3, 2)


def main() -> None:
    """Print a row a system and write a sheet a portrait."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", nargs="+", type=Path, help="portraits")
    parser.add_argument("--systems", default="copy+dg,dg,warp", help="which, with commas")
    parser.add_argument("--count", type=int, default=4, help="driving faces a portrait")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    given = parser.parse_args()
    systems = {name: Figures() for name in given.systems.split(",")}
    finder, embedder, model, left_out = Finder(), open_identity(), default_face_model(), 0
    given.out.mkdir(parents=True, exist_ok=True)
    for path in given.faces:
        try:
            portrait = read_portrait(path).scaled(SIDE)
        except ReenactError as error:
            print(error)
            continue
        if abs(angles(rotation_matrix(model.fit(portrait.points).rotation))[0]) >= MOST_SOURCE_YAW:
            left_out += 1
            continue
        drawn = compare(portrait, systems, given.count, finder, embedder)
        write_still(given.out / f"{path.stem}.jpg", drawn, quality=90)
    print(f"{left_out} portraits left out, turned by 30 degrees or more\n")
    print("| system | face found, % | landmark error, px | cosine to source |\n| --- | --- | --- | --- |")
    for name, figures in systems.items():
        print(f"| {name} | {figures.row()} |")


if __name__ == "__main__":
    main()
