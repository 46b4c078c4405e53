"""Training: learn from past moments, back-test on the newest, and let the rule score where it is better."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mailroom.estimators.blend import TREES_FROM, ReturnBlend, SpendBlend, shift_to_mean
from mailroom.estimators.evaluation import OF_CHANCES, OF_MONEY
from mailroom.estimators.inputs import INPUTS
from mailroom.estimators.rhythm import OrderRhythm
from mailroom.estimators.rules import RateRule
from mailroom.estimators.stability import shape_of
from mailroom.scoring.base import HISTORY, Base, grouped
from mailroom.scoring.categories import ABOUT, CategoryKit, train_categories
from mailroom.scoring.frames import frame, table
from mailroom.scoring.judging import Evaluation, choose, choose_dates, intervals, judge, judge_dates
from mailroom.scoring.kit import YEAR, FirstOrderKit, Kit
from mailroom.scoring.lookalikes import LookalikeKit, train_lookalikes
from mailroom.scoring.recommendations import RANKS, RecommendationKit, train_recommendations
from mailroom.scoring.send_times import SLOTS, SendTimeKit, train_send_times

Floats = NDArray[np.float64]
BUYERS, NEVER_BUYERS = "customers_who_bought", "people_who_never_bought"
SEND_TIMES, RECOMMENDATIONS, CATEGORIES = "send_times", "recommendations", "categories"
LOOKALIKES = "lookalikes"
LEVEL_FROM = 150  # days of orders before the moment a year ago, so that its level is comparable
LEVEL_WITHIN = (1 / 3, 3.0)
SMALLEST_MOMENT = 50  # customers; smaller past moments are ignored
BLEND_FROM = 500  # customers; below this, only the base scores
FIRST_ORDERS_FROM = 50  # first orders; below this, no blend is fitted
CHURN_BY = ("auc", 0.5, "brier")  # ranking metric, its value by chance, error metric
VALUE_BY = ("gini", 0.0, "decile_error")
GATE_BUYERS, GATE_DAYS, GATE_SILENCE, GATE_ORDERS = 500, 180, 30, 3
TYPES = {
    "model_name": "string", "model_version": "string", "trained_on": "date", "state": "string",
    "method": "string", "reason": "string", "is_level_verified": "boolean", "horizon_days": "bigint",
    "n_customers": "bigint", "n_rows": "bigint", "cutoffs": "string", "features": "string",
    "data_fingerprint": "string", "parameters": "string", "evaluations": "string",
}  # fmt: skip


@dataclass
class Moment:
    """A past cut-off with a known outcome: its customers, and the base model fitted on what was known then.

    rows: customer_features and customer_outcomes, and that base's predictions: chance, money, money_year.
    """

    days_back: int
    rows: pd.DataFrame
    base: Base

    @property
    def cutoff_on(self) -> str:
        """The day as text."""
        return str(pd.Timestamp(self.rows["cutoff_on"].iloc[0]).date())


Moments = Mapping[int, Moment]  # by days back


def train(session: Any, **tables: Any) -> Any:
    """Return trained() of the same tables, as a Python model of the session's engine does."""
    return table(session, trained(**tables), TYPES)


