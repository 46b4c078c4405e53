"""The scores beside published numbers, simple rules and named peers.

Data sets are read from MAILROOM_SHARED_DATA, or ../shared/data.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import yaml
from examples.run import EXAMPLES, Place, map_tables, shared_data

from benchmarks.measure import (
    DBT,
    PROJECT,
    Json,
    Warehouse,
    measured_commit,
    python,
    run_measured,
    shop,
)
from benchmarks.purchases import LIBRARIES
from mailroom.estimators.evaluation import OF_CHANCES, OF_MONEY
from mailroom.estimators.purchases import BetaGeometricModel
from mailroom.estimators.spend import GammaGammaModel
from mailroom.scoring.kit import YEAR, Kit
from mailroom.scoring.training import BUYERS, trained
from mailroom.warehouse import find_in_all_schemas

MEASURED = ("src/mailroom", "models", "macros", "python_models", "seeds/policy", "dbt_project.yml")
# A person's orders of a day, and their money, refunds included.
DAYS = {
    "cdnow": """
        select customer_id as person, order_date as day, sum(dollar_value) as value, true as has_ordered
        from raw_file group by all
    """,
    "cdnow_sample": """
        select master_id as person, order_date as day, sum(dollar_value) as value, true as has_ordered
        from raw_file group by all
    """,
    "online_retail": """
        select
            cast(customer_id as varchar) as person, cast(invoice_date as date) as day,
            sum(quantity * price) as value,
            coalesce(sum(quantity * price) filter (invoice not like 'C%'), 0) > 0 as has_ordered
        from raw_file where customer_id is not null group by all
    """,
}
FILES = {name: EXAMPLES[name].file for name in ("cdnow", "online_retail")} | {
    "cdnow_sample": "cdnow/cdnow_sample.parquet"
}
CASES = (
    ("cdnow", "1997-10-01", 273),
    ("cdnow", "1998-01-01", 180),
    ("cdnow", "1998-04-01", 90),
    ("online_retail", "2011-06-13", 90),
    ("online_retail", "2011-09-11", 90),
)
SIZES = (20_000, 1_000_000)
TRAINED_FROM = {
    "features": "customer_features", "outcomes": "customer_outcomes", "histories": "purchase_history_groups",
    "cutoffs": "feature_cutoffs", "hours": "customer_active_hours", "products": "recommendation_backtest",
    "categories": "category_outcomes", "traits": "customer_traits",
}  # fmt: skip


def histories(name: str, moment: str, horizon: int) -> pd.DataFrame:
    """Read one row per person with an order before the moment from the file: the input of purchases.py, net
    revenue, and the outcome within the horizon (n_ordered, spent, days_to_next)."""
    with duckdb.connect() as connection:
        connection.execute(f"create view raw_file as from '{shared_data() / FILES[name]}'")
        return connection.sql(f"""
            with days as ({DAYS[name]}),
            numbered as (
                select
                    *, row_number() over (partition by person order by not has_ordered, day) as place
                from days where day < date '{moment}'
            ),
            before as (
                select
                    person,
                    count(*) filter (has_ordered) - 1 as frequency,
                    max(day) filter (has_ordered) - min(day) filter (has_ordered) as recency,
                    date '{moment}' - min(day) filter (has_ordered) as age,
                    sum(value) as net_revenue,
                    avg(value) filter (has_ordered and place > 1) as repeat_value
                from numbered group by person having count(*) filter (has_ordered) > 0
            ),
            after as (
                select
                    person, sum(value) as spent, count(*) filter (has_ordered) as n_ordered,
                    min(day) filter (has_ordered) - date '{moment}' as days_to_next
                from days
                where day >= date '{moment}' and day < date '{moment}' + {horizon}
                group by person
            )
            select
                before.*, frequency + 1 as n_orders, net_revenue / (frequency + 1) as mean_value,
                coalesce(after.spent, 0) as spent, coalesce(after.n_ordered, 0) as n_ordered,
                after.days_to_next
            from before left join after using (person)
            order by person
        """).df()


def library(name: str, rows: pd.DataFrame, horizon: int, folder: Path) -> Json:
    """Measure a library: seconds and peak memory, and the path of its predictions under 'predictions'."""
    folder.mkdir(parents=True, exist_ok=True)
    known, target = folder / "histories.parquet", folder / f"{name.split(',')[0]}.parquet"
    rows.to_parquet(known)
    log = folder / f"{name.split(',')[0]}.log"
    return python("purchases", name, str(known), str(horizon), str(target), log=log) | {
        "predictions": str(target)
    }


def published(folder: Path) -> Json:
    """Measure the CDNOW sample, calibrated on 39 weeks as in the papers, and the 39 weeks held out."""
    rows = histories("cdnow_sample", "1997-10-01", 273)
    # The papers' last day is the 30th of September; ours is the midnight after it.
    frequency, recency, age = rows["frequency"], rows["recency"] / 7, (rows["age"] - 1) / 7
    purchases = BetaGeometricModel(ridge=0).fit(frequency, recency, age)
    repeats = rows["frequency"] > 0
    money = GammaGammaModel(ridge=0).fit(frequency[repeats], rows.loc[repeats, "repeat_value"])
    expected = purchases.expected_purchases(39, frequency, recency, age)
    held_out = [
        {
            "frequency": label,
            "customers": int(chosen.sum()),
            "actual": float(rows.loc[chosen, "n_ordered"].mean()),
            "expected": float(expected[chosen.to_numpy()].mean()),
        }
        for label, chosen in [
            *((str(n), frequency == n) for n in range(7)),
            ("7 and more", frequency >= 7),
            ("all", frequency >= 0),
        ]
    ]
    peers = {
        name: library(name, rows.assign(age=rows["age"] - 1), 273, folder)["result"]["parameters"]
        for name in list(LIBRARIES)[1:]
    }
    return {
        "bg_nbd": purchases.parameters_ | {"log_likelihood": purchases.log_likelihood_},
        "gamma_gamma": money.parameters_,
        "example": float(purchases.expected_purchases(39, [2], [30.43], [38.86])[0]),
        "customers": len(rows),
        "repeat_customers": int(repeats.sum()),
        "held_out": held_out,
        "peers": peers,
    }


def build(name: str, moment: str, horizon: int, folder: Path) -> tuple[Path, Json]:
    """Build a warehouse as of the moment, with scores for the horizon. Return it, and the build's time and
    size."""
    place = Place.below(folder, name)
    if not (place.data / "shop").exists():
        for _ in map_tables(EXAMPLES[name], shared_data() / EXAMPLES[name].file, place.data):
            pass
    text = (PROJECT / "examples" / name / "vars.yml").read_text().replace(f"data/{name}/", f"{place.data}/")
    variables = yaml.safe_load(text) | {"as_of": f"{moment} 00:00:00", "churn_days": horizon}
    warehouse = place.warehouse.with_name(f"{name}-{moment}.duckdb")
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    warehouse.unlink(missing_ok=True)
    log = place.target / f"{moment}.log"
    command = [
        sys.executable, "-c", DBT, "build",
        "--select", "+churn_scores", "+value_scores", "+next_order_scores",
        "--exclude-resource-type", "test", "unit_test",
        "--profiles-dir", str(PROJECT), "--project-dir", str(PROJECT),
        "--target-path", str(place.target), "--log-path", str(place.target), "--vars", json.dumps(variables),
    ]  # fmt: skip
    used = run_measured(command, log, MAILROOM_DUCKDB_PATH=str(warehouse))
    if used.code:
        raise RuntimeError(log.read_text()[-2000:])
    return warehouse, {"wall": used.wall, "peak": used.peak}


def scored(warehouse: Path, horizon: int) -> tuple[pd.DataFrame, Json]:
    """Return one row per person with an order: the final scores and, by method, the kit's predictions
    (chance_, money_, dates of the next order within the horizon); and the chosen methods with their
    reason."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        find_in_all_schemas(connection)
        features = connection.sql("""
            select records.record_id as person, features.*
            from customer_features as features
            inner join record_customers as records using (customer_id)
            where features.is_scoring and features.n_order_days > 0 and records.record_type = 'shop_customer'
            order by person
        """).df()
        final = connection.sql(f"""
            select
                customer_id, churn_scores.model_used as churn_method, value_scores.model_used as value_method,
                1 - churn_probability_{horizon}d as chance, expected_revenue_{horizon}d as money,
                value_scores.is_level_verified
            from churn_scores inner join value_scores using (customer_id)
        """).df()
        (row,) = connection.sql(
            f"select parameters, reason from trained_models where model_name = '{BUYERS}'"
        ).fetchall()
    kit = Kit.from_dict(json.loads(row[0]))
    answers = kit.answer(features, kit.base.predict(features, [horizon, YEAR]))
    dates = kit.next_order(features, kit.base.next_order(features, horizon), horizon)
    days = pd.concat([frame.add_prefix(f"{method}_") for method, frame in dates.items()], axis=1)
    rows = pd.concat([features[["person", "customer_id"]], answers, days], axis=1).merge(
        final, on="customer_id"
    )
    about = {
        "churn": str(final["churn_method"].iloc[0]), "value": str(final["value_method"].iloc[0]),
        "next_order": kit.methods["next_order"], "is_level_verified": bool(final["is_level_verified"].all()),
        "reason": row[1],
    }  # fmt: skip
    return rows, about


