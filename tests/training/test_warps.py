"""Warps to train `live` on: rendered from made-up clips and stills, the same each time, people kept apart."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch")

from reenact.data.demo_motion import demo_motion  # noqa: E402
from reenact.errors import ReenactError  # noqa: E402
from reenact.media.stills import write_still  # noqa: E402
from reenact.media.writer import open_writer  # noqa: E402
from reenact.pipeline.options import MotionOptions  # noqa: E402
from reenact.pipeline.portrait import Puppet, blend_of, drives_of, read_portrait  # noqa: E402
from reenact.training.warps import WarpPlan, WarpSource, open_warps, render_warps  # noqa: E402


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Two clips, one of which is named in the hold-out list, and a still."""
    folder = tmp_path_factory.mktemp("faces")
    picture = np.ascontiguousarray(data.astronaut()[0:224, 112:336])
    portrait = read_portrait(picture)
    puppet = Puppet(portrait, "warp", blend_of(MotionOptions()))
    drives = drives_of(demo_motion(), portrait)
    frames = [puppet.render(drive, drives[0]) for drive in drives[0:160:8]]
    (folder / "clips" / "train").mkdir(parents=True)
    for name in ("lp-s18", "mine"):
        path = folder / "clips" / "train" / f"{name}.mp4"
        with open_writer(path, width=224, height=224, fps=Fraction(25), quality=90) as sink:
            for n, frame in enumerate(frames):
                sink.write(frame, Fraction(n, 25))
    (folder / "portraits" / "colour").mkdir(parents=True)
    write_still(folder / "portraits" / "colour" / "a.jpg", picture)
    return folder


@pytest.fixture(scope="module")
def warps(faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("warps")
    render_warps(faces, folder, WarpPlan(sources=2, targets=4, changes=1), processes=1)
    return folder


def test_people_who_are_kept_out_are_held(warps):
    assert sorted(path.name for path in (warps / "train").iterdir()) == ["mine", "stills-0-000"]
    assert [path.name for path in (warps / "held").iterdir()] == ["lp-s18"]
    assert [path.name for path in (warps / "motions").iterdir()] == ["mine.motion"]


def test_what_is_there_is_kept(faces, warps):
    before = {path: path.stat().st_mtime_ns for path in warps.rglob("*.npy")}
    render_warps(faces, warps, WarpPlan(sources=2, targets=4, changes=1), processes=1)
    assert {path: path.stat().st_mtime_ns for path in warps.rglob("*.npy")} == before


def test_warps_are_nearer_to_the_truth_than_the_source(warps):
    rows = WarpSource(warps / "train", augment=False)
    assert rows.size == 2 * 4 + 1
    batch = rows.load(np.array([(n, 0) for n in range(rows.size)]))
    assert batch["warp"].shape == (9, 256, 256, 3) and batch["flow"].shape == (9, 64, 64, 2)
    face = batch["maps"][..., 5].repeat(2, 1).repeat(2, 2) > 128

    def error(name: str) -> float:
        return float(np.abs(batch[name].astype(int) - batch["target"])[face].mean())

    assert error("warp") < 0.8 * error("source")


def test_rows_depend_on_the_generator_alone_and_are_augmented(warps):
    rows = WarpSource(warps / "train", stills=0.5)
    one, other = (rows.draw(np.random.default_rng(4), 16) for _ in range(2))
    assert (one == other).all() and set(one[:, 0].tolist()) <= set(range(9))
    first, again = (rows.load(one[:4]) for _ in range(2))
    assert all((first[name] == again[name]).all() for name in first)
    same = np.array([[0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [0, 6]])
    looks = rows.load(same)["source"]
    assert len({looks[n].tobytes() for n in range(6)}) > 3


def test_a_mirrored_sample_is_mirrored_whole(warps):
    """Where the face of the maps is mirrored, the picture and the flow's x are, too."""
    rows, plain = WarpSource(warps / "train"), WarpSource(warps / "train", augment=False)
    true = plain.load(np.array([[0, 0]]))
    for seed in range(20):
        made = rows.load(np.array([[0, seed]]))
        if (made["maps"] != true["maps"]).any():
            break
    assert (made["maps"] == true["maps"][:, :, ::-1]).all()
    assert made["flow"][..., 0] == pytest.approx(-true["flow"][:, :, ::-1, 0])
    assert made["flow"][..., 1] == pytest.approx(true["flow"][:, :, ::-1, 1])
    light = made["target"].astype(float).mean(3).ravel()
    assert np.corrcoef(light, true["target"][:, :, ::-1].astype(float).mean(3).ravel())[0, 1] > 0.95


def test_opened_for_training(warps, tmp_path):
    opened = open_warps(warps)
    assert opened.train.size == 9 and opened.held_out.size > 0 and "9" in opened.note
    (tmp_path / "train").mkdir()
    with pytest.raises(ReenactError, match="render"):
        open_warps(tmp_path)


def test_moments_come_with_the_next_one(warps):
    """The second half of a batch follows the first half, of the same source and augmented alike."""
    plain, paired = (WarpSource(warps / "train", stills=0.3, neighbours=one) for one in (False, True))
    assert not plain.load(plain.draw(np.random.default_rng(1), 24))["followed"].any()
    rows = paired.draw(np.random.default_rng(1), 25)
    batch = paired.load(rows)
    followed = batch["followed"].astype(bool)
    assert followed.shape == (12,) and 2 < followed.sum() < 12
    first, second = (
        {name: x[at] for name, x in batch.items() if len(x) == 25} for at in (slice(12), slice(12, 24))
    )
    assert (first["source"] == second["source"])[followed].all()
    assert (rows[:12, 1] == rows[12:24, 1]).tolist() == followed.tolist()
    apart = np.abs(first["target"].astype(int) - second["target"]).mean((1, 2, 3))
    assert 0 < apart[followed].mean() < 0.5 * apart[~followed].mean()


def test_a_share_of_a_batch_keeps_its_pairs(warps):
    paired = WarpSource(warps / "train", stills=0.0, neighbours=True)
    rows = paired.draw(np.random.default_rng(1), 16)
    whole = paired.load(rows)["followed"]
    parts = [paired.load(rows[rank::2])["followed"] for rank in range(2)]
    assert whole.sum() == sum(part.sum() for part in parts) > 0