def trained(
    features: Any,
    outcomes: Any,
    histories: Any,
    cutoffs: Any,
    hours: Any,
    products: Any,
    categories: Any,
    traits: Any,
) -> pd.DataFrame:
    """Return one row per model: its parameters, its back-test and the method that scores (columns TYPES;
    method, cutoffs, features, parameters and evaluations are JSON).

    Tables as dbt.ref() gives them: customer_features, customer_outcomes, purchase_history_groups,
    feature_cutoffs, customer_active_hours, recommendation_backtest, category_outcomes and customer_traits.
    Of features, hours and traits, only sampled customers are read.
    """
    sample = frame(features.filter("is_sampled"), ["customer_id", "cutoff_on"])
    known = frame(outcomes, ["customer_id", "cutoff_on"])
    days = frame(cutoffs, ["cutoff_on"]).set_index("days_back")
    now = frame(histories.filter("is_scoring"), HISTORY)
    horizon, learning_days = (int(days.loc[0, name]) for name in ("horizon_days", "learning_days"))
    sample["has_bought"] = sample["n_order_days"].to_numpy(dtype=float) > 0
    stack = sample.merge(known, on=["customer_id", "cutoff_on"])
    why_not = gate(now, int(days.loc[0, "history_days"]) if len(now) else 0)

    scored = sample[sample["is_scoring"] & sample["has_bought"]].reset_index(drop=True)
    past = _past(stack[stack["has_bought"]], days, learning_days)
    kit, judged, reason = _train_buyers(now, scored, past, days, horizon, learning_days, why_not)
    if kit:
        answers = kit.answer(scored, kit.base.predict(scored, [horizon, YEAR]))
        chance, money = (f"chance_{kit.methods['churn']}", f"year_{kit.methods['value']}")
        kit.shapes = _shapes(scored, order_probability=answers[chance], year_revenue=answers[money])
    parts = [moment.rows for moment in past.values()]
    rows = [_row(BUYERS, kit, judged, why_not, reason, parts, scored, list(INPUTS), days)]

    others = sample[sample["is_scoring"] & ~sample["has_bought"]].reset_index(drop=True)
    before = _groups(stack[~stack["has_bought"]], days, learning_days)
    first, judged, reason = _train_never_buyers(kit, others, before, horizon, learning_days)
    if first:
        chance = f"chance_{first.methods['first_order']}"
        first.shapes = _shapes(others, order_probability=first.answer(others)[chance])
    why_not, parts = None if judged else reason, list(before.values())
    rows.append(_row(NEVER_BUYERS, first, judged, why_not, reason, parts, others, list(INPUTS), days))

    seen = frame(hours.filter("is_sampled"), ["customer_id"])
    scored_on = pd.Timestamp(days.loc[0, "cutoff_on"])
    held_out = str((scored_on - pd.Timedelta(days=horizon)).date())
    times, judged, reason = train_send_times(seen, horizon, held_out)
    why_not = None if times else reason
    rows.append(_row(SEND_TIMES, times, judged, why_not, reason, [], seen, SLOTS, days))

    by_outcome: list[tuple[str, pd.DataFrame, Callable[..., Any], list[str]]] = [
        (
            RECOMMENDATIONS,
            frame(products, ["customer_id", "product_id"]),
            train_recommendations,
            [*RANKS, "was_bought"],
        ),
        (CATEGORIES, frame(categories, ["customer_id", "category"]), train_categories, [*ABOUT, "n_bought"]),
    ]
    for name, chosen, learn, about in by_outcome:
        fitted, judged, why_not, reason = learn(chosen, horizon, held_out)
        parts = [chosen] if len(chosen) else []
        each = chosen.drop_duplicates("customer_id")
        rows.append(_row(name, fitted, judged, why_not, reason, parts, each, about, days))

    people = frame(traits.filter("is_sampled"), ["customer_id", "trait", "trait_value"])
    alike, judged, why_not, reason = train_lookalikes(people, str(scored_on.date()))
    numbers = people.groupby(["trait", "trait_value"], sort=True).ngroup()
    wide = people.assign(number=numbers).pivot_table("number", "customer_id", "trait", "sum").reset_index()
    about = [name for name in wide if name != "customer_id"]
    rows.append(_row(LOOKALIKES, alike, judged, why_not, reason, [], wide, about, days))
    return pd.DataFrame(rows, columns=list(TYPES))


def gate(histories: pd.DataFrame, history_days: int) -> str | None:
    """Return why there is too little history to learn from, in one sentence; None if there is enough."""
    buyers = int(histories["n_customers"].sum()) if len(histories) else 0
    if not buyers:
        return "No customer has ordered yet."
    if buyers < GATE_BUYERS:
        who = "customer has" if buyers == 1 else "customers have"
        return f"Only {buyers:,} {who} ordered; {GATE_BUYERS} are needed."
    if history_days < GATE_DAYS:
        return f"The order history is {history_days} days long; {GATE_DAYS} are needed."
    silence = int((histories["age_days"] - histories["recency_days"]).min())
    if silence > GATE_SILENCE:
        return f"The last order is {silence} days old; {GATE_SILENCE} at most are allowed."
    if int(histories["frequency"].max()) + 1 < GATE_ORDERS:
        return f"No customer has ordered on {GATE_ORDERS} days."
    return None


def _groups(stack: pd.DataFrame, days: pd.DataFrame, learning_days: int) -> dict[int, pd.DataFrame]:
    """Return the customers of each past moment with a known outcome, by days back, if they are enough."""
    groups = {}
    for days_back, cutoff_on in days["cutoff_on"].items():
        rows = stack[stack["cutoff_on"] == cutoff_on].reset_index(drop=True)
        if int(days_back) >= learning_days and len(rows) >= SMALLEST_MOMENT:
            groups[int(days_back)] = rows.assign(
                days_back=int(days_back),
                returned=rows["n_order_days_next"].to_numpy(dtype=float) > 0,
                spent=rows["net_revenue_next"].to_numpy(dtype=float),
            )
    return groups


