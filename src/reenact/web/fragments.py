"""Pieces of the page as HTML. Every text that comes from outside is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

from reenact.types import Image
from reenact.web.api import JobStatus, System
from reenact.web.jpeg import encoded

_STAGES = {"": "Starting", "track": "Following the driving face", "render": "Animating"}
_VERDICTS = {
    "marked": "Marked as made with AI",
    "unmarked": "Not marked",
    "unreadable": "Cannot be read",
    "tampered": "Changed after it was marked",
}
_SIGNERS = {"valid": "known here", "untrusted": "not known here", "tampered": "broken"}
_VIDEOS = ("mp4", "webm")


def problem(message: str) -> str:
    """A line about what went wrong."""
    return f'<p class="re-problem" role="alert">{escape(message)}</p>'


def hint(message: str) -> str:
    """A line that tells what to do next."""
    return f'<p class="re-hint">{escape(message)}</p>'


def data_uri(image: Image) -> str:
    """A picture (H, W, 3) inside an address, so that it never touches the disk."""
    return "data:image/jpeg;base64," + base64.b64encode(encoded(image)).decode()


def figure(title: str, image: Image) -> str:
    """A picture with its title."""
    return (
        f'<figure class="re-figure"><img alt="{escape(title)}" src="{data_uri(image)}">'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )


def systems(found: Sequence[System]) -> str:
    """What each system is, to be unfolded; those that are not ready here are grey and say what they lack."""
    rows = "".join(
        f"<li{'' if one.ready else ' class=re-off'}><strong>{escape(one.name)}</strong> "
        f"{escape(one.title if one.ready else one.status)}</li>"
        for one in found
    )
    ready = sum(one.ready for one in found)
    title = f"{ready} of {len(found)} systems are ready here"
    return f'<details class="re-systems"><summary>{title}</summary><ul>{rows}</ul></details>'


def progress(status: JobStatus) -> str:
    """A bar with what is being done and how long it will take."""
    if status.state in ("uploading", "queued"):
        words = f"Waiting; {status.ahead} before it" if status.ahead else "Waiting"
    elif status.state == "running":
        words = _STAGES.get(status.stage, status.stage)
        if status.total:
            words += f", frame {status.done} of {status.total}"
        if status.seconds_left is not None:
            words += f", about {_duration(status.seconds_left)} left"
    else:
        words = {"done": "Done", "failed": "Failed", "cancelled": "Cancelled"}[status.state]
    share = round(100 * status.fraction)
    return (
        f'<div class="re-bar" role="progressbar" aria-valuenow="{share}" aria-valuemin="0" aria-valuemax="100">'
        f'<div style="width:{share}%"></div></div>'
        f'<p class="re-hint" data-state="{status.state}">{escape(words)}</p>'
    )


def result(status: JobStatus) -> str:
    """A finished job: its picture or video, the files to save, and its marks."""
    if status.state == "failed":
        return problem(status.error or "it failed")
    if status.state != "done":
        return ""
    base = f"/api/jobs/{escape(status.id)}/files"
    names = {"result": "Save the result", "motion": "Motion file", "landmarks": "Landmarks (table)"}
    links = "".join(
        f'<a class="re-button" href="{base}/{name}" download>{label}</a>'
        for name, label in names.items()
        if name in status.files
    )
    facts = status.summary or {}
    size = f"{facts.get('width')} x {facts.get('height')} pixels"
    if facts.get("fps"):
        size += f", {facts['frames']} frames at {facts['fps']:.5g} frames/s, {facts['duration']:.2f} s"
    notes = "".join(hint(note) for note in facts.get("notes", ()))
    return (
        f'<div class="re-result">{_shown(status, base)}<p class="re-hint">{escape(size)}, '
        f"made in {facts.get('seconds', 0):.1f} s</p>{notes}"
        f'<div class="re-links">{links}</div>{marks(status.marks or {})}</div>'
    )


def _shown(status: JobStatus, base: str) -> str:
    moves = status.kind == "video" and (status.summary or {}).get("format") in _VIDEOS
    if moves:
        return f'<video controls autoplay loop muted playsinline src="{base}/result"></video>'
    return f'<img alt="Result" src="{base}/result">'


def marks(found: dict[str, Any]) -> str:
    """The marks of a file, as `reenact verify` sees them."""
    if not found:
        return ""
    manifest, mark = found.get("manifest") or {}, found.get("watermark") or {}
    rows = []
    if manifest.get("state", "absent") != "absent":
        known = _SIGNERS.get(manifest["state"], "")
        rows.append(("Signed by", f"{manifest.get('signer')} ({known})"))
        rows.append(("Software", str(manifest.get("software"))))
        rows += [(str(role).capitalize(), f"{title}, SHA-256 {digest[:16]}")
                 for role, title, digest in manifest.get("ingredients", ())]  # fmt: skip
        rows += [("Consent", manifest["consent"])] if manifest.get("consent") else []
    if mark.get("present"):
        words = {True: ", as in the manifest", False: ", another than in the manifest"}
        agree = "" if found.get("agree") is None else words[bool(found["agree"])]
        number = "unreadable" if mark.get("mark_id") is None else str(mark["mark_id"])
        rows.append(("Watermark", f"id {number}{agree}"))
    table = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    verdict = str(found.get("verdict"))
    return (
        f'<div class="re-marks re-{escape(verdict)}" data-verdict="{escape(verdict)}">'
        f"<strong>{escape(_VERDICTS.get(verdict, verdict))}</strong>"
        f"<p>{escape(str(found.get('reason', '')))}</p><table>{table}</table></div>"
    )


def _duration(seconds: float) -> str:
    whole = max(round(seconds), 1)
    return f"{whole} s" if whole < 90 else f"{whole // 60} min {whole % 60} s"
