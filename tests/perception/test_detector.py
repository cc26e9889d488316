"""The detector on a real face, made small, turned, grey, dark, doubled and moving."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pil
from skimage import data

from reenact.errors import ReenactError
from reenact.geometry.schemes import LIPS_INNER, LIPS_OUTER
from reenact.perception.detector import (
    FaceFollower,
    MeshDetector,
    MeshNetwork,
    choose_face,
    face_size,
    region_of,
)
from reenact.perception.graphs import as_rgb

EYES_AND_MOUTH = [33, 133, 362, 263, 61, 291]


@pytest.fixture(scope="module")
def astronaut():
    return data.astronaut()


@pytest.fixture(scope="module")
def detector():
    with MeshDetector() as made:
        yield made


@pytest.fixture(scope="module")
def face(astronaut, detector):
    return detector.detect(astronaut)[0]


def scaled(image, size):
    return np.asarray(Pil.fromarray(image).resize((size, size), Pil.Resampling.LANCZOS))


def on_canvas(image, x, y, width, height, grey=110):
    canvas = np.full((height, width, 3), grey, np.uint8)
    canvas[y : y + image.shape[0], x : x + image.shape[1]] = image
    return canvas


def error_in_faces(points, expected):
    """Mean distance of the landmarks, as a share of the face's size."""
    gap = np.linalg.norm(points[:, :2] - expected[:, :2], axis=1).mean()
    return gap / np.ptp(expected[:, :2], axis=0).max()


def test_face_lies_where_it_is(face):
    assert face.scheme == "mesh478"
    assert face.points.shape == (478, 3) and face.points.dtype == np.float32
    assert face_size(face) == pytest.approx(110, abs=8)
    # Read off the enlarged picture by eye: outer corners of the eyes, pupils, corners of the mouth, chin.
    by_eye = np.array(
        [[194, 100.5], [258, 104], [203, 101], [246, 103.5], [202.5, 139], [245.5, 141], [224, 178]]
    )
    assert np.abs(face.points[[33, 263, 468, 473, 61, 291, 152], :2] - by_eye).max() < 4
    assert face.points[1, 2] < face.points[[127, 356], 2].min()  # the nose is nearer than the ears


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_pictures_give_turned_points(astronaut, detector, face, quarters):
    turned = detector.detect(np.ascontiguousarray(np.rot90(astronaut, quarters)))[0].points[:, :2]
    for _ in range(quarters):  # undo: rot90 takes (x, y) to (y, 512 - x)
        turned = np.stack([512 - turned[:, 1], turned[:, 0]], 1)
    assert error_in_faces(turned, face.points) < 0.03


@pytest.mark.parametrize("degrees", [25, -50, 110])
def test_tilted_heads_are_read_upright(astronaut, detector, face, degrees):
    tilted = np.asarray(Pil.fromarray(astronaut).rotate(degrees, Pil.Resampling.BICUBIC))
    points = detector.detect(tilted)[0].points[:, :2] - 256
    turn = np.deg2rad(degrees)
    back = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + 256
    assert error_in_faces(back, face.points) < 0.03


@pytest.mark.parametrize("change", ["grey", "dark", "flat", "large"])
def test_poor_pictures(astronaut, detector, face, change):
    grey = np.repeat(astronaut.mean(-1, keepdims=True), 3, -1)
    image, zoom = {
        "grey": (grey, 1),
        "dark": (astronaut * 0.08, 1),
        "flat": (120 + (astronaut - 120.0) * 0.12, 1),
        "large": (scaled(astronaut, 2048), 4),
    }[change]
    points = detector.detect(image.astype(np.uint8))[0].points / zoom
    assert error_in_faces(points, face.points) < 0.04


def test_small_face_in_a_large_picture(astronaut, detector):
    side = 190  # a face of 41 pixels
    image = on_canvas(scaled(astronaut, side), 1900, 1350, 2400, 1800)
    found = detector.detect(image)
    assert len(found) == 1
    expected = detector.detect(scaled(astronaut, side))[0].points + np.array([1900, 1350, 0], np.float32)
    assert error_in_faces(found[0].points, expected) < 0.06


def test_nothing_is_found_where_nothing_is(detector):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert detector.detect(noise) == []
    assert detector.detect(np.zeros((40, 50, 3), np.uint8)) == []
    assert detector.detect(np.full((1, 1, 3), 200, np.uint8)) == []
    assert detector.detect(data.coffee()) == []


def test_transparent_pixels_count_as_grey(astronaut, detector, face):
    alpha = np.full((512, 512, 1), 255, np.uint8)
    opaque = detector.detect(np.concatenate([astronaut, alpha], -1))
    assert error_in_faces(opaque[0].points, face.points) < 1e-3
    assert detector.detect(np.concatenate([astronaut, alpha * 0], -1)) == []
    half = as_rgb(np.array([[[200, 100, 0, 128]]], np.uint8))
    assert half.tolist() == [[[164, 114, 64]]]  # 128 / 255 of the colour, the rest of 128


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 2), (0, 10, 3)])
def test_other_arrays_are_refused(detector, shape):
    with pytest.raises(ReenactError, match="uint8"):
        detector.detect(np.zeros(shape, np.uint8))


