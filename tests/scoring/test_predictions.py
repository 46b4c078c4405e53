"""Scores on shops that no model was made for: a clear state, never a crash, never a NaN."""

import json
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mailroom.estimators.inputs import INPUTS
from mailroom.scoring import predictions
from mailroom.scoring.frames import BATCH, by_batch
from mailroom.scoring.kit import FirstOrderKit
from mailroom.scoring.recommendations import RANKS
from mailroom.scoring.send_times import HOURS, SLOTS
from mailroom.scoring.training import train

pytestmark = [pytest.mark.slow, pytest.mark.deep]

MOMENTS = ["2026-07-01", "2026-04-02", "2026-01-02", "2025-07-01", "2025-04-02"]
DAYS_BACK = [0, 90, 180, 365, 455]
# The arguments of train, and the tables they are.
TABLES = {
    "features": "customer_features",
    "outcomes": "customer_outcomes",
    "histories": "purchase_history_groups",
    "cutoffs": "feature_cutoffs",
    "hours": "customer_active_hours",
    "products": "recommendation_backtest",
    "categories": "category_outcomes",
    "traits": "customer_traits",
}


def shop(n: int, seed: int = 0, learning_days: int = 90, **spoilt: Any) -> duckdb.DuckDBPyConnection:
    """n customers at five moments, four in five with orders; spoilt: feature columns to overwrite, by
    value."""
    random = np.random.default_rng(seed)
    rows = []
    for moment, days_back in zip(MOMENTS, DAYS_BACK, strict=True):
        part = pd.DataFrame({name: random.gamma(1.0, 20.0, n) for name in INPUTS})
        part["customer_id"] = [f"c_{number:016x}" for number in range(n)]
        part["cutoff_on"], part["is_scoring"] = pd.Timestamp(moment).date(), days_back == 0
        part["n_order_days"] = np.where(np.arange(n) % 5 == 4, 0, random.integers(1, 9, n))
        part["frequency"] = part["n_order_days"] - 1
        part["age_days"] = random.integers(60, 500, n)
        part["recency_days"] = np.where(part["frequency"] > 0, part["age_days"] // 2, 0)
        part["days_since_last_order"] = part["age_days"] - part["recency_days"]
        part["is_sampled"], part["sample_weight"] = True, 1.0
        rows.append(part.assign(**spoilt))
    features = pd.concat(rows, ignore_index=True)
    past = features[~features["is_scoring"]]
    n_orders = random.poisson(np.where(past["n_order_days"] > 4, 2.0, 0.2))
    outcomes = past[["customer_id", "cutoff_on"]].assign(
        n_order_days_next=n_orders, net_revenue_next=n_orders * 20.0,
        net_revenue_next_365d=n_orders * 60.0, days_to_next_order=5,
    )  # fmt: skip
    bought = features[features["n_order_days"] > 0]
    histories = (
        bought.groupby(["cutoff_on", "is_scoring", "frequency", "recency_days", "age_days"])
        .size()
        .reset_index(name="n_customers")
    )
    cutoffs = pd.DataFrame(
        {
            "cutoff_on": [pd.Timestamp(moment).date() for moment in MOMENTS],
            "days_back": DAYS_BACK,
            "is_scoring": [back == 0 for back in DAYS_BACK],
            "horizon_days": 90,
            "learning_days": learning_days,
            "history_days": [700 - back for back in DAYS_BACK],
        }
    )
    hours = features.loc[features["is_scoring"], ["customer_id", "is_sampled"]].assign(group_name="DE")
    for name in SLOTS:
        hours[f"recent_{name}"] = random.poisson(0.05, n)
        hours[name] = hours[f"recent_{name}"] + random.poisson(0.1, n)
    products = pd.DataFrame(
        [
            (f"c_{number:016x}", f"p{rank:02}", rank, rank + number % 2, rank + 5, rank == number % 3 + 1)
            for number in range(n // 2)
            for rank in range(1, 11)
        ],
        columns=["customer_id", "product_id", *RANKS, "was_bought"],
    ).assign(cutoff_on=pd.Timestamp(MOMENTS[1]).date(), n_order_days=1, n_bought=2, n_on_sale=40)
    categories = pd.DataFrame(
        [
            (
                f"c_{number:016x}",
                f"k{other}",
                (4 - other) / 10,
                5.0 * (number % 4 == other),
                int(number % 4 == other),
            )
            for number in range(n // 2)
            for other in range(4)
        ],
        columns=["customer_id", "category", "shop_share", "interest", "n_bought"],
    ).assign(cutoff_on=pd.Timestamp(MOMENTS[1]).date(), own_interest=5.0, n_products_bought=1)
    now = features[features["is_scoring"]].reset_index(drop=True)
    traits = now[["customer_id", "is_sampled", "sample_weight"]].assign(
        trait="interest", trait_value=np.where(now["n_order_days"] > 4, "Boots", "Socks"), n_values=1,
        has_bought=now["n_order_days"] > 0, is_best_buyer=now["n_order_days"] > 6,
    )  # fmt: skip
    connection = duckdb.connect()
    made = (features, outcomes, histories, cutoffs, hours, products, categories, traits)
    for name, frame in zip(TABLES.values(), made, strict=True):
        connection.register("given", frame)
        connection.execute(f"create table {name} as select * from given")
    return connection


def scored(
    connection: duckdb.DuckDBPyConnection, trained_before: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """All predictions of a shop, made as the Python models of dbt make them."""
    given = {argument: connection.table(name) for argument, name in TABLES.items()}
    made = {"trained_models": train(connection, **given)}
    if trained_before is not None:
        made["trained_models"] = pa.Table.from_pandas(trained_before)
    keep(connection, "trained_models", made["trained_models"])
    trained = connection.table("trained_models")
    made["purchases"] = predictions.predict_purchases(
        connection, connection.table("purchase_history_groups"), trained
    )
    keep(connection, "purchases", made["purchases"])
    buyers = connection.sql("""
        select features.*, purchases.* exclude (frequency, recency_days, age_days)
        from customer_features as features
        inner join purchases using (frequency, recency_days, age_days)
        where is_scoring and n_order_days > 0
    """)
    others = connection.table("customer_features").filter("is_scoring and n_order_days = 0")
    made["churn"] = predictions.predict_churn(connection, buyers, trained)
    made["value"] = predictions.predict_value(connection, buyers, trained)
    made["dates"] = predictions.predict_next_order(connection, buyers, trained)
    made["first_orders"] = predictions.predict_first_orders(connection, others, trained)
    made["send_times"] = predictions.predict_send_times(
        connection, connection.table("customer_active_hours"), trained
    )
    made["weights"] = predictions.category_weights(connection, trained)
    made["points"] = predictions.trait_points(connection, trained)
    made["evaluations"] = predictions.evaluations(connection, trained)
    for name in ("churn", "value", "first_orders"):
        keep(connection, name, made[name])
    sample = connection.sql("""
        select
            features.*, value.year_revenue,
            coalesce(churn.order_probability, first.order_probability) as order_probability
        from customer_features as features
        left join churn using (customer_id)
        left join value using (customer_id)
        left join first_orders as first using (customer_id)
        where is_scoring
    """)
    made["stability"] = predictions.stability(connection, sample, trained)
    return {name: table.to_pandas() for name, table in made.items()}


def keep(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    connection.register("made", table)
    connection.execute(f"create or replace table {name} as select * from made")


def assert_sound(made: dict[str, pd.DataFrame]) -> None:
    assert made["churn"]["order_probability"].between(0, 1).all()
    assert made["first_orders"]["order_probability"].between(0, 1).all()
    dates = made["dates"][["days_low", "days_median", "days_high"]].to_numpy(dtype=float)
    assert (np.diff(dates, axis=1) >= -1e-9).all() and (dates >= 0).all() and (dates <= 366).all()
    value = made["value"]
    for over in ("horizon_revenue", "year_revenue"):
        assert np.isfinite(value[over]).all() and (value[over] >= 0).all()
        known = value[f"{over}_low"].notna()
        assert (value[f"{over}_low"][known] <= value[over][known]).all()
        assert (value[over][known] <= value[f"{over}_high"][known]).all()
    shares = made["send_times"][HOURS].to_numpy(dtype=float)
    assert np.isfinite(shares).all() and (shares >= 0).all() and (shares <= 1).all()
    assert made["send_times"]["personal_weight"].between(0, 1).all()
    assert np.isfinite(made["weights"]["strength"]).all()
    assert np.isfinite(made["points"][["points", "average", "intercept"]].to_numpy(dtype=float)).all()
    assert np.isfinite(made["first_orders"][["horizon_revenue", "year_revenue"]].to_numpy(dtype=float)).all()


@pytest.fixture(scope="module")
def large() -> Iterator[dict[str, pd.DataFrame]]:
    """Enough customers for regression and trees."""
    with shop(3_400) as connection:
        yield scored(connection)


def test_the_blend_beats_the_rule_where_features_say_more(large: dict[str, pd.DataFrame]) -> None:
    assert_sound(large)
    assert len(large["churn"]) == len(large["value"]) == 2_720 and len(large["first_orders"]) == 680
    assert set(large["churn"]["method"]) == {"blend"}
    judged = large["evaluations"]
    assert set(judged["score"]) == {
        "churn", "value", "next_order", "first_order", "send_hour", "send_weekday", "recommendation",
        "category", "lookalike",
    }  # fmt: skip
    points = large["points"].set_index("trait_value")["points"]
    assert set(large["points"]["method"]) == {"traits"} and points["Boots"] > 0 > points["Socks"]
    chosen = judged[judged["is_chosen"] & (judged["segment"] == "all")].set_index(["score", "metric"])
    assert chosen.loc[("churn", "auc"), "value"] > chosen.loc[("churn", "auc"), "baseline_value"]


def test_a_young_shop_extends_short_outcomes_to_the_horizon() -> None:
    with shop(3_400, learning_days=45) as connection:
        # Moments 45 and 90 days back, where the others are 90 and 180.
        for table in ("feature_cutoffs", "customer_features", "customer_outcomes", "purchase_history_groups"):
            connection.execute(f"""
                update {table} set cutoff_on = case cutoff_on
                    when date '2026-04-02' then date '2026-05-17'
                    when date '2026-01-02' then date '2026-04-02'
                    else cutoff_on
                end
            """)
        connection.execute(
            "update feature_cutoffs set days_back = days_back / 2 where days_back in (90, 180)"
        )
        made = scored(connection)
    assert_sound(made)
    row = made["trained_models"].set_index("model_name").loc["customers_who_bought"]
    assert "learned from outcomes within 45 days" in row["reason"]
    assert {"order_probability_90d", "expected_orders_365d"} <= set(made["purchases"])
    about = made["evaluations"].set_index("score")
    assert set(about.loc[["churn", "value", "next_order", "first_order"], "horizon_days"]) == {45}
    # A chance of 10% within 45 days is nearly 20% within 90.
    kit = FirstOrderKit.from_dict(
        json.loads(
            made["trained_models"].set_index("model_name").loc["people_who_never_bought", "parameters"]
        )
    )
    chances = made["first_orders"]["order_probability"]
    assert kit.learning_days == 45 and chances.max() <= 1 - (1 - max(kit.rule.rates_)) ** 2 + 1e-9


def test_a_reason_names_what_moves_the_score(large: dict[str, pd.DataFrame]) -> None:
    """Only the number of orders predicts who returns here, so it is the reason for nearly every customer."""
    reasons = large["churn"]["reason_1"].value_counts(normalize=True)
    assert reasons.index[0] == "loyalty" and reasons.iloc[0] > 0.6
    likelier = large["churn"].groupby("is_likelier")["order_probability"].mean()
    assert likelier[True] > likelier[False] + 0.1


def test_drift_since_training_is_reported(large: dict[str, pd.DataFrame]) -> None:
    """Losing session tracking moves an input. Returns depend on orders alone, so only those move the
    scores."""

    def moved(**spoilt: Any) -> set[str]:
        with shop(3_400, **spoilt) as connection:
            index = scored(connection, large["trained_models"])["stability"]
        of_buyers = index[index["model_name"] == "customers_who_bought"].set_index("column_name")
        assert of_buyers["stability_index"].notna().all()
        return set(of_buyers.index[of_buyers["stability_index"] > 0.25])

    assert (large["stability"]["stability_index"] == 0).all()
    assert moved(n_sessions_30d=0) == {"n_sessions_30d"}
    once = moved(n_order_days=1, frequency=0, recency_days=0)
    assert {"n_order_days", "order_probability"} <= once and "n_sessions_30d" not in once


def test_two_runs_give_identical_results() -> None:
    first, second = (scored(shop(1_500)) for _ in range(2))
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name], check_exact=True)


@pytest.mark.parametrize(
    "spoilt",
    [
        {
            name: np.nan
            for name in INPUTS
            if name not in ("n_order_days", "days_since_last_order", "age_days")
        },
        {"net_revenue": -50.0, "mean_order_value": -50.0, "last_order_value": -50.0},
        {"mean_order_value": 20.0, "net_revenue": 40.0},
        {"n_order_days": 1, "frequency": 0, "recency_days": 0},
        {"net_revenue": np.inf, "mean_order_value": np.inf},
    ],
    ids=["nothing known", "all refunds", "one price", "no repeat order", "infinite"],
)
def test_unusable_features_are_scored_nevertheless(spoilt: dict[str, Any]) -> None:
    assert_sound(scored(shop(700, **spoilt)))


@pytest.mark.parametrize("n", [1, 4, 40])
def test_a_few_customers_are_scored_by_the_rule_or_the_reason_says_why_not(n: int) -> None:
    made = scored(shop(n))
    assert_sound(made)
    assert list(made["trained_models"]["state"])[:2] == ["closed", "closed"]
    assert "ordered; 500 are needed." in made["trained_models"]["reason"][0]
    # Recommendations and categories name their method even without a back-test.
    judged = made["evaluations"][made["evaluations"]["is_chosen"]]
    assert set(zip(judged["score"], judged["method"], strict=True)) == {
        ("recommendation", "personal"),
        ("category", "rule"),
    }
    assert list(made["weights"]["method"]) == ["rule"] and made["weights"]["strength"].gt(0).all()


def test_a_shop_without_orders_has_no_scores_and_says_why() -> None:
    made = scored(shop(100, n_order_days=0, frequency=None))
    assert list(made["trained_models"]["reason"])[:2] == ["No customer has ordered yet."] * 2
    assert made["churn"].empty and made["value"].empty and made["first_orders"].empty


def test_every_row_is_answered_once_for_any_batch_size() -> None:
    with duckdb.connect() as connection:
        n = 2 * BATCH + 7
        rows = connection.sql(f"select range as id from range({n})")
        table = by_batch(
            connection,
            rows,
            lambda part: part.assign(half=part["id"] / 2),
            {"id": "bigint", "half": "double"},
            "id",
        )
    assert table.column("id").to_pylist() == list(range(n))
    assert table.column("half").to_pylist()[-1] == (n - 1) / 2


class Wide:
    """What by_batch reads of a relation: one batch, handed over as DuckDB does, in one piece."""

    def order(self, key: str) -> "Wide":
        return self

    def to_arrow_reader(self, rows: int) -> pa.RecordBatchReader:
        columns = {"id": [f"customer {n}" for n in range(1000)]}
        counts = {f"count_{n}": range(1000) for n in range(50)}
        return pa.RecordBatchReader.from_stream(pa.table(columns | counts))


def test_answers_do_not_keep_their_input_rows_in_memory() -> None:
    """Keeping the hours of the week of five million customers beside the answers took 2.2 GB."""
    before = pa.total_allocated_bytes()
    answers = by_batch(None, Wide(), lambda part: part[["id"]], {"id": "string"}, "id")
    assert answers.num_rows == 1000
    assert pa.total_allocated_bytes() - before < 2 * answers.nbytes
