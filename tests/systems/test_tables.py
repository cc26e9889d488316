"""The papers' tables as configurations: every row can be trained, and no two rows of a table are one."""

from __future__ import annotations

import pytest

from reenact.systems import CONVERTERS, SYSTEMS, TRAINING
from reenact.systems.spec import PaperTable, TrainingSpec
from reenact.training.settings import override

TABLES = [pytest.param(s, t, id=f"{s.name}-{t.name}") for s in TRAINING.values() for t in s.tables]


@pytest.mark.parametrize(("system", "table"), TABLES)
def test_rows_are_settings_of_every_preset(system: TrainingSpec, table: PaperTable) -> None:
    for row in table.rows:
        assert row.published and (row.system or not row.changes)
        for name, changes in row.changes.items():
            stage = system.stage(name)
            for settings in stage.presets.values():
                override(settings, changes)


@pytest.mark.parametrize(("system", "table"), TABLES)
def test_rows_differ(system: TrainingSpec, table: PaperTable) -> None:
    ours = [(row.system, tuple(sorted(row.changes.items()))) for row in table.rows if row.system]
    assert ours and len(set(ours)) == len(ours)
    assert len({row.label for row in table.rows}) == len(table.rows)
    for row in table.rows:
        converter, _, name = row.system.rpartition("+")
        assert not name or name in SYSTEMS
        assert not converter or converter in CONVERTERS
