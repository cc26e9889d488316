"""Live use over a WebSocket: camera frames in, the animated portrait out, as JPEG.

The client sends a JSON text first (`StreamSettings`), and again whenever a setting changes; then JPEG frames,
each as one binary message that begins with 8 bytes of its own choice, by which it knows the answer again: the
same 8 bytes, and a JPEG. When a face comes into sight or is lost, a JSON text `{"face": true}` or
`{"face": false}` goes before the answer. A frame that comes while another is at work waits alone: a newer one
takes its place, and what was passed over is never answered. So nothing can pile up, whatever the client sends.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.geometry.opencv import opencv
from reenact.geometry.transfer import Transfer
from reenact.media.compose import over
from reenact.pipeline.live import LiveDrive
from reenact.pipeline.options import DEFAULT_SYSTEM, Gains, MotionMode, MotionOptions
from reenact.pipeline.portrait import blend_of
from reenact.trust import new_mark_id
from reenact.trust.watermark import Watermark
from reenact.types import Image
from reenact.web.jpeg import encoded
from reenact.web.settings import Closed, Gain
from reenact.web.studio import Studio

TICKET = 8
"""Bytes before each JPEG, which come back with the answer."""
_MOST_FRAME = 4 << 20
_MOST_SIDE = 2048


class StreamSettings(Closed):
    """How the camera's motion is carried over. recalibrate: take the next frame as the neutral one."""

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
    recalibrate: bool = False

    def options(self) -> MotionOptions:
        """As the pipeline has them."""
        gains = Gains(self.eyes, self.brows, self.lips, self.jaw, self.gaze, self.head)
        return MotionOptions(mode=self.motion, strength=self.strength, smooth=self.smooth, gains=gains)


class Performer:
    """One stream's state: from a camera frame as JPEG to the portrait as JPEG, watermarked."""

    def __init__(self, studio: Studio, settings: StreamSettings) -> None:
        self._studio = studio
        self._settings = settings
        self._puppet = studio.live(settings.system, settings.options())
        height, width = studio.portrait.picture.shape[:2]
        self._longest = max(height, width)
        self._mark = Watermark(width, height, new_mark_id())
        self._drive = LiveDrive(settings.smooth, self._longest)

    def change(self, settings: StreamSettings) -> None:
        """Go on with other settings."""
        before, self._settings = self._settings, settings
        if settings.system != before.system:
            self._puppet = self._studio.live(settings.system, settings.options())
        self._puppet.transfer = Transfer(
            default_face_model(), self._studio.portrait.points, blend_of(settings.options())
        )
        if settings.smooth != before.smooth:
            self._drive.close()
            self._drive = LiveDrive(settings.smooth, self._longest)
        if settings.recalibrate:
            self._drive.anchor = None

    def frame(self, jpeg: bytes, at: float) -> bytes:
        """The portrait moved as the face in `jpeg`, seen at `at` seconds. Raises ReenactError for no JPEG."""
        drive = self._drive.update(_decoded(jpeg), at)
        if drive is None or self._drive.anchor is None:
            return encoded(over(self._studio.portrait.picture, 255))
        self._puppet.transfer.opened_to(self._drive.widest)
        image = self._puppet.render(drive, self._drive.anchor)
        return encoded(self._mark.embed(over(image, 255)))

    @property
    def seen(self) -> bool:
        """Whether the newest frame showed a face."""
        return self._drive.seen

    def close(self) -> None:
        """Stop the detector."""
        self._drive.close()


class _Latest:
    """One place for a message; a newer one takes it."""

    def __init__(self) -> None:
        self._item: bytes | None = None
        self._there = asyncio.Event()
        self.dropped = 0

    def put(self, item: bytes) -> None:
        self.dropped += self._item is not None
        self._item = item
        self._there.set()

    async def get(self) -> bytes:
        await self._there.wait()
        self._there.clear()
        item, self._item = self._item, None
        return item or b""


async def serve_stream(socket: WebSocket, studio: Studio) -> None:
    """Serve one stream until the client leaves; the socket is accepted already."""
    performer: Performer | None = None
    frames, changes = _Latest(), list[StreamSettings]()
    reader: asyncio.Task[None] | None = None
    try:
        settings = _settings(await socket.receive_text())
        performer = await asyncio.to_thread(Performer, studio, settings)
        await socket.send_text(json.dumps({"ready": True}))
        seen = True
        reader = asyncio.create_task(_read(socket, frames, changes))
        while True:
            waiting = asyncio.create_task(frames.get())
            done, _ = await asyncio.wait({waiting, reader}, return_when=asyncio.FIRST_COMPLETED)
            if waiting not in done:
                waiting.cancel()
                reader.result()
                return
            message = waiting.result()
            for change in changes:
                await asyncio.to_thread(performer.change, change)
            changes.clear()
            picture = await asyncio.to_thread(performer.frame, message[TICKET:], time.monotonic())
            if performer.seen is not seen:
                seen = performer.seen
                await socket.send_text(json.dumps({"face": seen}))
            await socket.send_bytes(message[:TICKET] + picture)
    except WebSocketDisconnect:
        pass
    except (ReenactError, ValidationError, KeyError) as error:
        await _say_goodbye(socket, error)
    finally:
        if reader is not None:
            reader.cancel()
        if performer is not None:
            performer.close()


async def _read(socket: WebSocket, frames: _Latest, changes: list[StreamSettings]) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        if message.get("text") is not None:
            asked = _settings(message["text"])
            wish = asked.recalibrate or any(change.recalibrate for change in changes)
            changes[:] = [asked.model_copy(update={"recalibrate": wish})]
        else:
            frames.put(message["bytes"])


async def _say_goodbye(socket: WebSocket, error: Exception) -> None:
    reason = str(error) if isinstance(error, ReenactError) else "settings were expected, as JSON"
    try:
        await socket.send_text(json.dumps({"error": reason}))
        await socket.close(1008)
    except (RuntimeError, WebSocketDisconnect):
        pass  # it is gone


def _settings(text: str) -> StreamSettings:
    try:
        return StreamSettings.model_validate_json(text)
    except ValidationError as error:
        raise ReenactError(f"settings: {error.errors(include_url=False)[0]['msg']}") from None


def _decoded(jpeg: bytes) -> Image:
    if not jpeg.startswith(b"\xff\xd8") or len(jpeg) > _MOST_FRAME:
        raise ReenactError("a frame is no JPEG, or larger than 4 MiB")
    width, height = _size(jpeg)
    if not 0 < max(width, height) <= _MOST_SIDE:
        raise ReenactError(f"a frame has {width} x {height} pixels; send at most {_MOST_SIDE} a side")
    cv2 = opencv()
    picture: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ReenactError("a frame is a damaged JPEG")
    return np.ascontiguousarray(picture[..., ::-1])


def _size(jpeg: bytes) -> tuple[int, int]:
    """Width and height from the header, before anything is decoded; 0, 0 where it says none."""
    import io

    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
            return picture.size
    except Exception:
        return 0, 0
