"""`reenact doctor`: what is installed, what runs, what is missing and how to mend it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata, util
from typing import Annotated, Literal

import typer

from reenact.cli import console
from reenact.cli.failures import BAD_INPUT, SYSTEM_LIBRARIES

EXAMPLES = "Example: reenact doctor --json"
State = Literal["ok", "missing", "broken"]
_PACKAGES = ("av", "c2pa-python", "mediapipe", "numpy", "pillow", "pillow-heif", "safetensors", "scikit-image")
_ENGINES = {"openvino": "openvino", "onnxruntime": "'reenact[onnx]'", "torch": "'reenact[train]'"}
"""Engine -> what pip installs for it."""
_ENGINE_GROUP = "engines (live runs on OpenVINO or ONNX Runtime, training needs torch)"
_ENCODERS = {"h264": "libx264", "h265": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
_WORDS = {"ok": "ok", "missing": "--", "broken": "BROKEN"}


@dataclass(frozen=True)
class Finding:
    """One line of the report. needed: animating does not work without it. remedy: what to do about it."""

    group: str
    name: str
    state: State
    detail: str
    needed: bool = False
    remedy: str = ""


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable report.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only what is broken.")] = False,
) -> int:
    """Say what is installed, what runs and what would be downloaded; exit code 2 if a needed part is broken."""
    findings = [_machine(), *_packages(), *_parts(), *_codecs(), *_engines(), *_weights()]
    broken = [item for item in findings if item.needed and item.state != "ok"]
    if json:
        console.show_json({"works": not broken, "findings": [asdict(item) for item in findings]})
    else:
        _show(broken if quiet else findings)
        if not quiet:
            print("\nreenact works here." if not broken else f"\n{len(broken)} needed parts do not work.")
    return BAD_INPUT if broken else 0


def _show(findings: list[Finding]) -> None:
    group = ""
    for item in findings:
        if item.group != group:
            group = item.group
            print(f"\n{group}")
        remedy = f" -> {item.remedy}" if item.remedy and item.state != "ok" else ""
        print(f"  {_WORDS[item.state]:8}{item.name:18} {item.detail}{remedy}")


def _machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    detail = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {cores} cores"
    return Finding("machine", "python", "ok", detail, needed=True)


def _packages() -> list[Finding]:
    found = []
    for name in ("reenact", *_PACKAGES):
        try:
            found.append(Finding("packages", name, "ok", metadata.version(name), needed=True))
        except metadata.PackageNotFoundError:
            remedy = "install again: pip install --force-reinstall reenact"
            found.append(Finding("packages", name, "missing", "not installed", needed=True, remedy=remedy))
    return found


def _parts() -> list[Finding]:
    return [
        _try("opencv", _opencv, "install opencv-contrib-python again"),
        _try("face detector", _detect, "install mediapipe==0.10.21 again"),
        _try("face model", _face_model, "install reenact again"),
        _try("signing (C2PA)", _sign, "install c2pa-python again"),
    ]


def _try(name: str, part: Callable[[], str], remedy: str) -> Finding:
    """Run a part; whatever it raises is what the report is for."""
    try:
        return Finding("parts", name, "ok", part(), needed=True)
    except Exception as error:
        line = " ".join(f"{type(error).__name__}: {error}".split())
        return Finding("parts", name, "broken", line, needed=True, remedy=_library(line) or remedy)


def _library(line: str) -> str:
    """What to do about a missing system library, by the words of the error."""
    return SYSTEM_LIBRARIES if ".so" in line else ""


def _codecs() -> list[Finding]:
    import av

    found = []
    for codec, encoder in _ENCODERS.items():
        there = encoder in av.codecs_available
        detail = encoder if there else f"no {encoder} in this build of PyAV"
        found.append(Finding("codecs", codec, "ok" if there else "missing", detail, needed=codec == "h264"))
    return found


def _engines() -> list[Finding]:
    """What runs networks. One that runs exported ones is needed: the default system is such a one."""
    from reenact.runtime.engine import installed_backend

    found = []
    for name, package in _ENGINES.items():
        if util.find_spec(name) is not None:
            found.append(Finding(_ENGINE_GROUP, name, "ok", metadata.version(name)))
            continue
        needed = name == "openvino" and installed_backend() is None
        detail = "not installed" if needed else "optional"
        found.append(Finding(_ENGINE_GROUP, name, "missing", detail, needed, f"pip install {package}"))
    return found


def _weights() -> list[Finding]:
    from reenact.errors import ReenactError
    from reenact.runtime import weights

    found = []
    for record in weights.records():
        try:
            weights.check(record.path, record.sha256)
            found.append(Finding("weights", record.name, "ok", f"shipped, {record.purpose}", needed=True))
        except ReenactError as error:
            found.append(Finding("weights", record.name, "broken", str(error), needed=True))
    for entry in weights.PUBLISHED.values():
        there = weights.fetched(entry)
        detail = f"fetched, {there}" if there else "not fetched; never downloaded unless you ask"
        remedy = f"reenact weights fetch {entry.name}"
        found.append(Finding("weights", entry.name, "ok" if there else "missing", detail, remedy=remedy))
    return found


def _opencv() -> str:
    import cv2

    return f"{cv2.__version__}"


def _detect() -> str:
    from skimage.data import astronaut

    from reenact.perception.detector import MeshDetector

    with MeshDetector() as detector:
        faces = detector.detect(astronaut())
    if len(faces) != 1:
        raise RuntimeError(f"found {len(faces)} faces in the sample portrait, not 1")
    return f"finds {len(faces[0].points)} points in the sample portrait"


def _face_model() -> str:
    from reenact.geometry.face_model import default_face_model

    model = default_face_model()
    return f"{len(model.identity)} identity and {len(model.expression)} expression modes"


def _sign() -> str:
    import c2pa

    from reenact.trust.certificate import config_dir, local_signer

    if not (config_dir() / "signing.pem").exists():
        return f"c2pa {c2pa.sdk_version()}; a certificate for this computer is made at the first use"
    signer = local_signer()
    return f"c2pa {c2pa.sdk_version()}; signs as {signer.name!r} ({signer.algorithm})"
