"""The options of each verb, pinned: a change here changes what people have in their scripts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
from cli_command import Command
from typer.main import get_command

from reenact.cli.app import VERBS, make_app

SHARED = (
    "--source --same-person --driving --output -o --out-dir --overwrite --config "
    "--system --motion --strength --smooth --anchor --placement --eyes --brows --lips --jaw --gaze --head "
    "--face --source-face --driving-face --paste --no-paste --size --compare --landmarks --quality "
    "--label --consent --sign-with --mark --no-mark --threads --device --json --quiet -q"
)
OPTIONS = {
    "image": SHARED + " --action-units --pose",
    "video": SHARED + " --format --start --end --fps --codec --keep-partial",
    "track": "--output -o --start --end --face --overwrite --json --quiet -q",
    "between": "--output -o --frames --driving --at --sequence --system --fps --overwrite --mark --no-mark "
    "--json --quiet -q",
    "edit": "--output -o --nose-width --nose-length --mouth-width --lips --eyes --brows --jaw --sequence "
    "--frames --system --overwrite --mark --no-mark --json --quiet -q",
    "demo": "--output -o --overwrite --json --quiet -q",
    "prepare": "--recipe --min-face --min-sharpness --size --rate --workers --ray --seed --shard-size --limit "
    "--overwrite --list --json --quiet -q",
    "export": "--output -o --to --threads --overwrite --json --quiet -q",
    "evaluate": "--data --out --system --protocol --clips --pairs --shots --guides --seed --arcface --fresh "
    "--json --quiet -q",
    "table": "--list --on --data --out --clips --pairs --guides --runs --seed --arcface --json --quiet -q",
    "serve": "--host --port --token-file --allow-host --page --no-page --max-upload --max-seconds "
    "--max-megapixels --jobs --queue --keep --threads --json --quiet -q",
    "webcam": "--camera --virtual-camera --record --window --no-window --system --motion --strength --smooth "
    "--size --label --overwrite --json --quiet -q",
    "systems": "--json --quiet -q",
    "doctor": "--json --quiet -q",
    "verify": "--trust --json --quiet -q",
    "train face-model": "--data --output -o --identity --expression --hold-out --overwrite --json --quiet -q",
    "train live": "--preset --stage --data --out -o --set --resume --dry-run --device --json --quiet -q",
    "train dg": "--preset --stage --data --out -o --set --resume --dry-run --device --json --quiet -q",
    "train fipls": "--preset --stage --data --out -o --set --resume --dry-run --device --json --quiet -q",
    "train hr_net": "--preset --stage --data --out -o --set --resume --dry-run --device --json --quiet -q",
    "train glg": "--preset --stage --data --out -o --set --resume --dry-run --device --json --quiet -q",
    "train osfr": "--preset --stage --data --out -o --set --resume --dry-run --device --json --quiet -q",
    "weights list": "--json --quiet -q",
    "weights fetch": "--file --json --quiet -q",
    "weights convert": "--output -o --sha256 --key --overwrite --json --quiet -q",
}


def find(words: str):  # type: ignore[no-untyped-def]  # Typer does not export the class of a command.
    command = get_command(make_app())
    for word in words.split():
        command = command.commands[word]
    return command


def test_verbs_are_pinned() -> None:
    assert set(find("").commands) == {words.split()[0] for words in OPTIONS}
    assert set(find("train").commands) == {"dg", "face-model", "fipls", "glg", "hr_net", "live", "osfr"}
    assert set(find("weights").commands) == {"list", "fetch", "convert"}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_s_line_is_how_its_own_help_begins(verb: str) -> None:
    whole = re.sub(r"\s+", " ", find(verb).help or "")
    assert whole.startswith(VERBS[verb])


def test_help_alone_names_all_verbs_and_reads_the_options_of_none(reenact: Command) -> None:
    modules = {f"reenact.cli.{verb}" for verb in VERBS}
    code = "import sys; from reenact.cli import main; main(['--help']); print(*sys.modules, sep='\\n')"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not modules & set(shown.splitlines())
    assert all(f"│ {verb} " in shown for verb in VERBS)


def test_completion_knows_the_options_of_a_verb() -> None:
    words = {"_REENACT_COMPLETE": "complete_bash", "COMP_WORDS": "reenact video --smo", "COMP_CWORD": "2"}
    code = "from reenact.cli import main; main([])"
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **words}, capture_output=True, text=True
    )
    assert run.stdout.split() == ["--smooth"]


@pytest.mark.parametrize("words", OPTIONS)
def test_options_are_pinned(words: str) -> None:
    parameters = [p for p in find(words).params if p.param_type_name == "option" and p.name != "help"]
    assert {name for p in parameters for name in (*p.opts, *p.secondary_opts)} == set(OPTIONS[words].split())


@pytest.mark.parametrize("words", ["", "weights", *OPTIONS])
def test_help_has_an_example(reenact: Command, words: str) -> None:
    result = reenact(*words.split(), "--help")
    assert result.code == 0 and result.err == ""
    assert f"reenact {words}".strip() in re.sub(r"\s+", " ", result.out.split("Example")[1])


def test_version(reenact: Command) -> None:
    assert reenact("--version").out == f"reenact {version('reenact')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_is_there(reenact: Command, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    result = reenact("--show-completion", shell)
    assert result.code == 0 and "_REENACT_COMPLETE" in result.out
