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
from reenact.data.draws import cross_pairs
from reenact.data.frames import frame_items
from reenact.data.items import Item, Listing, Pair
from reenact.errors import ReenactError

Draw = Callable[[Listing, Sequence[Item], int], list[Pair]]


@dataclass(frozen=True)
class PairProtocol:
    """name: of the protocol. paper: which uses it, and where it says so. datasets: what it is drawn from.
    guides: the data set that driving pictures come from where it is a second one, '' for none. draw: from the
    listing, the guides and a seed to the pairs."""

    name: str
    paper: str
    datasets: tuple[str, ...]
    draw: Draw
    guides: str = ""


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


def _dg_wide_guides(listing: Listing, guides: Sequence[Item], seed: int) -> list[Pair]:
    """The paper shows several cases and gives no number: 10 extreme poses for each person of 50 videos are
    ours."""
    held = voxceleb.hold_out(_frames(listing, 1), videos=50, tune=1, test=1, seed=seed)
    return cross_pairs([tune[0] for tune, _ in held], multipie.turned_far(guides), 10, seed)


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
    PairProtocol("dg/voxceleb1-by-multipie", "DG figure 6", ("voxceleb1",), _dg_wide_guides, guides="multipie"),
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
    PairProtocol("osfr/same-source", "OSFR 4.1.2", ("celeba-hq",), _osfr, guides="folders"),
    PairProtocol("osfr/different-source", "OSFR 4.1.2", ("ffhq",), _osfr, guides="folders"),
    PairProtocol("osfr/in-the-wild", "OSFR 4.1.2", ("raf-db",), _osfr, guides="folders"),
)
PAIR_PROTOCOLS: dict[str, PairProtocol] = {spec.name: spec for spec in _SPECS}


def draw_pairs(name: str, listing: Listing, *, guides: Listing | None = None, seed: int = 0) -> list[Pair]:
    """The pairs of a protocol. guides: where driving pictures come from that are not of the same data set.

    Raises ReenactError for a protocol that is not there, for missing guides, and where the data set's folder
    holds too little to draw a single pair.
    """
    if name not in PAIR_PROTOCOLS:
        raise ReenactError(f"there is no protocol {name!r}; choose one of: {', '.join(PAIR_PROTOCOLS)}")
    spec = PAIR_PROTOCOLS[name]
    if spec.guides and guides is None:
        what = "pictures or clips" if spec.guides == "folders" else f"{spec.guides}'s pictures"
        raise ReenactError(
            f"{name} needs pose guides: {what} of other people to drive the sources (--guides DIR)"
        )
    found = spec.draw(listing, frame_items(guides.items, None) if guides else [], seed)
    if not found:
        raise ReenactError(
            f"{listing.root}: too little of {listing.dataset} there for {name}; no pair can be drawn"
        )
    return found
