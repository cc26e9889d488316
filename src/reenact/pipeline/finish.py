"""The last touches on every frame and file: comparison, landmarks, label, watermark, manifest."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reenact.media.compose import pad_to_even, side_by_side
from reenact.pipeline.options import OutputOptions
from reenact.trust import Signer, load_signer, local_signer, new_mark_id
from reenact.trust.manifest import MarkRecord, Role, ingredient, sign_file, sign_folder
from reenact.types import Image, Points

if TYPE_CHECKING:
    from reenact.trust.label import Label
    from reenact.trust.watermark import Watermark


def package_version() -> str:
    """The installed version of this package."""
    try:
        return version("reenact")
    except PackageNotFoundError:
        return "0"


def signer_of(options: OutputOptions) -> Signer | None:
    """Who signs what is written: one's own certificate or the local one; None where marking is off."""
    if not options.mark:
        return None
    return load_signer(options.sign_with) if options.sign_with else local_signer()


class Finisher:
    """What is done to each frame after it is generated, and to the file when it is written.

    system, learned: name of the system, and whether trained weights drew. inputs: files for the record.
    compare_with: the source picture for a side-by-side, else None. signer: from `signer_of`, when it was
    already asked for. Raises ReenactError for a certificate of
    one's own that cannot sign. All frames must have one size.
    """

    def __init__(
        self,
        options: OutputOptions,
        system: str,
        learned: bool,
        inputs: Sequence[tuple[Path, Role]],
        compare_with: Image | None = None,
        signer: Signer | None = None,
    ) -> None:
        self._options = options
        self._source = compare_with
        self._system, self._learned = system, learned
        self._signer = signer or signer_of(options)
        # The inputs are hashed only for a manifest that will name them.
        self._ingredients = tuple(ingredient(path, role) for path, role in inputs if self._signer)
        self.mark_id = new_mark_id()
        self._watermark: Watermark | None = None
        self._label: Label | None = None
        self._watermarked = False

    def frame(self, image: Image, driving: Image | None, points: Points | None) -> Image:
        """The picture to write: (H, W, 3 or 4). driving: for the side-by-side. points: (N, 2 or 3) to draw."""
        if points is not None:
            image = draw_points(image, points)
        if self._source is not None:
            shown = [self._source, image] if driving is None else [self._source, driving, image]
            image = pad_to_even(side_by_side(shown, image.shape[0]))
        if self._options.label:
            image = self._labelled(image, self._options.label)
        return self._marked(image) if self._options.mark else image

    def sign(self, path: Path, final: Path) -> Path | None:
        """Sign the finished file or folder at `path`, to be named `final`; the sidecar's path, if any."""
        if self._signer is None:
            return None
        record = MarkRecord(
            system=self._system,
            version=package_version(),
            ingredients=self._ingredients,
            mark_id=self.mark_id,
            consent=self._options.consent,
            learned=self._learned,
            watermarked=self._watermarked,
        )
        if path.is_dir():
            sign_folder(path, record, self._signer)
            return None
        return sign_file(path, record, self._signer, final=final)

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks that the file carries."""
        names = []
        if self._signer is not None:
            names.append("c2pa")
        if self._watermarked:
            names.append("watermark")
        if self._options.label:
            names.append("label")
        return tuple(names)

    def _marked(self, image: Image) -> Image:
        from reenact.trust.watermark import Watermark

        if self._watermark is None:
            self._watermark = Watermark(image.shape[1], image.shape[0], self.mark_id)
            self._watermarked = self._watermark.fits
        return self._watermark.embed(image)

    def _labelled(self, image: Image, text: str) -> Image:
        from reenact.trust.label import Label

        if self._label is None:
            self._label = Label(text, image.shape[1], image.shape[0])
        return self._label.draw(image)


def draw_points(image: Image, points: Points, colour: Sequence[int] = (80, 255, 120)) -> Image:
    """A copy of the picture with a small dot at each point (N, 2 or 3)."""
    out = image.copy()
    height, width = image.shape[:2]
    radius = max(min(height, width) // 512, 0)
    steps = np.arange(-radius, radius + 1)
    x = (np.floor(points[:, 0]).astype(int)[:, None, None] + steps[None, None, :]).clip(0, width - 1)
    y = (np.floor(points[:, 1]).astype(int)[:, None, None] + steps[None, :, None]).clip(0, height - 1)
    out[np.broadcast_to(y, np.broadcast_shapes(x.shape, y.shape)), x, :3] = colour
    return out
