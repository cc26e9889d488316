"""The bill of materials of a default install: `python tools/sbom.py sbom.json`.

What CycloneDX finds in this environment, cut down to reenact and what it needs (no extras, no test tools), and
the same for the same environment: no times, no random numbers, no paths of this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def bill() -> dict[str, Any]:
    """CycloneDX 1.6 as JSON; raises CalledProcessError where the tool fails."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--of", "JSON"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), sys.executable]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return pruned(json.loads(found))


def pruned(whole: dict[str, Any]) -> dict[str, Any]:
    """Only what the main component needs, directly or not; sorted by name."""
    names, root = needed("reenact"), whole["metadata"]["component"]
    parts = [part for part in whole["components"] if canonicalize_name(part["name"]) in names]
    components = sorted((_without_paths(part) for part in parts), key=lambda part: part["bom-ref"])
    refs = {part["bom-ref"] for part in components} | {root["bom-ref"]}
    dependencies = [
        {"ref": entry["ref"], "dependsOn": sorted(refs & set(entry.get("dependsOn", [])))}
        for entry in sorted(whole["dependencies"], key=lambda entry: entry["ref"])
        if entry["ref"] in refs
    ]
    whole["metadata"]["component"] = _without_paths(root)
    return {**whole, "components": components, "dependencies": dependencies}


def needed(name: str) -> set[str]:
    """Names of the distributions that `name` needs here, without extras, itself left out."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for text in metadata.requires(waiting.pop()) or []:
            requirement = Requirement(text)
            other = canonicalize_name(requirement.name)
            if (
                requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            ) and other not in found:
                found.add(other)
                waiting.append(other)
    # The build without windows takes the other's place (see the Makefile).
    return found | {"opencv-contrib-python-headless"}


def _without_paths(part: dict[str, Any]) -> dict[str, Any]:
    """Without references to files of this machine, which an editable install has."""
    kept = [link for link in part.get("externalReferences", []) if not link["url"].startswith("file:")]
    return {**{key: value for key, value in part.items() if key != "externalReferences"}, **links(kept)}


def links(kept: list[dict[str, Any]]) -> dict[str, Any]:
    """As an entry, where there are any."""
    return {"externalReferences": kept} if kept else {}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(json.dumps(bill(), indent=1, sort_keys=True) + "\n")
    print(f"{target}: {len(json.loads(target.read_text())['components'])} components")
