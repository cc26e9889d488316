"""The C2PA manifest: what was made, with what, from what; signed and bound to the file's bytes.

Embedded in MP4, MOV, AVI, PNG, JPEG, WebP, GIF, TIFF, HEIC and AVIF. WebM and Matroska have no place for one:
there it lies beside the video under the same name with the ending `.c2pa`, where C2PA tools look for it.
`docs/trust.md` says which assertions are written, and why the source types were chosen.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import c2pa

from reenact.errors import ReenactError
from reenact.trust.certificate import Signer
from reenact.trust.formats import Format, sniff

MARK_LABEL = "org.reenact.mark"
_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
EDITED_WITH_AI = _IPTC + "compositeWithTrainedAlgorithmicMedia"
SYNTHETIC_COMPOSITE = _IPTC + "compositeSynthetic"

_CONSENT_LIMIT = 2000
_BLOCK = 1 << 20

Role = Literal["source", "driving"]


@dataclass(frozen=True)
class Ingredient:
    """A file that went in. sha256: hex digest of its bytes. role: 'source' or 'driving'. format: MIME type."""

    title: str
    sha256: str
    role: Role
    format: str = "application/octet-stream"


@dataclass(frozen=True)
class MarkRecord:
    """What a manifest says.

    system: name of the face system. version: of this software. mark_id: 0 to 2**32 - 1, the id that the
    watermark carries too. consent: what the user says about the consent of the people shown. learned: whether
    a trained network drew pixels (it decides the digital source type). watermarked: whether the pixels carry
    the watermark (a picture can be too small for one).
    """

    system: str
    version: str
    ingredients: tuple[Ingredient, ...]
    mark_id: int
    consent: str | None = None
    learned: bool = True
    watermarked: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.mark_id < 1 << 32:
            raise ReenactError(f"mark id {self.mark_id} does not fit into 32 bits; use new_mark_id()")
        if self.consent is not None and len(self.consent) > _CONSENT_LIMIT:
            raise ReenactError(
                f"the consent text has {len(self.consent)} characters; {_CONSENT_LIMIT} is the most"
            )


def new_mark_id() -> int:
    """A random id of 32 bits, never 0, for one run: manifest and watermark share it."""
    return secrets.randbelow((1 << 32) - 1) + 1


def ingredient(path: Path, role: Role) -> Ingredient:
    """Describe an input file, or a folder of frames (the digest is then over its names and digests)."""
    try:
        if path.is_dir():
            return Ingredient(path.name, _hash_folder(path), role, "inode/directory")
        form = sniff(path)
        return Ingredient(path.name, hash_file(path), role, form.mime if form else "application/octet-stream")
    except OSError as error:
        raise ReenactError(f"{path} cannot be read ({error.strerror or error}); check the path") from error


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes as hex, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _hash_folder(path: Path) -> str:
    lines = (f"{hash_file(p)}  {p.name}\n" for p in sorted(path.iterdir()) if p.is_file())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sidecar_path(path: Path) -> Path:
    """Where the manifest of a file lies when it cannot be embedded: the same name, ending `.c2pa`."""
    return path.with_suffix(".c2pa")


def sign_file(path: Path, record: MarkRecord, signer: Signer, final: Path | None = None) -> Path | None:
    """Put the signed manifest into `path`, in place and atomically: at every moment the old or the new file.

    final: the name that the file will get, when it still has a temporary one; it becomes the title. Where the
    container cannot hold a manifest (WebM, Matroska) it is written beside `path`, to be renamed together with
    it, and the sidecar's path below the final name is returned; else None. About 10 ms for a
    short video plus the time to read the file twice. Raises ReenactError when the file is no picture or video,
    the disk is full, or the certificate is refused; the file is then as it was.
    """
    target = final or path
    try:
        form = sniff(path)
        if form is None:
            raise ReenactError(f"{target} cannot be marked: it is no picture or video that C2PA knows")
        manifest = _manifest(target.name, record, signer)
        if form.embeds:
            _embed(path, manifest, signer, form)
            return None
        _write_sidecar(path, manifest, signer, form)
        return sidecar_path(target)
    except (OSError, c2pa.C2paError) as error:
        raise ReenactError(f"{target} could not be signed ({_reason(error)}); nothing was changed") from error


def sign_folder(folder: Path, record: MarkRecord, signer: Signer) -> int:
    """Sign every picture of a PNG sequence, in order; returns how many. About 5 ms a frame."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".png")
    for path in paths:
        sign_file(path, record, signer)
    return len(paths)


