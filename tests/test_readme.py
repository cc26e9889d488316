"""What the README says to type is understood, and what it names is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from typer.main import get_command

from reenact.cli.app import make_app
from reenact.systems import SYSTEMS, status_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_parses() -> None:
    lines = [line.split(" #")[0] for line in README.splitlines() if line.startswith("reenact ")]
    assert len(lines) >= 5
    for line in lines:
        verb, *words = shlex.split(line)[1:]
        get_command(make_app()).commands[verb].make_context(verb, words)  # type: ignore[attr-defined]


def test_every_option_exists() -> None:
    verbs = [get_command(make_app()).commands[verb] for verb in ("video", "image")]  # type: ignore[attr-defined]
    parameters = [parameter for verb in verbs for parameter in verb.params]
    known = {name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {"--help", "--out-dir"}
    assert named <= known


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_systems_that_are_ready_are_the_ones_there_are() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", README, re.MULTILINE)
    assert {name for name, state in rows if state.startswith("ready")} == {
        name for name, _ in rows if name in SYSTEMS and status_of(SYSTEMS[name]) == "ready"
    }


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_the_tree_has_every_folder_of_the_package() -> None:
    package = ROOT / "src" / "reenact"
    tree = README.split("src/reenact/\n", 1)[1].split("```")[0]
    named = re.findall(r"^  ([a-z_/]+)/ ", tree, re.MULTILINE)
    there = {path.parent.relative_to(package).as_posix() for path in package.rglob("*.py")} - {"."}
    assert set(named) == there | {"assets", "weights"}
    assert all((ROOT / name).exists() for name in re.findall(r"^([\w.]+)/? ", tree, re.MULTILINE))
