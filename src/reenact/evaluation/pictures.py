"""Pairs of pictures: the test pairs of the papers, sets with a known truth for two people, and few-shot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from reenact.data import find_dataset
from reenact.data.draws import cross_pairs, k_shot
from reenact.data.folders import STILL_SUFFIXES, open_folders
from reenact.data.frames import frame_items, read_frames
from reenact.data.items import Item, Pair
from reenact.data.protocols import PAIR_PROTOCOLS, draw_pairs
from reenact.errors import ReenactError
from reenact.evaluation.measure import Row, Seen, Tools, driving_figures, likeness, set_features, truth_figures
from reenact.evaluation.protocols import COPY, Outcome, Protocol
from reenact.evaluation.scenes import area_resized, portrait_of
from reenact.geometry.face_model import rotation_matrix, rotation_vector
from reenact.geometry.slits import Driver
from reenact.media.compose import over
from reenact.pipeline.portrait import Portrait, Puppet, blend_of, drive_of
from reenact.systems import find_system
from reenact.systems.converters import MORPHABLE
from reenact.types import Floats, Image

TRUTH = "truth.json"
"""What `data/synthetic_pictures.py` writes beside the pictures of a set."""
SHOTS = 7
"""Pictures a person in few-shot (OSFR 4.7.3), of which the first k are sources."""
_GUIDES = 10
_FEW_SHOT_RATE = Fraction(2)
_CHUNK = 50
_FROM_KIND = {"rafd": "dg/rafd", "multipie": "dg/multipie"}


@dataclass(frozen=True)
class Trial:
    """sources: pictures of one person, of which the one nearest in pose is animated. driving: gives pose and
    expression. truth: the source's person so, where there is that picture."""

    sources: tuple[Item, ...]
    driving: Item
    truth: Item | None = None


