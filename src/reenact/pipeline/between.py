"""From one picture of a person to another, and from a face to an edited one, along a landmark sequence."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.attributes import edited
from reenact.geometry.face_model import default_face_model
from reenact.geometry.transfer import Blend, Drive, Transfer, neck_travel
from reenact.media.encoders import check_codec
from reenact.media.files import InputWatch, atomic_output, check_output
from reenact.media.reader import open_frames
from reenact.media.stills import STILL_SUFFIXES, write_still
from reenact.media.writer import open_writer
from reenact.pipeline.finish import Finisher, signer_of
from reenact.pipeline.options import MotionOptions, OutputOptions
from reenact.pipeline.portrait import Portrait, Puppet, blend_of, read_portrait
from reenact.pipeline.progress import Progress, silent
from reenact.runtime.weights import installed
from reenact.systems import find_system
from reenact.systems.sequences import SEQUENCES, SequenceSpec
from reenact.systems.spec import TargetShape
from reenact.trust.manifest import Role
from reenact.types import Image, Summary

_LONGEST = 2160
_FPS = Fraction(25)


@dataclass(frozen=True)
class Way:
    """How one face becomes another.

    system: what draws. sequence: a key of `SEQUENCES`. frames: pictures in all. driving: the far face is
    somebody else's, and lends pose and expression alone. at: seconds into the far file.
    """

    system: str = "warp"
    sequence: str = "li"
    frames: int = 50
    driving: bool = False
    at: Fraction | None = None


def animate_between(
    first: Path,
    last: Path,
    output: Path,
    way: Way,
    settings: OutputOptions,
    *,
    threads: int | None = None,
    progress: Progress = silent,
) -> Summary:
    """A video from a picture of a person to another picture (or video frame) of the same person, drawn from the
    first. The far head is put where the first one's neck lets it be, at its size.

    Raises ReenactError for bad input; what was begun is then removed.
    """
    run = _Run.begin([first, last], output, settings, video=True)
    spec = _sequence(way)
    portrait = read_portrait(first)
    goal = read_portrait(_frame(last, way.at))
    puppet = _puppet(portrait, way, settings, threads)
    far = _far(puppet, goal, driving=way.driving)
    shapes = spec.load().between(puppet.own_shape(), far, way.frames)
    return run.video(puppet, shapes, [(first, "source"), (last, "driving")], progress, threads)


def animate_edit(
    source: Path,
    changes: Mapping[str, float],
    output: Path,
    way: Way,
    settings: OutputOptions,
    *,
    threads: int | None = None,
    progress: Progress = silent,
) -> Summary:
    """A picture of the source with its landmarks edited (`geometry.attributes`), or a video that goes there.

    Raises ReenactError for bad input; what was begun is then removed.
    """
    still = output.suffix.lower() in STILL_SUFFIXES
    run = _Run.begin([source], output, settings, video=not still)
    spec = _sequence(way)
    puppet = _puppet(read_portrait(source), way, settings, threads)
    goal = puppet.placed(*edited(puppet.portrait.points, changes))
    shapes = spec.load().between(puppet.own_shape(), goal, 2 if still else way.frames)
    roles: list[tuple[Path, Role]] = [(source, "source")]
    if still:
        return run.still(puppet, shapes[-1], roles)
    return run.video(puppet, shapes, roles, progress, threads)


def _sequence(way: Way) -> SequenceSpec:
    """What makes the landmarks; a ReenactError where it or the system is not there."""
    if way.sequence not in SEQUENCES:
        raise ReenactError(f"there is no sequence {way.sequence!r}; choose one of: {', '.join(SEQUENCES)}")
    spec = SEQUENCES[way.sequence]
    find_system(f"morphable+{way.system}")
    if missing := [name for name in spec.weights if not installed(name)]:
        raise ReenactError(
            f"{spec.name} has no weights yet ({', '.join(missing)}); train it with `reenact train fipls "
            "--stage lsg`, or use --sequence li"
        )
    return spec


def _puppet(portrait: Portrait, way: Way, settings: OutputOptions, threads: int | None) -> Puppet:
    own = max(portrait.picture.shape[:2])
    size = min(own, _LONGEST) if settings.size is None else own if settings.size == "source" else settings.size
    spec = replace(find_system(f"morphable+{way.system}"), name=way.system)
    blend = blend_of(MotionOptions())
    return Puppet(portrait.scaled(int(size)), spec, blend, paste=settings.paste, threads=threads)


def _frame(path: Path, at: Fraction | None) -> Image:
    """The picture, or the frame of a video at a time."""
    with open_frames(path, start=at) as source:
        return next(iter(source)).image


def _far(puppet: Puppet, goal: Portrait, *, driving: bool) -> TargetShape:
    """The far face in the region's pixels, at the first one's size."""
    model, own = default_face_model(), puppet.transfer.state
    there = model.fit(goal.points)
    place = own.translation + neck_travel(own.rotation, there.rotation) * own.scale
    state = replace(there, scale=own.scale, translation=place.astype(np.float32))
    if driving:
        drive = Drive(state.rotation, state.scale, state.translation, state.expression)
        transfer = Transfer(model, puppet.portrait.points, Blend(relative=False, in_frame=True))
        return puppet.placed(*transfer.target(drive, drive))
    points = goal.points.copy()
    points[:, :2] -= there.translation
    points *= own.scale / there.scale
    points[:, :2] += place
    return puppet.placed(points.astype(np.float32), state)


@dataclass(frozen=True)
class _Run:
    """One output on its way."""

    output: Path
    settings: OutputOptions
    inputs: list[Path]
    watch: InputWatch
    began: float

    @classmethod
    def begin(cls, inputs: list[Path], output: Path, settings: OutputOptions, *, video: bool) -> _Run:
        """Refuse what cannot be written, before anything is read."""
        folder = video and not output.suffix
        check_output(output, overwrite=settings.overwrite, inputs=inputs, folder=folder)
        if video:
            check_codec(output, settings.codec)
        return cls(output, settings, inputs, InputWatch(inputs), time.monotonic())

    def still(self, puppet: Puppet, shape: TargetShape, roles: list[tuple[Path, Role]]) -> Summary:
        """One marked picture."""
        finisher = self._finisher(puppet, roles)
        image = finisher.frame(puppet.draw(shape), None, self._dots(shape))
        with atomic_output(self.output, overwrite=self.settings.overwrite, inputs=self.inputs) as partial:
            write_still(partial, image, self.settings.quality)
            self.watch.check()
            finisher.sign(partial, self.output)
        return self._summary(puppet, finisher, image, 1, None)

    def video(
        self,
        puppet: Puppet,
        shapes: Sequence[TargetShape],
        roles: list[tuple[Path, Role]],
        progress: Progress,
        threads: int | None,
    ) -> Summary:
        """One marked video, a frame a shape."""
        finisher, fps = self._finisher(puppet, roles), self.settings.fps or _FPS
        first = finisher.frame(puppet.draw(shapes[0]), None, self._dots(shapes[0]))
        folder = not self.output.suffix
        with atomic_output(
            self.output, overwrite=self.settings.overwrite, inputs=self.inputs, folder=folder
        ) as partial:
            with open_writer(
                partial,
                width=first.shape[1],
                height=first.shape[0],
                fps=fps,
                codec=self.settings.codec,
                quality=self.settings.quality,
                alpha=first.shape[2] == 4,
                threads=threads or 0,
            ) as sink:
                sink.write(first, Fraction(0))
                for number, shape in enumerate(shapes[1:], 1):
                    sink.write(finisher.frame(puppet.draw(shape), None, self._dots(shape)), number / fps)
                    progress("render", number + 1, len(shapes))
                sink.close(end=len(shapes) / fps)
            self.watch.check()
            finisher.sign(partial, self.output)
        return self._summary(puppet, finisher, first, len(shapes), fps)

    def _dots(self, shape: TargetShape) -> np.ndarray | None:
        return shape.points if self.settings.landmarks and not self.settings.paste else None

    def _finisher(self, puppet: Puppet, roles: list[tuple[Path, Role]]) -> Finisher:
        signer = signer_of(self.settings)
        return Finisher(self.settings, puppet.spec.name, puppet.spec.learned, roles, None, signer)

    def _summary(
        self, puppet: Puppet, finisher: Finisher, image: Image, frames: int, fps: Fraction | None
    ) -> Summary:
        return Summary(
            output=self.output,
            system=puppet.spec.name,
            frames=frames,
            width=image.shape[1],
            height=image.shape[0],
            fps=fps,
            duration=frames / fps if fps else None,
            held=0,
            seconds=time.monotonic() - self.began,
            marks=finisher.marks,
        )
