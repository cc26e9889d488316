"""A sheet of one portrait in the same poses by several systems, for the pages of `docs/systems`:

    python recipes/poses.py live,warp,osfr,osfr_plain,hr_net,dg,fipls,glg --to systems-astronaut.jpg

The portrait is NASA's of Eileen Collins (public domain), which scikit-image carries, or `--source FILE`. The
poses are asked for in action units and degrees, so nobody's face drives it: as it is, mouth wide open, smiling
with lips apart, lids shut, turned both ways.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from common import parser_of
from skimage.data import astronaut

from reenact.evaluation.sheets import sheet, strip
from reenact.media.stills import read_still, write_still
from reenact.pipeline.animate import still_drive
from reenact.pipeline.options import MotionOptions
from reenact.pipeline.portrait import Puppet, blend_of, drives_of, read_portrait
from reenact.pipeline.pose import Pose, pose_motion
from reenact.types import Image

POSES = (
    Pose(),
    Pose(units={26: 4, 25: 4}),
    Pose(units={12: 3, 25: 2}),
    Pose(units={45: 5}),
    Pose(yaw=25),
    Pose(yaw=-25, pitch=8),
)
_CELL = 160


def poses_of(picture: Image, system: str) -> list[Image]:
    """The face's crop (H, W, 3) in each of the poses."""
    portrait = read_portrait(picture)
    puppet = Puppet(portrait, system, blend_of(MotionOptions()))
    whole = [puppet.render(*still_drive(drives_of(pose_motion(pose), portrait)[0])) for pose in POSES]
    return [np.ascontiguousarray(puppet.box.of(one)) for one in whole]


def main() -> None:
    """The command line."""
    parser = parser_of(__doc__)
    parser.add_argument("systems", help="systems, separated by commas")
    parser.add_argument("--source", type=Path, help="another portrait")
    parser.add_argument("--to", type=Path, required=True, help="the picture to write")
    given = parser.parse_args()
    picture = read_still(given.source) if given.source else np.ascontiguousarray(astronaut()[0:300, 90:390])
    rows = {system: strip(poses_of(picture, system), _CELL) for system in given.systems.split(",")}
    write_still(given.to, sheet(picture, rows), 75)


if __name__ == "__main__":
    main()
