"""How long-running stages tell where they are."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then by a stage. total is None where the end is not known."""

    def __call__(self, stage: str, done: int, total: int | None) -> None: ...


def silent(stage: str, done: int, total: int | None) -> None:
    """A progress that says nothing."""
