"""Training on the demo shop is reproducible, gives plain numbers, and lets the rule score where it is
better."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from conftest import Warehouse
from mailroom.scoring.base import Base
from mailroom.scoring.frames import frame
from mailroom.scoring.kit import YEAR, Kit
from mailroom.scoring.training import (
    BUYERS,
    CATEGORIES,
    LOOKALIKES,
    NEVER_BUYERS,
    RECOMMENDATIONS,
    SEND_TIMES,
    trained,
)
from mailroom.warehouse import find_in_all_schemas

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(demo: Warehouse, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the demo's features that tests may change."""
    shutil.copy(demo.folder / "warehouse.duckdb", tmp_path)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        find_in_all_schemas(connection)
        yield connection


def training(shop: duckdb.DuckDBPyConnection, model: str = BUYERS) -> pd.Series:
    tables = (
        "customer_features", "customer_outcomes", "purchase_history_groups", "feature_cutoffs",
        "customer_active_hours", "recommendation_backtest", "category_outcomes", "customer_traits",
    )  # fmt: skip
    rows = trained(*(shop.table(name) for name in tables)).set_index("model_name", drop=False)
    assert list(rows.index) == [BUYERS, NEVER_BUYERS, SEND_TIMES, RECOMMENDATIONS, CATEGORIES, LOOKALIKES]
    return rows.loc[model]


def methods(row: pd.Series) -> dict[str, str]:
    found: dict[str, str] = json.loads(row["method"])
    return found


def test_two_trainings_are_the_same_to_the_byte_and_beat_the_rule(shop: duckdb.DuckDBPyConnection) -> None:
    first, second = training(shop), training(shop)
    assert first.to_dict() == second.to_dict()
    assert first["state"] == "open" and methods(first) == {
        "churn": "base",
        "value": "base",
        "next_order": "rhythm",
    }
    assert "against" in first["reason"]
    judged = pd.DataFrame(json.loads(first["evaluations"]))
    assert not judged[["value", "low", "high"]].isna().any().any()
    assert set(judged["segment"]) == {"all", "one order", "several orders"}
    assert set(judged["cutoff_on"]) == {"2026-04-02"}


def test_parameters_read_from_json_give_the_same_answers(shop: duckdb.DuckDBPyConnection) -> None:
    kit = Kit.from_dict(json.loads(training(shop)["parameters"]))
    again = Kit.from_dict(json.loads(json.dumps(kit.to_dict())))
    buyers = frame(shop.table("customer_features").filter("is_scoring and n_order_days > 0"), ["customer_id"])
    answers = [one.answer(buyers, one.base.predict(buyers, [one.horizon, YEAR])) for one in (kit, again)]
    pd.testing.assert_frame_equal(*answers)
    assert answers[0]["chance_base"].between(0, 1).all()
    assert np.isfinite(answers[0].to_numpy(dtype=float)).all()
    assert isinstance(kit.base, Base)


def test_shuffled_outcomes_leave_the_rule(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("""
        create or replace table customer_outcomes as
        with shuffled as (
            select *, row_number() over (partition by cutoff_on order by hash(customer_id || 'x')) as place
            from customer_outcomes
        ),
        owners as (
            select
                customer_id, cutoff_on,
                row_number() over (partition by cutoff_on order by customer_id) as place
            from customer_outcomes
        )
        select owners.customer_id, shuffled.* exclude (customer_id, place)
        from shuffled
        inner join owners on shuffled.cutoff_on = owners.cutoff_on and shuffled.place = owners.place
    """)
    row = training(shop)
    assert {name: methods(row)[name] for name in ("churn", "value")} == {"churn": "rule", "value": "rule"}
    assert row["reason"].count("so the rule scores") == 2


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("delete from purchase_history_groups where is_scoring", "No customer has ordered yet."),
        (
            "delete from purchase_history_groups where rowid not in"
            " (select rowid from purchase_history_groups where is_scoring order by rowid limit 40)",
            "customers have ordered; 500 are needed.",
        ),
        (
            "update feature_cutoffs set history_days = 179 where is_scoring",
            "The order history is 179 days long",
        ),
        (
            "update purchase_history_groups set age_days = age_days + 365 where is_scoring",
            "The last order is 366 days old",
        ),
        (
            "update purchase_history_groups set frequency = least(frequency, 1)",
            "No customer has ordered on 3 days.",
        ),
    ],
)
def test_too_little_to_learn_from_leaves_the_rule_and_says_why(
    shop: duckdb.DuckDBPyConnection, spoil: str, why: str
) -> None:
    shop.execute(spoil)
    row = training(shop)
    assert row["state"] == "closed" and why in row["reason"]
    assert "base" not in methods(row).values()


def test_broken_features_do_not_break_the_build(shop: duckdb.DuckDBPyConnection) -> None:
    """Only order days are known, and refunds exceed all revenue."""
    columns = [name for name, *_ in shop.execute("describe customer_features").fetchall()]
    kept = {
        "customer_id", "cutoff_on", "is_scoring", "is_sampled", "n_order_days", "frequency", "recency_days",
        "age_days", "days_since_last_order",
    }  # fmt: skip
    for name in columns:
        if name not in kept and name != "may_watch":
            value = "-1" if "revenue" in name or "value" in name else "null"
            shop.execute(f"update customer_features set {name} = {value}")
    row = training(shop)
    assert methods(row)["value"] == "rule"
    assert np.isfinite(json.loads(row["parameters"])["level"]["money"])


