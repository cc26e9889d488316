"""`reenact verify` on files that `reenact` wrote, and on what was done to them."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
from cli_command import Command
from trust_samples import own_certificate


def test_verdicts_and_their_exit_codes(reenact: Command, portrait: Path, tmp_path: Path) -> None:
    marked = tmp_path / "marked.png"
    assert reenact("image", portrait, portrait, "-o", marked, "--consent", "she agreed").code == 0
    result = reenact("verify", marked)
    assert result.code == 0 and f"{marked}: marked" in result.out
    assert "source: portrait.png" in result.out and "consent: she agreed" in result.out

    assert reenact("verify", portrait).code == 1

    text = tmp_path / "text.mp4"
    text.write_text("no video")
    assert reenact("verify", text).code == 2

    changed = tmp_path / "changed.png"
    PIL.Image.open(marked).save(changed)  # The manifest is gone, the watermark is not.
    assert reenact("verify", changed).code == 3
    assert reenact("verify", tmp_path).code == 3


def test_report_as_json(reenact: Command, portrait: Path) -> None:
    result = reenact("verify", portrait, "--json")
    assert (result.code, result.err) == (1, "")
    assert result.json["verdict"] == "unmarked" and result.json["exit_code"] == 1
    folder = reenact("verify", portrait.parent, "--json")
    assert str(portrait) in [row["path"] for row in folder.json["files"]]


def test_quiet_leaves_the_exit_code(reenact: Command, portrait: Path) -> None:
    result = reenact("verify", portrait, "--quiet")
    assert (result.code, result.out, result.err) == (1, "", "")


def test_signers_are_known_by_their_authority(reenact: Command, portrait: Path, tmp_path: Path) -> None:
    """Of a file signed on this computer the signer is known without a word."""
    own, authority = own_certificate(tmp_path)
    (tmp_path / "out").mkdir()
    local, ada = tmp_path / "out" / "local.png", tmp_path / "out" / "ada.png"
    assert reenact("image", portrait, portrait, "-o", local).code == 0
    assert reenact("image", portrait, portrait, "-o", ada, "--sign-with", own).code == 0
    assert "signed by reenact on this computer (known here)" in reenact("verify", local).out
    assert "signed by Ada (not known here)" in reenact("verify", ada).out
    both = reenact("verify", tmp_path / "out", "--trust", authority, "--json")
    assert both.code == 0
    assert [row["manifest"]["state"] for row in both.json["files"]] == ["valid", "valid"]
    assert "no readable certificate" in reenact("verify", ada, "--trust", portrait).line()
    assert "none.pem" in reenact("verify", ada, "--trust", tmp_path / "none.pem").line()


def test_missing_file(reenact: Command) -> None:
    assert "none.png" in reenact("verify", "none.png").line()
