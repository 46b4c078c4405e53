"""The assumption of shapes: a parse has the same result for every command of a shape."""

from pathlib import Path
from typing import Any

import pytest

import shapes
from conftest import Warehouse

pytestmark = pytest.mark.slow

SYSTEMS = ("crm", "shop", "web", "support", "esp", "privacy")


def variables_of(folder: str, as_of: str) -> dict[str, Any]:
    files = {name: {"files": f"{folder}/{name}/{{table}}.csv", "absent": []} for name in SYSTEMS}
    return {**files, "web": "absent", "as_of": as_of}


def without_times(found: Any) -> Any:
    """A part of a manifest without its times and the ids of its command."""
    if isinstance(found, dict):
        times = {"created_at", "invocation_id", "generated_at", "run_started_at", "invocation_started_at"}
        return {key: without_times(value) for key, value in found.items() if key not in times}
    return [without_times(value) for value in found] if isinstance(found, list) else found


@pytest.mark.deep
def test_neither_as_of_nor_a_folder_changes_what_is_parsed(tmp_path: Path) -> None:
    """The shared parse equals a command's own parse, letter by letter, in another folder."""
    whole, lent = Warehouse(tmp_path / "whole"), Warehouse(tmp_path / "elsewhere" / "lent")
    for warehouse, options, variables in (
        (whole, ["--no-partial-parse"], variables_of("here", "2026-07-01 00:00:00")),
        (lent, [], variables_of("data/there", "2024-01-15 12:00:00")),
    ):
        warehouse.folder.mkdir(parents=True)
        run = warehouse.dbt("parse", *options, **variables)
        assert run.ok, run.output
        assert "full parse" not in run.output
    assert without_times(lent.manifest()) == without_times(whole.manifest())


def test_each_other_var_is_part_of_the_shape() -> None:
    base = variables_of("here", "2026-07-01")
    assert shapes.shape(base) == shapes.shape(variables_of("there", "2020-01-01"))
    for other in (
        {"churn_days": 30},
        {"web": "demo"},
        {"shop": {"files": "here/shop/{table}.csv", "absent": ["refunds"]}},
        {"shop": {"files": "here/shop.csv", "absent": []}},
        {"shop": {"schema": "raw_shop"}},
    ):
        assert shapes.shape({**base, **other}) != shapes.shape(base), other