def _embed(path: Path, manifest: dict[str, Any], signer: Signer, form: Format) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    temporary = Path(name)
    try:
        with path.open("rb") as source, os.fdopen(handle, "w+b") as dest:
            _sign(manifest, signer, form, source, dest)
        shutil.copymode(path, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_sidecar(path: Path, manifest: dict[str, Any], signer: Signer, form: Format) -> None:
    sidecar = sidecar_path(path)
    handle, name = tempfile.mkstemp(dir=sidecar.parent, prefix=f".{sidecar.name}.", suffix=".partial")
    temporary = Path(name)
    try:
        with path.open("rb") as source, tempfile.TemporaryFile() as unused, os.fdopen(handle, "wb") as file:
            file.write(_sign(manifest, signer, form, source, unused))
        shutil.copymode(path, temporary)
        temporary.replace(sidecar)
    finally:
        temporary.unlink(missing_ok=True)


def _sign(manifest: dict[str, Any], signer: Signer, form: Format, source: BinaryIO, dest: Any) -> bytes:
    settings = {
        "builder": {"thumbnail": {"enabled": False}},
        "core": {"backing_store_memory_threshold_in_mb": 8},
    }
    info = c2pa.C2paSignerInfo(signer.algorithm, signer.chain, signer.key, None)
    with (
        c2pa.Context.from_dict(settings) as context,
        c2pa.Signer.from_info(info) as native,
        c2pa.Builder(manifest, context=context) as builder,
    ):
        if not form.embeds:
            builder.set_no_embed()
        return bytes(builder.sign(native, form.mime, source, dest))


def _manifest(title: str, record: MarkRecord, signer: Signer) -> dict[str, Any]:
    return {
        "title": title,
        "claim_generator_info": [{"name": "reenact", "version": record.version}],
        "ingredients": [_ingredient_json(i, n) for n, i in enumerate(record.ingredients)],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": _actions(record)}},
            {"label": MARK_LABEL, "data": _mark(record, signer)},
        ],
    }


def _ingredient_json(item: Ingredient, number: int) -> dict[str, Any]:
    return {
        "label": f"input{number}",
        "title": item.title,
        "format": item.format,
        "relationship": "inputTo",
        "metadata": {"org.reenact.sha256": item.sha256, "org.reenact.role": item.role},
    }


def _actions(record: MarkRecord) -> list[dict[str, Any]]:
    agent = {"name": "reenact", "version": record.version}
    inputs = (
        {"ingredientIds": [f"input{n}" for n in range(len(record.ingredients))]} if record.ingredients else {}
    )
    kind = EDITED_WITH_AI if record.learned else SYNTHETIC_COMPOSITE
    words = (
        "AI-manipulated: the face was given another pose and expression (face reenactment, "
        f"system '{record.system}'); it shows what was never filmed."
    )
    made = {"action": "c2pa.created", "digitalSourceType": kind, "softwareAgent": agent, "parameters": inputs}
    edited = {"action": "c2pa.edited", "digitalSourceType": kind, "softwareAgent": agent, "description": words}
    marked = {"action": "c2pa.watermarked.unbound", "softwareAgent": agent}
    return [made, edited, *([marked] if record.watermarked else [])]


def _mark(record: MarkRecord, signer: Signer) -> dict[str, Any]:
    return {
        "statement": "AI-manipulated",
        "id": record.mark_id,
        "system": record.system,
        "version": record.version,
        "watermark": record.watermarked,
        "local_certificate": signer.local,
        "inputs": [{"role": i.role, "title": i.title, "sha256": i.sha256} for i in record.ingredients],
        **({"consent": record.consent} if record.consent else {}),
    }


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error).splitlines()[0] if str(error) else type(error).__name__
