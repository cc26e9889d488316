"""From an exception to one line on standard error and an exit code."""

from __future__ import annotations

import difflib
import errno
import os
import sys
import traceback
from typing import Any

import typer

from reenact.errors import ReenactError

FAULT = 1
BAD_INPUT = 2
INTERRUPTED = 130

SYSTEM_LIBRARIES = (
    "take OpenCV without windows (pip install --force-reinstall --no-deps "
    "'opencv-contrib-python-headless==4.11.*') or, as root on Debian and Ubuntu, add its libraries "
    "(apt-get install libgl1 libglib2.0-0)"
)
"""What to do where OpenCV does not load: its usual build needs libGL, which servers lack."""

_UsageError = typer.BadParameter.__mro__[1]
"""Typer's class for a command line that does not parse; 0.29 exports only its child."""

_SYSTEM = {
    errno.ENOSPC: "no space left on the disk; free some or write elsewhere",
    errno.EDQUOT: "the disk quota is used up; free some or write elsewhere",
    errno.EACCES: "no permission; check the file's owner and mode",
    errno.EPERM: "no permission; check the file's owner and mode",
    errno.EROFS: "the disk is read-only; write elsewhere",
    errno.EMFILE: "too many open files; raise the limit with ulimit -n",
}


def say(message: str, kind: str = "error") -> None:
    """Print one line on standard error."""
    print(f"{kind}: {' '.join(message.split())}", file=sys.stderr)


def line_of(exception: BaseException) -> tuple[str, int]:
    """The line a user reads for an exception, and the exit code."""
    if isinstance(exception, ReenactError):
        return str(exception), BAD_INPUT
    if isinstance(exception, _UsageError):
        return _usage(exception), BAD_INPUT
    if isinstance(exception, OSError) and exception.errno in _SYSTEM:
        place = f"{exception.filename}: " if exception.filename else ""
        return place + _SYSTEM[exception.errno], BAD_INPUT
    if isinstance(exception, MemoryError):
        return "not enough memory for this picture; try a smaller --size", BAD_INPUT
    if isinstance(exception, ImportError) and ".so" in str(exception):
        return f"a system library is missing ({exception}); {SYSTEM_LIBRARIES}", BAD_INPUT
    return _fault(exception), FAULT


def report(exception: BaseException) -> int:
    """Print the line for an exception and return the exit code; the traceback too with REENACT_DEBUG=1."""
    if isinstance(exception, (KeyboardInterrupt, typer.Abort)):
        return INTERRUPTED
    if type(exception).__name__ == "NoArgsIsHelpError":
        return BAD_INPUT  # Typer has printed the help
    if isinstance(exception, SystemExit):
        return exception.code if isinstance(exception.code, int) else FAULT
    if os.environ.get("REENACT_DEBUG"):
        traceback.print_exception(exception)
    message, code = line_of(exception)
    say(message)
    return code


def nearest(word: str, known: list[str]) -> str:
    """`; did you mean X?` for the known word that is nearest, or an empty string."""
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else ""


def _usage(exception: Any) -> str:
    context = exception.ctx
    command = context.command_path if context else "reenact"
    option = str(getattr(exception, "option_name", ""))
    if type(exception).__name__ == "NoSuchOption" and context:
        known = [
            name for parameter in context.command.params for name in parameter.opts if name.startswith("-")
        ]
        message = f"no option {option}{nearest(option, known)}"
    elif str(exception.message).startswith("No such command") and context:
        word = str(exception.message).split("'")[1]
        message = f"no verb {word!r}{nearest(word, context.command.list_commands(context))}"
    else:
        message = exception.format_message().rstrip(".")
        message = message[:1].lower() + message[1:]
    return f"{message} (see: {command} --help)"


def _fault(exception: BaseException) -> str:
    frames = traceback.extract_tb(exception.__traceback__)
    place = f" in {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119
    return (
        f"unexpected {type(exception).__name__}{place}: {exception}. This is a fault of reenact, not yours: "
        "please report this line with your command and the output of `reenact doctor` "
        "(REENACT_DEBUG=1 shows the traceback)"
    )
