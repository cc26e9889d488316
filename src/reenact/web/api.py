"""The HTTP API: jobs from uploads, their progress and files, marks of a file, portraits for live use.

Everything is named by a random id; where a file lies is never told.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, HTTPException, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.requests import HTTPConnection
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, Field, ValidationError

from reenact.errors import ReenactError
from reenact.media.reader import is_still
from reenact.pipeline.finish import package_version
from reenact.pipeline.motion_file import is_motion, read_motion
from reenact.pipeline.track import track_video
from reenact.systems import SYSTEMS, find_system
from reenact.systems import status_of as system_status
from reenact.types import Motion
from reenact.web.jobs import ENDED, Job, Jobs, QueueFull, State
from reenact.web.jpeg import encoded
from reenact.web.limits import Limits, check_driving
from reenact.web.settings import JobOptions, PreviewRequest
from reenact.web.studio import Driving, Shelf, Studios
from reenact.web.work import DRIVING, SOURCE, marks_of, needed

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
_LOOK = 0.15
"""Seconds between two looks at a job whose progress is streamed."""
_TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".gif": "image/gif",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".csv": "text/csv",
    ".motion": "application/octet-stream",
}
_BLOCK = 1 << 20
Artefact = Literal["result", "motion", "landmarks"]


@dataclass(frozen=True)
class Server:
    """What the routes share. scratch: a folder for uploads that are no jobs."""

    limits: Limits
    jobs: Jobs
    studios: Studios
    motions: Shelf[Driving]
    scratch: Path
    checks: asyncio.Semaphore


class Problem(BaseModel):
    """Why a request was not answered."""

    detail: str | list[Any]


class JobStatus(BaseModel):
    """A job. fraction: share that is done, 0 to 1. ahead: jobs that wait before it. files: names that can be
    fetched. marks: what `reenact verify` sees in the result."""

    id: str
    kind: str
    state: State
    stage: str
    done: int
    total: int | None
    fraction: float
    seconds_left: float | None
    ahead: int
    error: str | None
    files: list[str]
    summary: dict[str, Any] | None
    marks: dict[str, Any] | None


class System(BaseModel):
    """A system of this version. status: 'ready', or what it lacks on this server."""

    name: str
    ready: bool
    status: str
    title: str
    paper: str
    learned: bool


class About(BaseModel):
    """The server's version and limits."""

    version: str
    limits: dict[str, float]


class MotionId(BaseModel):
    """A motion that the server holds, for previews. duration: in seconds."""

    id: str
    frames: int
    duration: float


class PortraitId(BaseModel):
    """A portrait that the server holds, for live use; its size as shown."""

    id: str
    width: int
    height: int


Name = Annotated[str, Field(max_length=64)]
_BAD: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "A file or option cannot be used"},
    413: {"model": Problem, "description": "The upload is too large"},
}
_GONE: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such id, or no more"}}
_BUSY: dict[int | str, dict[str, Any]] = {429: {"model": Problem, "description": "Too many jobs wait"}}


def all_systems() -> list[System]:
    """The systems of this version, those that can run now first."""
    found = [
        System(
            name=spec.name,
            ready=system_status(spec) == "ready",
            status=system_status(spec),
            title=spec.title,
            paper=spec.paper,
            learned=spec.learned,
        )
        for spec in SYSTEMS.values()
    ]
    return sorted(found, key=lambda system: not system.ready)


