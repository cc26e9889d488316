"""Sheets of every landmark scheme and every drawing.

    python docs/make_face_sheets.py [FOLDER [PICTURE ...]]

Without pictures: numbered schemes of scikit-image's astronaut (a NASA portrait in the public domain), and a
sheet of all schemes and drawings on four faces: the astronaut, the same turned by the warp, and two people
who do not exist, one in profile, drawn from the face model. With pictures: the same of them, for looking at.
FOLDER is docs/pictures by default.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from make_model_sheets import person, posed, shaded
from PIL import Image, ImageDraw

from reenact.geometry import draw
from reenact.geometry.align import FACE_MARGIN, Matrix, apply, crop_matrix, face_square, invert
from reenact.geometry.face_model import default_face_model, rotation_matrix, rotation_vector
from reenact.geometry.schemes import (
    MESH_TRIANGLES,
    PARTS,
    convert_outline,
    convert_points,
    signed_area,
    visible,
)
from reenact.geometry.transfer import Blend
from reenact.perception.detector import MeshDetector
from reenact.perception.head_pose import HeadPose, pose_matrix
from reenact.pipeline.portrait import Portrait, Puppet, drive_of
from reenact.types import Points, Scheme

SIDE = 768
TILE = 256
CLOSE = 1.4
"""Side of a tile in face heights."""
PAPER = "#f7f7f7"
COLOURS = ("#ff5a5a", "#ffd23f", "#5aff7a", "#5ad1ff", "#ff7af0", "#ff9a3c", "#b08cff", "#e8ff5a", "#5affe0")


def crop(image: Image.Image, matrix: Matrix, size: int) -> Image.Image:
    """The picture through a similarity, `size` x `size`."""
    inverse = invert(matrix)
    return image.transform(
        (size, size),
        Image.Transform.AFFINE,
        tuple(inverse.reshape(-1)),
        Image.Resampling.BICUBIC,
        fillcolor=PAPER,
    )


def scheme_sheet(
    image: Image.Image, points: Points, scheme: Scheme, seen: np.ndarray, numbers: bool = True
) -> Image.Image:
    """Points with or without their numbers, and part lines; hidden points as rings."""
    sheet = Image.eval(image, lambda v: v * 3 // 4)
    pen = ImageDraw.Draw(sheet)
    for part, colour in zip(PARTS[scheme], COLOURS * 2, strict=False):
        for a, b in part.edges:
            pen.line([tuple(points[a, :2]), tuple(points[b, :2])], fill=colour, width=1)
    size = 2 if numbers else 1.3
    for index, (x, y) in enumerate(points[:, :2]):
        box = [x - size, y - size, x + size, y + size]
        pen.ellipse(box, fill="white" if seen[index] else None, outline="white")
        if numbers and index < 106:
            pen.text((x + 2, y - 11), str(index), fill="white", font_size=10)
    return sheet


def mesh_sheet(image: Image.Image, points: Points, seen: np.ndarray, size: float = 2) -> Image.Image:
    """The triangles that face the viewer, visible points white, hidden ones red."""
    sheet = Image.eval(image, lambda v: v * 3 // 4)
    pen = ImageDraw.Draw(sheet)
    for triangle, area in zip(MESH_TRIANGLES, signed_area(points), strict=True):
        if area > 0:
            pen.polygon([tuple(points[i, :2]) for i in triangle], outline="#5ad1ff")
    for index, (x, y) in enumerate(points[:, :2]):
        pen.ellipse([x - size, y - size, x + size, y + size], fill="white" if seen[index] else "#ff3030")
    return sheet


def drawings(image: Image.Image, points: Points, seen: np.ndarray) -> list[np.ndarray]:
    """The five drawings (DG's twice, the second time without hidden points), and the last over the face."""
    size = image.width
    ibug = convert_points(points, "ibug68")
    grey = [
        draw.boundary_image(ibug, size),
        draw.sketch_map(convert_outline(points, "wflw98"), size),
        draw.landmark_map(ibug, size),
        draw.landmark_map(ibug, size, visible=seen_in("ibug68", seen)),
        draw.spline_heatmap(ibug, size),
    ]
    palette = np.array([[c >> 16, (c >> 8) & 255, c & 255] for c in (int(x[1:], 16) for x in COLOURS)])
    colour = np.zeros((size, size, 3))
    for channel, shade in zip(draw.parsing_map(convert_outline(points, "osfr146"), size), palette, strict=True):
        colour += (shade - colour) * channel[..., None]
    tiles = [np.repeat(g[:1], 3, 0).transpose(1, 2, 0) * 255 for g in grey]
    return [*tiles, colour, (np.asarray(image, float) + colour) / 2]


def seen_in(scheme: Scheme, seen: np.ndarray) -> np.ndarray:
    """(N,) bool of a scheme from that of the mesh."""
    return convert_points(seen[:, None].astype(np.float32), scheme)[:, 0] >= 0.5


def in_scheme(points: Points, scheme: Scheme) -> Points:
    """The scheme's points as its data sets mark them: 68 on the bone, the others on the visible outline."""
    return (convert_points if scheme == "ibug68" else convert_outline)(points, scheme)


def row(image: Image.Image, points: Points) -> np.ndarray:
    """All schemes and drawings of one face in a line of tiles: two lines of six."""
    seen = visible(points)
    schemes = [mesh_sheet(image, points, seen, 0.6)]
    for scheme in PARTS:
        schemes.append(scheme_sheet(image, in_scheme(points, scheme), scheme, seen_in(scheme, seen), False))
    tiles = [np.asarray(image, float), *(np.asarray(s, float) for s in schemes)]
    tiles += drawings(image, points, seen)
    return np.concatenate([np.concatenate(tiles[:6], 1), np.concatenate(tiles[6:], 1)])


def found(image: Image.Image) -> tuple[Image.Image, Points]:
    """The picture, and the face that is in it."""
    with MeshDetector() as detector:
        faces = detector.detect(np.asarray(image))
    if not faces:
        sys.exit("no face found in a picture")
    return image, faces[0].points


def cropped(
    image: Image.Image, points: Points, size: int, margin: float = FACE_MARGIN
) -> tuple[Image.Image, Points]:
    """The face crop of `size`, and the points in it."""
    matrix = crop_matrix(face_square(points, margin), size)
    return crop(image, matrix, size), apply(matrix, points)


def turned(image: Image.Image, points: Points, yaw: float) -> tuple[Image.Image, Points]:
    """The same person looking `yaw` degrees to the picture's right, by the system `warp`."""
    puppet = Puppet(Portrait(np.asarray(image), points), "warp", Blend())
    rest = drive_of(puppet.transfer.state)
    turn = pose_matrix(HeadPose(yaw, 0, 0)) @ rotation_matrix(rest.rotation)
    drive = replace(rest, rotation=rotation_vector(turn))
    return Image.fromarray(puppet.render(drive, rest)), puppet.target(drive, rest)


def invented(seed: int, wishes: dict[str, float], yaw: float) -> tuple[Image.Image, Points]:
    """Somebody who does not exist."""
    model = default_face_model()
    points = posed(model, person(seed, model), wishes, (yaw, 0, 0), SIDE)
    return Image.fromarray(shaded(points, SIDE)), points


def numbered(image: Image.Image, points: Points, folder: Path, stem: str) -> None:
    """Write each scheme of one face, large and with numbers."""
    face, placed = cropped(image, points, SIDE)
    seen = visible(placed)
    mesh_sheet(face, placed, seen).save(folder / f"{stem}-mesh478.jpg", quality=85)
    for scheme in PARTS:
        sheet = scheme_sheet(face, in_scheme(placed, scheme), scheme, seen_in(scheme, seen))
        sheet.save(folder / f"{stem}-{scheme}.jpg", quality=85)


def sheet(faces: Sequence[tuple[Image.Image, Points]], path: Path) -> None:
    """Write the schemes and drawings of several faces, two lines a face."""
    rows = [row(*cropped(image, points, TILE, CLOSE)) for image, points in faces]
    picture = Image.fromarray(np.concatenate(rows).round().astype(np.uint8))
    picture.save(path, quality=82)


def main() -> None:
    """Read the arguments and write the sheets."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) > 2:
        sheet([found(Image.open(name).convert("RGB")) for name in sys.argv[2:]], folder / "faces.jpg")
        return
    from skimage import data

    astronaut = found(Image.fromarray(data.astronaut()))
    numbered(*astronaut, folder, "astronaut")
    others = [turned(*astronaut, 32), invented(2, {"smile": 0.9, "jaw_open": 0.3}, -20), invented(5, {}, 78)]
    sheet([astronaut, *others], folder / "faces-drawings.jpg")


if __name__ == "__main__":
    main()
