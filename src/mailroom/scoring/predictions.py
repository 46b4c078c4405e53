"""Scoring: the trained models predict for every customer, with the method that training chose."""

import json
from typing import Any

import numpy as np
import pandas as pd

from mailroom.estimators.inputs import INPUTS
from mailroom.estimators.stability import stability_index
from mailroom.scoring.base import HISTORY, NEXT_ORDER_WITHIN, QUANTILES, Base
from mailroom.scoring.categories import SCORE as CATEGORY
from mailroom.scoring.frames import by_batch, frame, table
from mailroom.scoring.judging import within
from mailroom.scoring.kit import YEAR, FirstOrderKit, Kit, reasons
from mailroom.scoring.lookalikes import SCORE as LOOKALIKE
from mailroom.scoring.lookalikes import LookalikeKit
from mailroom.scoring.send_times import HOURS, SLOTS, SendTimeKit
from mailroom.scoring.training import BUYERS, CATEGORIES, LOOKALIKES, NEVER_BUYERS, SEND_TIMES

HOW = {"method": "string", "model_name": "string", "model_version": "string"}
WHY = {"reason_1": "string", "reason_2": "string", "is_likelier": "boolean"}
EVALUATION = {
    "model_name": "string", "model_version": "string", "trained_on": "date", "score": "string",
    "method": "string", "metric": "string", "segment": "string", "cutoff_on": "date",
    "horizon_days": "bigint", "n_customers": "bigint", "value": "double", "low": "double", "high": "double",
    "baseline_value": "double", "is_chosen": "boolean",
}  # fmt: skip


