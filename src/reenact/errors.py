"""The one exception that reaches a user."""

from __future__ import annotations


class ReenactError(Exception):
    """Bad input or a state that the user can mend.

    The message is one line: what is wrong, where, and what to do. The command line prints it
    and leaves with exit code 2; it never carries a traceback.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
