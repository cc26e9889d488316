"""Settings of a run, as plain frozen values that are handed over as arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from reenact.media.codecs import Codec

MotionMode = Literal["relative", "absolute", "expression", "pose"]
DEFAULT_SYSTEM = "live"
REGIONS = ("eyes", "brows", "lips", "jaw", "gaze", "head")


@dataclass(frozen=True)
class Gains:
    """A factor on the driving motion of each region; 0 keeps the source's own, 1 is unchanged."""

    eyes: float = 1.0
    brows: float = 1.0
    lips: float = 1.0
    jaw: float = 1.0
    gaze: float = 1.0
    head: float = 1.0


@dataclass(frozen=True)
class MotionOptions:
    """How the driving motion is carried onto the source.

    mode: 'relative' adds the driving face's change from its anchor frame to the source's own state;
    'absolute' takes the driving pose and expression as they are; 'expression' moves the face and keeps the
    head; 'pose' moves the head and keeps the face. strength: gain on the expression. smooth: 0 is off,
    1 the default. anchor: the driving frame that stands for the source's own state: a frame number, or
    'auto' for the one nearest the source. placement: for absolute motion, where the head goes: 'source'
    keeps the source's own place and size and adds the driving head's travel, 'frame' puts it where it is
    in the driving picture.
    """

    mode: MotionMode = "relative"
    strength: float = 1.0
    smooth: float = 1.0
    anchor: Literal["auto"] | int = "auto"
    gains: Gains = field(default_factory=Gains)
    placement: Literal["source", "frame"] = "source"


FaceChoice = Literal["largest"] | int
"""'largest', or the number of the face counted from the left, from 0."""


@dataclass(frozen=True)
class OutputOptions:
    """What is written.

    paste: put the animated crop back into the whole source picture (False writes the crop alone). size:
    longest side in pixels, 'source' for the source's own, None for the default (stills the source's own,
    videos at most 2,160). fps: None keeps the driving video's. quality: 0 to 100. label: visible text, None
    for none. consent: text recorded in the manifest. mark: C2PA manifest and watermark. keep_partial: keep
    what was done when the driving video breaks off or the run is interrupted. sign_with: PEM file with a
    certificate chain and key of one's own.
    """

    paste: bool = True
    size: int | Literal["source"] | None = None
    compare: bool = False
    landmarks: bool = False
    label: str | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    fps: Fraction | None = None
    quality: int = 75
    codec: Codec = "auto"
    overwrite: bool = False
    keep_partial: bool = False
    mark: bool = True
    consent: str | None = None
    sign_with: Path | None = None


@dataclass(frozen=True)
class RunOptions:
    """Everything `reenact image` and `reenact video` take beside their files."""

    system: str = DEFAULT_SYSTEM
    motion: MotionOptions = field(default_factory=MotionOptions)
    output: OutputOptions = field(default_factory=OutputOptions)
    source_face: FaceChoice = "largest"
    driving_face: FaceChoice = "largest"
    threads: int | None = None
    device: str = "cpu"
