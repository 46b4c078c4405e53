"""One library's predictions from purchase histories, in a separate process, to measure its memory.

    python -m benchmarks.purchases LIBRARY HISTORIES HORIZON PREDICTIONS

HISTORIES is a Parquet file with one row per customer: frequency, recency and age in days, n_orders (days
with an order), mean_value (of those), repeat_value (of those after the first; null without). PREDICTIONS gets
order_probability and revenue within HORIZON days, row by row. Printed: the seconds of fit and of score,
without imports and files, and the parameters.

Mailroom is only its base model: no regression, no trees, no level. The others are used as in their guides:
BG/NBD by weeks, Gamma-Gamma on the repeat orders of customers with any. lifetimes has no chance of an order
within a time; its users take the probability of being alive.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

WEEK = 7.0
Answer = tuple[dict[str, float], pd.DataFrame]
Fit = Callable[[pd.DataFrame], Callable[[], Answer]]  # fits, and returns a function that scores


def mailroom(histories: pd.DataFrame, horizon: int) -> Callable[[], Answer]:
    from mailroom.scoring.base import Base, grouped

    rows = histories.rename(
        columns={
            "recency": "recency_days",
            "age": "age_days",
            "n_orders": "n_order_days",
            "mean_value": "mean_order_value",
        }
    )
    groups = grouped(rows)
    base = Base().fit(groups).fit_order_value(rows)

    def score() -> Answer:
        predictions = pd.concat([groups, base.predict(groups, [horizon])], axis=1)
        keys = ["frequency", "recency_days", "age_days"]
        each = rows[keys].merge(predictions, on=keys, how="left")
        revenue = each[f"expected_orders_{horizon}d"].to_numpy() * base.expected_value(rows)
        chance = each[f"order_probability_{horizon}d"].to_numpy()
        parameters = base.to_dict()
        found = {f"{model}_{name}": value for model, of in parameters.items() for name, value in of.items()}
        return found, pd.DataFrame({"order_probability": chance, "revenue": revenue})

    return score


def lifetimes(histories: pd.DataFrame, horizon: int) -> Callable[[], Answer]:
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    frequency, recency, age = (
        histories["frequency"],
        histories["recency"] / WEEK,
        histories["age"] / WEEK,
    )
    purchases = BetaGeoFitter(penalizer_coef=0.0)
    purchases.fit(frequency, recency, age)
    spends = (frequency > 0) & (histories["repeat_value"] > 0)
    money = GammaGammaFitter(penalizer_coef=0.0)
    money.fit(frequency[spends], histories["repeat_value"][spends])

    def score() -> Answer:
        orders = purchases.conditional_expected_number_of_purchases_up_to_time(
            horizon / WEEK, frequency, recency, age
        )
        value = money.conditional_expected_average_profit(
            frequency.where(spends, 0), histories["repeat_value"].where(spends, 0)
        )
        alive = np.asarray(purchases.conditional_probability_alive(frequency, recency, age))
        found = {
            **{f"bg_nbd_{name}": float(value) for name, value in purchases.params_.items()},
            **{f"gamma_gamma_{name}": float(value) for name, value in money.params_.items()},
        }
        revenue = np.asarray(orders, dtype=float) * np.asarray(value, dtype=float)
        return found, pd.DataFrame({"order_probability": alive, "revenue": revenue})

    return score


def pymc_marketing(histories: pd.DataFrame, horizon: int) -> Callable[[], Answer]:
    import logging

    logging.getLogger("pymc").setLevel(logging.ERROR)
    from pymc_marketing.clv import BetaGeoModel, GammaGammaModel

    rows = pd.DataFrame(
        {
            "customer_id": np.arange(len(histories)),
            "frequency": histories["frequency"].astype(float),
            "recency": histories["recency"] / WEEK,
            "T": histories["age"] / WEEK,
            "monetary_value": histories["repeat_value"].fillna(0.0),
        }
    )
    purchases = BetaGeoModel()
    purchases.fit(rows[["customer_id", "frequency", "recency", "T"]], method="map", progressbar=False)
    spends = (rows["frequency"] > 0) & (rows["monetary_value"] > 0)
    money = GammaGammaModel()
    money.fit(
        rows.loc[spends, ["customer_id", "frequency", "monetary_value"]], method="map", progressbar=False
    )

    def score() -> Answer:
        known = rows[["customer_id", "frequency", "recency", "T"]]
        orders = np.asarray(purchases.expected_purchases(known, future_t=horizon / WEEK)).ravel()
        weeks: Any = horizon / WEEK  # annotated as int, but the formula takes any number
        none = purchases.expected_probability_no_purchase(weeks, known)
        spent = rows[["customer_id", "frequency", "monetary_value"]].copy()
        spent.loc[~spends, ["frequency", "monetary_value"]] = 0.0
        value = np.asarray(money.expected_customer_spend(spent)).ravel()
        fitted = {**_means(purchases, "bg_nbd"), **_means(money, "gamma_gamma")}
        chance = 1 - np.asarray(none).ravel()
        return fitted, pd.DataFrame({"order_probability": chance, "revenue": orders * value})

    return score


def _means(model: Any, name: str) -> dict[str, float]:
    return {f"{name}_{key}": float(value.mean()) for key, value in model.fit_result.items()}


LIBRARIES: dict[str, Callable[[pd.DataFrame, int], Callable[[], Answer]]] = {
    "Mailroom, base": mailroom,
    "lifetimes": lifetimes,
    "pymc-marketing, MAP": pymc_marketing,
}


def main() -> None:
    library, source, horizon, target = sys.argv[1:]
    warnings.simplefilter("ignore")
    histories = pd.read_parquet(source)
    work = LIBRARIES[library]
    warm = histories.head(200)
    try:
        work(warm, int(horizon))()
    except Exception as error:  # a peer may fail on a few rows
        print(f"on 200 rows: {error!r}")
    begun = time.perf_counter()
    score = work(histories, int(horizon))
    fitted = time.perf_counter()
    parameters, predictions = score()
    scored = time.perf_counter()
    predictions.to_parquet(Path(target))
    print(json.dumps({"fit": fitted - begun, "score": scored - fitted, "parameters": parameters}))


if __name__ == "__main__":
    main()
