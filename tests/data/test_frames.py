"""Units, rates, and frames that do not read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from reenact.data.frames import Clock, UnitFrames, frame_items, read_frames, units_of
from reenact.data.items import Item


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """50 frames at 25 a second, frame n of grey 4 n."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "1"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv444p"
        for n in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 4 * n, np.uint8))))
        container.mux(stream.encode())
    return path


def test_a_clock_takes_the_first_frame_at_or_after_each_tick() -> None:
    times = [Fraction(n, 30) for n in range(90)]
    clock = Clock(Fraction(1))
    assert [n for n, time in enumerate(times) if clock.takes(time)] == [0, 30, 60]
    clock = Clock(Fraction(25))
    taken = [n for n, time in enumerate(times) if clock.takes(time)]
    assert len(taken) == 75 and np.diff(taken).max() == 2
    assert all(Clock(None).takes(time) for time in times)


@pytest.mark.parametrize(
    ("rate", "numbers"), [(1, [0, 25]), (5, list(range(0, 50, 5))), (None, list(range(50)))]
)
def test_a_video_is_read_at_a_rate_and_named_by_frame(
    video: Path, rate: int | None, numbers: list[int]
) -> None:
    item = Item(video, "someone/clip", "someone", "someone/clip")
    wanted = None if rate is None else Fraction(rate)
    (unit,) = units_of([item])
    shots = list(UnitFrames(unit, wanted))
    assert [shot.frame for shot in shots] == numbers
    assert [shot.key for shot in shots] == [f"someone/clip/{n:06d}" for n in numbers]
    assert np.allclose([shot.image.mean() for shot in shots], [4 * n for n in numbers], atol=3)
    assert [one.key for one in frame_items([item], wanted)] == [shot.key for shot in shots]


def test_a_unit_is_the_same_when_read_again(video: Path) -> None:
    frames = UnitFrames(units_of([Item(video, "c", "p", "c")])[0], None)
    first, second = ([shot.image.copy() for shot in frames] for _ in range(2))
    assert len(first) == 50 and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_frames_in_files_are_grouped_and_thinned(tree) -> None:
    root = tree(*(f"{n}.png" for n in range(60)))
    items = [Item(root / f"{n}.png", f"c/{n:03d}", "p", "c", n, Fraction(n, 25)) for n in range(60)]
    (unit,) = units_of(items)
    assert unit.weight == 60 and [s.frame for s in UnitFrames(unit, Fraction(1))] == [0, 25, 50]
    assert [item.frame for item in frame_items(items, Fraction(1))] == [0, 25, 50]


def test_a_file_that_does_not_read_is_noted_and_the_rest_goes_on(tree) -> None:
    root = tree("0.png", "1.png", "2.png")
    (root / "1.png").write_bytes(b"not a picture")
    items = [Item(root / f"{n}.png", f"c/{n}", "p", "c", n) for n in range(3)]
    frames = UnitFrames(units_of(items)[0], None)
    assert [shot.frame for shot in frames] == [0, 2]
    assert [item.key for item, _ in frames.unreadable] == ["c/1"]


def test_chosen_frames_of_videos_and_stills(video: Path, tree) -> None:
    root = tree("0.png", "1.png")
    (root / "1.png").write_bytes(b"not a picture")
    wanted = [Item(video, "c/20", frame=20), Item(video, "c/3", frame=3), Item(video, "c/500", frame=500)]
    found = read_frames([*wanted, *(Item(root / f"{n}.png", f"s/{n}") for n in range(2))])
    assert set(found) == {"c/20", "c/3", "s/0"}
    assert abs(found["c/20"].mean() - 80) < 3 and abs(found["c/3"].mean() - 12) < 3
