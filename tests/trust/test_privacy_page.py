"""docs/privacy.md names every place where traces of a person stay from one build or push to the next."""

import re

import pytest

from conftest import PROJECT, Warehouse
from mailroom.activation.destinations.file import KEPT_DAYS
from mailroom.activation.ledger import SCHEMAS

PAGE = (PROJECT / "docs/privacy.md").read_text()
ROWS = re.findall(
    r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE.split("## Where traces of a person lie")[1], re.M
)
NAMED = {name for row in ROWS for name in re.findall(r"`(\w+)`", row[0])}


def test_every_table_that_outlives_a_build_is_named(parsed: Warehouse) -> None:
    nodes = parsed.manifest()["nodes"].values()
    models = {node["name"]: node["config"] for node in nodes if node["resource_type"] == "model"}
    kept = {
        name
        for name, config in models.items()
        if config["materialized"] == "incremental" or config["full_refresh"] is False
    }
    assert len(kept) > 10 and kept - NAMED == set()
    seeds = {node["name"] for node in nodes if node["resource_type"] == "seed"}
    others = {"file", "gx", "logs", "target", "build_failures", "build_summary", "parquet", "outbox"}
    assert NAMED - kept - set(SCHEMAS) - seeds - others - set(models) == set(), "and nothing that is gone"


@pytest.mark.parametrize("ledger", SCHEMAS)
def test_every_ledger_of_push_and_pull_is_named(ledger: str) -> None:
    assert ledger in NAMED


def test_the_page_says_how_long_files_stay_in_the_drop_folder() -> None:
    (row,) = [row for row in ROWS if row[0].startswith("drop folder")]
    assert f"else {KEPT_DAYS} days" in row[2]
    assert f"`MAILROOM_DROP_DAYS` ({KEPT_DAYS})" in (PROJECT / "docs/activation.md").read_text()