def predict_purchases(session: Any, histories: Any, trained: Any) -> Any:
    """Return one row per distinct history, with the base model's predictions. Columns: HISTORY (days),
    order_probability_<n>d and expected_orders_<n>d for the horizon and a year, alive_probability, and the
    days to the next order if it comes within a year (median and 80% interval)."""
    row = _trained(trained, BUYERS)
    horizons = [int(row["horizon_days"]), YEAR]
    answers = [f"{name}_{days}d" for days in horizons for name in ("order_probability", "expected_orders")]
    answers += ["alive_probability", *(f"next_order_days_{name}" for name in ("low", "median", "high"))]
    types = dict.fromkeys(HISTORY, "bigint") | dict.fromkeys(answers, "double")
    if not _can_score(row):
        return table(session, pd.DataFrame(columns=list(types)), types)
    base = Base.from_dict(json.loads(row["parameters"])["base"])

    def answer(batch: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([batch[HISTORY], base.predict(batch, horizons)], axis=1)

    return by_batch(session, histories.filter("is_scoring"), answer, types, ", ".join(HISTORY))


def predict_churn(session: Any, customers: Any, trained: Any) -> Any:
    """Return one row per customer who has bought: the chance of another order within the horizon, and the
    topics behind it."""
    types = {"customer_id": "string", "order_probability": "double"} | HOW | WHY
    row = _trained(trained, BUYERS)
    if not _can_score(row):
        return table(session, pd.DataFrame(columns=list(types)), types)
    kit, how = Kit.from_dict(json.loads(row["parameters"])), _how(row, "churn")

    def answer(batch: pd.DataFrame) -> pd.DataFrame:
        answers = kit.answer(batch, batch, ["churn"])
        why = reasons(
            kit.chance if how["method"] == "blend" else None, batch, answers["chance_base"].to_numpy()
        )
        chance = answers[f"chance_{how['method']}"]
        return why.assign(customer_id=batch["customer_id"], order_probability=chance, **how)

    return by_batch(session, customers, answer, types, "customer_id")


def predict_value(session: Any, customers: Any, trained: Any) -> Any:
    """Return one row per customer who has bought: expected net revenue within the horizon and within a year,
    each with its 80% interval, in the shop's currency."""
    amounts = [
        f"{over}_{what}"
        for over in ("horizon", "year")
        for what in ("revenue", "revenue_low", "revenue_high")
    ]
    types = {"customer_id": "string"} | dict.fromkeys(amounts, "double") | HOW
    row = _trained(trained, BUYERS)
    if not _can_score(row):
        return table(session, pd.DataFrame(columns=list(types)), types)
    kit, how = Kit.from_dict(json.loads(row["parameters"])), _how(row, "value")

    def answer(batch: pd.DataFrame) -> pd.DataFrame:
        answers = kit.answer(batch, batch, ["value"])
        rows = pd.DataFrame({"customer_id": batch["customer_id"]}).assign(**how)
        for over, prefix, days in (("horizon", "money", kit.horizon), ("year", "year", YEAR)):
            expected = answers[f"{prefix}_{how['method']}"].to_numpy(dtype=float)
            low, high = within(expected, kit.intervals.get(str(days), {}))
            rows[f"{over}_revenue"] = expected
            rows[f"{over}_revenue_low"], rows[f"{over}_revenue_high"] = low, high
        return rows

    return by_batch(session, customers, answer, types, "customer_id")


def predict_next_order(session: Any, customers: Any, trained: Any) -> Any:
    """Return one row per customer who has bought: days from the scoring day to the next order if it comes
    within a year (median and 80% interval)."""
    days = ["days_low", "days_median", "days_high"]
    types = {"customer_id": "string"} | dict.fromkeys(days, "double") | HOW
    row = _trained(trained, BUYERS)
    if not _can_score(row):
        return table(session, pd.DataFrame(columns=list(types)), types)
    kit, how = Kit.from_dict(json.loads(row["parameters"])), _how(row, "next_order")

    def answer(batch: pd.DataFrame) -> pd.DataFrame:
        base = pd.DataFrame({name: batch[f"next_order_days_{name}"] for name in QUANTILES})
        rows = kit.next_order(batch, base, NEXT_ORDER_WITHIN)[how["method"]].add_prefix("days_")
        return rows.assign(customer_id=batch["customer_id"], **how)

    return by_batch(session, customers, answer, types, "customer_id")


def predict_first_orders(session: Any, people: Any, trained: Any) -> Any:
    """Return one row per person who has never bought: the chance of a first order within the horizon, its
    revenue within the horizon and within a year, and the topics behind the chance."""
    amounts = ["order_probability", "horizon_revenue", "year_revenue"]
    types = {"customer_id": "string"} | dict.fromkeys(amounts, "double") | HOW | WHY
    row = _trained(trained, NEVER_BUYERS)
    if not _can_score(row):
        return table(session, pd.DataFrame(columns=list(types)), types)
    kit, how = FirstOrderKit.from_dict(json.loads(row["parameters"])), _how(row, "first_order")

    def answer(batch: pd.DataFrame) -> pd.DataFrame:
        answers = kit.answer(batch)
        why = reasons(
            kit.chance if how["method"] == "blend" else None, batch, answers["chance_rule"].to_numpy()
        )
        return why.assign(
            customer_id=batch["customer_id"],
            order_probability=answers[f"chance_{how['method']}"],
            horizon_revenue=answers[f"money_{how['method']}"],
            year_revenue=answers[f"year_{how['method']}"],
            **how,
        )

    return by_batch(session, people, answer, types, "customer_id")


def predict_send_times(session: Any, hours: Any, trained: Any) -> Any:
    """Return one row per customer: the share of their presence in each hour of the day and day of the week
    (SLOTS), the hours in which they were seen, and their weight against the group's shares."""
    types = (
        {"customer_id": "string", "n_signals": "bigint", "personal_weight": "double"}
        | dict.fromkeys(SLOTS, "double")
        | {
            "hour_method": "string",
            "weekday_method": "string",
            "model_name": "string",
            "model_version": "string",
        }
    )
    row = _trained(trained, SEND_TIMES)
    if not _can_score(row):
        return table(session, pd.DataFrame(columns=list(types)), types)
    kit = SendTimeKit.from_dict(json.loads(row["parameters"]))

    def answer(batch: pd.DataFrame) -> pd.DataFrame:
        n_signals = batch[HOURS].sum(axis=1)
        return kit.shares(batch).assign(
            customer_id=batch["customer_id"],
            n_signals=n_signals,
            personal_weight=kit.personal_weight(n_signals.to_numpy(dtype=float)),
            hour_method=kit.methods["send_hour"],
            weekday_method=kit.methods["send_weekday"],
            model_name=row["model_name"],
            model_version=row["model_version"],
        )

    return by_batch(session, hours, answer, types, "customer_id")


def category_weights(session: Any, trained: Any) -> Any:
    """Return one row: the weight of the shop's shares against a customer's own interest in a category, in
    points of interest, and the method that predicts the next category. No row if nothing was learned."""
    types = {"strength": "double", "method": "string", "model_name": "string", "model_version": "string"}
    row = _trained(trained, CATEGORIES)
    if not _can_score(row):
        return table(session, pd.DataFrame(columns=list(types)), types)
    strength = json.loads(row["parameters"])["shares"]["strength"]
    return table(session, pd.DataFrame([{"strength": strength} | _how(row, CATEGORY)]), types)


def trait_points(session: Any, trained: Any) -> Any:
    """Return one row per trait and value: what it adds to the logit of being a best buyer, and the share of
    customers with the value, among all customers with a known trait (average), the best buyers and the
    others. intercept is the logit of a customer without known traits."""
    shares = dict.fromkeys(("points", "average", "chosen_share", "other_share"), "double")
    types = {"trait": "string", "trait_value": "string"} | shares | {"intercept": "double"} | HOW
    row = _trained(trained, LOOKALIKES)
    if not _can_score(row):
        return table(session, pd.DataFrame(columns=list(types)), types)
    points = LookalikeKit.from_dict(json.loads(row["parameters"])).points
    rows = points.points_.assign(intercept=points.intercept_, **_how(row, LOOKALIKE))
    return table(session, rows, types)


def evaluations(session: Any, trained: Any) -> Any:
    """Return one row per model, score, method, metric and segment: its value at the newest moment with a
    known outcome (columns EVALUATION)."""
    entries = []
    for _, row in frame(trained, ["model_name"]).iterrows():
        methods = json.loads(row["method"])
        for judged in json.loads(row["evaluations"]):
            about = {name: row[name] for name in ("model_name", "model_version", "trained_on")}
            chosen = methods[judged["score"]] == judged["method"]
            entries.append(judged | about | {"is_chosen": chosen})
    rows = pd.DataFrame(entries, columns=list(EVALUATION))
    for name in ("cutoff_on", "trained_on"):
        rows[name] = pd.to_datetime(rows[name]).dt.date
    for name in ("value", "low", "high", "baseline_value"):
        rows[name] = rows[name].astype(float).replace([np.inf, -np.inf], np.nan)
    return table(session, rows, EVALUATION)


def stability(session: Any, sample: Any, trained: Any) -> Any:
    """Return one row per model and column of its inputs and scores: how far it has moved since the training
    day, as a population stability index (None with too few customers)."""
    types = {
        "model_name": "string", "column_name": "string", "is_score": "boolean", "n_customers": "bigint",
        "stability_index": "double",
    }  # fmt: skip
    customers = frame(sample, ["customer_id"])
    has_bought = customers["n_order_days"] > 0
    indices = []
    for name, is_scored in ((BUYERS, has_bought), (NEVER_BUYERS, ~has_bought)):
        shapes = json.loads(_trained(trained, name)["parameters"]).get("shapes", {})
        for column, shape in shapes.items():
            values = customers.loc[is_scored, column].to_numpy(dtype=float, na_value=np.nan)
            indices.append((name, column, column not in INPUTS, len(values), stability_index(shape, values)))
    rows = pd.DataFrame(indices, columns=list(types))
    return table(session, rows.astype({"stability_index": float}), types)


def _trained(trained: Any, name: str) -> pd.Series:
    rows = frame(trained, ["model_name"])
    return rows[rows["model_name"] == name].iloc[0]


def _can_score(row: pd.Series) -> bool:
    return bool(json.loads(row["parameters"]))


def _how(row: pd.Series, score: str) -> dict[str, str]:
    method = json.loads(row["method"])[score]
    return {"method": method, "model_name": row["model_name"], "model_version": row["model_version"]}
