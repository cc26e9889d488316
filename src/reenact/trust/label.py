"""A visible label: a short text on a dark, translucent pill in the bottom left corner."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from reenact.errors import ReenactError
from reenact.types import Image

LABELS = {
    "bg": "Манипулирано с ИИ",
    "cs": "Upraveno pomocí AI",
    "da": "AI-manipuleret",
    "de": "KI-manipuliert",
    "el": "Επεξεργασμένο με ΤΝ",
    "en": "AI-manipulated",
    "es": "Manipulado con IA",
    "et": "Tehisintellektiga muudetud",
    "fi": "Tekoälyllä muokattu",
    "fr": "Manipulé par IA",
    "ga": "Athraithe le hintleacht shaorga",
    "hr": "Izmijenjeno umjetnom inteligencijom",
    "hu": "MI-vel manipulált",
    "it": "Manipolato con l'IA",
    "lt": "Pakeista naudojant DI",
    "lv": "Pārveidots ar MI",
    "mt": "Immanipulat bl-IA",
    "nl": "Met AI gemanipuleerd",
    "pl": "Zmanipulowane przez AI",
    "pt": "Manipulado por IA",
    "ro": "Manipulat cu IA",
    "sk": "Upravené pomocou AI",
    "sl": "Spremenjeno z umetno inteligenco",
    "sv": "AI-manipulerad",
}
"""'AI-manipulated' in the official languages of the European Union, by ISO 639-1 code."""

_LANGUAGE = re.compile("[a-z]{2}([-_][A-Za-z]{2})?")

_SHARE, _SMALLEST = 0.034, 11
"""Letter size as a share of the picture's geometric mean side, and at least so many pixels."""

_SYSTEM_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "arialuni.ttf",
    "Arial Unicode.ttf",
    "msyh.ttc",
)
_NOT_A_CHARACTER = "\uffff"
_PILL, _LETTERS = (0, 0, 0, 150), (255, 255, 255, 255)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Label:
    """A text rendered once for pictures of one size; `draw` then takes well under a millisecond."""

    def __init__(self, text: str, width: int, height: int) -> None:
        """text: one line. width, height: of the pictures, pixels. ReenactError for letters that no font has."""
        text = " ".join(text.split())
        if not text:
            raise ReenactError("the label has no text; give some, or a language code such as 'en'")
        self.width, self.height = width, height
        pill = _fit(text, width, height)
        margin = max(1, round(0.25 * pill.shape[0]))
        left, bottom = min(margin, width - pill.shape[1]), max(height - margin, pill.shape[0])
        self._area = slice(bottom - pill.shape[0], bottom), slice(left, left + pill.shape[1])
        self._opacity = pill[..., 3:].astype(np.float32) / 255
        self._colour = pill[..., :3].astype(np.float32) * self._opacity

    def draw(self, image: Image) -> Image:
        """A copy of a picture, (H, W, 3 or 4) uint8 of this label's size, with the label on it."""
        if image.shape[:2] != (self.height, self.width):
            raise ValueError(
                f"the label is for {self.width} x {self.height}, not {image.shape[1]} x {image.shape[0]}"
            )
        out = image.copy()
        area = out[self._area]
        if image.shape[2] == 4:
            area[:] = self._over(area)
        else:
            area[:] = np.rint(self._colour + area * (1 - self._opacity))
        return out

    def _over(self, area: Image) -> Image:
        """The pill over a picture with straight alpha: opaque where the picture is see-through, too."""
        below = area[..., 3:].astype(np.float32) / 255 * (1 - self._opacity)
        alpha = self._opacity + below
        colour = (self._colour + area[..., :3] * below) / np.maximum(alpha, 1e-6)
        return np.rint(np.concatenate([colour, alpha * 255], axis=2)).astype(np.uint8)


def draw_label(image: Image, text: str) -> Image:
    """A copy of one picture with a label; for many of one size make a `Label` once."""
    return Label(text, image.shape[1], image.shape[0]).draw(image)


def label_text(wanted: str) -> str:
    """What is written for `--label`: a language of the European Union ('de', 'pt-PT') stands for
    'AI-manipulated' in it, any other text for itself. ReenactError for two small letters that are no such
    language."""
    if _LANGUAGE.fullmatch(wanted) is None:
        return wanted
    if wanted[:2] not in LABELS:
        raise ReenactError(
            f"the label: no text in the language '{wanted}'; take one of {', '.join(LABELS)}, or a text"
        )
    return LABELS[wanted[:2]]


def _fit(text: str, width: int, height: int) -> Image:
    """The pill as RGBA, with the largest letters that fit into the picture's width and height."""
    size = max(_SMALLEST, round(_SHARE * (width * height) ** 0.5))
    pill = _pill(text, size)
    while (pill.shape[1] > width or pill.shape[0] > height) and size > 1:
        size = min(size - 1, int(size * min(width / pill.shape[1], height / pill.shape[0])) or 1)
        pill = _pill(text, size)
    return pill[:height, :width]


def _pill(text: str, size: int) -> Image:
    font = _font(text, size)
    left, top, right, bottom = font.getbbox(text)
    ascent = font.getbbox("Äg")
    pad_x, pad_y = round(0.55 * size), round(0.32 * size)
    height = int(max(bottom, ascent[3]) - min(top, ascent[1])) + 2 * pad_y
    shape = int(right - left) + 2 * pad_x, height
    picture = Pictures.new("RGBA", shape, (*_PILL[:3], 0))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((0, 0, shape[0] - 1, shape[1] - 1), radius=height // 2, fill=_PILL)
    pen.text((pad_x - left, pad_y - min(top, ascent[1])), text, font=font, fill=_LETTERS)
    return np.array(picture)


def _font(text: str, size: int) -> Font:
    """A font that has every letter of the text: Pillow's own (ASCII), DejaVu, or one of the system's."""
    if text.isascii():
        return ImageFont.load_default(size)
    for name in (_dejavu(), "DejaVuSans.ttf", *_SYSTEM_FONTS):
        try:
            font = ImageFont.truetype(name, size) if name else None
        except OSError:
            continue
        if font is not None and not _missing(text, font):
            return font
    raise ReenactError(
        f"no font on this computer has all letters of the label '{text}'; use Latin letters, or 'en'"
    )


def _missing(text: str, font: ImageFont.FreeTypeFont) -> bool:
    """Whether a letter comes out as the font's empty box."""
    box = bytes(font.getmask(_NOT_A_CHARACTER))
    return any(not c.isspace() and bytes(font.getmask(c)) == box for c in text)


def _dejavu() -> str | None:
    """The DejaVu Sans that comes with Matplotlib, which MediaPipe installs; Matplotlib itself is not loaded."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return str(path) if path.is_file() else None
