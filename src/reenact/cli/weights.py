"""`reenact weights`: what is shipped, what can be fetched, and pickles into safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reenact.cli import console
from reenact.errors import ReenactError

app = typer.Typer(
    help="List, fetch and convert network weights. Animating needs none of the published ones.",
    epilog="Example: reenact weights list",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
Json = Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


@app.command("list", epilog="Example: reenact weights list --json")
def list_(json: Json = False, quiet: Quiet = False) -> int:
    """List shipped and published weights, with their state; shipped files are hashed."""
    shipped, published = _shipped(), _published()
    if json:
        console.show_json({"shipped": shipped, "published": published})
    elif not quiet:
        _show(shipped, published)
    return 0 if all(row["state"] == "intact" for row in shipped) else 2


@app.command(
    epilog="Examples:\n\nreenact weights fetch vgg16\n\nreenact weights fetch vgg16 --file vgg16-397923af.pth"
)
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `reenact weights list` shows it.")],
    file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Take it from this file; no network is used.", show_default=False),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Put published weights into the cache, from their address or from a file, and check their hash."""
    from reenact.runtime import weights

    with console.Bar(show=not (quiet or json), unit="bytes") as bar:
        path = weights.fetch(name, file=file, progress=bar)
    if json:
        console.show_json({"name": name, "path": str(path), "sha256": weights.sha256_of(path)})
    elif not quiet:
        print(f"{name}: {path}")
        if weights.PUBLISHED[name].pickled:
            target = path.with_suffix(".safetensors")
            print(f"convert it with: reenact weights convert {console.shown(path)} -o {console.shown(target)}")
    return 0


@app.command(epilog="Example: reenact weights convert net.pth -o net.safetensors --sha256 0123456789abcdef")
def convert(
    file: Annotated[Path, typer.Argument(metavar="PICKLE", help="A PyTorch checkpoint (.pth, .pt, .ckpt).")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.safetensors", help="The file to write.")
    ],
    sha256: Annotated[
        str | None,
        typer.Option(
            metavar="DIGITS",
            help="The pickle's SHA-256, or at least its first 8 digits; known for what `fetch` fetched.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="ENTRY", help="The checkpoint's entry that holds the tensors.", show_default=False
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Turn a published pickle into safetensors, once; no code in it is run (weights_only=True)."""
    expected = sha256 or _known_hash(file)
    from reenact.nn.convert import convert as convert_file
    from reenact.nn.convert import describe

    names = convert_file(file, output, sha256=expected, key=key, overwrite=overwrite)
    if json:
        console.show_json({"output": str(output), "tensors": len(names), **describe(output)})
    elif not quiet:
        print(f"{output}: {len(names)} tensors, SHA-256 {describe(output)['sha256']}")
    return 0


def _known_hash(file: Path) -> str:
    from reenact.runtime.weights import PUBLISHED

    for entry in PUBLISHED.values():
        if entry.file_name == file.name:
            return entry.sha256
    raise ReenactError(
        f"{file}: no hash is known for this name; add --sha256 with the digits that its publisher gives"
    )


def _shipped() -> list[dict[str, Any]]:
    from reenact.runtime import weights

    rows = []
    for record in weights.records():
        try:
            weights.check(record.path, record.sha256)
            state = "intact"
        except ReenactError:
            state = "changed"
        row = {"name": record.name, "state": state, "bytes": record.path.stat().st_size}
        rows.append({**row, "licence": record.licence, "purpose": record.purpose, "path": str(record.path)})
    return rows


def _published() -> list[dict[str, Any]]:
    from reenact.runtime import weights

    rows = []
    for entry in weights.PUBLISHED.values():
        path = weights.fetched(entry)
        row = {"name": entry.name, "state": "fetched" if path else "not fetched", "url": entry.url}
        rows.append(
            {**row, "licence": entry.licence, "purpose": entry.purpose, "path": str(path) if path else None}
        )
    return rows


def _show(shipped: list[dict[str, Any]], published: list[dict[str, Any]]) -> None:
    print("shipped:" if shipped else "shipped: none (the warp system needs no weights)")
    for row in shipped:
        size = row["bytes"] / 1024**2
        print(f"  {row['name']:16} {row['state']:12} {size:5.1f} MiB  {row['licence']:12} {row['purpose']}")
    print("published by others, fetched only when you ask:")
    for row in published:
        print(f"  {row['name']:16} {row['state']:12} {row['licence']:12} {row['purpose']}")
