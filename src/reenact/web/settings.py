"""What a job is asked to do, as JSON: the fields of `RunOptions` with bounds, named as on the command line."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from reenact.media.codecs import Codec
from reenact.pipeline.options import (
    DEFAULT_SYSTEM,
    FaceChoice,
    Gains,
    MotionMode,
    MotionOptions,
    OutputOptions,
    RunOptions,
)
from reenact.pipeline.pose import MOST_DEGREES, MOST_STRENGTH, Pose
from reenact.trust.label import label_text
from reenact.web.limits import MAX_RATE

Kind = Literal["video", "image", "pose", "track"]
Gain = Annotated[float, Field(ge=0, le=3)]
Degrees = Annotated[float, Field(ge=-MOST_DEGREES, le=MOST_DEGREES)]
Strength = Annotated[float, Field(ge=-MOST_STRENGTH, le=MOST_STRENGTH)]
Seconds = Annotated[float, Field(ge=0, le=1e6)]
FaceNumber = Annotated[int, Field(ge=0, le=15)]
Text = Annotated[str, Field(max_length=200)]


class Closed(BaseModel):
    """A JSON object that takes no other fields, and no infinities."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PoseSettings(Closed):
    """A pose by hand: degrees, strengths of named expressions (1 is full), action units at 0 to 5."""

    yaw: Degrees = 0.0
    pitch: Degrees = 0.0
    roll: Degrees = 0.0
    expressions: Annotated[dict[str, Strength], Field(max_length=40)] = {}
    units: Annotated[dict[int, Annotated[float, Field(ge=0, le=5)]], Field(max_length=40)] = {}

    def pose(self) -> Pose:
        """As the pipeline has it."""
        return Pose(self.yaw, self.pitch, self.roll, self.expressions, self.units)


class JobOptions(Closed):
    """Options of a job.

    kind: 'video' (portrait and driving file to a video), 'image' (portrait and driving picture to a picture),
    'pose' (portrait and `pose` to a picture), 'track' (driving file to a motion file). format: of the result;
    by default mp4 or png.
    """

    kind: Kind = "video"
    system: Annotated[str, Field(max_length=80)] = DEFAULT_SYSTEM
    motion: MotionMode = "relative"
    strength: Gain = 1.0
    eyes: Gain = 1.0
    brows: Gain = 1.0
    lips: Gain = 1.0
    jaw: Gain = 1.0
    gaze: Gain = 1.0
    head: Gain = 1.0
    smooth: Annotated[float, Field(ge=0, le=5)] = 1.0
    anchor: Literal["auto"] | Annotated[int, Field(ge=0, le=10**7)] = "auto"
    placement: Literal["source", "frame"] = "source"
    source_face: Literal["largest"] | FaceNumber = "largest"
    driving_face: Literal["largest"] | FaceNumber = "largest"
    paste: bool = True
    compare: bool = False
    landmarks: bool = False
    size: Annotated[int, Field(ge=64, le=4096)] | None = None
    start: Seconds | None = None
    end: Seconds | None = None
    fps: Annotated[float, Field(ge=1, le=MAX_RATE)] | None = None
    quality: Annotated[int, Field(ge=0, le=100)] = 75
    codec: Codec = "auto"
    format: Literal["mp4", "webm", "gif", "png", "jpg", "webp"] | None = None
    label: Text | None = None
    consent: Text | None = None
    pose: PoseSettings = PoseSettings()

    @property
    def moves(self) -> bool:
        """Whether the result is a video."""
        return self.kind == "video"

    @property
    def suffix(self) -> str:
        """Ending of the result's name."""
        return ".motion" if self.kind == "track" else f".{self.format or ('mp4' if self.moves else 'png')}"

    def complaint(self) -> str | None:
        """What does not go together in the options, if anything."""
        if self.kind != "track" and self.format is not None:
            wanted = ("mp4", "webm", "gif") if self.moves else ("png", "jpg", "webp")
            if self.format not in wanted:
                return f"a job of kind {self.kind} writes {', '.join(wanted)}, not {self.format}"
        if self.moves and self.format == "gif" and self.codec != "auto":
            return f"a gif has no video codec; leave out codec {self.codec}"
        if self.start is not None and self.end is not None and self.end <= self.start:
            return f"end {self.end:g} is not after start {self.start:g}"
        return None

    def run_options(self, threads: int | None = None) -> RunOptions:
        """As the pipeline has them; what is written is always marked."""
        return RunOptions(
            system=self.system,
            motion=MotionOptions(
                mode=self.motion,
                strength=self.strength,
                smooth=self.smooth,
                anchor=self.anchor,
                gains=Gains(self.eyes, self.brows, self.lips, self.jaw, self.gaze, self.head),
                placement=self.placement,
            ),
            output=OutputOptions(
                paste=self.paste,
                size=self.size,
                compare=self.compare,
                landmarks=self.landmarks,
                label=label_text(self.label) if self.label else None,
                start=_exact(self.start),
                end=_exact(self.end),
                fps=None if self.fps is None else Fraction(self.fps).limit_denominator(1001),
                quality=self.quality,
                codec=self.codec,
                consent=self.consent or None,
            ),
            source_face=_face(self.source_face),
            driving_face=_face(self.driving_face),
            threads=threads,
        )


class PreviewRequest(Closed):
    """One picture of a held portrait. motion: id of a held motion; a pose (`options.kind`) needs none.
    position: 0 is the motion's beginning, 1 its end."""

    motion: Annotated[str, Field(max_length=64)] | None = None
    position: Annotated[float, Field(ge=0, le=1)] = 0.0
    options: JobOptions = JobOptions()


def _exact(seconds: float | None) -> Fraction | None:
    return None if seconds is None else Fraction(seconds).limit_denominator(10**6)


def _face(choice: Literal["largest"] | int) -> FaceChoice:
    return choice
