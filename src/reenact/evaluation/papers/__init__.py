"""The tables of the five papers, by name: `hr_net/IV`, `osfr/4.1`, `fipls/figure-8`."""

from __future__ import annotations

from reenact.errors import ReenactError
from reenact.evaluation.papers import dg, fipls, glg, hr_net, osfr
from reenact.evaluation.papers.layout import PaperTable

PAPERS = {
    "hr_net": ("HR-Net (TCSVT 2023)", hr_net.TABLES),
    "fipls": ("Fine-grained Identity Preserving Landmark Synthesis (2021)", fipls.TABLES),
    "dg": ("Dual-Generator (CVPR 2022)", dg.TABLES),
    "osfr": ("One-shot Face Reenactment (2019)", osfr.TABLES),
    "glg": ("Generative Landmark Guidance (2023)", glg.TABLES),
}
"""Paper -> its title and tables."""

PAPER_TABLES: dict[str, PaperTable] = {table.name: table for _, tables in PAPERS.values() for table in tables}
_ARABIC = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V", "6": "VI"}


def find_table(name: str) -> PaperTable:
    """The table of that name; capital letters do not matter, and HR-Net's and GLG's numbers may be Arabic. A
    ReenactError names the tables of the paper, or the papers."""
    paper, _, number = name.partition("/")
    for known in (number, _ARABIC.get(number, number)):
        for table in PAPER_TABLES.values():
            if table.name.lower() == f"{paper}/{known}".lower():
                return table
    there = [one for one in PAPER_TABLES if one.startswith(f"{paper.lower()}/")] or list(PAPER_TABLES)
    raise ReenactError(f"there is no table {name!r}; choose one of: {', '.join(there)}")


def listed() -> list[tuple[str, str, str]]:
    """(name, paper, title) of every table."""
    return [(table.name, title, table.title) for title, tables in PAPERS.values() for table in tables]
