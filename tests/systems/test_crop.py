"""The crop that generators draw: where it lies, and that it goes back where it came from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.data.synthetic import PoseRange, TripleOptions, landmark_triples
from reenact.geometry.align import crop_matrix
from reenact.geometry.face_model import default_face_model
from reenact.systems.crop import FaceCrop, state_square
from reenact.systems.spec import SourceFace


def source(side: int, scale: float, *, alpha: bool = False, fixed=(False,) * 4) -> SourceFace:
    """A smooth picture with a frontal face in its middle."""
    model = default_face_model()
    state = replace(model.fit(model.mean), scale=scale, translation=np.full(2, side / 2, np.float32))
    y, x = np.mgrid[:side, :side] / side
    picture = np.stack([x, y, (x + y) / 2, np.ones_like(x)], -1)[..., : 4 if alpha else 3]
    return SourceFace((picture * 255).astype(np.uint8), model.project(state), state, None, fixed)


@pytest.mark.parametrize(("side", "scale"), [(240, 40.0), (900, 160.0), (100, 18.0)])
def test_a_crop_goes_back_where_it_came_from(side: int, scale: float):
    face = source(side, scale)
    crop = FaceCrop(face, 256)
    assert crop.picture.shape == (256, 256, 3)
    back = crop.paste(crop.picture)
    assert back.shape == face.picture.shape
    assert np.abs(back.astype(int) - face.picture).max() <= 4


def test_a_drawn_face_fills_the_middle_and_runs_out_before_the_borders():
    face = source(400, 60.0)
    crop = FaceCrop(face, 256)
    out = crop.paste(np.zeros((256, 256, 3), np.uint8))
    assert out[150:250, 150:250].max() == 0
    np.testing.assert_array_equal(out[:20], face.picture[:20])
    steps = np.abs(np.diff(out.astype(int), axis=0)).max()
    assert steps < 30  # no hard edge


def test_points_and_pixels_agree():
    face = source(400, 60.0)
    crop = FaceCrop(face, 256)
    picture = face.picture.copy()
    picture[202:205, 302:305] = 255
    marked = FaceCrop(replace(face, picture=picture), 256).picture
    y, x = np.unravel_index(np.abs(marked.astype(int) - crop.picture).sum(-1).argmax(), (256, 256))
    wanted = crop.inward(np.array([[303.5, 203.5]], np.float32))[0]
    np.testing.assert_allclose((x + 0.5, y + 0.5), wanted, atol=1.5)


def test_where_the_picture_goes_on_the_region_keeps_its_border():
    face = source(200, 60.0, fixed=(True, True, True, True))
    out = FaceCrop(face, 256).paste(np.zeros((256, 256, 3), np.uint8))
    assert np.abs(out[0].astype(int) - face.picture[0]).max() <= 3
    assert out[100, 100].max() == 0


def test_transparency_stays():
    face = source(240, 40.0, alpha=True)
    out = FaceCrop(face, 256).paste(np.zeros((256, 256, 3), np.uint8))
    np.testing.assert_array_equal(out[..., 3], face.picture[..., 3])


def test_the_square_of_a_state_is_the_crop_of_the_synthetic_triples():
    model = default_face_model()
    options = TripleOptions(residual=0.0, pose=PoseRange(size=0.0, place=0.0))
    triples = landmark_triples(model, 2, 3, options=options)
    state = model.fit(triples.target[0])
    state = replace(state, scale=float(triples.scale[0]))
    matrix = crop_matrix(state_square(replace(state, translation=np.array([128, 0.44 * 256], np.float32))), 256)
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-3)
