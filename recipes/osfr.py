"""The stills that the shipped weights of `osfr` learned from.

reenact prepare ... --out PREPARED
python recipes/osfr.py --data PREPARED --stills STILLS      every person warped three times, at 128 px
reenact train osfr --preset small --data STILLS --out RUN
"""

from __future__ import annotations

from pathlib import Path

from common import parser_of

from reenact.systems.osfr.presets import MAIN
from reenact.training.stills import Manners, render_stills


def main() -> None:
    """The command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--stills", type=Path, required=True)
    parser.add_argument("--changes", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    small = MAIN["small"]
    manners = Manners(small.resampling, small.expression, small.turn)
    render_stills(
        given.data, given.stills, small.size, manners, changes=given.changes, processes=given.processes
    )


if __name__ == "__main__":
    main()
