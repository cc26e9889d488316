"""The test pairs of the five papers, by name: what their tables are measured on.

Each draws from the listing of its data set, with the numbers that the paper gives. Where a paper leaves the
draw open (which people, which pictures), ours is fixed by the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from reenact.data import celebv, multipie, rafd, voxceleb
from reenact.data.celeba_hq import guided_pairs, one_of_each
from reenact.data.frames import frame_items
from reenact.data.items import Item, Listing, Pair
from reenact.errors import ReenactError

Draw = Callable[[Listing, Sequence[Item], int], list[Pair]]


@dataclass(frozen=True)
class PairProtocol:
    """name: of the protocol. paper: which uses it, and where it says so. datasets: what it is
    drawn from. guides: whether driving pictures come from a second listing (OSFR's pose guides). draw: from the
    listing, the guides and a seed to the pairs."""

    name: str
    paper: str
    datasets: tuple[str, ...]
    draw: Draw
    guides: bool = False


def _frames(listing: Listing, rate: int) -> list[Item]:
    """Single frames of the test split, or of all where there is none."""
    test = [item for item in listing.items if item.split == "test"] or list(listing.items)
    return frame_items(test, Fraction(rate))


def _hr_net_voxceleb(listing: Listing, guides: Sequence[Item], seed: int) -> list[Pair]:
    held = voxceleb.hold_out(_frames(listing, 1), videos=50, tune=1, test=32, per_person=True, seed=seed)
    return voxceleb.hold_out_pairs(held)


def _dg_voxceleb(rate: int) -> Draw:
    def draw(listing: Listing, guides: Sequence[Item], seed: int) -> list[Pair]:
        held = voxceleb.hold_out(_frames(listing, rate), videos=50, tune=8, test=32, seed=seed)
        return voxceleb.hold_out_pairs(held)

    return draw


def _fipls_voxceleb(listing: Listing, guides: Sequence[Item], seed: int) -> list[Pair]:
    split = voxceleb.x2face_split(listing.people, seed)
    items = [item for item in listing.items if split[item.identity] == "test"]
    held = voxceleb.hold_out(frame_items(items, Fraction(1)), videos=50, tune=1, test=32, seed=seed)
    return voxceleb.hold_out_pairs(held)


def _glg_voxceleb(listing: Listing, guides: Sequence[Item], seed: int) -> list[Pair]:
    return voxceleb.marionette_pairs(_frames(listing, 25), seed=seed)


def _osfr(listing: Listing, guides: Sequence[Item], seed: int) -> list[Pair]:
    return guided_pairs(one_of_each(listing.items, seed=seed), guides, seed=seed)


_SPECS = (
    PairProtocol(
        "hr_net/rafd",
        "HR-Net IV-A",
        ("rafd",),
        lambda of, _, s: rafd.pairs(of.items, angles=rafd.HR_NET_ANGLES, seed=s),
    ),
    PairProtocol("dg/rafd", "DG 4.1", ("rafd",), lambda of, _, s: rafd.pairs(of.items, seed=s)),
    PairProtocol("dg/multipie", "DG 4.1", ("multipie",), lambda of, _, s: multipie.pairs(of.items, seed=s)),
    PairProtocol(
        "dg/multipie-large-pose",
        "DG 4.1",
        ("multipie",),
        lambda of, _, s: multipie.pairs(of.items, large_pose=True, seed=s),
    ),
    PairProtocol("hr_net/voxceleb1", "HR-Net IV-A", ("voxceleb1",), _hr_net_voxceleb),
    PairProtocol("dg/voxceleb1", "DG 4.1", ("voxceleb1",), _dg_voxceleb(1)),
    PairProtocol("dg/voxceleb2", "DG 4.1", ("voxceleb2",), _dg_voxceleb(25)),
    PairProtocol("fipls/voxceleb1", "FIPLS, 'Datasets'", ("voxceleb1",), _fipls_voxceleb),
    PairProtocol("glg/voxceleb1", "GLG IV-A", ("voxceleb1",), _glg_voxceleb),
    PairProtocol(
        "glg/celebv-unseen",
        "GLG IV-A",
        ("celebv",),
        lambda of, _, s: celebv.pairs(of.items, scenario="unseen", seed=s),
    ),
    PairProtocol(
        "glg/celebv-known",
        "GLG IV-A",
        ("celebv",),
        lambda of, _, s: celebv.pairs(of.items, scenario="known", seed=s),
    ),
    PairProtocol("osfr/same-source", "OSFR 4.1.2", ("celeba-hq",), _osfr, guides=True),
    PairProtocol("osfr/different-source", "OSFR 4.1.2", ("ffhq",), _osfr, guides=True),
    PairProtocol("osfr/in-the-wild", "OSFR 4.1.2", ("raf-db",), _osfr, guides=True),
)
PAIR_PROTOCOLS: dict[str, PairProtocol] = {spec.name: spec for spec in _SPECS}


def draw_pairs(name: str, listing: Listing, *, guides: Listing | None = None, seed: int = 0) -> list[Pair]:
    """The pairs of a protocol. guides: where OSFR's driving pictures come from.

    Raises ReenactError for a protocol that is not there, for missing guides, and where the data set's folder
    holds too little to draw a single pair.
    """
    if name not in PAIR_PROTOCOLS:
        raise ReenactError(f"there is no protocol {name!r}; choose one of: {', '.join(PAIR_PROTOCOLS)}")
    spec = PAIR_PROTOCOLS[name]
    if spec.guides and guides is None:
        raise ReenactError(f"{name} needs pose guides: pictures or clips of other people to drive the sources")
    found = spec.draw(listing, frame_items(guides.items, None) if guides else [], seed)
    if not found:
        raise ReenactError(
            f"{listing.root}: too little of {listing.dataset} there for {name}; no pair can be drawn"
        )
    return found