def _past(stack: pd.DataFrame, days: pd.DataFrame, learning_days: int) -> dict[int, Moment]:
    moments = {}
    for days_back, rows in _groups(stack, days, learning_days).items():
        base = Base().fit(grouped(rows)).fit_order_value(rows)
        expected = base.predict(rows, [learning_days, YEAR])
        value = base.expected_value(rows)
        with_predictions = rows.assign(
            chance=expected[f"order_probability_{learning_days}d"],
            money=expected[f"expected_orders_{learning_days}d"] * value,
            money_year=expected[f"expected_orders_{YEAR}d"] * value,
        )
        moments[days_back] = Moment(days_back, with_predictions, base)
    return moments


def _train_buyers(
    now: pd.DataFrame,
    scored: pd.DataFrame,
    past: Moments,
    days: pd.DataFrame,
    horizon: int,
    learning_days: int,
    why_not: str | None,
) -> tuple[Kit | None, list[Evaluation], str]:
    """Return the models for customers who have bought, their back-test, and the reason of each choice."""
    if now.empty or scored.empty:
        return None, [], why_not or "No customer who may be scored has ordered."
    kit = _learn(Base().fit(now).fit_order_value(scored), scored, past, days, 0, learning_days)
    kit.horizon = horizon
    if learning_days in past:
        kit.intervals[str(horizon)], judged = _back_test(past, days, learning_days)
        kit.intervals[str(YEAR)] = _year_intervals(past) or kit.intervals[str(horizon)]
    else:
        judged = []
    reasons = []
    for score, by, fitted in (("churn", CHURN_BY, kit.chance), ("value", VALUE_BY, kit.money)):
        able = ["base", "blend"] if fitted else ["base"]
        method, why = ("rule", "") if why_not else choose(score, *by, judged, able)
        kit.methods[score] = method
        reasons.append(why)
    kit.methods["next_order"], why = ("rule", "") if why_not else choose_dates(judged)
    reasons.append(why)
    if not kit.rule and kit.methods["churn"] == "rule":
        # The rule is a rate over past moments, and there is none.
        kit.methods["churn"] = "base"
        reasons.append("churn: no past moment to learn a rule from, so the base scores without a back-test")
    if learning_days < horizon and not why_not:
        reasons.append(
            f"the history is short, so the models learned from outcomes within {learning_days} days"
        )
    given = [reason for reason in (why_not, *reasons) if reason]
    return kit, [] if why_not else judged, "; ".join(given)


def _train_never_buyers(
    buyers: Kit | None,
    scored: pd.DataFrame,
    past: Mapping[int, pd.DataFrame],
    horizon: int,
    learning_days: int,
) -> tuple[FirstOrderKit | None, list[Evaluation], str]:
    """Return the models for people who have never bought, their back-test, and the reason of the choice."""
    if buyers is None or buyers.base.order_value_ is None:
        return None, [], "No customer has ordered yet."
    if learning_days not in past:
        why = f"{learning_days} days ago, fewer than {SMALLEST_MOMENT} customers had no order yet."
        return None, [], why

    def learn(used: Mapping[int, pd.DataFrame], at: int, ahead: int) -> FirstOrderKit | None:
        usable = [rows for days_back, rows in used.items() if days_back >= at + learning_days]
        if not usable:
            return None
        rows = pd.concat(usable, ignore_index=True)
        weight = rows["sample_weight"]
        rule = RateRule("known_days").fit(rows, rows["returned"], weight)
        blend = None
        if rows["returned"].sum() >= FIRST_ORDERS_FROM and not rows["returned"].all():
            blend = ReturnBlend(trees=max(map(len, usable)) >= TREES_FROM)
            blend.fit(rows, rule.predict(rows), rows["days_back"], rows["returned"], weight)
            of = scored if at == 0 else used[at]
            if len(of):
                blend.level(of, rule.predict(of))
        return FirstOrderKit(ahead, learning_days, rule, blend, *_of_a_new_buyer(buyers, ahead))

    kit = learn(past, 0, horizon)
    if kit is None:
        return None, [], "There is no past moment to learn from."
    then = learn(past, learning_days, learning_days)
    if then is None:
        return kit, [], "There is no second past moment to back-test with, so the rule scores."
    rows = past[learning_days]
    about = _about(rows, learning_days)
    actual = rows["returned"].to_numpy(dtype=float)
    judged = judge(
        "first_order", "chance", OF_CHANCES, then.answer(rows), actual, {"all": actual >= 0}, about
    )
    able = ["blend"] if kit.chance else []
    kit.methods["first_order"], reason = choose("first_order", *CHURN_BY, judged, able)
    return kit, judged, reason


