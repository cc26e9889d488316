"""Every file of a folder with what its first line says: `python tools/tree.py [src/reenact/geometry ...]`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent


def lines_of(folder: Path) -> Iterator[str]:
    """A line for each Python file below `folder`, by its path."""
    for path in sorted(folder.rglob("*.py")):
        said = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
        if said:
            yield f"{path.relative_to(folder).as_posix():<34}{' '.join(said.split())}"


def main() -> None:
    """The command line."""
    for folder in sys.argv[1:] or [ROOT / "src" / "reenact"]:
        print("\n".join(lines_of(Path(folder))))


if __name__ == "__main__":
    main()
