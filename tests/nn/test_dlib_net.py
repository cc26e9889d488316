"""The port of dlib's network against dlib itself."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch")

from reenact.errors import ReenactError  # noqa: E402
from reenact.nn.dlib_net import load_dlib_net  # noqa: E402
from reenact.perception.chips import DLIB_CHIP, cut_chip  # noqa: E402
from reenact.perception.detector import MeshDetector  # noqa: E402

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("face_recognition_models") is None,
    reason="face_recognition_models is not installed",
)


@needs_weights
def test_same_numbers_as_dlib():
    pytest.importorskip("dlib")
    from reenact.perception.identity import DlibIdentity

    image = data.astronaut()
    with MeshDetector() as detector:
        chip = cut_chip(image, detector.detect(image)[0].points, DLIB_CHIP)
    faces = [chip, np.ascontiguousarray(chip[:, ::-1])]
    expected = DlibIdentity().embed_chips(faces)
    batch = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).float() / 127.5 - 1
    assert load_dlib_net()(batch).numpy() == pytest.approx(expected, abs=1e-4)


@needs_weights
def test_gradient_reaches_the_picture():
    picture = torch.rand(1, 3, 150, 150, requires_grad=True)
    load_dlib_net()(picture).square().sum().backward()
    assert torch.isfinite(picture.grad).all() and picture.grad.abs().sum() > 0


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.dat"
    path.write_bytes(b"\x01\x05con_4\x01\x02" + bytes(100))
    with pytest.raises(ReenactError, match="not dlib's face recognition network"):
        load_dlib_net(path)
