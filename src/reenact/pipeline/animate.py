"""The stages in order: a source and a driving file become a finished, marked picture or video."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.geometry.transfer import Drive, neck_travel
from reenact.media.audio import AudioTrack, audio_of
from reenact.media.encoders import check_codec
from reenact.media.files import InputWatch, atomic_output, check_output
from reenact.media.reader import BrokenMedia, FrameSource, is_still, open_frames
from reenact.media.stills import still_suffix, write_still
from reenact.media.timing import is_steady
from reenact.media.writer import FrameSink, open_writer
from reenact.perception.head_pose import head_pose
from reenact.pipeline.finish import Finisher, signer_of
from reenact.pipeline.live import LiveDrive
from reenact.pipeline.motion_file import is_motion, read_motion
from reenact.pipeline.options import DEFAULT_SYSTEM, FaceChoice, MotionOptions, OutputOptions, RunOptions
from reenact.pipeline.portrait import (
    Portrait,
    Puppet,
    blend_of,
    choose_anchor,
    driver_of,
    drives_of,
    nearest_portrait,
    read_portrait,
)
from reenact.pipeline.progress import Progress, silent
from reenact.pipeline.stages import Behind, abreast, ahead
from reenact.pipeline.track import cut, resampled, smoothed, track_video
from reenact.systems import caveats, find_system
from reenact.trust.certificate import Signer
from reenact.trust.manifest import Role
from reenact.types import Frame, Image, Motion, Summary

_VIDEO_LONGEST = 2160
_MOST_WORKERS = 8
_STILL_LONGEST = 1 << 15
_PROFILE = 40.0
"""Degrees of yaw of a source from which on a run says so: a turn back tears the cheek that it hides."""


@dataclass(frozen=True)
class _Picture:
    """One frame on its way to the encoder."""

    image: Image
    driving: Image | None
    points: np.ndarray | None
    time: Fraction


def animate_image(
    sources: Sequence[Path],
    driving: Path,
    output: Path,
    options: RunOptions,
    progress: Progress | None = None,
    motion: Motion | None = None,
) -> Summary:
    """Give the face in a picture the pose and expression of the face in another picture.

    sources: one picture, or several of one person, of which the one nearest in pose is used. driving: a
    picture, or a video or motion file of which the first frame is taken. motion: that of `driving`, where it
    was tracked already. Raises ReenactError for bad input.
    """
    began, tell = time.monotonic(), progress or silent
    driving, output = Path(driving), Path(output)
    settings = options.output
    still_suffix(output)
    check_output(output, overwrite=settings.overwrite, inputs=[*sources, driving])
    watch = InputWatch([*sources, driving])
    signer = signer_of(settings)
    ready = _prepared(options.system, options.threads)
    portraits = [read_portrait(path, options.source_face) for path in sources]
    motion, notes = _motion_of(driving, options, tell, motion, portraits[0], still=True)
    ready()
    portrait = _portrait_for(motion, portraits, options, longest=_STILL_LONGEST)
    blend = replace(blend_of(options.motion), relative=options.motion.mode == "relative")
    puppet = Puppet(
        portrait,
        options.system,
        blend,
        paste=settings.paste,
        threads=options.threads,
        driver=driver_of(motion),
    )
    drive, anchor = still_drive(drives_of(motion, portrait)[0])
    tell("render", 0, 1)
    image = puppet.render(drive, anchor)
    points = puppet.target(drive, anchor) if settings.landmarks else None
    finisher = _finisher(settings, signer, puppet, sources, driving)
    picture = _first_frame(driving, settings) if settings.compare and not is_motion(driving) else None
    image = finisher.frame(image, picture, points)
    with atomic_output(output, overwrite=settings.overwrite, inputs=[*sources, driving]) as partial:
        write_still(partial, image, settings.quality)
        watch.check()
        sidecar = finisher.sign(partial, output)
    tell("render", 1, 1)
    size = (image.shape[1], image.shape[0])
    return _summary(output, puppet, 1, size, None, None, 0, began, finisher, (*notes, *_sidecar_note(sidecar)))


def animate_video(
    sources: Sequence[Path],
    driving: Path,
    output: Path,
    options: RunOptions,
    progress: Progress | None = None,
    motion: Motion | None = None,
) -> Summary:
    """Animate a picture with a driving video, folder of frames, GIF or motion file.

    Two passes: the first tracks the whole driving motion, so that anchor and smoothing see all of it; the
    second renders. Frames stream; memory does not grow with the length. motion: that of `driving` from start to
    end, where it was tracked already. Raises ReenactError for bad input, a single picture as driving among it;
    what was begun is then removed.
    """
    began, tell = time.monotonic(), progress or silent
    driving, output = Path(driving), Path(output)
    settings = options.output
    folder = not output.suffix
    check_output(output, overwrite=settings.overwrite, inputs=[*sources, driving], folder=folder)
    watch = InputWatch([*sources, driving])
    check_codec(output, settings.codec)
    _check_moves(driving)
    signer = signer_of(settings)
    # Frames are rendered side by side: one thread for each.
    each = 1 if _workers(options) > 1 else options.threads
    ready = _prepared(options.system, each)
    # The source comes first: a mistake in it should not show only after a long video was tracked.
    portraits = [read_portrait(path, options.source_face) for path in sources]
    motion, notes = _motion_of(driving, options, tell, motion, portraits[0])
    portrait = _portrait_for(motion, portraits, options, longest=_VIDEO_LONGEST)
    blend = blend_of(options.motion)
    ready()
    puppet = Puppet(
        portrait, options.system, blend, paste=settings.paste, threads=each, driver=driver_of(motion)
    )
    finisher = _finisher(settings, signer, puppet, sources, driving)
    with atomic_output(
        output, overwrite=settings.overwrite, inputs=[*sources, driving], folder=folder
    ) as partial:
        size, done, more = _render_all(puppet, motion, driving, partial, options, finisher, tell)
        watch.check()
        sidecar = finisher.sign(partial, output)
    notes = (*notes, *more, *_sidecar_note(sidecar))
    held = int((~motion.found[:done]).sum())
    duration = motion.duration if done == len(motion) else motion.times[done]
    summary = _summary(output, puppet, done, size, motion.fps, duration, held, began, finisher, notes)
    return replace(summary, complete=done == len(motion))


def _check_moves(driving: Path) -> None:
    """A video of one frame is not what anybody asks for."""
    if driving.is_file() and is_still(driving):
        raise ReenactError(
            f"the driving is a single picture: {driving}; make a picture with 'reenact image', or give a "
            "video, a GIF, a folder of frames or a motion file"
        )


def _prepared(system: str, threads: int | None) -> Callable[[], object]:
    """Make beside the caller what a system's generators share, while the faces are looked for; what comes back
    waits for it, and raises what went wrong."""
    prepare = find_system(system).prepare
    if prepare is None:
        return lambda: None
    pool = ThreadPoolExecutor(1)
    waiting = pool.submit(prepare, threads)
    pool.shutdown(wait=False)
    return waiting.result


def _motion_of(
    driving: Path,
    options: RunOptions,
    tell: Progress,
    known: Motion | None,
    source: Portrait,
    still: bool = False,
) -> tuple[Motion, tuple[str, ...]]:
    """The driving motion for a source, smoothed and at the rate asked for. known: as it was tracked before,
    if it was."""
    settings = options.output
    notes: tuple[str, ...] = ()
    if known is not None:
        motion = known
    elif is_motion(driving):
        motion = cut(read_motion(driving), settings.start, settings.end)
    else:
        end = settings.end
        if still:
            end = (settings.start or Fraction(0)) + Fraction(1, 1000)
        motion, notes = track_video(
            driving,
            start=settings.start,
            end=end,
            face=options.driving_face,
            keep_partial=settings.keep_partial,
            progress=tell,
            threads=options.threads,
            person=default_face_model().fit(source.points).identity,
        )
    if not still:
        motion = smoothed(motion, options.motion.smooth)
    if settings.fps is not None and not still:
        motion = resampled(motion, settings.fps)
    return motion, notes


def still_drive(drive: Drive) -> tuple[Drive, Drive]:
    """A single driving moment and its anchor: the same head upright and at rest, from which it turned about
    the neck. A still picture shows no travel of its own."""
    rest = replace(drive, rotation=np.zeros(3, np.float32), expression=np.zeros_like(drive.expression))
    travel = neck_travel(rest.rotation, drive.rotation) * drive.scale
    return replace(drive, translation=rest.translation + travel), rest


def _portrait_for(motion: Motion, portraits: Sequence[Portrait], options: RunOptions, longest: int) -> Portrait:
    """The one of `portraits` that suits the motion, at the size asked for."""
    portrait = portraits[0] if len(portraits) == 1 else nearest_portrait(portraits, motion)
    own = max(portrait.picture.shape[:2])
    size = options.output.size
    wanted = own if size == "source" else min(own, longest) if size is None else int(size)
    return portrait.scaled(wanted)


def _finisher(
    settings: OutputOptions, signer: Signer | None, puppet: Puppet, sources: Sequence[Path], driving: Path
) -> Finisher:
    roles: list[tuple[Path, Role]] = [(Path(path), "source") for path in sources]
    source = None
    if settings.compare:
        source = puppet.portrait.picture if puppet.paste else puppet.box.of(puppet.portrait.picture)
    inputs: list[tuple[Path, Role]] = [*roles, (driving, "driving")]
    return Finisher(settings, puppet.spec.name, puppet.spec.learned, inputs, source, signer)


def _render_all(
    puppet: Puppet,
    motion: Motion,
    driving: Path,
    partial: Path,
    options: RunOptions,
    finisher: Finisher,
    tell: Progress,
) -> tuple[tuple[int, int], int, tuple[str, ...]]:
    """Render every frame into `partial`. Returns the size, the frames done, and notes; fewer frames than the
    motion has only where the run was interrupted and what was done is to be kept."""
    settings = options.output
    drives = drives_of(motion, puppet.portrait)
    anchor = drives[choose_anchor(puppet, motion, drives, options.motion.anchor)]
    done, notes = 0, list[str]()
    with ExitStack() as stack:
        reader = None
        if _shows_driving(settings, driving):
            reader = stack.enter_context(open_frames(driving, start=settings.start, end=settings.end))
        # Closed before its reader is, whose file a thread reads ahead.
        seen = stack.enter_context(closing(_driving_frames(reader, motion)))
        moments = zip(drives, motion.times, seen, strict=False)
        pictures = abreast(
            lambda moment: _picture(puppet, anchor, *moment, settings), moments, _workers(options)
        )
        stack.enter_context(closing(pictures))
        first = next(pictures)
        opening = finisher.frame(first.image, first.driving, first.points)
        audio = _audio(driving, settings)
        sink = _sink(partial, opening, motion, settings, audio, options.threads)
        with sink:
            try:
                with Behind[_Picture](lambda p: _write(sink, finisher, p)) as encoder:
                    sink.write(opening, motion.times[0])
                    done = 1
                    for picture in pictures:
                        encoder.put(picture)
                        done += 1
                        tell("render", done, len(drives))
            except KeyboardInterrupt:
                if not settings.keep_partial:
                    raise
                notes.append(f"interrupted: the first {done} of {len(drives)} frames were kept")
            sink.close(end=motion.duration if done == len(drives) else motion.times[done])
        notes += sink.notes
    return sink.size, done, tuple(notes)


def _workers(options: RunOptions) -> int:
    return options.threads or min(os.cpu_count() or 1, _MOST_WORKERS)


def _picture(
    puppet: Puppet,
    anchor: Drive,
    drive: Drive,
    moment: Fraction,
    driving: Image | None,
    settings: OutputOptions,
) -> _Picture:
    points = puppet.target(drive, anchor) if settings.landmarks else None
    return _Picture(puppet.render(drive, anchor), driving, points, moment)


def _write(sink: FrameSink, finisher: Finisher, picture: _Picture) -> None:
    sink.write(finisher.frame(picture.image, picture.driving, picture.points), picture.time)


def _shows_driving(settings: OutputOptions, driving: Path) -> bool:
    return settings.compare and not is_motion(driving)


def _driving_frames(reader: FrameSource | None, motion: Motion) -> Generator[Image | None, None, None]:
    """The driving picture on screen at each time of the motion; None for ever where none is shown."""
    if reader is None:
        while True:
            yield None
    with closing(ahead(_unbroken(reader))) as frames:
        current = next(frames)
        following = next(frames, None)
        for moment in motion.times:
            while following is not None and following.time <= moment:
                current, following = following, next(frames, None)
            yield current.image


def _unbroken(reader: FrameSource) -> Iterator[Frame]:
    """The frames up to a break; the first pass has told of it, and the motion ends there too."""
    try:
        yield from reader
    except BrokenMedia:
        return


def _audio(driving: Path, settings: OutputOptions) -> AudioTrack | None:
    if is_motion(driving) or driving.is_dir():
        return None
    with open_frames(driving, start=settings.start, end=settings.end) as source:
        return audio_of(source)


def _sink(
    partial: Path,
    first: Image,
    motion: Motion,
    settings: OutputOptions,
    audio: AudioTrack | None,
    threads: int | None,
) -> FrameSink:
    return open_writer(
        partial,
        width=first.shape[1],
        height=first.shape[0],
        fps=motion.fps,
        codec=settings.codec,
        quality=settings.quality,
        alpha=first.shape[2] == 4,
        audio=audio,
        variable=not is_steady(motion.times, motion.fps),
        threads=threads or os.cpu_count() or 0,
    )


def _first_frame(driving: Path, settings: OutputOptions) -> Image:
    with open_frames(driving, start=settings.start) as source:
        return next(iter(source)).image


def _sidecar_note(sidecar: Path | None) -> tuple[str, ...]:
    return (f"the manifest lies beside the file, in {sidecar.name}",) if sidecar else ()


def _summary(
    output: Path,
    puppet: Puppet,
    frames: int,
    size: tuple[int, int],
    fps: Fraction | None,
    duration: Fraction | None,
    held: int,
    began: float,
    finisher: Finisher,
    notes: tuple[str, ...],
) -> Summary:
    return Summary(
        output=output,
        system=puppet.spec.name,
        frames=frames,
        width=size[0],
        height=size[1],
        fps=fps,
        duration=duration,
        held=held,
        seconds=time.monotonic() - began,
        marks=finisher.marks,
        notes=(*notes, *_turned_away(puppet), *caveats(puppet.spec)),
    )


def _turned_away(puppet: Puppet) -> tuple[str, ...]:
    """A note where the source shows so little of one half of the face that nothing can be made of it."""
    yaw = abs(head_pose(puppet.transfer.state.rotation).yaw)
    if yaw < _PROFILE:
        return ()
    return (f"the source's face is turned by {yaw:.0f} degrees; a picture more from the front does better",)


class Animator:
    """One portrait, ready to be driven: the Python API.

    >>> animator = Animator("me.jpg")                          # doctest: +SKIP
    >>> animator.video("driving.mp4", "out.mp4")               # doctest: +SKIP
    >>> picture = animator.frame(camera_frame)                 # doctest: +SKIP

    source: a file or an RGB(A) picture. system, motion, face, paste, size, threads: as on the command line.
    Raises ReenactError where the source cannot be used.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Image,
        *,
        system: str = DEFAULT_SYSTEM,
        motion: MotionOptions | None = None,
        face: FaceChoice = "largest",
        paste: bool = True,
        size: int | Literal["source"] | None = None,
        threads: int | None = None,
    ) -> None:
        self._path = None if isinstance(source, np.ndarray) else Path(source)
        self.options = RunOptions(
            system=system,
            motion=motion or MotionOptions(),
            output=OutputOptions(paste=paste, size=size),
            source_face=face,
            threads=threads,
        )
        portrait = read_portrait(source if isinstance(source, np.ndarray) else Path(source), face)
        own = max(portrait.picture.shape[:2])
        self.portrait = portrait.scaled(own if size in (None, "source") else int(size))
        self.puppet = Puppet(self.portrait, system, blend_of(self.options.motion), paste=paste, threads=threads)
        self._live: LiveDrive | None = None

    def frame(self, driving_frame: Image, at: float | None = None) -> Image:
        """The portrait (H, W, 3 or 4) moved as the face in `driving_frame`, (H, W, 3) RGB uint8, for live use.

        The first frame with a face is the anchor of relative motion (`recalibrate` takes the next one).
        at: seconds, for the smoothing; the clock by default. Without a face the motion is held.
        """
        if self._live is None:
            self._live = LiveDrive(self.options.motion.smooth, max(self.portrait.picture.shape[:2]))
        drive = self._live.update(driving_frame, time.monotonic() if at is None else at)
        if drive is None or self._live.anchor is None:
            picture = self.portrait.picture
            return (picture if self.puppet.paste else self.puppet.box.of(picture)).copy()
        self.puppet.transfer.opened_to(self._live.widest)
        return self.puppet.render(drive, self._live.anchor)

    def recalibrate(self) -> None:
        """Take the next frame as the one that stands for the portrait's own state."""
        if self._live is not None:
            self._live.anchor = None

    def video(
        self,
        driving: str | os.PathLike[str],
        output: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
        **settings: object,
    ) -> Summary:
        """Animate the portrait with a driving file into `output`, marked; settings are fields of OutputOptions.
        Raises ReenactError for bad input, and where the source was given as an array (save it first)."""
        if self._path is None:
            raise ReenactError(
                "video() needs a source file, for the record of what went in; save the picture first"
            )
        options = replace(self.options, output=replace(self.options.output, **settings))  # type: ignore[arg-type]
        return animate_video([self._path], Path(driving), Path(output), options, progress)

    def close(self) -> None:
        """Stop the detector of live use."""
        if self._live is not None:
            self._live.close()
            self._live = None