def case(name: str, moment: str, horizon: int, folder: Path) -> Json:
    """Measure each method's predictions for all people with an order by the moment."""
    rows = histories(name, moment, horizon)
    warehouse, used = build(name, moment, horizon, folder)
    predictions, about = scored(warehouse, horizon)
    both = rows.merge(predictions, on="person", how="left", indicator=True)
    found = both["_merge"] == "both"
    both = both[found].reset_index(drop=True)
    chances = {"Mailroom": both["chance"], "Mailroom, base": both["chance_base"]}
    money = {
        "Mailroom": both["money"],
        "Mailroom, base": both["money_base"],
        "history rate": both["money_rule"],
    }
    if "chance_rule" in both:
        chances["recency rule"] = both["chance_rule"]
    times = {}
    for peer in list(LIBRARIES)[1:]:
        made = library(peer, both[rows.columns], horizon, folder / "peers")
        if "error" in made:
            times[peer] = {"error": made["error"]}
            continue
        times[peer] = made["result"] | made["used"]
        answer = pd.read_parquet(made["predictions"])
        chances[peer], money[peer] = answer["order_probability"], answer["revenue"]
    happened, spent = (both["n_ordered"] > 0).to_numpy(float), both["spent"].to_numpy(float)
    came = both["days_to_next"].notna() & both["base_median"].notna()
    next_order = {}
    for method in ("base", "rhythm", "rule"):
        if f"{method}_median" in both:
            low, median, high = (both.loc[came, f"{method}_{part}"] for part in ("low", "median", "high"))
            actual = both.loc[came, "days_to_next"].astype(float)
            next_order[method] = {
                "mae_days": float((median - actual).abs().mean()),
                "coverage": float(((low <= actual) & (actual <= high)).mean()),
            }
    return {
        "data": name, "moment": moment, "horizon": horizon, "about": about, "build": used, "peers": times,
        "customers": len(both), "left_out": int((~found).sum()), "came": int(came.sum()),
        "chance": {method: _measured(OF_CHANCES, happened, of) for method, of in chances.items()},
        "money": {method: _measured(OF_MONEY, spent, of) for method, of in money.items()},
        "next_order": next_order,
    }  # fmt: skip


