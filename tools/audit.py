"""Known weaknesses of the pinned dependencies: `python tools/audit.py`, which asks the advisory service.

Exit code 0: none known; 1: some, listed; 3: the service could not be reached and nothing was audited. CI fails
on 1 and says 3.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PINS = Path(__file__).parent.parent / "constraints.txt"


def main() -> int:
    """Run pip-audit over the pins, without resolving or installing anything."""
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    command += ["--format", "json", "--requirement", str(PINS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError):
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return unreached(last)
    return verdict(found)


def verdict(found: list[dict[str, Any]]) -> int:
    """Print what pip-audit knows of each pin, and return the exit code.

    A pin that the service does not know counts as not audited: pip-audit itself calls a run without any answer
    a clean one.
    """
    unknown = [part["name"] for part in found if "skip_reason" in part]
    if len(unknown) == len(found):
        return unreached(f"it knows none of the {len(found)} pins")
    weak = [(part, weakness) for part in found for weakness in part.get("vulns", [])]
    for part, weakness in weak:
        mended = ", ".join(weakness.get("fix_versions", [])) or "no version yet"
        print(f"{part['name']} {part['version']}: {weakness['id']} (mended in {mended})")
    print(f"audit: {len(found) - len(unknown)} of {len(found)} pins audited, {len(weak)} known weaknesses")
    if unknown:
        print(f"audit: not audited: {', '.join(unknown)}", file=sys.stderr)
    return 1 if weak else 0


def unreached(reason: str) -> int:
    """Say that nothing was audited."""
    print(
        f"audit: the advisory service cannot be reached, so nothing was audited ({reason[:200]})",
        file=sys.stderr,
    )
    return 3


if __name__ == "__main__":
    sys.exit(main())
