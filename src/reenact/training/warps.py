"""What `live` learns from: landmark warps beside the true pictures, rendered once into shards and then read at
random.

From clips: source and target are two frames of one clip, the driving motion the clip's own (absolute), so that
the warp has all the faults that it has in use; moments come in pairs of neighbours, so that consistency over
time can be learned. From stills, for the many people: the source is the still warped
by a random change of a random clip, the target the still itself. People of `data/holdout.json` and the clips of
`val` are kept out of part 'train'.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.evaluation.scenes import area_resized
from reenact.geometry.slits import Driver
from reenact.geometry.transfer import Blend, Drive
from reenact.pipeline.motion_file import read_motion, write_motion
from reenact.pipeline.portrait import Portrait, Puppet, drive_of, driver_of, drives_of, read_portrait
from reenact.systems.live.inputs import SIDE, LiveInputs
from reenact.systems.spec import SourceFace, SystemSpec, TargetShape
from reenact.training.recolour import recoloured
from reenact.training.rendered import in_processes, read_shards, write_shard
from reenact.training.sources import Data
from reenact.types import Image, Motion

STILLS_A_SHARD = 24
_HELD = 24  # targets of a clip that is kept out
_NEXT = np.array([1, 0])  # what takes a row to that of the next moment
_ARRAYS = ("source", "source_maps", "warp", "maps", "flow", "target", "of", "moment")


@dataclass(frozen=True)
class WarpPlan:
    """How much is rendered. sources: source frames of each clip; targets: target frames of each, an even
    number: half of them chosen at random, each followed by the next. changes: random changes of each still.
    turn: gain on the head's motion in these, since what a turned head uncovers in a warped source is itself a
    guess."""

    sources: int = 40
    targets: int = 6
    changes: int = 2
    turn: float = 0.6
    seed: int = 20261124


class _Recorder:
    """A generator that keeps what the network would see."""

    def __init__(self, source: SourceFace) -> None:
        self.inputs = LiveInputs(source)
        self.rows: list[dict[str, NDArray[Any]]] = []

    def render(self, target: TargetShape) -> Image:
        picture, seen = self.inputs.frame(target)
        row: dict[str, NDArray[Any]] = {
            "warp": seen.picture,
            "maps": seen.maps,
            "flow": seen.flow.astype(np.float16),
        }
        self.rows.append(row)
        return picture


class _Recorded:
    """A portrait whose warps are kept, with the true crop beside each."""

    def __init__(self, portrait: Portrait, blend: Blend, driver: Driver | None = None) -> None:
        self._made: list[_Recorder] = []
        spec = SystemSpec("record", "", "", 2.6, False, self._load)
        self.puppet = Puppet(portrait, spec, blend, driver=driver)
        self._targets: list[Image] = []
        self._moments: list[int] = []

    def _load(self, source: SourceFace, threads: int | None) -> _Recorder:
        self._made.append(_Recorder(source))
        return self._made[0]

    def add(self, drive: Drive, anchor: Drive, truth: Image, moment: int = 0) -> None:
        """Warp to a moment, the clip's frame of that number; truth: the whole true picture (H, W, 3)."""
        self.puppet.render(drive, anchor)
        self._targets.append(self._made[0].inputs.crop.cut(self.puppet.box.of(truth)))
        self._moments.append(moment)

    def rows(self) -> tuple[dict[str, NDArray[Any]], list[dict[str, NDArray[Any]]]]:
        """The source's arrays, and those of each target."""
        source, made = self._made[0].inputs.source, self._made[0].rows
        rows = [
            row | {"target": target, "moment": np.array(moment, np.int64)}
            for row, target, moment in zip(made, self._targets, self._moments, strict=True)
        ]
        return {"source": source.picture, "source_maps": source.maps}, rows


@dataclass
class _Shard:
    """Rows that are written together."""

    sources: list[dict[str, NDArray[Any]]] = field(default_factory=list)
    rows: list[dict[str, NDArray[Any]]] = field(default_factory=list)

    def add(self, recorded: _Recorded) -> None:
        source, rows = recorded.rows()
        self.rows += [row | {"of": np.array(len(self.sources), np.int64)} for row in rows]
        self.sources.append(source)

    def write(self, folder: Path) -> None:
        """All arrays into `folder`, where there are any."""
        if not self.rows:
            return
        of = {name: self.sources if name.startswith("source") else self.rows for name in _ARRAYS}
        write_shard(folder, ((name, np.stack([row[name] for row in rows])) for name, rows in of.items()))


