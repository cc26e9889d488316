"""The identity net's lesson: dlib's answer on the very picture, then the same answer on a spoilt one.

The teacher labels every picture that is made, so that faces that exist nowhere teach as well as real ones: half
of the batch are mixtures of two faces under a smooth mask. The pupil sees the same face as it is, and once more
misplaced, recoloured and spoilt, and has to give the label of the clean chip.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional

from reenact.geometry.align import invert
from reenact.nn.identity_net import SIZE
from reenact.perception.chips import DLIB_CHIP, chip_matrix
from reenact.training.augment import Placement, draw_placement, sample, spoil
from reenact.training.faces import FaceStore
from reenact.training.precision import cpu_has_bf16

PLACEMENT = Placement(turn=6, zoom=1.12, shift=0.05)
ROOM = 1.3
"""Side of the wide chip, in which the pupil's is misplaced, over that of dlib's."""
MIXED = 0.5
"""Share of mixtures."""


class IdentityStep:
    """Losses of the identity net: squared distance to the teacher, and the distances within the batch."""

    def __init__(self, net: nn.Module, teacher: nn.Module, store: FaceStore) -> None:
        self._net, self._teacher, self._store = net, teacher, store
        self._places = torch.from_numpy(np.stack([wide_chip(p, store.crops.shape[1]) for p in store.points]))

    def __call__(self, rows: NDArray[np.int64], generator: Generator) -> dict[str, Tensor]:
        wide = self.wide(rows, generator)
        wide = _mixed(wide, generator)
        plain = sample(wide, centre(len(wide)), SIZE)
        label = self.label(plain).repeat(2, 1)
        matrices, _ = draw_placement(centre(len(wide)), PLACEMENT, generator, mirror=False)
        spoilt = spoil(sample(wide, matrices, SIZE), generator, cover=0.15)
        images = torch.cat([plain, spoilt]) * 2 - 1
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
            guess = self._net(images.contiguous(memory_format=torch.channels_last))
        spread = functional.pdist(label)
        return {
            "label": 4 * (guess - label).square().sum(1).mean(),
            "spread": (functional.pdist(guess) - spread).abs().mean(),
        }

    def wide(self, rows: NDArray[np.int64], generator: Generator | None = None) -> Tensor:
        """(B, 3, 195, 195) in [0, 1]: chips with room around them, every second one mirrored by chance."""
        crops = torch.from_numpy(np.ascontiguousarray(self._store.crops[rows])).permute(0, 3, 1, 2)
        chips = sample(crops, self._places[torch.from_numpy(rows)], round(SIZE * ROOM))
        if generator is None:
            return chips
        mirrored = torch.rand(len(rows), generator=generator) < 0.5
        return torch.where(mirrored[:, None, None, None], chips.flip(3), chips)

    @torch.no_grad()
    def label(self, chips: Tensor) -> Tensor:
        """The teacher's (B, 128) on chips (B, 3, 150, 150) in [0, 1]."""
        chips = chips * 2 - 1
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
            return self._teacher(chips.contiguous(memory_format=torch.channels_last)).float()


def wide_chip(points: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(2, 3) from the unit square of the wide chip to that of a stored crop of `side` pixels."""
    back = invert(chip_matrix(points, DLIB_CHIP))
    linear = back[:, :2] * DLIB_CHIP.size / side
    offset = back[:, 2] / side + linear @ np.full(2, (1 - ROOM) / 2)
    return np.column_stack([linear * ROOM, offset]).astype(np.float32)


def centre(count: int) -> Tensor:
    """(B, 2, 3): dlib's chip within the wide one."""
    edge = (1 - 1 / ROOM) / 2
    return torch.tensor([[1 / ROOM, 0, edge], [0, 1 / ROOM, edge]]).expand(count, 2, 3)


def _mixed(chips: Tensor, generator: Generator) -> Tensor:
    """The first half of the batch mixed with faces drawn from all of it, under smooth random masks."""
    count = int(len(chips) * MIXED)
    partner = chips[torch.randint(len(chips), (count,), generator=generator)]
    coarse = torch.randn(count, 1, 3, 3, generator=generator) * 1.5
    mask = functional.interpolate(coarse, chips.shape[-1], mode="bicubic", align_corners=True).sigmoid()
    return torch.cat([chips[:count] * mask + partner * (1 - mask), chips[count:]])
