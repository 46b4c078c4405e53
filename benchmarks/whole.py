"""Churn and value in full, in a separate process, to measure its memory.

    python -m benchmarks.whole make CUSTOMERS WAREHOUSE     tables as models/features/ makes them, at random
    python -m benchmarks.whole score CUSTOMERS WAREHOUSE    train, predict, and print the seconds of each

Features are drawn at random, orders hang on two of them. What SQL takes to make features out of orders is not
in it; benchmarks/report.md has that.
"""

import json
import sys
import time
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from mailroom.estimators.inputs import INPUTS
from mailroom.scoring import predictions
from mailroom.scoring.recommendations import RANKS
from mailroom.scoring.send_times import SLOTS
from mailroom.scoring.training import trained
from mailroom.warehouse import find_in_all_schemas

DAYS_BACK = (0, 90, 180, 270, 365, 455)
SCORED_ON = pd.Timestamp("2026-07-01")
SAMPLED = 300_000 // (2 * 6)  # customers of each moment at most: vars training_rows, training_cutoffs


# The inputs of the other scores, without a row.
NOTHING = {
    "hours": "customer_id text, is_sampled boolean, group_name text, "
    + ", ".join(f"{name} bigint, recent_{name} bigint" for name in SLOTS),
    "products": "customer_id text, product_id text, n_order_days bigint, n_bought bigint, "
    "was_bought boolean, n_on_sale bigint, " + ", ".join(f"{name} bigint" for name in RANKS),
    "categories": "customer_id text, category text, shop_share double, interest double, own_interest double, "
    "n_products_bought bigint, n_bought bigint",
    "traits": "customer_id text, trait text, trait_value text, has_bought boolean, is_best_buyer boolean, "
    "is_sampled boolean, sample_weight double",
}


def add(connection: duckdb.DuckDBPyConnection, table: str, first: bool) -> None:
    connection.execute(f"create table {table} as from given" if first else f"insert into {table} from given")


def make(customers: int, file: str) -> None:
    random = np.random.default_rng(0)
    with duckdb.connect(file) as connection:
        find_in_all_schemas(connection)
        for days_back in DAYS_BACK:
            moment = (SCORED_ON - pd.Timedelta(days=days_back)).date()
            n = customers if days_back == 0 else min(customers, SAMPLED)
            rows = pd.DataFrame({name: random.gamma(1.0, 20.0, n) for name in INPUTS})
            rows["customer_id"] = [f"c_{number:016x}" for number in range(n)]
            rows["cutoff_on"], rows["is_scoring"] = moment, days_back == 0
            rows["n_order_days"] = random.geometric(0.45, n)
            rows["frequency"] = rows["n_order_days"] - 1
            rows["age_days"] = random.integers(60, 700, n)
            share = random.beta(2, 1, n)
            rows["recency_days"] = np.where(rows["frequency"] > 0, (rows["age_days"] * share).astype(int), 0)
            rows["days_since_last_order"] = rows["age_days"] - rows["recency_days"]
            rows["mean_gap_days"] = rows["recency_days"] / rows["frequency"].where(rows["frequency"] > 0)
            rows["is_sampled"] = np.arange(n) < SAMPLED
            rows["sample_weight"] = 1.0
            connection.register("given", rows)
            add(connection, "customer_features", first=days_back == DAYS_BACK[0])
            if days_back:
                pace = (
                    90 * rows["n_order_days"] / (rows["age_days"] + 60) * (0.3 + rows["n_sessions_30d"] / 40)
                )
                n_orders = random.poisson(pace)
                outcomes = rows[["customer_id", "cutoff_on"]].assign(
                    n_order_days_next=n_orders, net_revenue_next=n_orders * rows["mean_order_value"],
                    net_revenue_next_365d=n_orders * 3 * rows["mean_order_value"],
                    days_to_next_order=np.where(n_orders > 0, random.integers(1, 90, n), np.nan),
                )  # fmt: skip
                connection.register("given", outcomes)
                add(connection, "customer_outcomes", first=days_back == DAYS_BACK[1])
        connection.execute("""
            create table purchase_history_groups as
            select cutoff_on, is_scoring, frequency, recency_days, age_days, count(*) as n_customers
            from customer_features group by all
        """)
        cutoffs = pd.DataFrame(
            {
                "cutoff_on": [(SCORED_ON - pd.Timedelta(days=back)).date() for back in DAYS_BACK],
                "days_back": DAYS_BACK,
                "is_scoring": [back == 0 for back in DAYS_BACK],
                "horizon_days": 90,
                "learning_days": 90,
                "history_days": [1_000 - back for back in DAYS_BACK],
            }
        )
        connection.register("moments", cutoffs)
        connection.execute("create table feature_cutoffs as select * from moments")


def score(file: str) -> dict[str, Any]:
    seconds = {}
    begun = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal begun
        seconds[name], begun = time.perf_counter() - begun, time.perf_counter()

    with duckdb.connect(file) as connection:
        find_in_all_schemas(connection)
        connection.execute("set threads = 2")
        tables = {
            argument: connection.table(name)
            for argument, name in (
                ("features", "customer_features"), ("outcomes", "customer_outcomes"),
                ("histories", "purchase_history_groups"), ("cutoffs", "feature_cutoffs"),
            )
        }  # fmt: skip
        for argument, columns in NOTHING.items():
            connection.execute(f"create or replace temp table {argument} ({columns})")
            tables[argument] = connection.table(argument)
        fitted = trained(**tables)
        lap("train")
        connection.register("trained_given", fitted)
        connection.execute("create or replace temp table trained_models as select * from trained_given")
        learned = connection.table("trained_models")
        made = predictions.predict_purchases(connection, connection.table("purchase_history_groups"), learned)
        connection.register("purchases", made)
        buyers = connection.sql("""
            select features.*, purchases.* exclude (frequency, recency_days, age_days)
            from customer_features as features
            inner join purchases using (frequency, recency_days, age_days)
            where is_scoring and n_order_days > 0
        """)
        lap("purchases")
        n = predictions.predict_churn(connection, buyers, learned).num_rows
        lap("churn")
        predictions.predict_value(connection, buyers, learned)
        lap("value")
    return {"seconds": seconds, "methods": json.loads(fitted["method"].iloc[0]), "scored": n}


def main() -> None:
    what, customers, file = sys.argv[1:]
    if what == "make":
        make(int(customers), file)
        print("{}")
    else:
        print(json.dumps(score(file)))


if __name__ == "__main__":
    main()
