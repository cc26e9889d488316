"""What is depended on: every package pinned, installed as pinned, and listed in the bill of materials."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def tool(name: str) -> ModuleType:
    """A script of `tools/`, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {re.sub(r"[-_.]+", "-", name).lower(): version.strip() for name, version in pairs}


def test_all_that_a_default_install_needs_is_pinned_as_installed() -> None:
    pytest.importorskip("packaging")
    known = pins()
    for name in tool("sbom").needed("reenact"):
        assert name in known, f"{name} is needed, but constraints.txt does not pin it"
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # one of the two builds of OpenCV
        assert installed.split("+")[0] == known[name], (
            f"{name} {installed} is installed, {known[name]} is pinned"
        )


def test_each_pin_is_one_exact_version() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line) for line in lines)
    assert len(pins()) == len(lines), "a package is pinned twice"


def test_the_bill_of_materials() -> None:
    pytest.importorskip("cyclonedx_py")
    sbom = tool("sbom")
    first = sbom.bill()
    assert first == sbom.bill() and "timestamp" not in first["metadata"]
    assert (first["bomFormat"], first["specVersion"]) == ("CycloneDX", "1.6")
    assert first["metadata"]["component"]["name"] == "reenact"
    parts = {part["name"].lower(): part for part in first["components"]}
    assert {"numpy", "mediapipe", "pillow", "av", "cryptography", "safetensors"} <= set(parts)
    assert not {"torch", "pytest", "cyclonedx-bom"} & set(parts)
    assert all(part["version"] and part["purl"].startswith("pkg:pypi/") for part in parts.values())
    assert str(ROOT) not in str(first) and "file:" not in str(first)
    refs = {part["bom-ref"] for part in first["components"]} | {first["metadata"]["component"]["bom-ref"]}
    assert {ref for entry in first["dependencies"] for ref in [entry["ref"], *entry["dependsOn"]]} <= refs


ASKED: list[tuple[list[dict[str, Any]], int, str]] = [
    ([{"name": "a", "version": "1", "vulns": []}], 0, "1 of 1 pins audited, 0 known"),
    ([{"name": "a", "skip_reason": "not found"}], 3, "nothing was audited"),
    ([], 3, "nothing was audited"),
    ([{"name": "a", "skip_reason": "x"}, {"name": "b", "version": "1", "vulns": []}], 0, "not audited: a"),
    (
        [{"name": "b", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}],
        1,
        "b 1: X-1 (mended in 2)",
    ),
]


@pytest.mark.parametrize(("found", "code", "said"), ASKED)
def test_an_audit_without_an_answer_is_not_a_clean_one(
    capsys: pytest.CaptureFixture[str], found: list[dict[str, Any]], code: int, said: str
) -> None:
    assert tool("audit").verdict(found) == code
    assert said in "".join(capsys.readouterr())