def test_personal_hours_score_where_they_beat_those_of_the_group(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    row = training(shop, SEND_TIMES)
    assert row["state"] == "open" and methods(row) == {"send_hour": "personal", "send_weekday": "rule"}
    judged = pd.DataFrame(json.loads(row["evaluations"])).set_index(["score", "method", "segment"])
    assert judged.loc[("send_hour", "personal", "all"), "low"] > 0.25
    assert set(judged["cutoff_on"]) == {"2026-04-02"}


def test_uninformative_hours_leave_those_of_the_group(shop: duckdb.DuckDBPyConnection) -> None:
    """The last days of each customer are replaced by those of another."""
    recent = [
        name
        for name, *_ in shop.execute("describe customer_active_hours").fetchall()
        if name.startswith("recent_hour")
    ]
    before = ", ".join(f"hour_{name.split('_')[-1]} - {name} as {name}" for name in recent)
    added = ", ".join(f"past.{name} + since.{name} as hour_{name.split('_')[-1]}" for name in recent)
    shop.execute(f"""
        create or replace table customer_active_hours as
        with numbered as (
            select *, row_number() over (order by hash(customer_id || 'x')) as n from customer_active_hours
        ),
        past as (
            select customer_id, row_number() over (order by customer_id) as n, {before}
            from customer_active_hours
        ),
        since as (select n, {", ".join(recent)} from numbered)
        select numbered.* replace ({", ".join(f"since.{name} as {name}" for name in recent)}, {added})
        from past inner join since using (n)
        inner join (select * exclude (n) from numbered) as numbered using (customer_id)
    """)
    row = training(shop, SEND_TIMES)
    assert methods(row)["send_hour"] == "rule" and "not significantly better" in row["reason"]


def test_the_blend_recommends_where_it_beats_what_was_bought_most(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    row = training(shop, RECOMMENDATIONS)
    assert row["state"] == "open" and methods(row) == {"recommendation": "blend"}
    judged = pd.DataFrame(json.loads(row["evaluations"])).set_index(["metric", "segment", "method"])
    assert (
        judged.loc[("ndcg", "all", "blend"), "low"] > judged.loc[("ndcg", "all", "blend"), "baseline_value"]
    )
    assert set(judged["cutoff_on"]) == {"2026-04-02"}


def test_random_baskets_leave_what_was_bought_most(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute("""
        create or replace table recommendation_backtest as
        select * replace (hash(product_id || customer_id) % 10 = 0 as was_bought) from recommendation_backtest
    """)
    row = training(shop, RECOMMENDATIONS)
    assert methods(row)["recommendation"] != "blend" and "not significantly better" in row["reason"]


def test_own_interest_scores_categories_where_it_beats_the_shops_shares(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    row = training(shop, CATEGORIES)
    assert row["state"] == "open" and methods(row) == {"category": "personal"}
    judged = pd.DataFrame(json.loads(row["evaluations"])).set_index(["metric", "segment", "method"])
    loss = judged.loc[("log_loss", "all", "personal")]
    assert loss["high"] < loss["baseline_value"] and loss["cutoff_on"] == "2026-04-02"
    shop.execute("""
        create or replace table category_outcomes as
        with strangers as (
            select customer_id, lead(customer_id, 1, first) over (order by customer_id) as stranger_id
            from (select distinct customer_id, min(customer_id) over () as first from category_outcomes)
        ),
        bought as (
            select stranger_id as customer_id, category, shop_share, cutoff_on, n_bought
            from category_outcomes inner join strangers using (customer_id)
            where n_bought > 0
        )
        select
            coalesce(known.customer_id, bought.customer_id) as customer_id,
            coalesce(known.category, bought.category) as category,
            coalesce(known.cutoff_on, bought.cutoff_on) as cutoff_on,
            coalesce(known.shop_share, bought.shop_share) as shop_share,
            coalesce(known.interest, 0) as interest,
            max(known.own_interest) over (partition by coalesce(known.customer_id, bought.customer_id))
                as own_interest,
            coalesce(known.n_products_bought, 0) as n_products_bought,
            coalesce(bought.n_bought, 0) as n_bought
        from category_outcomes as known
        full join bought on known.customer_id = bought.customer_id and known.category = bought.category
    """)
    row = training(shop, CATEGORIES)
    assert methods(row) == {"category": "rule"} and "not significantly better" in row["reason"]


def test_traits_score_lookalikes_where_they_separate_the_best_buyers(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    row = training(shop, LOOKALIKES)
    assert row["state"] == "open" and methods(row) == {"lookalike": "traits"}
    assert {"channel", "country", "interest"} <= set(json.loads(row["features"]))
    shop.execute("""
        create or replace table customer_traits as
        select
            traits.* replace (
                dense_rank() over (order by hash(customer_id)) % 8 = 0 and has_bought as is_best_buyer
            )
        from customer_traits as traits
    """)
    assert methods(training(shop, LOOKALIKES)) == {"lookalike": "rule"}


def test_without_activity_there_are_no_send_times(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("delete from customer_active_hours")
    row = training(shop, SEND_TIMES)
    assert row["state"] == "closed" and row["reason"] == "No activity by any customer yet."