def _measured(measures: Any, actual: Any, predicted: Any) -> dict[str, float]:
    values = np.nan_to_num(np.asarray(predicted, dtype=float))
    return {name: float(measure(actual, values)) for name, measure in measures.items()}


def generated(customers: int, seed: int = 0) -> pd.DataFrame:
    """Generate customers by BG/NBD and Gamma-Gamma with the parameters published for CDNOW, over up to two
    years."""
    random = np.random.default_rng(seed)
    age = random.integers(30, 730, customers).astype(float)
    rate, leaves = random.gamma(0.2426, 1 / 4.4135, customers), random.beta(0.7929, 2.4258, customers)
    frequency, last, at = np.zeros(customers, dtype=int), np.zeros(customers), np.zeros(customers)
    there = np.ones(customers, dtype=bool)
    while there.any():
        at[there] += np.ceil(random.exponential(1 / np.maximum(rate[there] / 7, 1e-12)))
        there &= at <= age
        frequency[there] += 1
        last[there] = at[there]
        there &= random.random(customers) >= leaves
    n_orders, spread = frequency + 1, random.gamma(3.7446, 1 / 15.448, customers)
    mean = random.gamma(6.2488 * n_orders) / (n_orders * spread)
    return pd.DataFrame(
        {
            "frequency": frequency, "recency": last.astype(int), "age": age.astype(int), "n_orders": n_orders,
            "mean_value": mean, "repeat_value": np.where(frequency > 0, mean, np.nan),
        }
    )  # fmt: skip


def speed(customers: int, folder: Path) -> Json:
    """Measure fit and score of the base and of the peers, and of churn and value in full."""
    rows = generated(customers)
    found: Json = {name: library(name, rows, 90, folder / f"speed-{customers}") for name in LIBRARIES}
    log = folder / f"whole-{customers}.log"
    source = folder / f"whole-{customers}.duckdb"
    source.unlink(missing_ok=True)
    made = python("whole", "make", str(customers), str(source), log=log)
    if "error" in made:
        raise RuntimeError(made["error"])
    found["whole"] = python("whole", "score", str(customers), str(source), log=log)
    return found