def parse_options(text: str) -> JobOptions:
    """Options from JSON. Raises ReenactError for what is no JSON or not understood."""
    try:
        options = JobOptions.model_validate_json(text or "{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ReenactError(f"options: {place + ': ' if place else ''}{first['msg']}") from None
    if (complaint := options.complaint()) is not None:
        raise ReenactError(f"options: {complaint}")
    find_system(options.system)
    return options


def status_of(job: Job, jobs: Jobs) -> JobStatus:
    """A job as the API tells of it."""
    return JobStatus(
        id=job.id,
        kind=job.options.kind,
        state=job.state,
        stage=job.stage,
        done=job.done,
        total=job.total,
        fraction=round(job.fraction, 4),
        seconds_left=None if job.seconds_left is None else round(job.seconds_left, 1),
        ahead=jobs.ahead_of(job),
        error=job.error,
        files=sorted(job.kept),
        summary=job.summary,
        marks=job.marks,
    )


def _server(request: HTTPConnection) -> Server:
    server: Server = request.app.state.server
    return server


def _job(name: Name, request: HTTPConnection) -> Job:
    job = _server(request).jobs.find(name)
    if job is None:
        raise HTTPException(404, "there is no such job; it may have been deleted, or its time was over")
    return job


Here = Annotated[Server, Depends(_server)]
Found = Annotated[Job, Depends(_job)]
routes = APIRouter(prefix="/api")
"""The routes; they look for the application's `state.server`."""


@routes.get("/about")
def about(server: Here) -> About:
    """Version and limits."""
    return About(version=package_version(), limits=asdict(server.limits))


@routes.get("/systems")
def systems() -> list[System]:
    """The systems of this version, and whether they are ready here."""
    return all_systems()


@routes.post("/jobs", status_code=201, responses={**_BAD, **_BUSY})
async def create(
    server: Here,
    source: Annotated[UploadFile | None, File(description="The portrait")] = None,
    driving: Annotated[UploadFile | None, File(description="A video, picture or motion file")] = None,
    options: Annotated[str, Form(description="JobOptions as JSON", max_length=100_000)] = "{}",
) -> JobStatus:
    """Create a job from uploads; which ones it needs is a matter of the option `kind`."""
    try:
        asked = parse_options(options)
        files = {SOURCE: source, DRIVING: driving}
        for name in needed(asked.kind):
            if files[name] is None:
                raise ReenactError(f"a job of kind {asked.kind} needs the file {name!r}")
        job = server.jobs.prepare()
    except QueueFull as error:
        raise HTTPException(429, str(error), {"Retry-After": "5"}) from None
    except ReenactError as error:
        raise HTTPException(400, str(error)) from None
    try:
        job.options = asked
        for name in needed(asked.kind):
            file = files[name]
            if file is not None:
                await run_in_threadpool(_store, file, job.inputs / name)
    except BaseException:
        server.jobs.delete(job)
        raise
    server.jobs.submit(job)
    return status_of(job, server.jobs)


@routes.get("/jobs/{name}", responses=_GONE)
def status(job: Found, server: Here) -> JobStatus:
    """Where a job is."""
    return status_of(job, server.jobs)


@routes.get(
    "/jobs/{name}/events",
    response_class=Response,
    responses={**_GONE, 200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(job: Found, server: Here) -> Response:
    """The job's status as server-sent events, one with each change, until it has ended."""
    return StreamingResponse(_events(job, server.jobs), media_type="text/event-stream")


@routes.get(
    "/jobs/{name}/files/{artefact}",
    response_class=Response,
    responses={
        **_GONE,
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
    },
)
def fetch(job: Found, artefact: Artefact) -> Response:
    """A file of a finished job: the result, the driving motion, or the target landmarks as a table."""
    path = job.kept.get(artefact) if job.state == "done" else None
    if path is None or not path.is_file():
        raise HTTPException(404, f"the job has no {artefact}" + ("" if job.state in ENDED else " yet"))
    kind = _TYPES.get(path.suffix, "application/octet-stream")
    return FileResponse(
        path, media_type=kind, filename=f"reenact-{artefact}{path.suffix}", content_disposition_type="inline"
    )


@routes.post("/jobs/{name}/cancel", responses=_GONE)
def cancel(job: Found, server: Here) -> JobStatus:
    """Stop a job; nothing happens to one that has ended."""
    server.jobs.cancel(job)
    return status_of(job, server.jobs)


@routes.delete("/jobs/{name}", status_code=204, responses=_GONE)
def delete(job: Found, server: Here) -> None:
    """Stop a job and delete all its files."""
    server.jobs.delete(job)


@routes.post("/verify", responses=_BAD)
async def verify(
    server: Here, file: Annotated[UploadFile, File(description="A picture or video")]
) -> dict[str, Any]:
    """The marks of a file: verdict, manifest and watermark. The upload is deleted at once."""
    async with server.checks:
        return await run_in_threadpool(_checked, file, server.scratch)


@routes.post("/portraits", status_code=201, responses=_BAD)
async def hold(server: Here, file: Annotated[UploadFile, File(description="A portrait")]) -> PortraitId:
    """Hold a portrait in memory for live use (`/api/portraits/ID/live`, a WebSocket). The upload is deleted
    at once."""
    try:
        async with server.checks:
            name = await run_in_threadpool(_held, file, server)
    except ReenactError as error:
        raise HTTPException(400, str(error)) from None
    studio = server.studios.find(name)
    if studio is None:
        raise HTTPException(400, "too many portraits at once; try again")
    height, width = studio.portrait.picture.shape[:2]
    return PortraitId(id=name, width=width, height=height)


@routes.post("/motions", status_code=201, responses=_BAD)
async def hold_motion(
    server: Here, file: Annotated[UploadFile, File(description="A motion file or a picture")]
) -> MotionId:
    """Hold a motion in memory for previews. Of a video, make a job of kind `track` first. The upload is deleted
    at once."""
    try:
        async with server.checks:
            motion = await run_in_threadpool(_motion_of, file, server)
    except ReenactError as error:
        raise HTTPException(400, str(error)) from None
    name = server.motions.put(Driving(motion))
    return MotionId(id=name, frames=len(motion), duration=float(motion.duration))


@routes.delete("/motions/{name}", status_code=204, responses=_GONE)
def release_motion(name: Name, server: Here) -> None:
    """Forget a motion."""
    if not server.motions.remove(name):
        raise HTTPException(404, "there is no such motion")


@routes.post(
    "/portraits/{name}/preview",
    response_class=Response,
    responses={
        **_BAD,
        **_GONE,
        200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    },
)
def preview(name: Name, asked: PreviewRequest, server: Here) -> Response:
    """One moment of the result under these options, as a JPEG of at most 640 pixels, watermarked."""
    studio = server.studios.find(name)
    if studio is None:
        raise HTTPException(404, "the portrait is no longer held here; drop it again")
    options = asked.options
    try:
        if options.kind == "pose":
            image = studio.posed(options.pose.pose(), options.system)
        else:
            driving = server.motions.find(asked.motion or "")
            if driving is None:
                raise HTTPException(404, "the driving file is no longer held here; drop it again")
            image = studio.preview(driving, asked.position, options.run_options().motion, options.system)
    except ReenactError as error:
        raise HTTPException(400, str(error)) from None
    return Response(encoded(image), media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@routes.delete("/portraits/{name}", status_code=204, responses=_GONE)
def release(name: Name, server: Here) -> None:
    """Forget a portrait."""
    if not server.studios.remove(name):
        raise HTTPException(404, "there is no such portrait")


async def _events(job: Job, jobs: Jobs) -> AsyncIterator[str]:
    before = None
    while True:
        now = status_of(job, jobs)
        seen = (now.state, now.stage, now.done, now.ahead)
        if seen != before:
            before = seen
            yield f"data: {now.model_dump_json()}\n\n"
        if now.state in ENDED:
            return
        await asyncio.sleep(_LOOK)


def suffix_of(name: str | None) -> str:
    """The ending of an upload's name, where it is a plain one."""
    suffix = Path(name or "").suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) else ".bin"


def _store(file: UploadFile, stem: Path) -> Path:
    """Copy an upload to `stem` plus its own ending."""
    path = stem.with_name(stem.name + suffix_of(file.filename))
    with path.open("xb") as target:
        shutil.copyfileobj(file.file, target, _BLOCK)
    return path


def _checked(file: UploadFile, scratch: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        return marks_of(_store(file, Path(folder) / "file"))


@contextmanager
def _stored(file: UploadFile, server: Server, name: str) -> Iterator[Path]:
    """The upload as a file, for as long as it is looked at; errors do not say where it lies."""
    with tempfile.TemporaryDirectory(dir=server.scratch) as folder:
        try:
            yield _store(file, Path(folder) / name)
        except ReenactError as error:
            raise ReenactError(str(error).replace(f"{folder}/", "")) from None


def _held(file: UploadFile, server: Server) -> str:
    with _stored(file, server, SOURCE) as path:
        return server.studios.add(path)


def _motion_of(file: UploadFile, server: Server) -> Motion:
    with _stored(file, server, DRIVING) as path:
        check_driving(path, server.limits)
        if is_motion(path):
            return read_motion(path)
        if is_still(path):
            return track_video(path, end=Fraction(1, 1000))[0]
        raise ReenactError(f"{path} is a video; make a job of kind 'track' of it and hold its motion file")
