"""Imports point one way, and nothing heavy is loaded before it is needed.

types, errors <- geometry <- perception, media, trust, runtime, nn, losses <- systems <- data, pipeline,
training, evaluation <- cli, web. Packages of one rank may import one another as long as no circle arises; a
system never imports another system.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "src" / "reenact"
RANKS = (
    ("types", "errors"),
    ("geometry",),
    ("perception", "media", "trust", "runtime", "nn", "losses"),
    ("systems",),
    ("data", "pipeline", "training", "evaluation"),
    ("cli", "web"),
    ("__main__", "__init__"),
)
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
TORCH_ALLOWED = {"nn", "losses", "systems", "training"}
TORCH = {"torch", "lightning", "lightning_fabric", "torchmetrics", "torchvision"}
GEOMETRY_ALLOWED = {"numpy", "cv2", "safetensors"}


@cache
def modules() -> dict[str, ast.Module]:
    """Dotted name below `reenact` -> syntax tree, of every file of the package."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts)] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imported(tree: ast.Module) -> set[str]:
    """Dotted names of all modules that a file imports, at any depth; relative imports are refused elsewhere."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(tree: ast.Module) -> set[str]:
    """Of these, the names below `reenact`, without that prefix."""
    return {name.removeprefix("reenact.") for name in imported(tree) if name.startswith("reenact.")}


def package(name: str) -> str:
    return name.split(".")[0]


def test_every_package_has_a_rank() -> None:
    assert {package(name) for name in modules()} <= set(RANK), "give each package a place in RANKS"


def test_imports_point_down() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, tree in modules().items()
        for other in ours(tree)
        if RANK.get(package(other), 0) > RANK[package(name)]
    ]
    assert not wrong


def test_imports_are_absolute() -> None:
    nodes = ((name, node) for name, tree in modules().items() for node in ast.walk(tree))
    assert not [
        f"{name}:{node.lineno}" for name, node in nodes if isinstance(node, ast.ImportFrom) and node.level
    ]


def test_packages_do_not_import_in_circles() -> None:
    edges: dict[str, set[str]] = defaultdict(set)
    for name, tree in modules().items():
        edges[package(name)] |= {package(other) for other in ours(tree) if package(other) in RANK}
    for start in edges:
        seen, ahead = set(), edges[start] - {start}
        while ahead:
            seen |= ahead
            assert start not in seen, f"{start} is reached again from {sorted(seen)}"
            ahead = {after for one in ahead for after in edges[one]} - seen


def test_no_system_imports_another() -> None:
    for name, tree in modules().items():
        parts = name.split(".")
        if parts[0] == "systems" and len(parts) > 2:
            others = {other.split(".")[1] for other in ours(tree) if other.startswith("systems.")}
            shared = {path.stem for path in (ROOT / "systems").glob("*.py")}
            assert others <= {parts[1], *shared}, f"{name} imports {others}"


def test_torch_stays_in_the_laboratory() -> None:
    users = {package(name) for name, tree in modules().items() if TORCH & set(map(package, imported(tree)))}
    assert users <= TORCH_ALLOWED


def test_geometry_needs_arrays_only() -> None:
    for name, tree in modules().items():
        if package(name) == "geometry":
            outside = {package(other) for other in imported(tree)} - set(sys.stdlib_module_names) - {"reenact"}
            assert outside <= GEOMETRY_ALLOWED, f"{name} imports {outside}"


def loaded(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after `code`."""
    probe = f"{code}\nimport sys\nprint('LOADED', *{{n.split('.')[0] for n in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.rsplit("LOADED", 1)[1].split())


def test_inference_does_not_load_torch() -> None:
    packages = ("geometry", "perception", "media", "trust", "runtime", "pipeline", "cli")
    names = [name for name in modules() if package(name) in packages and not name.endswith("__init__")]
    code = "import importlib\n" + "\n".join(f"importlib.import_module('reenact.{name}')" for name in names)
    assert not loaded(code) & (TORCH | {"jax", "matplotlib"})


HELP = "from reenact.cli import main\ntry:\n    main({words})\nexcept SystemExit:\n    pass"


@pytest.mark.parametrize("words", [["--help"], ["video", "--help"], ["demo", "--help"], ["weights", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    heavy = {"numpy", "mediapipe", "cv2", "av", "PIL", "torch", "c2pa", "skimage", "scipy", "safetensors"}
    assert not loaded(HELP.format(words=words)) & heavy


def test_package_itself_loads_nothing_heavy_and_gives_the_api() -> None:
    assert not loaded("import reenact") & {"numpy", "mediapipe", "cv2"}
    import reenact

    assert all(callable(getattr(reenact, name)) for name in reenact.__all__)