@dataclass(frozen=True)
class PictureCase:
    """Trials of one person."""

    key: str
    trials: tuple[Trial, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        items = [item for t in self.trials for item in (*t.sources, t.driving, t.truth) if item is not None]
        return tuple(dict.fromkeys(item.path for item in items))

    @property
    def signature(self) -> str:
        """The names of all pictures, in their roles."""
        roles = [
            ([s.key for s in t.sources], t.driving.key, t.truth.key if t.truth else "") for t in self.trials
        ]
        return repr(roles)

    def open(self, protocol: Protocol, tools: Tools) -> PictureScene:
        """Read all pictures. Trials whose source, driving or true picture shows no face are left out; raises
        ReenactError where none is left."""
        return PictureScene(self.trials, protocol, tools)


@dataclass(frozen=True)
class _Ready:
    """A trial that was read. portrait: of the source that was chosen."""

    portrait: Portrait
    driving: Seen
    truth: Seen | None
    name: str


class PictureScene:
    """The trials of a case, read and looked at once for all systems."""

    def __init__(self, trials: Sequence[Trial], protocol: Protocol, tools: Tools) -> None:
        self._protocol, self._tools = protocol, tools
        self._read(trials)
        if not self._trials:
            raise ReenactError("no trial with a face in its source, driving and true picture")
        self.source: Image = _rgb(self._trials[0].portrait)
        self.driving = [trial.driving.image for trial in self._trials]
        self._own = {id(t.portrait): tools.embed(_rgb(t.portrait), t.portrait.points) for t in self._trials}
        self._true = [tools.embed(t.truth.image, t.truth.points) if t.truth else None for t in self._trials]

    def _read(self, trials: Sequence[Trial]) -> None:
        items = [item for t in trials for item in (*t.sources, t.driving, t.truth) if item is not None]
        images = read_frames(items)
        seen: dict[str, Seen] = {}
        portraits: dict[str, Portrait | None] = {}
        self._trials: list[_Ready] = []
        for trial in trials:
            for item in trial.sources:
                if item.key not in portraits:
                    portraits[item.key] = _portrait(images.get(item.key), self._protocol.size)
            for shown in (trial.driving, trial.truth):
                if shown is not None and shown.key not in seen and shown.key in images:
                    seen[shown.key] = self._look(shown, images[shown.key])
            ready = self._ready(trial, portraits, seen)
            if ready is not None:
                self._trials.append(ready)

    def _look(self, item: Item, image: Image) -> Seen:
        picture = area_resized(image, self._protocol.size)
        exact = None
        beside = item.path.with_suffix(".npy")
        if not item.is_video and beside.is_file():
            exact = np.load(beside).astype(np.float32) * np.float32(picture.shape[1] / image.shape[1])
        return Seen(picture, self._tools.finder(picture), exact)

    def _ready(
        self, trial: Trial, portraits: dict[str, Portrait | None], seen: dict[str, Seen]
    ) -> _Ready | None:
        own = [(item, portrait) for item in trial.sources if (portrait := portraits[item.key]) is not None]
        driving = seen.get(trial.driving.key)
        truth = seen.get(trial.truth.key) if trial.truth else None
        if not own or driving is None or driving.points is None:
            return None
        if trial.truth and (truth is None or truth.points is None):
            return None
        wanted = rotation_matrix(self._tools.model.fit(driving.points).rotation)

        def turn(pair: tuple[Item, Portrait]) -> float:
            matrix = rotation_matrix(self._tools.model.fit(pair[1].points).rotation)
            return float(np.linalg.norm(rotation_vector(wanted @ matrix.T)))

        item, portrait = min(own, key=turn)
        return _Ready(portrait, driving, truth, f"{item.key} <- {trial.driving.key}")

    def run(self, system: str) -> Outcome:
        """Animate each trial's source, absolute in pose, expression and place: as the papers' converters do,
        which see crops that were aligned alike."""
        puppets: dict[tuple[int, str], Puppet] = {}
        pictures = [self._made(system, trial, puppets) for trial in self._trials]
        made = [Seen(picture, self._tools.finder(picture)) for picture in pictures]
        vectors = [self._tools.embed(one.image, one.points) for one in made]
        rows = [self._row(n, made[n], vectors[n]) for n in range(len(made))]
        kept = [n for n, trial in enumerate(self._trials) if trial.truth is not None]
        features = set_features(
            [pictures[n] for n in kept],
            [vectors[n] for n in kept],
            [truth.image for trial in self._trials if (truth := trial.truth) is not None],
            [self._true[n] for n in kept],
            self._tools,
        )
        return Outcome(rows, pictures, [trial.name for trial in self._trials], features)

    def _made(self, system: str, trial: _Ready, puppets: dict[tuple[int, str], Puppet]) -> Image:
        if system == COPY:
            return _rgb(trial.portrait)
        if trial.driving.points is None:
            raise ValueError("a trial without a driving face is not run")
        state = self._tools.model.fit(trial.driving.points)
        # The analytic converter does not ask who drives; the others see the driving face as it is.
        analytic = find_system(system).converter == MORPHABLE.name
        key = id(trial.portrait), "" if analytic else trial.name
        if key not in puppets:
            puppets.clear()  # sources come in runs, and a learned system's may be large
            motion = blend_of(self._protocol.motion)
            puppets[key] = Puppet(trial.portrait, system, motion, threads=2, driver=Driver(state.identity))
        drive = drive_of(state)
        return over(puppets[key].render(drive, drive), 128)

    def _row(self, n: int, made: Seen, vector: Floats | None) -> Row:
        trial = self._trials[n]
        row: Row = {"frame": n, "lost": int(made.points is None)}
        row |= driving_figures(made.points, trial.driving.points, self._tools)
        row["csim"], row["same"] = likeness(vector, self._own[id(trial.portrait)], self._tools)
        if trial.truth is not None:
            row |= truth_figures(made, trial.truth, self._tools)
            row["csim_truth"], _ = likeness(vector, self._true[n], self._tools)
        return row


def paper_cases(name: str, data: Path, guides: Path | None, pairs: int | None, seed: int) -> list[PictureCase]:
    """The test pairs of a paper (`data/protocols.py`) in a data set's folder, `pairs` of them evenly chosen.
    guides: the folder of driving pictures that come from another data set (OSFR's; DG's figure 6). Raises
    ReenactError where they are not there."""
    spec = PAIR_PROTOCOLS[name]
    listing = find_dataset(spec.datasets[0]).read(data)
    others = None
    if spec.guides and guides is not None:
        others = find_dataset(spec.guides).read(guides)
    return _grouped(draw_pairs(name, listing, guides=others, seed=seed), pairs)


def set_cases(data: Path, pairs: int | None, seed: int) -> list[PictureCase]:
    """All pairs of a set with a known truth (`data/synthetic_pictures.py`), by the protocol of its kind."""
    return paper_cases(_FROM_KIND[kind_of_set(data)], data, None, pairs, seed)


def kind_of_set(data: Path) -> str:
    """'rafd' or 'multipie'. Raises ReenactError where the record of a set does not read."""
    try:
        kind = str(json.loads((data / TRUTH).read_text("utf-8"))["kind"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReenactError(f"{data / TRUTH}: no record of a set ({error!r}); make the set again") from None
    if kind not in _FROM_KIND:
        raise ReenactError(f"{data / TRUTH}: the record of an unknown kind of set; make the set again")
    return kind


def is_set(data: Path) -> bool:
    """Whether a folder is a set with a known truth."""
    return (data / TRUTH).is_file()


def few_shot_cases(data: Path, split: str, shots: int, pairs: int | None, seed: int) -> list[PictureCase]:
    """OSFR's few-shot set (section 4.7.3) out of a plain folder: each clip of a split is a person, as is each
    folder `people/NAME` of pictures; of at most 32 people with 7 pictures the first `shots` are sources, and 10
    frames of other people drive each. The same pictures and drivers for every `shots`.

    Raises ReenactError where nobody has 7 pictures, or nobody else is there to drive.
    """
    if not 1 <= shots <= SHOTS:
        raise ReenactError(f"--shots {shots}: choose 1 to {SHOTS}")
    items = _people(data, split)
    people = k_shot(items, people=32, pictures=SHOTS, seed=seed)
    if len({item.identity for item in items}) < 2 or not people:
        raise ReenactError(
            f"{data}: few-shot needs two people, and {SHOTS} pictures of one: clips, or people/NAME/*.jpg"
        )
    firsts = [pictures[0] for pictures in people.values()]
    drawn = cross_pairs(firsts, items, _GUIDES, seed, source_of=lambda item: True)
    trials = [Trial(tuple(people[p.source.identity][:shots]), p.driving) for p in _thinned(drawn, pairs)]
    keys = dict.fromkeys(trial.sources[0].identity for trial in trials)
    return [PictureCase(key, tuple(t for t in trials if t.sources[0].identity == key)) for key in keys]


def _people(data: Path, split: str) -> list[Item]:
    """Single pictures with their person: 2 frames a second of each clip, and what lies in people/NAME; or those
    of a set with a known truth."""
    if is_set(data):
        return list(find_dataset(kind_of_set(data)).read(data).items)
    folders = data / "people"
    found = [
        Item(path, f"{path.parent.name}/{path.stem}", path.parent.name)
        for path in sorted(folders.glob("*/*"))
        if path.suffix.lower() in STILL_SUFFIXES
    ]
    if (data / "clips").is_dir() or not found:
        clips = [Item(path, path.stem, path.stem, path.stem) for path in open_folders(data).split(split)]
        found += frame_items(clips, _FEW_SHOT_RATE)
    return found


def _grouped(pairs: list[Pair], most: int | None) -> list[PictureCase]:
    """Pairs as cases: by the source's person, at most 50 in a case."""
    people: dict[str, list[Trial]] = {}
    for pair in _thinned(pairs, most):
        people.setdefault(pair.source.identity, []).append(Trial((pair.source,), pair.driving, pair.truth))
    cases = []
    for person, trials in people.items():
        trials.sort(key=lambda trial: trial.sources[0].key)
        parts = [trials[n : n + _CHUNK] for n in range(0, len(trials), _CHUNK)]
        for n, part in enumerate(parts):
            cases.append(PictureCase(_file_name(person) + (f"-{n + 1}" if len(parts) > 1 else ""), tuple(part)))
    return cases


def _thinned(pairs: list[Pair], most: int | None) -> list[Pair]:
    """At most so many, evenly chosen."""
    if most is None or most >= len(pairs):
        return pairs
    return [pairs[n] for n in np.linspace(0, len(pairs) - 1, most).round().astype(int)]


def _file_name(person: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in person) or "person"


def _portrait(image: Image | None, size: int) -> Portrait | None:
    try:
        return None if image is None else portrait_of(image, size)
    except ReenactError:
        return None


def _rgb(portrait: Portrait) -> Image:
    return np.ascontiguousarray(portrait.picture[..., :3])
