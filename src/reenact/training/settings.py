"""Settings of a run: from a preset, `--set name=value`, and back from the file of a run."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from reenact.errors import ReenactError
from reenact.systems.spec import Settings, StageSpec


def preset(stage: StageSpec, name: str) -> Settings:
    """The settings of a stage's preset; a ReenactError names the presets there are."""
    if name not in stage.presets:
        raise ReenactError(f"no preset {name!r}; choose one of: {', '.join(stage.presets)}")
    return stage.presets[name]


def override(settings: Settings, pairs: Iterable[str]) -> Settings:
    """Settings with `name=value` pairs laid over them; a ReenactError for an unknown name or a wrong value."""
    values = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ReenactError(f"--set {pair}: write it as name=value")
        values[name.strip()] = text.strip()
    return _with(settings, values)


def as_json(settings: Settings) -> dict[str, Any]:
    """The settings as JSON holds them."""
    return asdict(settings)


def _with(settings: Settings, values: Mapping[str, str]) -> Settings:
    hints = get_type_hints(type(settings))
    names = [field.name for field in fields(settings)]
    parsed = {}
    for name, text in values.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
            raise ReenactError(f"--set {name}: no such setting; {hint}")
        parsed[name] = _parse(hints[name], text, name)
    changed = replace(settings, **parsed)
    _check(changed)
    return changed


def _parse(kind: Any, text: str, name: str) -> Any:
    if get_origin(kind) is Literal:
        return _choice(get_args(kind), text, name)
    if get_origin(kind) is tuple:
        return tuple(_parse(get_args(kind)[0], part, name) for part in text.split(",") if part)
    if get_origin(kind) is Union:
        raise TypeError(f"{name}: settings are of one type")
    if kind is bool:
        return _choice(("true", "false"), text.lower(), name) == "true"
    try:
        value = kind(text)
    except ValueError:
        raise ReenactError(f"--set {name}={text}: not a number of type {kind.__name__}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ReenactError(f"--set {name}={text}: the number should be finite")
    return value


def _choice(known: tuple[str, ...], text: str, name: str) -> str:
    if text not in known:
        raise ReenactError(f"--set {name}={text}: choose one of: {', '.join(known)}")
    return text


def _check(settings: Settings) -> None:
    """Limits that hold for every stage."""
    if settings.epochs <= 0:
        raise ReenactError(f"--set epochs={settings.epochs:g}: more than 0")
    if settings.batch < 1:
        raise ReenactError(f"--set batch={settings.batch}: at least 1")
    for name in ("steps", "mean", "clip", "workers", "threads"):
        if getattr(settings, name) < 0:
            raise ReenactError(f"--set {name}={getattr(settings, name)}: not below 0")
    if settings.mean >= 1:
        raise ReenactError(f"--set mean={settings.mean}: below 1")
