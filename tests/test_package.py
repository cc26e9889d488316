"""What is packaged: the wheel holds all that a run needs, and the default install has no PyTorch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "reenact"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of what is packaged (setuptools would leave a build folder in the checkout)."""
    pytest.importorskip("setuptools", minversion="77")
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(PACKAGE, copy / "src" / "reenact", ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--quiet",
        "-w",
        "dist",
        ".",
    ]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next((copy / "dist").glob("reenact-*.whl"))


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_default_install_has_no_torch(project: dict[str, Any]) -> None:
    names = {name_of(requirement) for requirement in project["dependencies"]}
    assert names and not names & {
        "torch",
        "torchvision",
        "torchmetrics",
        "lightning",
        "onnxruntime",
    }
    assert "openvino" in names  # the engine of `live`


def test_constraints_pin_every_requirement(project: dict[str, Any]) -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {name_of(line): line for line in lines if line and not line.startswith("#")}
    wanted = [
        *project["dependencies"],
        *(r for extra in project["optional-dependencies"].values() for r in extra),
    ]
    missing = {name_of(requirement) for requirement in wanted} - set(pins) - {"reenact"}
    assert not missing and all(re.fullmatch(r"\S+==\S+", pin) for pin in pins.values())
    assert pins["torch"] == "torch==2.13.0" and pins["mediapipe"] == "mediapipe==0.10.21"


def test_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """Data and weights lie beside the code; a new kind of file must be named in pyproject.toml."""
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("reenact/")}
    source = wheel.parent.parent / "src"
    files = {path for path in (source / "reenact").rglob("*") if path.is_file() and path.suffix != ".md"}
    missing = {str(path.relative_to(source)) for path in files} - inside
    assert not missing
    assert {"reenact/assets/demo.motion", "reenact/assets/face_model.safetensors", "reenact/py.typed"} <= inside


def test_wheel_gives_the_command_and_the_licence(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = {name.split("/", 1)[1]: name for name in archive.namelist() if ".dist-info/" in name}
    assert "reenact = reenact.cli:main" in archive.read(names["entry_points.txt"]).decode()
    assert "licenses/LICENSE" in names


def test_wheel_is_of_a_reasonable_size(wheel: Path) -> None:
    assert wheel.stat().st_size < 80 * 1024**2


@pytest.mark.slow
def test_demo_runs_from_the_wheel_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """A fresh environment that has the wheel, and borrows only the packages that the wheel depends on."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--quiet"]
    subprocess.run([*install, "--ignore-installed", str(wheel)], check=True)

    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    clean["REENACT_HOME"] = str(tmp_path / "home")
    where = [str(python), "-c", "import reenact; print(reenact.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=clean, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()).is_relative_to(environment)

    command = [str(environment / "bin" / "reenact"), "demo", "-o", "demo"]
    done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo" / "demo.mp4").stat().st_size > 10_000
