"""`reenact verify`: the manifest and the watermark of a file, compared, and one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from reenact.errors import ReenactError
from reenact.trust.formats import sniff
from reenact.trust.provenance import ManifestReading, read_manifest
from reenact.trust.readout import WatermarkReading, read_clip, read_watermark
from reenact.trust.sampling import sample
from reenact.types import Image

Verdict = Literal["marked", "unmarked", "unreadable", "tampered"]

EXIT_CODES: dict[Verdict, int] = {"marked": 0, "unmarked": 1, "unreadable": 2, "tampered": 3}
_GRAVITY: tuple[Verdict, ...] = ("marked", "unmarked", "unreadable", "tampered")

_STILLS = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".heic", ".heif", ".avif"}
)
_VIDEOS = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi"})


@dataclass(frozen=True)
class Verification:
    """What was found in one file.

    verdict: 'marked' (says that it is AI-made or AI-manipulated, and is intact), 'unmarked', 'unreadable',
    'tampered' (changed after it was marked). reason: one sentence. watermark: None where the pixels could not
    be looked at. agree: whether manifest and watermark carry one id; None where either has none.
    """

    path: Path
    verdict: Verdict
    reason: str
    manifest: ManifestReading = field(default_factory=lambda: ManifestReading("absent"))
    watermark: WatermarkReading | None = None
    agree: bool | None = None

    @property
    def exit_code(self) -> int:
        """0 marked and intact, 1 unmarked, 2 unreadable, 3 tampered."""
        return EXIT_CODES[self.verdict]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "path": str(self.path), "exit_code": self.exit_code}


def verify(path: Path, trust_anchors: bytes | None = None) -> Verification:
    """Look at one file of any origin. Raises ReenactError only when there is no such file.

    trust_anchors: PEM certificates whose signers count as known; without them an intact manifest's signer is
    'untrusted', which does not change the verdict.
    """
    if not path.is_file():
        raise ReenactError(f"{path} is no file; give a picture, a video or a folder of them")
    try:
        form = sniff(path)
        if form is None:
            return Verification(path, "unreadable", "it is no picture or video of a kind known here")
        manifest = read_manifest(path, form, trust_anchors)
        frames = sample(path, form)
    except OSError as error:
        return Verification(path, "unreadable", f"it cannot be read ({error.strerror or type(error).__name__})")
    except ReenactError as error:
        if manifest.state == "tampered" and manifest.signer:
            return Verification(
                path, "tampered", "it was changed after signing, and no longer decodes", manifest
            )
        return Verification(path, "unreadable", str(error), manifest)
    return _judge(path, manifest, _read(frames))


def verify_all(path: Path, trust_anchors: bytes | None = None) -> Iterator[Verification]:
    """Verify a file, or every picture and video in a folder and the folders below (links are not followed)."""
    if not path.is_dir():
        yield verify(path, trust_anchors)
        return
    found = sorted(p for p in path.rglob("*") if not p.is_symlink() and p.suffix.lower() in _STILLS | _VIDEOS)
    files = [p for p in found if p.is_file()]
    if not files:
        raise ReenactError(f"the folder {path} holds no pictures or videos; give another one")
    for file in files:
        yield verify(file, trust_anchors)


def exit_code(verifications: Iterable[Verification]) -> int:
    """The gravest of several: tampered, then unreadable, then unmarked, then marked."""
    return EXIT_CODES[max((v.verdict for v in verifications), key=_GRAVITY.index)]


def _read(frames: list[Image]) -> WatermarkReading:
    """The frames together, and one by one where together they give no id (a clip may be marked in part)."""
    whole = read_clip(frames)
    if whole.mark_id is not None or len(frames) == 1:
        return whole
    readings = (whole, *(read_watermark(frame) for frame in frames))
    return max(readings, key=lambda r: (r.mark_id is not None, r.present, r.score))


def _judge(path: Path, manifest: ManifestReading, mark: WatermarkReading) -> Verification:
    agree = None
    if manifest.mark_id is not None and mark.mark_id is not None:
        agree = manifest.mark_id == mark.mark_id
    verdict, reason = _verdict(manifest, mark, agree)
    return Verification(path, verdict, reason, manifest, mark, agree)


def _verdict(manifest: ManifestReading, mark: WatermarkReading, agree: bool | None) -> tuple[Verdict, str]:
    if manifest.state == "tampered":
        return "tampered", "the file or its manifest was changed after signing"
    if agree is False:
        return "tampered", "manifest and watermark carry different ids: the manifest belongs to another picture"
    if manifest.state == "absent" and mark.present:
        return "tampered", "the watermark says AI-manipulated, but the manifest was lost or removed"
    if manifest.state == "absent":
        return "unmarked", "there is neither a manifest nor a watermark of reenact"
    if manifest.says_ai:
        known = "a known signer" if manifest.state == "valid" else "a signer unknown to this computer"
        return "marked", f"the manifest, intact and by {known}, says that it was made or changed by AI"
    if mark.present:
        return "tampered", "the watermark says AI-manipulated, but the manifest does not"
    return "unmarked", "there is an intact manifest, but it does not say that AI was used"
