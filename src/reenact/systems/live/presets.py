"""The settings of `live`: `small` is what ships, `paper` is for those who have VoxCeleb, `tiny` for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reenact.systems.spec import Settings


@dataclass(frozen=True, kw_only=True)
class LiveSettings(Settings):
    """Sizes and losses.

    source_widths: channels of the source's first layer and of its maps at 64, 32 and 16 pixels. widths: of the
    frame's maps at the same. code: length of the code of the whole source. middle: residual pairs at 16 pixels.
    rate: of Adam; it falls to zero on half a cosine. face, features: what a pixel of the face, and of eyes and
    mouth, weighs beyond 1. stills: share of samples from stills. Each `weight_*` of 0 switches a loss off:
    l1, pyramid (Laplacian), ssim (at half size), warped (L1 of the warp after the residual flow), keep (paint
    outside eyes and mouth), perceptual (our own nets' features, or VGG-16), landmarks and identity (by our own
    nets), temporal (how much the error changes between neighbouring moments, which are drawn for it),
    adversarial (patches of the eyes and of the mouth) and matching (of the features of its discriminators).
    """

    source_widths: tuple[int, ...] = (32, 32, 64, 96)
    widths: tuple[int, ...] = (48, 96, 128)
    code: int = 64
    middle: int = 1
    rate: float = 1e-3
    face: float = 1.5
    features: float = 5.0
    stills: float = 0.35
    weight_l1: float = 1.0
    weight_pyramid: float = 1.0
    weight_ssim: float = 0.2
    weight_warped: float = 0.25
    weight_keep: float = 0.012
    weight_perceptual: float = 0.0
    weight_landmarks: float = 0.0
    weight_identity: float = 0.0
    weight_temporal: float = 0.0
    weight_adversarial: float = 0.0
    weight_matching: float = 0.0
    rate_discriminator: float = 2e-4


_SMALL = LiveSettings(
    epochs=9,
    batch=16,
    precision="auto",
    mean=0.998,
    clip=1.0,
    workers=1,
    threads=1,
    weight_adversarial=0.01,
    weight_matching=0.03,
    validate_samples=96,
    validate_every=1000,
)

PRESETS: dict[str, LiveSettings] = {
    "tiny": LiveSettings(
        epochs=1, steps=60, batch=4, mean=0.9, source_widths=(8, 8, 16, 16), widths=(8, 16, 16), code=8
    ),
    "small": _SMALL,
    "paper": replace(
        _SMALL,
        epochs=40,
        steps=0,
        batch=32,
        source_widths=(64, 96, 192, 256),
        widths=(128, 256, 384),
        middle=4,
        rate=2e-4,
        weight_perceptual=0.1,
        workers=8,
        threads=0,
    ),
}
