"""Read and judge the C2PA manifest of any file, ours or foreign, without network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import c2pa

from reenact.trust.formats import Format
from reenact.trust.manifest import MARK_LABEL, sidecar_path

ManifestState = Literal["valid", "untrusted", "tampered", "absent"]

AI_SOURCE_TYPES = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicMedia",
    }
)
"""Last part of the digital source types that say: made or changed by an algorithm."""

_TRUST_CODES = ("signingCredential.", "claimSignature.outsideValidity", "timeStamp.")
"""Failures that say who signed is not known (or no longer), not that something was changed."""

_SIDECAR_LIMIT = 16 << 20
_TAIL = 1 << 20
_TEXT_LIMIT = 2000


@dataclass(frozen=True)
class ManifestReading:
    """What a manifest says, and whether it can be believed.

    state: 'valid' (intact, signer known), 'untrusted' (intact, signer unknown to this computer), 'tampered'
    (the file or the manifest was changed after signing), 'absent'. signer, software, title: as written there.
    source_type: the digital source type's last part. ingredients: (role, title, sha256) triples. mark_id: the
    32-bit id where it is a manifest of reenact. problems: codes of what failed, without the unknown signer.
    """

    state: ManifestState
    signer: str | None = None
    software: str | None = None
    title: str | None = None
    source_type: str | None = None
    ingredients: tuple[tuple[str, str, str], ...] = ()
    mark_id: int | None = None
    system: str | None = None
    consent: str | None = None
    watermarked: bool = False
    problems: tuple[str, ...] = ()

    @property
    def says_ai(self) -> bool:
        """Whether the manifest names the picture as made or changed by an algorithm."""
        return self.source_type in AI_SOURCE_TYPES


def read_manifest(path: Path, form: Format, trust_anchors: bytes | None = None) -> ManifestReading:
    """Read the manifest in (or, for WebM and Matroska, beside) a file. Never raises for a file's content.

    trust_anchors: PEM certificates whose signers count as known; without them every intact manifest is
    'untrusted'. Raises OSError when the file cannot be read.
    """
    try:
        store = _open(path, form, trust_anchors)
    except c2pa.C2paError.ManifestNotFound:
        return ManifestReading("absent")
    except c2pa.C2paError as error:
        if _has_manifest_bytes(path):
            return ManifestReading("tampered", problems=(_first_line(error),))
        return ManifestReading("absent")
    reading = _judge(store)
    if not form.embeds and reading.state == "tampered" and reading.title != path.name:
        return ManifestReading("absent")  # the sidecar is that of another file with this stem
    return reading


def _open(path: Path, form: Format, trust_anchors: bytes | None) -> dict[str, Any]:
    """The reader's JSON. The file must exist; a missing sidecar counts as no manifest."""
    settings: dict[str, Any] = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    if trust_anchors:
        settings["trust"] = {"trust_anchors": trust_anchors.decode("ascii", "replace")}
    store = None
    if not form.embeds:
        store = _sidecar_bytes(path)
    with path.open("rb") as file, c2pa.Context.from_dict(settings) as context:
        reader = c2pa.Reader(form.mime, file, store, context=context)
        with reader:
            return dict(json.loads(reader.json()))


def _sidecar_bytes(path: Path) -> bytes:
    sidecar = sidecar_path(path)
    if not sidecar.is_file() or sidecar.stat().st_size > _SIDECAR_LIMIT:
        raise c2pa.C2paError.ManifestNotFound("no sidecar")
    return sidecar.read_bytes()


def _has_manifest_bytes(path: Path) -> bool:
    """Whether the start or the end of a file holds the box type of a C2PA store, though it cannot be read."""
    with path.open("rb") as file:
        head = file.read(_TAIL)
        file.seek(max(0, path.stat().st_size - _TAIL))
        return b"jumdc2pa" in head or b"jumdc2pa" in file.read(_TAIL)


def _judge(store: dict[str, Any]) -> ManifestReading:
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    results = store.get("validation_results") or {}
    failures = [str(f.get("code", "")) for f in (results.get("activeManifest") or {}).get("failure", [])]
    serious = tuple(code for code in failures if not code.startswith(_TRUST_CODES))
    state: ManifestState = "untrusted"
    if serious:
        state = "tampered"
    elif store.get("validation_state") == "Trusted":
        state = "valid"
    return _describe(manifest, state, serious)


def _describe(manifest: dict[str, Any], state: ManifestState, problems: tuple[str, ...]) -> ManifestReading:
    signature = _dict(manifest.get("signature_info"))
    mark = _mark(manifest)
    mark_id = mark.get("id")
    known_id = isinstance(mark_id, int) and 0 <= mark_id < 1 << 32
    return ManifestReading(
        state=state,
        signer=_text(signature.get("common_name")) or _text(signature.get("issuer")),
        software=_software(manifest),
        title=_text(manifest.get("title")),
        source_type=_source_type(manifest),
        ingredients=_ingredients(manifest, mark),
        mark_id=mark_id if known_id else None,
        system=_text(mark.get("system")),
        consent=_text(mark.get("consent")),
        watermarked=mark.get("watermark") is True,
        problems=problems,
    )


def _assertions(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [_dict(a) for a in _list(manifest.get("assertions"))]


def _mark(manifest: dict[str, Any]) -> dict[str, Any]:
    return next((_dict(a.get("data")) for a in _assertions(manifest) if a.get("label") == MARK_LABEL), {})


def _source_type(manifest: dict[str, Any]) -> str | None:
    """The strongest digital source type of the actions: one that says AI before any other."""
    found: list[str] = []
    for assertion in _assertions(manifest):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            actions = _list(_dict(assertion.get("data")).get("actions"))
            kinds = (_text(_dict(a).get("digitalSourceType")) for a in actions)
            found += [kind.rsplit("/", 1)[-1] for kind in kinds if kind]
    return next((kind for kind in found if kind in AI_SOURCE_TYPES), found[0] if found else None)


def _software(manifest: dict[str, Any]) -> str | None:
    infos = _list(manifest.get("claim_generator_info"))
    if infos:
        info = _dict(infos[0])
        return _text(" ".join(str(info[k]) for k in ("name", "version") if k in info))
    return _text(manifest.get("claim_generator"))


def _ingredients(manifest: dict[str, Any], mark: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    ours = [_dict(i) for i in _list(mark.get("inputs"))]
    if ours:
        return tuple(_triple(i.get("role"), i.get("title"), i.get("sha256")) for i in ours)
    foreign = [_dict(i) for i in _list(manifest.get("ingredients"))]
    return tuple(_triple(i.get("relationship"), i.get("title"), "") for i in foreign)


def _triple(role: object, title: object, digest: object) -> tuple[str, str, str]:
    return _text(role) or "", _text(title) or "", _text(digest) or ""


def _text(value: object) -> str | None:
    """A printable, bounded string, or None: foreign manifests may hold terminal escapes or megabytes."""
    if not isinstance(value, str) or not value:
        return None
    return "".join(c if c.isprintable() else " " for c in value[:_TEXT_LIMIT])


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _first_line(error: Exception) -> str:
    return (_text(str(error)) or type(error).__name__)[:200]
