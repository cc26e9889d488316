"""Options from a TOML file: `--config OPTIONS.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import typer

from reenact.cli.failures import nearest
from reenact.errors import ReenactError

_NOT_KEYS = {"config", "help"}


def load(context: typer.Context, path: Path | None) -> Path | None:
    """Make a file's options the defaults of this command line (a Typer callback, run before the others).

    Keys are option names, with `-` or `_` (`paste = false` and `no-paste = true` are the same); raises
    ReenactError for a key that is no option, naming the nearest.
    """
    if path is None:
        return None
    known = {p.name: p for p in context.command.params if p.param_type_name == "option" and p.name}
    allowed = sorted({name.replace("_", "-") for name in known} - _NOT_KEYS)
    values: dict[str, Any] = {}
    for key, value in _read(path).items():
        name = key.replace("-", "_")
        switch = known.get(name.removeprefix("no_"))
        if name.startswith("no_") and switch and switch.secondary_opts and isinstance(value, bool):
            name, value = name.removeprefix("no_"), not value
        if name not in known or name in _NOT_KEYS:
            raise ReenactError(f"{path}: no option {key!r}{nearest(key, allowed)}")
        values[name] = _value(path, key, value, known[name])
    context.default_map = {**(context.default_map or {}), **values}
    return path


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReenactError(f"{path}: no such options file") from None
    except (IsADirectoryError, PermissionError) as error:
        raise ReenactError(f"{path}: cannot be read as an options file ({error.strerror})") from None
    except RecursionError:
        raise ReenactError(f"{path}: not an options file: its values are nested too deeply") from None
    except (OSError, ValueError) as error:  # not TOML, not UTF-8, or a number of thousands of digits
        raise ReenactError(f"{path}: not a TOML file: {error}") from None


def _value(path: Path, key: str, value: Any, parameter: Any) -> Any:
    """The value as the command line would have it; numbers and texts are converted by the option itself."""
    flag = bool(getattr(parameter, "is_flag", False))
    if flag != isinstance(value, bool):
        wanted = "true or false" if flag else "a number or text"
        raise ReenactError(f"{path}: {key} = {value!r} should be {wanted}")
    if flag:
        return value
    if parameter.multiple:
        return [str(item) for item in (value if isinstance(value, list) else [value])]
    if not isinstance(value, (str, int, float)):
        raise ReenactError(f"{path}: {key} = {value!r} should be a number or text")
    return str(value)