def render_warps(data: Path, folder: Path, plan: WarpPlan | None = None, processes: int = 2) -> None:
    """Render all shards of `data` (with `clips/` and `portraits/`) into `folder`; those there are kept."""
    plan = plan or WarpPlan()
    for name in ("motions", "train", "held"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    holdout = json.loads((Path(__file__).parent.parent / "data" / "holdout.json").read_text())
    clips = sorted((data / "clips" / "train").glob("*.mp4"))
    stills = sorted((data / "portraits").glob("*/*.jpg"))
    if not clips or not stills:
        raise ReenactError(f"{data}: clips/train/*.mp4 and portraits/*/*.jpg are needed")
    held_stills = set(holdout["stills"])
    learned = [path for path in stills if f"{path.parent.name}/{path.name}" not in held_stills]
    of_clips = [(path, folder, plan, "held" if path.stem in holdout["clips"] else "train") for path in clips]
    in_processes(processes, _render_clip, of_clips)
    groups = [learned[n : n + STILLS_A_SHARD] for n in range(0, len(learned), STILLS_A_SHARD)]
    of_stills = [
        (f"stills-{change}-{number:03d}", group, folder, plan)
        for change in range(plan.changes)
        for number, group in enumerate(groups)
    ]
    in_processes(processes, _render_stills, of_stills)


def _render_clip(path: Path, folder: Path, plan: WarpPlan, part: str) -> None:
    from reenact.media.reader import open_frames
    from reenact.pipeline.track import smoothed, track_video

    done = folder / part / path.stem
    if done.is_dir():
        return
    motion = smoothed(track_video(path)[0], 1.0)
    if part == "train":
        write_motion(folder / "motions" / f"{path.stem}.motion", motion, overwrite=True)
    with open_frames(path) as frames:
        pictures = [area_resized(np.ascontiguousarray(frame.image[..., :3]), SIDE) for frame in frames]
    random = _random(path.stem, plan.seed)
    count = min(len(pictures), len(motion))
    starts = np.linspace(0, count - 1, min(plan.sources, count)).astype(int)
    shard = _Shard()
    for start in starts.tolist() if part == "train" else [0]:
        chosen = _pairs(count, plan.targets if part == "train" else _HELD, random)
        try:
            blend = Blend(relative=False, in_frame=True)
            recorded = _Recorded(read_portrait(pictures[start]), blend, driver_of(motion))
        except ReenactError:
            continue
        drives = drives_of(motion, recorded.puppet.portrait)
        for number in chosen[motion.found[chosen]].tolist():
            recorded.add(drives[number], drives[start], pictures[number], number)
        shard.add(recorded)
    shard.write(done)


def _render_stills(name: str, paths: list[Path], folder: Path, plan: WarpPlan) -> None:
    done = folder / "train" / name
    if done.is_dir():
        return
    motions = [read_motion(path) for path in sorted((folder / "motions").glob("*.motion"))]
    shard = _Shard()
    for path in paths:
        random = _random(f"{name} {path.name}", plan.seed)
        try:
            recorded = _changed_still(path, motions, plan, random)
        except ReenactError:
            continue
        shard.add(recorded)
    shard.write(done)


def _changed_still(path: Path, motions: list[Motion], plan: WarpPlan, random: np.random.Generator) -> _Recorded:
    """The still warped by a random change as the source; itself as the target."""
    from reenact.media.stills import read_still

    still = read_portrait(area_resized(np.ascontiguousarray(read_still(path)[..., :3]), SIDE))
    motion = motions[int(random.integers(len(motions)))]
    drives = drives_of(motion, still)
    first, second = random.choice(np.flatnonzero(motion.found), 2)
    strength = float(random.uniform(0.6, 1.5))
    puppet = Puppet(still, "warp", Blend(relative=True, strength=strength, turn=plan.turn))
    source = puppet.render(drives[second], drives[first])
    moved = replace(still, picture=source, points=puppet.target(drives[second], drives[first]))
    recorded = _Recorded(moved, Blend(relative=False, in_frame=True))
    goal = drive_of(puppet.transfer.state)
    recorded.add(goal, drive_of(recorded.puppet.transfer.state), still.picture)
    return recorded


def _pairs(count: int, targets: int, random: np.random.Generator) -> NDArray[np.int64]:
    """About `targets` numbers of `count` frames: half of them at random, no two alike, each followed by the
    next frame's."""
    first = random.choice(max(count - 1, 1), min(targets // 2, max(count - 1, 1)), replace=False)
    return np.stack([first, np.minimum(first + 1, count - 1)], 1).ravel().astype(np.int64)


def _random(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(name.encode()), seed])


class WarpSource:
    """Batches of `source` (B, 3, 256, 256) and its maps, `warp`, `maps`, `flow` and `target`, as rendered:
    pictures uint8 (B, H, W, C), flow float32 (B, 64, 64, 2) in pixels; `followed` (B // 2,) float32 is 1 where
    sample n + B // 2 shows the moment after that of sample n, of one source and augmented alike.

    stills: share of the samples that are drawn from stills. neighbours: let the second half of a batch follow
    the first, where a sample of a clip has a next moment. augment: mirror and recolour at random.
    """

    def __init__(
        self, folder: Path, *, stills: float = 0.35, neighbours: bool = False, augment: bool = True
    ) -> None:
        shards = read_shards(folder, _ARRAYS)
        if not shards:
            raise ReenactError(f"{folder}: no warps there; render them first: python recipes/live.py render")
        self._shards = list(shards.values())
        places = [(n, row) for n, shard in enumerate(self._shards) for row in range(len(shard["of"]))]
        self._places = np.array(places, np.int64)
        still = np.array([name.startswith("stills-") for name in shards])[self._places[:, 0]]
        self._of_stills, self._of_clips = np.flatnonzero(still), np.flatnonzero(~still)
        self._share = (
            stills if len(self._of_stills) and len(self._of_clips) else float(len(self._of_stills) > 0)
        )
        of, moment = (np.concatenate([shard[name] for shard in self._shards]) for name in ("of", "moment"))
        same = (np.diff(self._places[:, 0]) == 0) & (np.diff(of) == 0) & (np.diff(moment) == 1)
        self._has_next = np.append(same, False)
        self._neighbours, self._augment = neighbours, augment
        self.size = len(self._places)

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 2) int64: the sample, and the seed of its augmentation."""
        from_stills = rng.random(count) < self._share
        chosen = np.where(
            from_stills,
            rng.choice(self._of_stills if len(self._of_stills) else [0], count),
            rng.choice(self._of_clips if len(self._of_clips) else [0], count),
        )
        rows = np.stack([chosen, rng.integers(0, 1 << 31, count)], 1).astype(np.int64)
        if self._neighbours:
            half = count // 2
            first, second = rows[:half], rows[half : 2 * half]
            second[:] = np.where(self._has_next[first[:, :1]], first + _NEXT, second)
        return rows

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The samples of these rows."""
        samples = [self._sample(number, seed) for number, seed in rows.tolist()]
        if not samples:
            return {}
        half = len(rows) // 2
        first, second = rows[:half], rows[half : 2 * half]
        followed = self._has_next[first[:, 0]] & (second == first + _NEXT).all(1)
        batch = {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}
        return batch | {"followed": followed.astype(np.float32)}

    def _sample(self, number: int, seed: int) -> dict[str, NDArray[Any]]:
        shard, row = self._shards[int(self._places[number, 0])], int(self._places[number, 1])
        of = int(shard["of"][row])
        sample = {
            name: np.asarray(shard[name][of if name.startswith("source") else row]) for name in _ARRAYS[:-2]
        }
        sample["flow"] = sample["flow"].astype(np.float32)
        return _augmented(sample, np.random.default_rng(seed)) if self._augment else sample


def _augmented(sample: dict[str, NDArray[Any]], random: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Mirrored half of the time, and recoloured."""
    if random.random() < 0.5:
        sample = {name: np.ascontiguousarray(value[:, ::-1]) for name, value in sample.items()}
        sample["flow"] = sample["flow"] * np.array([-1, 1], np.float32)
    names = ("source", "warp", "target")
    return sample | dict(zip(names, recoloured([sample[name] for name in names], random), strict=True))


def open_warps(folder: Path, stills: float = 0.35, *, neighbours: bool = False) -> Data:
    """The shards that `render_warps` wrote: 'train' to train on, 'held', in neighbours, to look at."""
    train = WarpSource(folder / "train", stills=stills, neighbours=neighbours)
    held = WarpSource(folder / "held", neighbours=True, augment=False)
    return Data(train, held, f"{train.size:,} warps of {folder}")