def gates(folder: Path) -> list[Json]:
    """Break a shop in four ways, on CDNOW's last case. Return the methods that score, and why."""
    name, moment, horizon = CASES[2]
    warehouse = Place.below(folder, name).warehouse.with_name(f"{name}-{moment}.duckdb")
    if not warehouse.exists():
        build(name, moment, horizon, folder)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        find_in_all_schemas(connection)
        tables = {}
        for argument, table in TRAINED_FROM.items():
            exists = connection.sql(
                f"select count(*) from information_schema.tables where table_name = '{table}'"
            ).fetchall()[0][0]
            # The shuffle depends on the order of the rows, which a table does not guarantee.
            tables[argument] = connection.sql(f"from {table} order by all").df() if exists else pd.DataFrame()
    features, outcomes, past = tables["features"], tables["outcomes"], tables["histories"]
    random = np.random.default_rng(0)
    shuffled = outcomes.copy()
    columns = [column for column in outcomes if column not in ("customer_id", "cutoff_on")]
    for _, rows in outcomes.groupby("cutoff_on").groups.items():
        shuffled.loc[rows, columns] = outcomes.loc[random.permutation(rows), columns].to_numpy()
    numbers = [
        column
        for column in features.select_dtypes("number")
        if column not in ("n_order_days", "sample_weight")
    ]
    broken = features.copy()
    for column in numbers:
        if column not in ("frequency", "recency_days", "age_days", "days_since_last_order"):
            broken[column] = np.nan
    now = past[past["is_scoring"]]
    few = past[~past["is_scoring"] | (past.index.isin(now.sort_values("n_customers").index[:50]))].copy()
    few.loc[few["is_scoring"], "n_customers"] = 1
    silent = past.copy()
    silent.loc[silent["is_scoring"], "age_days"] += 365
    found = []
    for label, spoilt in (
        ("as it is", {}),
        ("outcomes shuffled among customers", {"outcomes": shuffled}),
        ("all features but when people ordered are missing", {"features": broken}),
        ("50 buyers", {"histories": few}),
        ("a year of silence", {"histories": silent}),
    ):
        with duckdb.connect() as connection:
            relations = {
                argument: connection.from_df(frame) if len(frame.columns) else frame
                for argument, frame in {**tables, **spoilt}.items()
            }
            row = trained(**relations).set_index("model_name").loc[BUYERS]
        found.append(
            {
                "spoilt": label,
                "state": row["state"],
                "methods": json.loads(row["method"]),
                "reason": row["reason"],
            }
        )
    return found


