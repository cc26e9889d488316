"""Stills whose truth is known: each is made anew from a changed picture of itself.

The source is the still, warped by a random change of a clip's face; what is wanted is the still as it is. So
many people have a true picture, not only those of clips. The change is made by `warp`, so that the source lacks
what no warp brings back, and the truth is a photograph or a painting.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reenact.data.folders import FolderData
from reenact.errors import ReenactError
from reenact.evaluation.measure import Row, Seen, Tools, driving_figures, likeness, set_features, truth_figures
from reenact.evaluation.protocols import COPY, Outcome, Protocol, Scene
from reenact.evaluation.scenes import Clip, portrait_of, read_clip
from reenact.geometry.slits import Driver
from reenact.geometry.transfer import Blend
from reenact.media.compose import over
from reenact.pipeline.portrait import Portrait, Puppet, blend_of, drive_of, drives_of
from reenact.types import Image

TURN = 0.6
"""Gain on the head's motion in the change: what a turned head uncovers is a guess already."""


@dataclass(frozen=True)
class ChangedCase:
    """A still, and the clip whose motion changes it. seed: of which two moments of the clip are taken."""

    key: str
    still: Path
    clip: Path
    seed: int

    @property
    def files(self) -> tuple[Path, ...]:
        """Still and clip."""
        return self.still, self.clip

    @property
    def signature(self) -> str:
        """Which change."""
        return f"seed {self.seed}"

    def open(self, protocol: Protocol, tools: Tools) -> Scene:
        """Read the still and change it. Raises ReenactError where the change shows no face."""
        clip = tools.clips.get(self.clip) or read_clip(self.clip, protocol.size, protocol.most, tools.finder)
        tools.clips[self.clip] = clip
        still = portrait_of(self.still, protocol.size)
        return ChangedScene(portrait_of(self._change(still, clip), protocol.size), still, protocol, tools)

    def _change(self, still: Portrait, clip: Clip) -> Image:
        random = np.random.default_rng([zlib.crc32(self.key.encode()), self.seed])
        drives = drives_of(clip.motion, still)
        before, after = random.choice(np.flatnonzero(clip.motion.found), 2)
        puppet = Puppet(still, "warp", Blend(turn=TURN))
        return over(puppet.render(drives[after], drives[before]), 128)


def changed_cases(data: FolderData, split: str, pairs: int | None, seed: int) -> list[ChangedCase]:
    """`pairs` stills that nothing shipped was trained on (all by default), drawn with `seed`, the clips of a
    split in turn. Raises ReenactError where there is nothing to pair."""
    clips, stills = data.split(split), data.unseen_stills()
    if not stills:
        raise ReenactError(f"{data.root}: no stills to change; put portraits into {data.root / 'stills'}")
    drawn = np.random.default_rng(seed).permutation(len(stills))[:pairs]
    return [
        ChangedCase(f"{stills[n].parent.name}-{stills[n].stem}", stills[n], clips[k % len(clips)], seed)
        for k, n in enumerate(drawn.tolist())
    ]


class ChangedScene:
    """A changed still and the still as it was."""

    def __init__(self, portrait: Portrait, still: Portrait, protocol: Protocol, tools: Tools) -> None:
        self._portrait, self._protocol, self._tools = portrait, protocol, tools
        self._truth = Seen(over(still.picture, 128), still.points)
        self.source: Image = over(portrait.picture, 128)
        self.driving = [self._truth.image]
        self._vectors = tuple(
            tools.embed(image, points)
            for image, points in ((self.source, portrait.points), (self._truth.image, still.points))
        )

    def run(self, system: str) -> Outcome:
        """Animate with one system and measure against the still."""
        made = self._made(system)
        seen, tools, truth = Seen(made, self._tools.finder(made)), self._tools, self._truth
        vector = tools.embed(seen.image, seen.points)
        row: Row = {"frame": 0, "lost": int(seen.points is None)}
        row |= truth_figures(seen, truth, tools) | driving_figures(seen.points, truth.points, tools)
        row["csim_source"], row["same_source"] = likeness(vector, self._vectors[0], tools)
        row["csim"], row["same"] = likeness(vector, self._vectors[1], tools)
        features = set_features([made], [vector], [truth.image], [self._vectors[1]], tools)
        return Outcome([row], [made], ["still"], features)

    def _made(self, system: str) -> Image:
        if system == COPY:
            return self.source
        assert self._truth.points is not None
        state = self._tools.model.fit(self._truth.points)
        motion = blend_of(self._protocol.motion)
        puppet = Puppet(self._portrait, system, motion, threads=2, driver=Driver(state.identity))
        drive = drive_of(state)
        return over(puppet.render(drive, drive), 128)