def _of_a_new_buyer(buyers: Kit, horizon: int) -> tuple[float, float]:
    """Return what a first-time buyer spends on average: within half a horizon of the first order (on average
    it comes in the middle of the horizon), and within a year of it."""
    new = pd.DataFrame([[0.0, 0.0, 0.0]], columns=HISTORY)
    ahead = buyers.base.predict(new, [horizon // 2, YEAR])
    no_history = pd.DataFrame({"n_order_days": [0.0], "mean_order_value": [np.nan]})
    value = float(buyers.base.expected_value(no_history)[0])
    return (
        value * (1 + float(ahead[f"expected_orders_{horizon // 2}d"].iloc[0])),
        value * (1 + float(ahead[f"expected_orders_{YEAR}d"].iloc[0])) * buyers.level["money_year"],
    )


def _learn(
    base: Base,
    scored: pd.DataFrame,
    past: Moments,
    days: pd.DataFrame,
    at: int,
    learning_days: int,
) -> Kit:
    """Return the models as of `at` days back, learned from moments with an outcome known by then."""
    level, verified = _level(past, days, at)
    kit = Kit(learning_days, learning_days, base, level, verified, rhythm=OrderRhythm().fit(scored))
    usable = [moment.rows for days_back, moment in past.items() if days_back >= at + learning_days]
    if not usable:
        return kit
    rows = pd.concat(usable, ignore_index=True)
    kit.rule = RateRule().fit(rows, rows["returned"])
    chance, money = kit.learned(scored, base.predict(scored, [learning_days]))
    n_customers = max(len(part) for part in usable)
    if n_customers >= BLEND_FROM and 0 < rows["returned"].mean() < 1:
        kit.chance = ReturnBlend(trees=n_customers >= TREES_FROM)
        kit.chance.fit(rows, rows["chance"], rows["days_back"], rows["returned"])
        kit.chance.level(scored, chance)
    if n_customers >= TREES_FROM and (rows["spent"] > 0).any() and (rows["money"] > 0).any():
        kit.money = SpendBlend().fit(rows, rows["money"], rows["days_back"], rows["spent"])
        kit.money.level(scored, money)
    return kit


def _level(past: Moments, days: pd.DataFrame, at: int) -> tuple[dict[str, float], bool]:
    """Return the base's correction from the same season a year before `at`, and whether there is one."""
    level = {"chance_shift": 0.0, "money": 1.0, "money_year": 1.0}
    before = at + YEAR
    if before not in past or int(days.loc[before, "history_days"]) < LEVEL_FROM:
        return level, False
    rows = past[before].rows

    def factor(actual: float, expected: float) -> float:
        return float(np.clip(actual / expected, *LEVEL_WITHIN)) if expected > 0 else 1.0

    chance = rows["chance"].to_numpy(dtype=float)
    wanted = chance.mean() * factor(rows["returned"].mean(), chance.mean())
    logits = np.log(np.clip(chance, 1e-9, 1 - 1e-9)) - np.log1p(-np.clip(chance, 1e-9, 1 - 1e-9))
    level["chance_shift"] = float(shift_to_mean(logits, float(np.clip(wanted, 0.001, 0.999))))
    level["money"] = factor(rows["spent"].sum(), rows["money"].sum())
    actual, over = _spent_in_a_year(rows)
    level["money_year"] = (
        factor(float(actual.sum()), float(rows["money_year"][over].sum())) if over.any() else level["money"]
    )
    return level, True


def _spent_in_a_year(rows: pd.DataFrame) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the revenue of customers with a complete year of outcome, and a mask of those customers."""
    spent = rows[f"net_revenue_next_{YEAR}d"].to_numpy(dtype=float, na_value=np.nan)
    over = ~np.isnan(spent)
    return spent[over], over


def _back_test(
    past: Moments, days: pd.DataFrame, learning_days: int
) -> tuple[dict[str, Any], list[Evaluation]]:
    """Back-test every method at the newest moment with a known outcome, from what was known then. Return the
    intervals of actual money around the expected, and the evaluations."""
    moment = past[learning_days]
    rows = moment.rows
    then = _learn(moment.base, rows, past, days, learning_days, learning_days)
    answers = then.answer(rows, then.base.predict(rows, [learning_days, YEAR]))
    spent = np.maximum(rows["spent"].to_numpy(dtype=float), 0)
    judged: list[Evaluation] = []
    for score, prefix, measures, actual in (
        ("churn", "chance", OF_CHANCES, rows["returned"].to_numpy(dtype=float)),
        ("value", "money", OF_MONEY, spent),
    ):
        judged += judge(
            score, prefix, measures, answers, actual, _segments(rows), _about(rows, learning_days)
        )
    days_to = rows["days_to_next_order"].to_numpy(dtype=float, na_value=np.nan)
    came = days_to < learning_days
    dates = then.next_order(rows[came], then.base.next_order(rows[came], learning_days), learning_days)
    judged += judge_dates(dates, days_to[came], _segments(rows[came]), _about(rows, learning_days))
    best = answers.get("money_blend", answers["money_base"]).to_numpy(dtype=float)
    return intervals(best, spent), judged


def _shapes(features: pd.DataFrame, **scores: Any) -> dict[str, Any]:
    """Return the distributions of inputs and scores on the training day, to measure drift against."""
    columns = {name: features[name] for name in INPUTS if features[name].nunique(dropna=False) > 1} | scores
    return {name: shape_of(column.to_numpy(dtype=float, na_value=np.nan)) for name, column in columns.items()}


def _year_intervals(past: Moments) -> dict[str, Any] | None:
    """Return the intervals of a year's money around the expected, at the newest moment with a complete year.
    The expected total is first scaled to the actual one, because the level is corrected elsewhere."""
    for days_back in sorted(back for back in past if back >= YEAR):
        rows = past[days_back].rows
        actual, over = _spent_in_a_year(rows)
        expected = rows["money_year"].to_numpy(dtype=float)[over]
        if len(actual) >= SMALLEST_MOMENT and expected.sum() > 0 and actual.sum() > 0:
            return intervals(expected * actual.sum() / expected.sum(), np.maximum(actual, 0))
    return None


def _segments(rows: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    n = rows["n_order_days"].to_numpy(dtype=float)
    return {"all": n > 0, "one order": n == 1, "several orders": n > 1}


def _about(rows: pd.DataFrame, horizon_days: int) -> Evaluation:
    return {"cutoff_on": str(pd.Timestamp(rows["cutoff_on"].iloc[0]).date()), "horizon_days": horizon_days}


def _row(
    name: str,
    kit: Kit | FirstOrderKit | SendTimeKit | RecommendationKit | CategoryKit | LookalikeKit | None,
    judged: list[Evaluation],
    why_not: str | None,
    reason: str,
    past: list[pd.DataFrame],
    scored: pd.DataFrame,
    features: list[str],
    days: pd.DataFrame,
) -> dict[str, Any]:
    parameters = json.dumps(kit.to_dict() if kit else {}, sort_keys=True)
    used = pd.concat([scored, *past], ignore_index=True)
    # Seven digits, because the last digits of a double differ between engines.
    values = used[features].astype("float32").assign(customer_id=used["customer_id"].astype(object))
    digest = pd.util.hash_pandas_object(values, index=False)
    return {
        "model_name": name,
        "model_version": hashlib.sha256(parameters.encode()).hexdigest()[:12],
        "trained_on": pd.Timestamp(days.loc[0, "cutoff_on"]).date(),
        "state": "closed" if why_not else "open",
        "method": json.dumps(kit.methods if kit else {}, sort_keys=True),
        "reason": reason,
        "is_level_verified": bool(isinstance(kit, Kit) and kit.is_level_verified),
        "horizon_days": int(days.loc[0, "horizon_days"]),
        "n_customers": len(scored),
        "n_rows": sum(len(part) for part in past),
        "cutoffs": json.dumps([str(pd.Timestamp(part["cutoff_on"].iloc[0]).date()) for part in past][::-1]),
        "features": json.dumps(features),
        "data_fingerprint": f"{int(digest.to_numpy(dtype='uint64').sum(dtype='uint64')):016x}",
        "parameters": parameters,
        "evaluations": json.dumps(judged),
    }
