"""`reenact verify`: whether a file says that it is AI-manipulated, and whether that is intact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reenact.cli import console

if TYPE_CHECKING:
    from reenact.trust.verify import Verification

EXAMPLES = (
    "Examples:\n\nreenact verify out.mp4\n\nreenact verify results/ --json\n\n"
    "reenact verify out.mp4 --trust authority.pem"
)


def verify(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A picture or video, or a folder of them.", show_default=False),
    ],
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust",
            help="PEM file with authorities' certificates: who signed below one of them is known, as is this "
            "computer's own certificate.",
            metavar="PEM",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable report.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit code says it.")] = False,
) -> int:
    """Read a file's marks. Exit code 0: marked and intact; 1: unmarked; 2: unreadable; 3: tampered with.

    For a folder it is that of the gravest file.
    """
    from reenact.trust.certificate import known_roots
    from reenact.trust.verify import exit_code, verify_all

    found: list[Verification] = []
    for one in verify_all(path, known_roots(trust)):
        found.append(one)
        if not (json or quiet):
            print(_lines(one))
    if json:
        rows = [one.as_dict() for one in found]
        console.show_json({"files": rows} if path.is_dir() else rows[0])
    return exit_code(found)


def _lines(one: Verification) -> str:
    """What was found in one file: the verdict, and indented below it what the manifest says."""
    lines = [f"{one.path}: {one.verdict}: {one.reason}"]
    manifest, mark = one.manifest, one.watermark
    if manifest.state != "absent":
        known = {"valid": "known here", "untrusted": "not known here", "tampered": "broken"}[manifest.state]
        lines.append(f"  signed by {manifest.signer} ({known}), software {manifest.software}")
        lines += [f"  {role}: {title} (SHA-256 {digest[:16]})" for role, title, digest in manifest.ingredients]
        lines += [f"  consent: {manifest.consent}"] if manifest.consent else []
    if mark is not None and mark.present:
        beside = {True: ", as in the manifest", False: ", another than in the manifest", None: ""}[one.agree]
        lines.append(f"  watermark: id {'unreadable' if mark.mark_id is None else mark.mark_id}{beside}")
    return "\n".join(lines)
