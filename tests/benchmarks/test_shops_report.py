"""What the report says of the builds, and what is carried from them to a hundred million customers."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import scale, shops_report, spark

Json = dict[str, Any]


def build(wall: float, cpu: float, peak: float = 1e9) -> Json:
    return {
        "used": {"wall": wall, "cpu": cpu, "peak": peak, "code": 0},
        "models": {"orders": cpu, "contactability": 1.0},
        "tests": 2.0, "statuses": {"pass": 3}, "failures": [], "size": 1e9, "load": 0.1,
    }  # fmt: skip


def size(customers: int, days: int, full: Json, **changed: Any) -> Json:
    return {
        "customers": customers, "days": days, "full": full, "daily": build(10, 20), "hourly": build(61, 100),
        "made": {"bytes": 1e9, "rows": {"shop.orders": 5, "web.events": 50, "esp.message_events": 40}},
        "floor-narrow": {"result": {"orders": 2.0, "events": 3.0}},
        "floor-whole": {"result": {"orders": 10.0, "events": 20.0}},
        "folders": {"orders": "customers", "contactability": "trust"}, "scans": {"web/events": 2},
        "plans": {"error": "none made"}, "score": {"result": {"precision": 0.9995, "recall": 0.96}},
    } | changed  # fmt: skip


@pytest.fixture
def shops() -> Json:
    of_few_days = size(5_000_000, 90, build(900, 1_500, peak=13e9))
    del of_few_days["score"]
    sizes = [size(100_000, 540, build(10, 15)), size(1_000_000, 540, build(100, 150)), of_few_days]
    return {"commit": "abc1234", "seed": 7, "memory_limit": None, "shops": sizes}


@pytest.fixture
def engines() -> Json:
    of = {
        str(n): {
            "spark": {"used": {"wall": 60.0, "cpu": n / 1_000}, "size": 1e8},
            "duckdb": {"used": {"wall": 10.0, "cpu": n / 4_000}},
        }
        for n in spark.SIZES
    }
    return {"commit": "abc1234", "cores": 2, "sizes": of}


def test_aims_are_of_the_largest_shop_that_is_judged_and_memory_of_all(shops: Json) -> None:
    aims = {aim.what: (aim.value, aim.is_met) for aim in shops_report.aims(shops)}
    assert aims["1,000,000 customers: full build ÷ narrow floor"] == ("20.0", False)
    assert aims["1,000,000 customers: full build ÷ whole floor"] == ("3.3", True)
    assert aims["1,000,000 customers: daily ÷ full build"] == ("10%", False)
    assert aims["1,000,000 customers: hourly build"] == ("61 s", False)
    assert aims["growth exponent, full build"] == ("1.00", True)
    assert aims["1,000,000 customers, 540 days: peak memory"] == ("1.0 GB", True)
    assert aims["5,000,000 customers, 90 days: peak memory"] == ("13.0 GB", False)
    assert aims["1,000,000 customers: precision of identity"] == ("0.99950", True)
    assert aims["1,000,000 customers: recall of identity"] == ("0.96000", True)


def test_growth_is_between_shops_with_the_same_number_of_days(shops: Json) -> None:
    assert shops_report.exponent(shops["shops"], "full") == pytest.approx(1)
    assert shops_report.exponent(shops["shops"], "hourly") == pytest.approx(0)
    assert shops_report.exponent(shops["shops"][1:], "full") is None


def test_time_is_shown_by_folder(shops: Json) -> None:
    lines = shops_report._by_folder(shops["shops"][1])
    assert "| `customers` | 150 s | 20 s | 100 s | 13% |" in lines
    assert "| data tests | 2.0 s | 2.0 s | 2.0 s | 100% |" in lines


def test_what_was_measured_is_carried_to_a_hundred_million(
    shops: Json, engines: Json, tmp_path: Path
) -> None:
    found = scale.needed(shops, engines, "full")
    # 150 s at a million, a hundred times as many in proportion, on an engine that takes four times as long.
    assert found["exponent"] == pytest.approx(1) and found["ratio"] == pytest.approx(4)
    assert found["cpu"] == pytest.approx(150 * 100 * 4)
    page = tmp_path / "scale.md"
    scale.write_page(shops, engines, page, scale.Cluster(workers=10, cores=10, busy=0.5))
    text = page.read_text()
    # 60,000 s over fifty busy cores, after a minute that no machine shortens.
    assert "150 s × 100^1.00 × 4.0 = 60,000 s" in text and "+ 60 s = 1,260 s" in text
    assert (
        "| **21 min** | 21 min |" in text
        and "1,000,000 customers, 540 days as generated, 100 times over" in text
    )