def truth(folder: Path, customers: int = 20_000) -> Json:
    """Compare scores of a generated shop with the truth of each person: the most active hour, whether they
    are still a customer, how often they order, and the rhythm of their refills."""
    data, _ = shop(folder, customers, 540, 7)
    warehouse = Warehouse(data, folder / "truth" / "mailroom.duckdb")
    warehouse.file.unlink(missing_ok=True)
    tables = (
        "send_time_scores", "value_scores", "churn_scores", "replenishment_scores", "lookalike_scores",
        "model_evaluations",
    )  # fmt: skip
    done = warehouse.dbt(
        "build", "--select", *(f"+{name}" for name in tables),
        "--exclude-resource-type", "test", "unit_test", name="build",
    )  # fmt: skip
    if done.failures:
        raise RuntimeError(", ".join(done.failures))
    with duckdb.connect(str(warehouse.file), read_only=True) as connection:
        find_in_all_schemas(connection)
        connection.execute(f"""
            create temp table known as
            select
                records.customer_id, min(people.best_send_hour) as best_hour,
                bool_or(people.is_alive and people.orders_per_year > 0) as is_there,
                max(case when people.is_alive then people.orders_per_year else 0 end) as orders_per_year,
                max(people.rhythm_days) as rhythm_days
            from '{data}/truth/records/*.parquet' as truth
            inner join '{data}/truth/people/*.parquet' as people using (person_id)
            inner join record_customers as records
                on records.record_key = case truth.source
                    when 'crm.contacts' then 'crm_contact:' when 'shop.customers' then 'shop_customer:'
                    when 'esp.profiles' then 'esp_profile:'
                end || truth.record_id
            group by records.customer_id having count(distinct people.person_id) = 1
        """)
        hours = connection.sql("""
            select
                scores.state, scores.n_signals, cast(scores.best_hour as integer) as said,
                cast(known.best_hour as integer) as best
            from send_time_scores as scores inner join known using (customer_id)
            where scores.best_hour is not null and known.best_hour is not null
        """).df()
        buyers = connection.sql("""
            select
                known.is_there, known.orders_per_year, 1 - churn.churn_probability_90d as chance,
                -features.days_since_last_order as recency,
                value.expected_revenue_90d as money,
                greatest(features.net_revenue, 0) / greatest(features.age_days, 90) as pace
            from churn_scores as churn
            inner join known using (customer_id)
            inner join value_scores as value using (customer_id)
            inner join customer_features as features on churn.customer_id = features.customer_id
            where features.is_scoring and churn.churn_probability_90d is not null
        """).df()
        refills = connection.sql("""
            select
                avg(abs(scores.rhythm_days - known.rhythm_days)) as own,
                avg(abs(categories.rhythm_days - known.rhythm_days)) as category, count(*) as n
            from (
                -- The generator does not record the category of a person's rhythm.
                from replenishment_scores qualify count(*) over (partition by customer_id) = 1
            ) as scores
            inner join known using (customer_id)
            inner join (
                select category, median(rhythm_days) as rhythm_days
                from replenishment_scores where is_own_rhythm group by category
            ) as categories using (category)
            where scores.is_own_rhythm and known.rhythm_days is not null
        """).fetchall()[0]
        lookalikes = connection.sql("""
            select segment, value, low, high, baseline_value, n_customers from model_evaluations
            where score = 'lookalike' and method = 'traits' and metric = 'auc' order by segment
        """).fetchall()
    auc, rank = OF_CHANCES["auc"], OF_MONEY["spearman"]
    there, orders = buyers["is_there"].to_numpy(float), buyers["orders_per_year"].to_numpy(float)
    return _hours(hours) | {
        "buyers": len(buyers),
        "there": {name: float(auc(there, buyers[name].to_numpy(float))) for name in ("chance", "recency")},
        "orders": {name: float(rank(orders, buyers[name].to_numpy(float))) for name in ("money", "pace")},
        "refills": dict(zip(("own", "category", "n"), map(float, refills), strict=True)),
        "lookalikes": [list(row) for row in lookalikes],
    }


def _hours(rows: pd.DataFrame) -> Json:
    def off(hours: Any) -> pd.Series:
        apart = (hours - rows["best"]).abs()
        return apart.where(apart <= 12, 24 - apart)

    group = int(rows.loc[rows["state"] == "no_personal_signal", "said"].mode().iloc[0])
    parts = {
        "all": rows["n_signals"] >= 0,
        "no signal": rows["n_signals"] == 0,
        "1 to 3 signals": rows["n_signals"].between(1, 3),
        "4 to 10 signals": rows["n_signals"].between(4, 10),
        "more than 10 signals": rows["n_signals"] > 10,
    }
    return {
        "customers": len(rows),
        "group_hour": group,
        "rows": [
            {
                "part": part, "customers": int(chosen.sum()),
                "said": float(off(rows["said"])[chosen].mean()), "group": float(off(group)[chosen].mean()),
                "within_1": float((off(rows["said"])[chosen] <= 1).mean()),
                "group_within_1": float((off(group)[chosen] <= 1).mean()),
            }
            for part, chosen in parts.items() if chosen.any()
        ],
    }  # fmt: skip


def recommended(name: str, folder: Path) -> Json:
    """Measure one data set's recommendations and their peers', in a separate process."""
    return python("recommendations", name, str(folder), log=folder / f"recommendations-{name}.log")


def measure(folder: Path, fresh: bool) -> Json:
    """Measure every part of the chapter, again if models, macros or the library have changed."""
    commit, results = measured_commit(folder, MEASURED, fresh)
    return {
        "commit": commit,
        "published": results.of("scores-published", lambda: published(folder)),
        "cases": [
            results.of(f"scores-{name}-{moment}", partial(case, name, moment, horizon, folder))
            for name, moment, horizon in CASES
        ],
        "speed": {
            str(size): results.of(f"scores-speed-{size}", partial(speed, size, folder)) for size in SIZES
        },
        "recommendations": [
            results.of(f"scores-recommendations-{name}", partial(recommended, name, folder))
            for name in ("online_retail", "retailrocket")
        ],
        "truth": results.of("scores-truth", lambda: truth(folder)),
        "gates": results.of("scores-gates", lambda: {"rows": gates(folder)}),
    }
