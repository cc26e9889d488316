"""Sheets of every landmark scheme and every drawing on one face.

    python docs/make_face_sheets.py [PICTURE] [FOLDER]

Without a picture: scikit-image's astronaut (a NASA portrait in the public domain), into docs/pictures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from reenact.geometry import draw
from reenact.geometry.align import Matrix, apply, crop_matrix, face_square, invert
from reenact.geometry.schemes import (
    MESH_TRIANGLES,
    PARTS,
    convert_outline,
    convert_points,
    signed_area,
    visible,
)
from reenact.perception.detector import MeshDetector
from reenact.types import Points, Scheme

SIDE = 768
COLOURS = ("#ff5a5a", "#ffd23f", "#5aff7a", "#5ad1ff", "#ff7af0", "#ff9a3c", "#b08cff", "#e8ff5a", "#5affe0")


def crop(image: Image.Image, matrix: Matrix, size: int) -> Image.Image:
    """The picture through a similarity, `size` x `size`."""
    inverse = invert(matrix)
    return image.transform(
        (size, size), Image.Transform.AFFINE, tuple(inverse.reshape(-1)), Image.Resampling.BICUBIC
    )


def scheme_sheet(image: Image.Image, points: Points, scheme: Scheme, seen: np.ndarray) -> Image.Image:
    """Numbered points and part lines; hidden points as rings."""
    sheet = Image.eval(image, lambda v: v * 3 // 4)
    pen = ImageDraw.Draw(sheet)
    parts = PARTS[scheme]
    for part, colour in zip(parts, COLOURS * 2, strict=False):
        for a, b in part.edges:
            pen.line([tuple(points[a, :2]), tuple(points[b, :2])], fill=colour, width=1)
    for index, (x, y) in enumerate(points[:, :2]):
        box = [x - 2, y - 2, x + 2, y + 2]
        pen.ellipse(box, fill="white" if seen[index] else None, outline="white")
        if index < 106:
            pen.text((x + 2, y - 11), str(index), fill="white", font_size=10)
    return sheet


def mesh_sheet(image: Image.Image, points: Points, seen: np.ndarray) -> Image.Image:
    """The triangles that face the viewer, visible points white, hidden ones red."""
    sheet = Image.eval(image, lambda v: v * 3 // 4)
    pen = ImageDraw.Draw(sheet)
    for triangle, area in zip(MESH_TRIANGLES, signed_area(points), strict=True):
        if area > 0:
            pen.polygon([tuple(points[i, :2]) for i in triangle], outline="#5ad1ff")
    for index, (x, y) in enumerate(points[:, :2]):
        pen.ellipse([x - 2, y - 2, x + 2, y + 2], fill="white" if seen[index] else "#ff3030")
    return sheet


def drawings_sheet(image: Image.Image, points: Points, seen: np.ndarray, size: int = 256) -> Image.Image:
    """The five drawings at 256, beside the face and the parsing map laid over it."""
    small = points / (SIDE / size)
    ibug = convert_points(small, "ibug68")
    seen68 = convert_points(seen[:, None].astype(np.float32), "ibug68")[:, 0] >= 0.5
    parsing = draw.parsing_map(convert_outline(small, "osfr146"), size)
    palette = np.array([[c >> 16, (c >> 8) & 255, c & 255] for c in (int(x[1:], 16) for x in COLOURS)])
    colour = np.zeros((size, size, 3))
    for channel, shade in zip(parsing, palette, strict=True):
        colour += (shade - colour) * channel[..., None]
    face = np.asarray(image.resize((size, size), Image.Resampling.LANCZOS), float)
    grey = [
        draw.boundary_image(ibug, size),
        draw.sketch_map(convert_outline(small, "wflw98"), size),
        draw.landmark_map(ibug, size),
        draw.landmark_map(ibug, size, visible=seen68),
        draw.spline_heatmap(ibug, size),
    ]
    tiles = [
        face,
        *(np.repeat(g[:1], 3, 0).transpose(1, 2, 0) * 255 for g in grey),
        colour,
        (face + colour) / 2,
    ]
    rows = [np.concatenate(tiles[:4], axis=1), np.concatenate(tiles[4:], axis=1)]
    return Image.fromarray(np.concatenate(rows).round().astype(np.uint8))


def make_sheets(image: Image.Image, folder: Path, stem: str) -> None:
    """Write the five sheets of one picture."""
    with MeshDetector() as detector:
        found = detector.detect(np.asarray(image))
    if not found:
        sys.exit(f"no face found in {stem}")
    matrix = crop_matrix(face_square(found[0].points), SIDE)
    points, face = apply(matrix, found[0].points), crop(image, matrix, SIDE)
    seen = visible(points)
    folder.mkdir(parents=True, exist_ok=True)
    sheets = {"mesh478": mesh_sheet(face, points, seen), "drawings": drawings_sheet(face, points, seen)}
    for scheme in PARTS:
        seen_here = convert_points(seen[:, None].astype(np.float32), scheme)[:, 0] >= 0.5
        make = convert_points if scheme == "ibug68" else convert_outline
        sheets[scheme] = scheme_sheet(face, make(points, scheme), scheme, seen_here)
    for name, sheet in sheets.items():
        sheet.save(folder / f"{stem}-{name}.jpg", quality=85)


def main() -> None:
    """Read the arguments and write the sheets."""
    if len(sys.argv) > 1:
        picture = Image.open(sys.argv[1]).convert("RGB")
        make_sheets(picture, Path(sys.argv[2]), Path(sys.argv[1]).stem)
        return
    from skimage import data

    make_sheets(Image.fromarray(data.astronaut()), Path(__file__).parent / "pictures", "astronaut")


if __name__ == "__main__":
    main()
