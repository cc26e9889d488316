"""Which two faces a training step sees. A sampler gives, for an epoch, the numbers of source and driving faces
in a `FaceStore`; the same numbers for the same seed and epoch, on every machine and after every resume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from reenact.data.shards import Entry
from reenact.errors import ReenactError
from reenact.types import Floats

Numbers = NDArray[np.int64]
"""(P, 2): the numbers of source and driving face of each of P pairs."""


class Sampler(Protocol):
    """What a trainer asks for pairs."""

    def epoch(self, number: int) -> Numbers:
        """The pairs of an epoch, (P, 2), in the order in which they are to be seen."""


def _random(name: str, seed: int, epoch: int) -> np.random.Generator:
    words = [int.from_bytes(name.encode()[:8], "little"), seed & 0xFFFFFFFF, epoch]
    return np.random.default_rng(words)


def _groups(entries: Sequence[Entry], by: Literal["clip", "identity"], least: int) -> list[NDArray[np.int64]]:
    """Numbers of the faces of each clip or person that has at least `least` of them."""
    found: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        name = entry.clip if by == "clip" else entry.identity
        if name:
            found.setdefault(name, []).append(number)
    return [np.array(of) for _, of in sorted(found.items()) if len(of) >= least]


@dataclass(frozen=True)
class SamePerson:
    """Two different faces of one clip (by='clip', the field's self-supervision) or of one person.

    each: pairs a clip or person and epoch; 10 in FIPLS ('Implementation details'). Raises ReenactError where
    no clip has two faces.
    """

    entries: Sequence[Entry]
    seed: int = 0
    each: int = 10
    by: Literal["clip", "identity"] = "clip"

    def epoch(self, number: int) -> Numbers:
        """`each` pairs of every clip or person, shuffled."""
        groups = _checked(_groups(self.entries, self.by, 2), f"no {self.by} has two faces to pair")
        random = _random("same", self.seed, number)
        pairs = [_two(group, random) for group in groups for _ in range(self.each)]
        return random.permutation(np.array(pairs, np.int64))


@dataclass(frozen=True)
class CrossPeople:
    """Each face as the source once an epoch, with a driving face of somebody else; there is no true target."""

    entries: Sequence[Entry]
    seed: int = 0

    def epoch(self, number: int) -> Numbers:
        """One pair a face, shuffled. Raises ReenactError where all faces are one person's."""
        names, person = np.unique([entry.identity for entry in self.entries], return_inverse=True)
        _checked(list(names[1:]), "all faces are of one person; cross pairs need two")
        random = _random("cross", self.seed, number)
        sources = random.permutation(len(self.entries))
        driving = random.integers(0, len(self.entries), len(sources))
        while (same := person[sources] == person[driving]).any():
            driving[same] = random.integers(0, len(self.entries), int(same.sum()))
        return np.stack([sources, driving], 1).astype(np.int64)


@dataclass(frozen=True)
class TwoPhases:
    """DG's training (section 4.1): first two pictures of one person, then, from epoch `switch` on, driving
    pictures of other people. The paper does not say when it switches."""

    entries: Sequence[Entry]
    switch: int
    seed: int = 0
    each: int = 10

    def is_cross(self, number: int) -> bool:
        """Whether epoch `number` pairs different people, so that losses against a true target do not apply."""
        return number >= self.switch

    def epoch(self, number: int) -> Numbers:
        """The pairs of the epoch's phase."""
        if self.is_cross(number):
            return CrossPeople(self.entries, self.seed).epoch(number)
        return SamePerson(self.entries, self.seed, self.each, by="identity").epoch(number)


@dataclass(frozen=True)
class PoseCurriculum:
    """FIPLS's pose-aware sampling: only clips whose range of poses reaches a threshold, which rises.

    The range of a clip is the larger of its spreads of yaw and pitch in degrees. The threshold is a quantile
    of all clips' ranges: `start` at first, `step` more every `every` epochs, at most `most`. The paper gives
    the rule ('every tens of epochs') and none of the figures; these are ours. Within a clip the two frames
    differ by at least half the threshold where it has such frames.
    """

    entries: Sequence[Entry]
    seed: int = 0
    each: int = 10
    start: float = 0.1
    step: float = 0.2
    every: int = 10
    most: float = 0.8

    def ranges(self) -> list[tuple[NDArray[np.int64], float]]:
        """Each clip's faces and its range of poses in degrees."""
        groups = _checked(_groups(self.entries, "clip", 2), "no clip has two faces to pair")
        poses = self._poses()
        return [(group, float(np.ptp(poses[group], axis=0).max())) for group in groups]

    def threshold(self, number: int) -> float:
        """The least range of poses, degrees, of the clips that epoch `number` draws from."""
        share = min(self.start + self.step * (number // self.every), self.most)
        return float(np.quantile([spread for _, spread in self.ranges()], share))

    def epoch(self, number: int) -> Numbers:
        """`each` pairs of every clip above the threshold, shuffled."""
        random, poses = _random("pose", self.seed, number), self._poses()
        least = self.threshold(number)
        groups = [group for group, spread in self.ranges() if spread >= least]
        pairs = [_apart(group, poses, least / 2, random) for group in groups for _ in range(self.each)]
        return random.permutation(np.array(pairs, np.int64))

    def _poses(self) -> Floats:
        """(S, 2): yaw and pitch of every face, degrees."""
        return np.array([entry.pose[:2] for entry in self.entries], np.float32)


@dataclass(frozen=True)
class Stills:
    """A still as source and driving face in one (OSFR, section 3.2.4): the pair is the picture itself and a
    face of somebody else, whose contour it is warped to before it drives (`resample.py`)."""

    entries: Sequence[Entry]
    seed: int = 0

    def epoch(self, number: int) -> Numbers:
        """(P, 2): each face once, and the face that lends its contour."""
        return CrossPeople(self.entries, self.seed).epoch(number)


def nearest_in_pose(poses: Sequence[tuple[float, float, float]], driving: tuple[float, float, float]) -> int:
    """Of a person's k sources the one to use: the nearest to the driving face in yaw, pitch and roll (degrees;
    OSFR, section 4.7.3)."""
    away = np.linalg.norm(np.asarray(poses, float) - np.asarray(driving, float), axis=1)
    return int(away.argmin())


def _two(group: NDArray[np.int64], random: np.random.Generator) -> tuple[int, int]:
    first, second = random.choice(len(group), 2, replace=False)
    return int(group[first]), int(group[second])


def _apart(
    group: NDArray[np.int64], poses: Floats, least: float, random: np.random.Generator
) -> tuple[int, int]:
    first = int(random.choice(group))
    turned = np.abs(poses[group] - poses[first]).max(1)
    far = group[(turned >= least) & (group != first)]
    others = far if len(far) else group[group != first]
    return first, int(random.choice(others))


def _checked(found: list[Any], message: str) -> list[Any]:
    if not found:
        raise ReenactError(f"{message}; prepare more data")
    return found
