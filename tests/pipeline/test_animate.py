"""From files to files: what comes out is complete, in time, whole or not there at all."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import PIL.Image
import pytest
from media_samples import onsets

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model, rotation_vector
from reenact.media.reader import open_frames
from reenact.perception.detector import MeshDetector
from reenact.perception.head_pose import HeadPose, pose_matrix
from reenact.pipeline import animate
from reenact.pipeline.animate import animate_image, animate_video
from reenact.pipeline.motion_file import write_motion
from reenact.pipeline.options import DEFAULT_SYSTEM, MotionOptions, OutputOptions, RunOptions
from reenact.pipeline.portrait import read_portrait
from reenact.pipeline.track import track_video
from reenact.trust import verify

RATE = Fraction(30000, 1001)
FRAMES = 24


def read(path):
    """Images and times as the reader sees them, and the exact end."""
    with open_frames(path) as source:
        frames = list(source)
        return [f.image for f in frames], [f.time for f in frames], source.end


def nothing_left(folder: Path, *names: str) -> bool:
    """Whether the folder holds these files and no others, hidden ones included."""
    return sorted(p.name for p in folder.iterdir()) == sorted(names)


@pytest.fixture(scope="module")
def made(portrait, driving, tmp_path_factory):
    """One full run with every default, marks included."""
    output = tmp_path_factory.mktemp("made") / "out.mp4"
    return animate_video([portrait], driving, output, RunOptions(threads=2))


class TestFullRun:
    def test_the_summary_says_what_was_done(self, made):
        assert (made.frames, made.width, made.height, made.fps) == (FRAMES, 256, 256, RATE)
        assert made.duration == FRAMES / RATE
        assert made.held == 0 and made.system == DEFAULT_SYSTEM and made.seconds > 0

    def test_every_frame_is_there_at_its_time(self, made):
        images, times, end = read(made.output)
        assert times == [n / RATE for n in range(FRAMES)]
        assert end == FRAMES / RATE
        assert images[0].shape == (256, 256, 3)

    def test_the_sound_is_kept_in_time(self, made, driving):
        expected = onsets(driving)
        assert len(expected) == 2
        np.testing.assert_allclose(onsets(made.output), expected, atol=0.03)

    def test_the_marks_can_be_read(self, made):
        found = verify(made.output)
        assert found.verdict == "marked" and set(made.marks) == {"c2pa", "watermark"}
        assert found.manifest.says_ai and found.agree
        assert {role for role, _, _ in found.manifest.ingredients} == {"source", "driving"}

    def test_the_face_moves_as_it_was_driven(self, made, motion):
        turn = track_video(made.output)[0].rotation[:, 1]
        assert np.corrcoef(turn, motion.rotation[:, 1])[0, 1] > 0.95
        assert np.ptp(turn) > 0.5 * np.ptp(motion.rotation[:, 1])

    def test_nothing_else_is_left(self, made):
        assert nothing_left(made.output.parent, "out.mp4")


def test_a_motion_file_does_what_its_video_does_to_other_people(picture, driving, tmp_path, quick):
    motion, _ = track_video(driving, end=Fraction(1, 4))
    portrait = tmp_path / "broad.png"
    PIL.Image.fromarray(picture).resize((picture.shape[1] * 3 // 2, picture.shape[0])).save(portrait)
    model = default_face_model()
    assert model.apart(model.fit(read_portrait(portrait).points).identity, motion.identity) > 2.5
    write_motion(tmp_path / "take.motion", motion)
    for name, source in (("a", driving), ("b", tmp_path / "take.motion")):
        animate_video([portrait], source, tmp_path / name, quick(end=Fraction(1, 4)))
    first, second = ([np.array(PIL.Image.open(p)) for p in sorted((tmp_path / n).iterdir())] for n in "ab")
    assert len(first) == len(second) == 8
    np.testing.assert_array_equal(first, second)


def test_a_video_moves_its_own_person_in_detail(portrait, driving, tmp_path, quick):
    motion, _ = track_video(driving, end=Fraction(1, 8))
    assert motion.detail.any()
    write_motion(tmp_path / "take.motion", motion)
    for name, source in (("a", driving), ("b", tmp_path / "take.motion")):
        animate_video([portrait], source, tmp_path / name, quick(end=Fraction(1, 8)))
    first, second = ([np.array(PIL.Image.open(p)) for p in sorted((tmp_path / n).iterdir())] for n in "ab")
    off = [np.abs(x.astype(int) - y).mean() for x, y in zip(first, second, strict=True)]
    assert 0 < np.mean(off) < 2


def test_uneven_times_stay_uneven(portrait, film, performance, tmp_path, quick):
    stamps = [0, 40, 55, 120, 180, 300, 310, 400]
    path = film("vfr.mp4", performance[:8], stamps=stamps, tick=Fraction(1, 1000))
    summary = animate_video([portrait], path, tmp_path / "out.mp4", quick())
    _, wanted, end = read(path)
    _, times, got_end = read(summary.output)
    np.testing.assert_allclose([float(t) for t in times], [float(t) for t in wanted], atol=1.2e-5)
    assert float(got_end) == pytest.approx(float(end), abs=0.002)


def test_frames_without_a_face_are_held_and_counted(portrait, film, performance, tmp_path, quick):
    images = [np.zeros_like(p) if 4 <= n < 8 else p for n, p in enumerate(performance[:12])]
    path = film("hole.mp4", images)
    summary = animate_video([portrait], path, tmp_path / "out", quick())
    assert summary.frames == 12 and summary.held == 4
    shown = [np.array(PIL.Image.open(p)) for p in sorted(summary.output.iterdir())]
    assert all(image.mean() > 60 for image in shown)
    inside = np.abs(shown[5].astype(int) - shown[6]).mean()
    assert inside < np.abs(shown[1].astype(int) - shown[3]).mean()


def test_a_driving_video_without_a_face_is_refused(portrait, film, tmp_path, quick):
    path = film("noface.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 3)
    with pytest.raises(ReenactError, match="no face was found in"):
        animate_video([portrait], path, tmp_path / "out.mp4", quick())
    assert nothing_left(tmp_path)


def test_a_source_without_a_face_is_refused_before_the_video_is_tracked(driving, tmp_path, quick):
    PIL.Image.new("RGB", (99, 99)).save(tmp_path / "black.png")
    stages = []
    with pytest.raises(ReenactError, match=r"black\.png"):
        animate_video(
            [tmp_path / "black.png"],
            driving,
            tmp_path / "o.mp4",
            quick(),
            lambda stage, *_: stages.append(stage),
        )
    assert not stages and nothing_left(tmp_path, "black.png")


@pytest.fixture(scope="module")
def torn(film, performance):
    """A video of which the last third is missing."""
    path = film("long.mp4", performance, container={"movflags": "faststart"})
    data = path.read_bytes()
    cut = path.with_name("cut.mp4")
    cut.write_bytes(data[: len(data) * 2 // 3])
    return cut


def test_a_broken_video_leaves_nothing(portrait, torn, tmp_path, quick):
    with pytest.raises(ReenactError):
        animate_video([portrait], torn, tmp_path / "out.mp4", quick())
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("compare", [False, True])
def test_a_broken_video_is_kept_in_part_where_asked(portrait, torn, tmp_path, quick, compare):
    summary = animate_video([portrait], torn, tmp_path / "out.mp4", quick(keep_partial=True, compare=compare))
    images, _, _ = read(summary.output)
    assert 2 < len(images) == summary.frames < FRAMES
    assert any("kept" in note for note in summary.notes)


def stop_after(frames):
    """A progress that interrupts the run, as Ctrl-C does."""

    def tell(stage, done, total):
        if stage == "render" and done == frames:
            raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize("compare", [False, True])
def test_an_interruption_leaves_nothing(portrait, driving, tmp_path, quick, compare):
    with pytest.raises(KeyboardInterrupt):
        animate_video([portrait], driving, tmp_path / "out.mp4", quick(compare=compare), stop_after(5))
    assert nothing_left(tmp_path)


def test_an_interruption_keeps_a_whole_file_where_asked(portrait, driving, tmp_path, quick):
    summary = animate_video([portrait], driving, tmp_path / "o.mp4", quick(keep_partial=True), stop_after(9))
    images, _, end = read(summary.output)
    assert len(images) == summary.frames == 9
    assert summary.duration == 9 / RATE
    assert float(end) == pytest.approx(float(9 / RATE), abs=0.001)
    assert any("first 9 of 24" in note for note in summary.notes)
    assert nothing_left(tmp_path, "o.mp4")


def test_an_interruption_while_tracking_leaves_nothing(portrait, driving, tmp_path, quick):
    def tell(stage, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animate_video([portrait], driving, tmp_path / "out.mp4", quick(keep_partial=True), tell)
    assert nothing_left(tmp_path)


def test_a_part_of_the_video(portrait, driving, tmp_path, quick):
    part = {"start": Fraction(3, 10), "end": Fraction(1, 2)}
    summary = animate_video([portrait], driving, tmp_path / "out.mp4", quick(**part))
    images, _, _ = read(summary.output)
    assert len(images) == summary.frames == 7  # frames 8 to 14
    assert not onsets(summary.output)  # the clicks lie at 0.2 and 0.6 s


@pytest.mark.parametrize("fps", [10, 60])
def test_another_rate(portrait, driving, tmp_path, quick, fps):
    summary = animate_video(
        [portrait], driving, tmp_path / "out.mp4", quick(fps=Fraction(fps), end=Fraction(2, 5))
    )
    _, times, end = read(summary.output)
    assert times == [Fraction(n, fps) for n in range(summary.frames)]
    assert float(end) == pytest.approx(0.4, abs=0.51 / fps)
    np.testing.assert_allclose(onsets(summary.output), onsets(driving)[:1], atol=0.03)


def test_a_gif(portrait, driving, tmp_path, quick):
    summary = animate_video([portrait], driving, tmp_path / "out.gif", quick(size=128, end=Fraction(1, 4)))
    images, _, end = read(summary.output)
    assert images[0].shape[:2] == (128, 128) and summary.width == 128
    assert abs(float(end) - 0.25) < 0.05


def test_a_folder_of_pictures(portrait, driving, tmp_path, quick):
    summary = animate_video([portrait], driving, tmp_path / "frames", quick(end=Fraction(1, 4)))
    assert sorted(p.name for p in summary.output.iterdir()) == [f"frame_{n:06d}.png" for n in range(8)]
    assert any("sound" in note for note in summary.notes)


@pytest.fixture(scope="module")
def cut_out(folder, picture, portrait):
    """The portrait on a transparent background."""
    from reenact.perception.matte import person_matte
    from reenact.pipeline.portrait import read_portrait
    from reenact.types import Landmarks

    matte = person_matte(picture, Landmarks(read_portrait(portrait).points, "mesh478"))
    path = folder / "cutout.png"
    PIL.Image.fromarray(np.dstack([picture, (matte * 255).astype(np.uint8)])).save(path)
    return path


def test_transparency_is_kept_where_the_format_can(cut_out, motion, tmp_path, quick):
    write_motion(tmp_path / "m.motion", motion)
    settings = quick(end=Fraction(1, 8))
    folder = animate_video([cut_out], tmp_path / "m.motion", tmp_path / "frames", settings).output
    last = np.array(PIL.Image.open(sorted(folder.iterdir())[-1]))
    assert last.shape == (256, 256, 4)
    assert (last[:20, :20, 3] == 0).all() and (last[120:140, 120:140, 3] == 255).all()
    film, _, _ = read(animate_video([cut_out], tmp_path / "m.motion", tmp_path / "o.webm", settings).output)
    assert film[0].shape[2] == 4 and film[0][:10, :10, 3].max() < 20
    flat = animate_video([cut_out], tmp_path / "m.motion", tmp_path / "o.mp4", settings)
    assert any("white" in note for note in flat.notes)
    assert read(flat.output)[0][0][:10, :10].min() > 240


def test_comparison_shows_source_driving_and_result(portrait, driving, performance, tmp_path, quick):
    summary = animate_video([portrait], driving, tmp_path / "frames", quick(compare=True, end=Fraction(1, 4)))
    assert summary.width == 3 * 256
    for n in (0, 3, 7):
        shown = np.array(PIL.Image.open(summary.output / f"frame_{n:06d}.png")).astype(int)
        assert np.abs(shown[:, 256:512] - performance[n]).mean() < 6  # H.264 at 4:2:0
    np.testing.assert_array_equal(shown[:, :256], np.array(PIL.Image.open(portrait)))


def test_landmarks_are_drawn(portrait, driving, tmp_path, quick):
    plain, dotted = (
        animate_video(
            [portrait], driving, tmp_path / name, quick(landmarks=name == "dotted", end=Fraction(1, 20))
        ).output
        / "frame_000000.png"
        for name in ("plain", "dotted")
    )
    changed = (np.array(PIL.Image.open(plain)) != np.array(PIL.Image.open(dotted))).any(2)
    assert 200 < changed.sum() < 2000


def test_a_driver_that_keeps_still_gives_a_still_result(portrait, film, performance, tmp_path, quick):
    path = film("still.mp4", [performance[0]] * 8)
    output = animate_video([portrait], path, tmp_path / "frames", quick()).output
    frames = np.stack([np.array(PIL.Image.open(p)).astype(int) for p in sorted(output.iterdir())])
    assert np.abs(frames - frames[:1]).mean() < 0.5  # the driving file's own compression trembles
    assert np.abs(frames[0] - np.array(PIL.Image.open(portrait))).mean() < 1


def test_of_several_sources_one_is_used(portrait, driving, motion, performance, tmp_path, quick):
    """A view turned to the side suits a motion that stays there."""
    side = tmp_path / "side.png"
    PIL.Image.fromarray(performance[6]).save(side)
    settings = quick(start=Fraction(6, 1) / RATE, end=Fraction(7, 1) / RATE)
    both = animate_video([portrait, side], driving, tmp_path / "both", settings).output
    one = animate_video([side], driving, tmp_path / "one", settings).output
    np.testing.assert_array_equal(*(np.array(PIL.Image.open(p / "frame_000000.png")) for p in (both, one)))


@pytest.mark.parametrize("mode", ["relative", "absolute", "expression", "pose"])
def test_a_still_takes_the_pose_and_expression_of_a_still(portrait, performance, tmp_path, model, mode):
    """The driving picture shows the source itself, turned by 15 degrees with an open mouth."""
    asked = tmp_path / "asked.png"
    PIL.Image.fromarray(performance[6]).save(asked)
    options = RunOptions(motion=MotionOptions(mode=mode), output=OutputOptions(mark=False))
    summary = animate_image([portrait], asked, tmp_path / "out.png", options)
    assert (summary.frames, summary.width, summary.fps, summary.duration) == (1, 256, None, None)
    with MeshDetector() as detector:
        faces = [
            detector.detect(np.array(PIL.Image.open(p)))[0].points for p in (portrait, asked, summary.output)
        ]
    source, wanted, got = map(model.fit, faces)
    lips = [float(np.linalg.norm(f[14, :2] - f[13, :2])) / model.fit(f).scale for f in faces]

    def turn(state):
        return np.degrees(state.rotation[1] - source.rotation[1])

    if mode == "expression":
        assert abs(turn(got)) < 5
    else:
        assert turn(got) == pytest.approx(turn(wanted), abs=6)
    if mode == "pose":
        assert abs(lips[2] - lips[0]) < 0.02
    else:
        assert lips[0] + 0.01 < lips[2] < lips[1] + 0.02


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_still_is_written_and_marked(portrait, driving, tmp_path, suffix):
    summary = animate_image([portrait], driving, tmp_path / f"out{suffix}", RunOptions())
    assert PIL.Image.open(summary.output).size == (256, 256)
    assert "c2pa" in summary.marks and verify(summary.output).verdict == "marked"
    assert nothing_left(tmp_path, f"out{suffix}")


def test_an_existing_file_is_kept(portrait, driving, tmp_path, quick):
    output = tmp_path / "out.png"
    output.write_bytes(b"mine")
    with pytest.raises(ReenactError, match="exists"):
        animate_image([portrait], driving, output, quick())
    assert output.read_bytes() == b"mine"
    animate_image([portrait], driving, output, quick(overwrite=True))
    assert PIL.Image.open(output).size == (256, 256)


def test_an_input_is_never_overwritten(portrait, driving, quick):
    before = portrait.read_bytes()
    with pytest.raises(ReenactError):
        animate_image([portrait], driving, portrait, quick(overwrite=True))
    assert portrait.read_bytes() == before


def test_a_motion_cut_to_frames_without_a_face_is_rendered_as_held(portrait, motion, tmp_path, quick):
    from dataclasses import replace

    found = np.arange(FRAMES) < 6
    write_motion(tmp_path / "m.motion", replace(motion, found=found))
    summary = animate_video([portrait], tmp_path / "m.motion", tmp_path / "f", quick(start=Fraction(1, 2)))
    assert summary.held == summary.frames > 5


def test_an_odd_size_is_padded_for_the_codec_only(portrait, driving, tmp_path, quick):
    summary = animate_video([portrait], driving, tmp_path / "o.mp4", quick(size=131, end=Fraction(1, 10)))
    assert (summary.width, summary.height) == (132, 132)
    with av.open(str(summary.output)) as file:
        assert file.streams.video[0].width == 132
    assert any("even" in note for note in summary.notes)


MEMORY = """
import resource, sys
from fractions import Fraction
from pathlib import Path
from reenact.pipeline.animate import animate_video
from reenact.pipeline.options import OutputOptions, RunOptions
portrait, driving, out = map(Path, sys.argv[1:])
options = lambda end: RunOptions(output=OutputOptions(mark=False, size=560, end=end), threads=1)
def peak(name, end):
    animate_video([portrait], driving, out / name, options(end))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
peak("warm.mp4", Fraction(2, 5))
print(peak("short.mp4", Fraction(4, 5)), peak("long.mp4", None))
"""


def test_memory_does_not_grow_with_the_length(portrait, film, performance, tmp_path):
    """Five times the frames, of 940 kB each, read and written, may not cost what either holds (90 MB)."""
    large = [np.array(PIL.Image.fromarray(p).resize((560, 560))) for p in performance]
    path = film("hours.mp4", [large[n % FRAMES] for n in range(120)], rate=30)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, portrait, path, tmp_path], capture_output=True, text=True, check=True
    )
    short, long = map(int, done.stdout.split()[-2:])
    assert long - short < 70


@pytest.mark.parametrize(("yaw", "told"), [(20, False), (-39, False), (55, True), (-60, True)])
def test_a_source_in_profile_is_told_of(yaw: float, told: bool) -> None:
    rotation = rotation_vector(pose_matrix(HeadPose(yaw, 5, -3)))
    puppet = SimpleNamespace(transfer=SimpleNamespace(state=SimpleNamespace(rotation=rotation)))
    notes = animate._turned_away(puppet)  # type: ignore[arg-type]
    assert bool(notes) == told
    assert not told or f"turned by {abs(yaw)} degrees" in notes[0]
