"""`reenact systems`: the systems of this version and their state."""

from __future__ import annotations

from typing import Annotated

import typer

from reenact.cli import console

EXAMPLES = "Example: reenact systems --json"


def systems(
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable list.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the names only.")] = False,
) -> int:
    """List the systems: name, state, title and paper."""
    from reenact.systems import SYSTEMS, caveats, status_of

    if json:
        rows = [
            {
                "name": spec.name,
                "status": status_of(spec),
                "title": spec.title,
                "paper": spec.paper,
                "caveats": list(caveats(spec)),
            }
            for spec in SYSTEMS.values()
        ]
        console.show_json({"systems": rows})
        return 0
    for spec in SYSTEMS.values():
        print(spec.name if quiet else f"{spec.name:10} {status_of(spec):15} {spec.title} ({spec.paper})")
        for line in () if quiet else caveats(spec):
            print(f"{'':26} {line}")
    return 0
