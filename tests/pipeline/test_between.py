"""From one picture to another and to an edited face: frames, marks, what stays, what is refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.media.reader import open_frames
from reenact.media.stills import read_still, write_still
from reenact.pipeline.between import Way, animate_between, animate_edit
from reenact.pipeline.options import OutputOptions

PLAIN = OutputOptions(mark=False, fps=Fraction(10), size=160)


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = pytest.importorskip("skimage.data")
    path = tmp_path_factory.mktemp("pictures") / "portrait.png"
    write_still(path, np.ascontiguousarray(data.astronaut()[:256, 96:352]), 90)
    return path


@pytest.fixture(scope="module")
def mirrored(portrait: Path) -> Path:
    path = portrait.with_name("mirrored.png")
    write_still(path, np.ascontiguousarray(read_still(portrait)[:, ::-1]), 90)
    return path


@pytest.mark.parametrize("driving", [False, True])
def test_a_video_leads_from_the_first_picture_to_the_second(
    portrait: Path, mirrored: Path, tmp_path: Path, driving: bool
) -> None:
    out = tmp_path / "out"
    summary = animate_between(portrait, mirrored, out, Way(frames=4, driving=driving), PLAIN)
    assert (summary.frames, summary.duration, summary.marks) == (4, Fraction(4, 10), ())
    with open_frames(out) as source:
        frames = [frame.image.astype(int) for frame in source]
    change = [np.abs(frame - frames[0]).mean() for frame in frames]
    assert len(frames) == 4 and change == sorted(change) and change[-1] > 1


def test_a_wider_nose_changes_the_middle_of_the_face_alone(portrait: Path, tmp_path: Path) -> None:
    wide, same = tmp_path / "wide.png", tmp_path / "same.png"
    options = OutputOptions(mark=False)
    animate_edit(portrait, {"nose_width": 1.4}, wide, Way(), options)
    animate_edit(portrait, {"nose_width": 1.0}, same, Way(), options)
    change = np.abs(read_still(wide).astype(int) - read_still(same)).max(2)
    rows, columns = np.nonzero(change > 24)
    assert 20 < len(rows) < 0.05 * change.size
    assert np.ptp(rows) < 80 and np.ptp(columns) < 80


def test_lsg_refines_what_any_system_draws(portrait: Path, mirrored: Path, tmp_path: Path) -> None:
    """The shipped network, drawn by a system of 478 points: near the straight way, and not it."""
    pytest.importorskip("torch")
    found = {}
    for sequence in ("li", "lsg"):
        out = tmp_path / sequence
        animate_between(portrait, mirrored, out, Way(frames=3, sequence=sequence), PLAIN)
        with open_frames(out) as source:
            found[sequence] = np.stack([frame.image.astype(int) for frame in source])
    apart = np.abs(found["lsg"] - found["li"]).mean((1, 2, 3))
    assert (apart > 0).all() and (apart < 8).all(), apart


def test_what_cannot_be_is_refused_before_anything_is_written(portrait: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    for way, words in (
        (Way(sequence="no"), "choose one of: li, lsg"),
        (Way(system="none"), "no system 'none'"),
        (Way(frames=1), "at least 2"),
    ):
        with pytest.raises(ReenactError, match=words):
            animate_between(portrait, portrait, out, way, PLAIN)
    assert not out.exists()
