"""What the page does when somebody touches it: the handlers, without the layout."""

from __future__ import annotations

import asyncio
import functools
import os
import re
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, ParamSpec

from reenact.errors import ReenactError
from reenact.media.reader import is_still
from reenact.pipeline.motion_file import is_motion, read_motion, write_motion
from reenact.pipeline.progress import Progress
from reenact.pipeline.track import cut, track_video
from reenact.web import fragments
from reenact.web.api import Server, parse_options, status_of
from reenact.web.jobs import ENDED, Job
from reenact.web.limits import check_driving
from reenact.web.settings import JobOptions
from reenact.web.studio import Driving, Studio
from reenact.web.work import DRIVING, SOURCE, marks_of

P = ParamSpec("P")
_LOOK = 0.25
DEMO = Path(__file__).parent.parent / "assets" / "demo.motion"
EXAMPLES = {"The demo": (0.0, 8.0), "A smile": (0.3, 2.4), "Talking": (4.6, 6.3), "A wink": (6.3, 8.0)}
"""Parts of the demo's motion in seconds."""
START = (
    "Drop a portrait, or take the example; then what drives it: a video, a picture or a motion file. Every "
    "slider shows its effect at once."
)


def write_examples(folder: Path) -> dict[str, Path]:
    """Write the example portrait and motions; paths by title, the portrait's under ''."""
    import PIL.Image
    from skimage.data import astronaut

    folder.mkdir(parents=True)
    PIL.Image.fromarray(astronaut()).save(folder / "astronaut.png")
    found = {"": folder / "astronaut.png"}
    motion = read_motion(DEMO)
    for title, (start, end) in EXAMPLES.items():
        found[title] = folder / f"{title.lower().replace(' ', '-')}.motion"
        write_motion(found[title], cut(motion, Fraction(start), Fraction(end)))
    return found


def _told(handler: Callable[P, str]) -> Callable[P, str]:
    """The handler, with a ReenactError shown where its result would be."""

    @functools.wraps(handler)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> str:
        try:
            return handler(*args, **kwargs)
        except ReenactError as error:
            return fragments.problem(plain(error))

    return wrapped


def plain(error: Exception) -> str:
    """The error's line without the folders of uploads."""
    return re.sub(r"/[^\s:;,()]*/", "", str(error))


class Desk:
    """The handlers of one server's page."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tracking = threading.Semaphore(2)

    def portrait(self, path: str | None, held: str) -> tuple[str, str]:
        """A portrait was dropped or taken away: the new id, and what is shown."""
        if held:
            self._server.studios.remove(held)
        if not path:
            return "", ""
        try:
            name = self._server.studios.add(Path(path))
            studio = self._studio(name)
        except ReenactError as error:
            return "", fragments.problem(plain(error))
        return name, fragments.figure("Your portrait", studio.portrait.picture[..., :3])

    def forget_motion(self, held: str) -> str:
        """Another driving file was dropped: the motion of the one before goes at once. The new id: none."""
        self._server.motions.remove(held)
        return ""

    def driving(self, path: str | None, tell: Progress) -> tuple[str, str]:
        """A driving file was dropped or taken away: the id of its motion, and what went wrong."""
        if not path:
            return "", ""
        file = Path(path)
        try:
            check_driving(file, self._server.limits)
            if is_motion(file):
                found = Driving(read_motion(file), file)
            else:
                with self._tracking:
                    found = self._tracked(file, tell)
        except ReenactError as error:
            return "", fragments.problem(plain(error))
        return self._server.motions.put(found), ""

    def _tracked(self, file: Path, tell: Progress) -> Driving:
        limits = self._server.limits

        def count(stage: str, done: int, total: int | None) -> None:
            if done > limits.frames:
                raise ReenactError(f"the file has more than the {limits.frames} frames that are taken here")
            tell(stage, done, total)

        end = Fraction(1, 1000) if is_still(file) else Fraction(limits.seconds).limit_denominator(1000)
        motion, _ = track_video(file, end=end, progress=count)
        return Driving(motion, file, seen=True)

    @_told
    def beside(self, held: str, landmarks: bool) -> str:
        """The portrait, with the landmarks that were found if wanted."""
        if not held:
            return fragments.hint(START)
        return fragments.figure("Portrait", self._studio(held).shown(landmarks=landmarks))

    @_told
    def face(self, motion: str, position: float, landmarks: bool) -> str:
        """The driving face at one moment, with the landmarks that were found if wanted."""
        driving = self._server.motions.find(motion)
        if driving is None:
            return ""
        return fragments.figure("Driving", driving.shown(position, landmarks=landmarks))

    def moment(self, motion: str, position: float) -> int | None:
        """The number of the driving frame at that moment."""
        driving = self._server.motions.find(motion)
        return None if driving is None else driving.number(position)

    @_told
    def verify(self, path: str | None) -> str:
        """The marks of a file."""
        return fragments.marks(marks_of(Path(path))) if path else ""

    def start(self, source: str | None, motion: str, given: str | None, settings: dict[str, Any]) -> Job:
        """Queue a job of the page. motion: id of the driving motion, where it is held. given: the driving file,
        for where it is not. Raises ReenactError for whatever is missing."""
        if not source:
            raise ReenactError("a portrait is missing; drop one, or take the example")
        posing = settings.get("kind") == "pose"
        driving = None if posing else self._server.motions.find(motion)
        file = driving.path if driving and driving.path else Path(given) if given else None
        if not posing:
            if file is None:
                raise ReenactError("what drives it is missing; drop a video, picture or motion file")
            if driving.still if driving else is_still(file):
                settings = {**settings, "kind": "image", "format": "png"}
        options = self._options(settings)
        job = self._server.jobs.prepare()
        try:
            job.options = options
            _bring(Path(source), job.inputs / SOURCE)
            if file is not None and not posing:
                _bring(file, job.inputs / DRIVING)
                job.given = driving.motion if driving else None
        except BaseException:
            self._server.jobs.delete(job)
            raise
        self._server.jobs.submit(job)
        return job

    async def follow(self, name: str) -> AsyncIterator[tuple[str, str]]:
        """Progress and result of a job, again and again until it has ended."""
        while (job := self._server.jobs.find(name)) is not None:
            status = status_of(job, self._server.jobs)
            if status.state in ENDED:
                yield fragments.progress(status), fragments.result(status)
                return
            yield fragments.progress(status), ""
            await asyncio.sleep(_LOOK)
        yield "", ""

    def cancel(self, name: str | None) -> None:
        """Stop a job."""
        job = self._server.jobs.find(name or "")
        if job is not None:
            self._server.jobs.cancel(job)

    def _studio(self, name: str) -> Studio:
        studio = self._server.studios.find(name)
        if studio is None:
            raise ReenactError("the portrait is no longer held here; drop it again")
        return studio

    def _options(self, settings: dict[str, Any]) -> JobOptions:
        return parse_options(
            JobOptions.model_construct(**settings).model_dump_json(exclude_unset=True, warnings=False)
        )


def _bring(source: Path, stem: Path) -> None:
    """Link or copy an upload to `stem` with its own ending."""
    from reenact.web.api import suffix_of

    target = stem.with_name(stem.name + suffix_of(source.name))
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise ReenactError("the upload is no longer here; drop the file again") from None
    except OSError:
        shutil.copyfile(source, target)