def test_several_faces_and_the_choice_among_them(astronaut):
    image = on_canvas(scaled(astronaut, 300), 20, 40, 1000, 560)
    image[30:542, 400:912] = astronaut
    with MeshDetector(max_faces=4) as many:
        faces = many.detect(image)
    assert len(faces) == 2
    large, small = faces
    assert face_size(large) > 1.5 * face_size(small)
    assert choose_face(faces, "largest") is large
    assert choose_face(faces, 0) is small and choose_face(faces, 1) is large
    with pytest.raises(ReenactError, match="face 2 was asked for, but 2 faces were found"):
        choose_face(faces, 2)
    with pytest.raises(ReenactError, match="no face"):
        choose_face([], "largest")


def test_video_mode_follows_a_moving_face(astronaut, face):
    with MeshDetector(video=True) as video:
        for step in range(6):
            moved = np.roll(astronaut, 12 * step, axis=1)
            found = video.detect(moved)[0].points - np.array([12 * step, 0, 0], np.float32)
            assert error_in_faces(found, face.points) < 0.02
        assert video.detect(np.zeros((512, 512, 3), np.uint8)) == []
        assert len(video.detect(astronaut)) == 1


def test_follower_keeps_to_the_person_chosen_first(astronaut):
    """Two faces; the left one is followed while the right one grows and while the left is gone for a while."""

    def scene(step, left=True):
        image = np.full((560, 1100, 3), 110, np.uint8)
        size = 300 + 30 * step
        image[20 : 20 + size, 560 : 560 + size] = scaled(astronaut, size)
        if left:
            image[60:460, 40 + 10 * step : 440 + 10 * step] = scaled(astronaut, 400)
        return image

    with FaceFollower(0) as follower:
        seen = [follower.track(scene(step)) for step in range(5)]
        assert all(one is not None and one.points[:, 0].mean() < 480 for one in seen)
        again = [follower.track(scene(step)) for step in (5, 4)]
        assert all(one is not None and one.points[:, 0].mean() < 480 for one in again)


def test_follower_says_which_numbers_there_are(astronaut):
    with FaceFollower(1) as follower, pytest.raises(ReenactError, match="1 face was found"):
        follower.track(astronaut)


def test_region_turns_with_the_eyes(astronaut, face):
    region = region_of(face.points)
    assert region.side == pytest.approx(1.5 * face_size(face), rel=1e-5)
    assert abs(region.angle) < 0.1
    network = MeshNetwork()
    points, score = network.read(as_rgb(astronaut), region)
    nowhere, low = network.read(as_rgb(astronaut), region_of(face.points + 250))
    network.close()
    assert points is not None and score > 0.99
    assert nowhere is None and low < 0.5


def test_closing_twice_is_harmless():
    made = MeshDetector()
    made.close()
    made.close()


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_starts_quietly_and_without_the_rest_of_mediapipe():
    done = run_python(
        "import sys; from reenact.perception.detector import MeshDetector; import numpy as np\n"
        "assert 'mediapipe' not in sys.modules\n"
        "with MeshDetector() as d: d.detect(np.zeros((64, 80, 3), np.uint8))\n"
        "print([m for m in ('cv2', 'matplotlib', 'sounddevice', 'torch', 'jax') if m in sys.modules])"
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_what_is_not_the_banner_reaches_stderr():
    done = run_python(
        "import os; from reenact.perception.graphs import _quiet\n"
        "with _quiet():\n"
        "    os.write(2, b'INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n')\n"
        "    os.write(2, b'E0000 something is wrong\\n')"
    )
    assert done.stderr == "E0000 something is wrong\n"


def test_mediapipe_is_whole_for_whoever_imports_it_later():
    pytest.importorskip("cv2", exc_type=ImportError)
    done = run_python(
        "from reenact.perception.detector import MeshDetector; MeshDetector().close()\n"
        "import mediapipe; print(mediapipe.solutions.face_mesh.FACEMESH_NUM_LANDMARKS)"
    )
    assert done.stdout.strip() == "468"


@pytest.mark.parametrize("size", [256, 512, 1500])
def test_an_ordinary_face_is_confirmed_as_it_is(astronaut, detector, size):
    picture = scaled(astronaut, size)
    found = detector.detect(picture)[0]
    assert detector.confirmed(picture, found) is found


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("size", [512, 1500])
def test_another_reading_is_in_the_pictures_own_pixels(astronaut, detector, mirrored, size):
    picture = scaled(astronaut, size)
    points = detector.detect(picture)[0].points
    again = detector._read_otherwise(picture, points, mirrored, True)
    off = np.linalg.norm((again - points)[EYES_AND_MOUTH, :2], axis=1)
    assert off.max() < 0.035 * face_size(detector.detect(picture)[0])


def test_lips_that_most_readings_have_elsewhere_go_there(astronaut, detector, face, monkeypatch):
    """A reading whose lips lie under the nose, as on a moustache: the rest of the readings outvote it."""
    wrong = face.points.copy()
    lips = np.unique(np.concatenate([LIPS_OUTER, LIPS_INNER]))
    wrong[lips, 1] -= 0.1 * face_size(face)
    mended = detector.confirmed(astronaut, replace(face, points=wrong)).points
    assert np.linalg.norm((mended - face.points)[lips, :2], axis=1).max() < 0.03 * face_size(face)
    # Where nothing is read at all otherwise, what was found stands.
    monkeypatch.setattr(detector, "_read_otherwise", lambda *_, **__: None)
    found = replace(face, points=wrong)
    assert detector.confirmed(astronaut, found) is found
