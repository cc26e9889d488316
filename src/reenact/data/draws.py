"""Drawing test pairs: the same pairs for the same items and seed, on every machine."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from random import Random

from reenact.data.items import Item, Pair, by_identity


def cross_pairs(
    sources: Sequence[Item],
    driving: Sequence[Item],
    per_person: int,
    seed: int,
    *,
    source_of: Callable[[Item], bool] = lambda item: False,
    same: Callable[[Item], Hashable] | None = None,
) -> list[Pair]:
    """For each source person, `per_person` driving items of other people.

    source_of: which of a person's items is the source, the first of them that it holds for; where it holds for
    none, each pair draws its own. same: what an item shares with its like of another person; with it, the
    truth of a pair is the source person's item that is the same as the driving one (None where there is none).
    Drawn without repeats as long as there are enough.
    """
    people = by_identity(sources)
    found = []
    for person, own in people.items():
        draw = Random(f"cross {seed} {person}")
        others = [item for item in driving if item.identity != person]
        fixed = next((item for item in own if source_of(item)), None)
        truths = {same(item): item for item in own} if same else {}
        for item in _drawn(others, per_person, draw):
            source = fixed or draw.choice(own)
            found.append(Pair(source, item, truths.get(same(item)) if same else None))
    return found


def _drawn(items: Sequence[Item], number: int, draw: Random) -> list[Item]:
    if len(items) >= number:
        return draw.sample(items, number)
    return draw.choices(items, k=number) if items else []


def one_a_person(items: Sequence[Item], number: int, seed: int) -> list[Item]:
    """`number` items of as many people, drawn; fewer where there are fewer people."""
    draw = Random(f"people {seed}")
    people = by_identity(items)
    chosen = sorted(draw.sample(sorted(people), min(number, len(people))))
    return [draw.choice(people[person]) for person in chosen]


def k_shot(
    items: Sequence[Item], *, people: int = 32, pictures: int = 7, seed: int = 0
) -> dict[str, list[Item]]:
    """OSFR's few-shot set (section 4.7.3): `people` people with `pictures` pictures each, by person; the first
    k of a person's pictures are its k-shot sources. People with fewer pictures are left out."""
    draw = Random(f"k-shot {seed}")
    rich = {person: of for person, of in by_identity(items).items() if len(of) >= pictures}
    chosen = sorted(draw.sample(sorted(rich), min(people, len(rich))))
    return {person: draw.sample(rich[person], pictures) for person in chosen}
