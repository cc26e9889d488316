"""Sheets: samples below one another, columns side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

torch = pytest.importorskip("torch")

from reenact.training.sheets import sheet, write_sheet  # noqa: E402


def test_cells_are_where_their_column_and_row_say(tmp_path: Path) -> None:
    red = torch.tensor([1.0, -1, -1]).view(1, 3, 1, 1).expand(3, 3, 32, 40)
    blue = torch.tensor([-1.0, -1, 1]).view(1, 3, 1, 1).expand(3, 3, 32, 40)
    image = sheet({"first": red, "second": blue}, most=2)
    assert image.shape == (18 + 2 * 32 + 2, 2 * 40 + 2, 3)
    assert (image[18:50, :40] == (255, 0, 0)).all() and (image[52:, 42:] == (0, 0, 255)).all()
    assert (image[:18] < 128).any()  # the titles
    write_sheet(tmp_path / "sheets" / "one.png", image)
    assert np.array_equal(np.asarray(PIL.Image.open(tmp_path / "sheets" / "one.png")), image)
