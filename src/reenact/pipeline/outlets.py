"""Where live pictures go: a window, a virtual camera, a recording."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from reenact.errors import ReenactError
from reenact.media.files import atomic_output
from reenact.media.writer import TICKS, open_writer
from reenact.pipeline.finish import Finisher
from reenact.pipeline.stages import Behind
from reenact.types import Image

Key = Literal["neutral", "next", "pause", "quit"]
RATE = Fraction(30)
_UNSEEN = ("dummy", "offscreen")


class Outlet(Protocol):
    """Where pictures go. All have one size."""

    def show(self, image: Image, at: float) -> None:
        """Show (H, W, 3); at: seconds of the monotonic clock when its camera frame was there."""

    def tell(self, line: str) -> None:
        """Show a line about how it goes."""

    def pressed(self) -> list[Key]:
        """What was pressed since the last call."""


class Recorder:
    """Writes what is shown with the times of the camera's frames; made by `recorder`."""

    def __init__(self, encoder: Behind[tuple[Image, Fraction]]) -> None:
        self._encoder = encoder
        self._began: float | None = None
        self._last = 0.0

    @property
    def end(self) -> Fraction:
        """When the last picture vanishes, in seconds. Raises ReenactError where there is none."""
        if self._began is None:
            raise ReenactError("nothing was recorded: the camera gave no frame")
        return _exact(self._last) + 1 / RATE

    def show(self, image: Image, at: float) -> None:
        """Add a picture; waits while two are not encoded yet."""
        self._began = at if self._began is None else self._began
        self._last = at - self._began
        self._encoder.put((image, _exact(self._last)))

    def tell(self, line: str) -> None:
        """Nothing is shown."""

    def pressed(self) -> list[Key]:
        """It has none."""
        return []


@contextmanager
def recorder(path: Path, size: tuple[int, int], finisher: Finisher, overwrite: bool) -> Iterator[Recorder]:
    """An outlet that writes a marked video, whole or not at all. size: width and height."""
    width, height = size
    with atomic_output(path, overwrite=overwrite) as partial:
        with open_writer(partial, width=width, height=height, fps=RATE, variable=True, threads=1) as sink:
            with Behind[tuple[Image, Fraction]](lambda picture: sink.write(*picture), depth=2) as encoder:
                out = Recorder(encoder)
                yield out
            sink.close(end=out.end)
        finisher.sign(partial, path)


def _exact(seconds: float) -> Fraction:
    return Fraction(round(seconds * TICKS), TICKS)


class VirtualCamera:
    """A camera that other programs see, through pyvirtualcam."""

    def __init__(self, size: tuple[int, int]) -> None:
        try:
            import pyvirtualcam
        except ImportError:
            raise ReenactError(
                "a virtual camera needs pyvirtualcam; install it with: pip install 'reenact[webcam]'"
            ) from None
        try:
            self._camera = pyvirtualcam.Camera(*size, float(RATE))
        except RuntimeError as error:
            raise ReenactError(
                f"there is no virtual camera ({error}); on Linux load v4l2loopback, elsewhere install OBS"
            ) from None
        self.device = str(self._camera.device)

    def show(self, image: Image, at: float) -> None:
        """Send a picture."""
        self._camera.send(image)

    def tell(self, line: str) -> None:
        """Nothing is shown."""

    def pressed(self) -> list[Key]:
        """It has none."""
        return []

    def __enter__(self) -> VirtualCamera:
        return self

    def __exit__(self, *error: object) -> None:
        self._camera.close()


class Window:
    """A window with the keys n (neutral face), s (next source), space (pause), q (quit)."""

    def __init__(self, size: tuple[int, int]) -> None:
        try:
            os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
            import pygame
        except ImportError:
            raise ReenactError(
                "a window needs pygame-ce; install it with: pip install 'reenact[webcam]', or use --no-window"
            ) from None
        self._game: Any = pygame
        try:
            pygame.display.init()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it scales without a graphics card
                self._screen = pygame.display.set_mode(size, pygame.RESIZABLE | pygame.SCALED)
            # Without a screen SDL takes one of its own that nobody sees, unless it was asked for.
            if pygame.display.get_driver() in _UNSEEN and not os.environ.get("SDL_VIDEODRIVER"):
                raise pygame.error("there is no screen")
        except pygame.error as error:
            pygame.quit()
            raise ReenactError(
                f"no window can be opened here ({error}); use --no-window with --record or --virtual-camera"
            ) from None
        pygame.display.set_caption("reenact")

    def show(self, image: Image, at: float) -> None:
        """Show a picture."""
        surface = self._game.image.frombuffer(np.ascontiguousarray(image).tobytes(), image.shape[1::-1], "RGB")
        self._screen.blit(surface, (0, 0))
        self._game.display.flip()

    def tell(self, line: str) -> None:
        """Put the line into the title."""
        self._game.display.set_caption(f"reenact: {line}")

    def pressed(self) -> list[Key]:
        """What was pressed since the last call."""
        game, found = self._game, list[Key]()
        table: dict[int, Key] = {
            game.K_n: "neutral",
            game.K_s: "next",
            game.K_SPACE: "pause",
            game.K_q: "quit",
            game.K_ESCAPE: "quit",
        }
        for event in game.event.get():
            if event.type == game.QUIT:
                found.append("quit")
            elif event.type == game.KEYDOWN and event.key in table:
                found.append(table[event.key])
        return found

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *error: object) -> None:
        self._game.quit()
