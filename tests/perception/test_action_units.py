"""Units on shapes moved by hand, on a real smile, and from a table of OpenFace."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from skimage import data

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.perception.action_units import (
    GLG_UNITS,
    NAMES,
    OSFR_UNITS,
    RULES,
    SCALE,
    action_units,
    read_openface,
    units_of_shape,
)
from reenact.perception.detector import MeshDetector

MEAN = default_face_model().mean
UP, DOWN, RIGHT = np.array([0, -1, 0]), np.array([0, 1, 0]), np.array([1, 0, 0])


def moved(*changes):
    """The mean face with points (indices) shifted by vectors."""
    shape = MEAN.copy()
    for points, shift in changes:
        shape[points] += np.asarray(shift, np.float32)
    return shape


MOVES = {
    1: moved(([55, 107, 285, 336], 0.15 * UP)),
    2: moved(([46, 70, 63, 276, 300, 293], 0.15 * UP)),
    4: moved(([55, 65, 107], 0.05 * DOWN + 0.03 * RIGHT), ([285, 295, 336], 0.05 * DOWN - 0.03 * RIGHT)),
    5: moved(([160, 159, 158, 385, 386, 387], 0.05 * UP)),
    6: moved(([117, 118, 50, 346, 347, 280], 0.06 * UP)),
    7: moved(([144, 145, 153, 380, 374, 373], 0.04 * UP)),
    9: moved(([48, 64, 98, 278, 294, 327], 0.06 * UP), ([55, 285], 0.03 * DOWN)),
    10: moved(([37, 0, 267], 0.08 * UP)),
    12: moved(([61], 0.12 * UP - 0.08 * RIGHT), ([291], 0.12 * UP + 0.08 * RIGHT)),
    14: moved(([61, 291], (0, 0, 0.08))),
    15: moved(([61, 291], 0.08 * DOWN)),
    17: moved(([17, 18, 200], 0.06 * UP)),
    20: moved(([61], -0.1 * RIGHT), ([291], 0.1 * RIGHT)),
    23: moved(([0, 37, 267], 0.03 * DOWN), ([17, 84, 314], 0.03 * UP)),
    25: moved(([14, 87, 317, 17, 84, 314], 0.12 * DOWN)),
    26: moved(([152, 148, 377], 0.08 * DOWN)),
    28: moved(([0, 37, 267], 0.04 * DOWN), ([17, 84, 314], 0.04 * UP), ([0, 17], (0, 0, 0.05))),
    45: moved(([160, 159, 158, 385, 386, 387], 0.05 * DOWN)),
}


@pytest.mark.parametrize("unit", GLG_UNITS)
def test_the_movement_a_unit_names_raises_it_above_rest(unit):
    units = units_of_shape(MOVES[unit], rest=MEAN)
    assert units.present(unit), NAMES[unit]
    still = units_of_shape(MEAN, rest=MEAN)
    assert not still.present(unit) and still.intensity[unit] == 0


@pytest.mark.parametrize(
    ("unit", "untouched"),
    [
        (1, (2, 5, 12, 25, 26, 45)),
        (12, (1, 2, 4, 15, 45)),
        (26, (1, 2, 4, 45, 5)),
        (45, (1, 2, 12, 15, 25, 26)),
    ],
)
def test_other_units_stay_down(unit, untouched):
    units = units_of_shape(MOVES[unit], rest=MEAN)
    assert [other for other in untouched if units.present(other)] == []


def test_opposites():
    assert RULES[45](MOVES[5]) < RULES[45](MEAN) < RULES[45](MOVES[45])
    assert not units_of_shape(MOVES[12], MEAN).present(15) and not units_of_shape(MOVES[15], MEAN).present(12)


def test_tables_agree():
    assert set(GLG_UNITS) == set(RULES) == set(SCALE) == set(NAMES)
    assert len(GLG_UNITS) == 18 and len(OSFR_UNITS) == 12 and set(OSFR_UNITS) <= set(GLG_UNITS)
    assert all(full > rest for rest, full in SCALE.values())
    units = units_of_shape(MOVES[12])
    assert units.vector(OSFR_UNITS).shape == (12,) and units.vector().max() <= 1
    assert units.presence(OSFR_UNITS).tolist() == [units.present(unit) for unit in OSFR_UNITS]


def test_a_smile_is_read_as_one():
    model = default_face_model()
    with MeshDetector() as detector:
        state = model.fit(detector.detect(data.astronaut())[0].points)
    units = action_units(state)
    assert units.present(12) and units.present(25) and units.intensity[12] > 2
    assert not units.present(15) and not units.present(45) and not units.present(28)
    turned = type(state)(
        np.array([0.2, 0.3, 0.1], np.float32), 3.0, state.translation, state.identity, state.expression
    )
    assert action_units(turned).intensity == pytest.approx(units.intensity)  # no pose, no size
    assert sum(action_units(state, neutral=state).intensity.values()) == 0


def openface_table(path, **changed):
    columns = {"frame": 1, "timestamp": 0.04, "confidence": 0.98, "success": 1}
    columns |= {"pose_Rx": 0.1, "pose_Ry": -0.3, "pose_Rz": 0.05}
    columns |= {f"x_{i}": 100 + i for i in range(68)} | {f"y_{i}": 50 + i for i in range(68)}
    columns |= {f"AU{u:02d}_r": u / 10 for u in GLG_UNITS if u != 28}
    columns |= {f"AU{u:02d}_c": 1.0 for u in GLG_UNITS}
    columns |= changed
    path.write_text(", ".join(columns) + "\n" + ", ".join(str(v) for v in columns.values()) + "\n")
    return path


def test_openface_table_is_read(tmp_path):
    table = read_openface(openface_table(tmp_path / "clip.csv"))
    assert table.times == pytest.approx([0.04]) and table.success.tolist() == [True]
    assert table.units[0].intensity[12] == pytest.approx(1.2) and table.units[0].intensity[28] == 1
    assert table.units[0].present(12) and not table.units[0].present(5)
    assert table.landmarks.shape == (1, 68, 2) and table.landmarks[0, 3].tolist() == [103, 53]
    # OpenFace's own convention, R = Rx Ry Rz: SciPy's intrinsic XYZ.
    roll, yaw, pitch = Rotation.from_euler("XYZ", [0.1, -0.3, 0.05]).as_euler("ZYX", degrees=True) * (1, -1, -1)
    assert table.pose[0] == pytest.approx((yaw, pitch, roll), abs=1e-2)
    assert table.pose[0].yaw > 0 > table.pose[0].pitch


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "frame, AU01_r\n1, x\n"])
def test_other_tables_are_refused(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(ReenactError, match="not a table of OpenFace 2"):
        read_openface(path)
    with pytest.raises(ReenactError, match="cannot be read"):
        read_openface(tmp_path / "none.csv")
