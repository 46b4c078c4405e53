"""Identity against the generator's truth; the same scoring as in benchmarks/report.md, on a small shop."""

from pathlib import Path

import pytest
from benchmarks.accuracy import score
from benchmarks.measure import source_vars

from conftest import Warehouse
from mailroom.demo import generate

pytestmark = [pytest.mark.slow, pytest.mark.deep]


def test_customers_are_the_people_they_were_made_for(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    generate(
        customers=3_000, days=180, seed=7, to=shop, web_events_per_order=3, message_events_per_customer=5
    )
    warehouse = Warehouse(tmp_path)
    built = warehouse.dbt(
        "build", "--select", "+customer_keys", "--resource-type", "seed", "--resource-type", "model",
        **source_vars(shop),
    )  # fmt: skip
    assert built.ok, built.output
    found = score(tmp_path / "warehouse.duckdb", shop)
    assert found.pairs.people > 2_900
    assert found.pairs.linked > 5_000
    assert found.precision >= 0.999, found.false_joins
    # Of names, streets and dates one in twenty is mistyped.
    assert found.recall >= 0.95, found.misses
