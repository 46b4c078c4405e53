"""The arms of every experiment against its control: intervals for one look and for daily looks."""

from typing import Any

import numpy as np
import pandas as pd

from mailroom.measurement.intervals import (
    ALPHA,
    Estimate,
    Sums,
    always_valid_p,
    difference,
    needed_customers,
    of_adjusted_means,
    of_ratio,
    sample_ratio_p,
    sequence_half_width,
    variance_saved,
)
from mailroom.measurement.verdicts import MIN_CONVERTERS, has_enough_converters
from mailroom.scoring.frames import frame, table

KEY = ["experiment", "measure", "segment_type", "segment", "arm"]
NUMBERS = [
    "mean", "control_mean", "difference", "difference_low", "difference_high", "p_value", "lift", "lift_low",
    "lift_high", "lift_sequence_low", "lift_sequence_high", "sequence_low", "sequence_high", "always_valid_p",
    "adjusted_p", "variance_saved_share", "sample_ratio_p",
]  # fmt: skip
COUNTS = [
    "n_customers",
    "n_control",
    "n_converters",
    "n_control_converters",
    "n_emailed",
    "n_control_emailed",
]
TYPES = (
    dict.fromkeys(KEY, "string") | {"control": "string"} | dict.fromkeys(COUNTS, "bigint")
    | dict.fromkeys(NUMBERS, "double") | {
        "n_needed": "bigint", "n_converters_needed": "bigint", "has_enough_converters": "boolean",
        "is_significant": "boolean",
    }
)  # fmt: skip


def compare_arms(session: Any, sums: Any, experiments: Any, sizes: Any) -> Any:
    """Return one row per experiment, measure, segment and arm that is not the control.

    sums: model experiment_sums. experiments and sizes: the models of these names. Differences are treated
    minus control, in the unit of the measure per customer (of ratios, per unit of the denominator). n_needed:
    customers in both arms for the experiment's minimum lift at a power of 0.8. adjusted_p: always_valid_p
    after Holm's correction over the segments of one type. is_significant: it is at most ALPHA, and both
    arms have n_converters_needed customers with the outcome.
    """
    wide = frame(sums, KEY)
    entries = frame(experiments, ["experiment"])[
        ["experiment", "control", "minimum_lift", "planned_customers"]
    ]
    rows = compared(wide.merge(entries, on="experiment"), ratio_p_values(frame(sizes, ["experiment", "arm"])))
    return table(session, rows, TYPES)


def ratio_p_values(sizes: pd.DataFrame) -> dict[str, float]:
    """Return the p-value of the arms' sizes for each experiment."""
    found = {}
    for experiment, arms in sizes.groupby("experiment"):
        counts = arms["n_customers"].to_numpy(dtype=float)
        found[str(experiment)] = sample_ratio_p(counts, arms["share"]) if counts.sum() else np.nan
    return found


def compared(sums: pd.DataFrame, ratio_p: dict[str, float]) -> pd.DataFrame:
    """Compare every arm with the control of its experiment. Columns: TYPES."""
    is_control = sums["arm"] == sums["control"]
    beside = sums[is_control].drop(columns=["arm", "control", "kind", "minimum_lift", "planned_customers"])
    rows = sums[~is_control].merge(beside, on=KEY[:-1], suffixes=("", "_control"))
    if rows.empty:
        return pd.DataFrame(columns=list(TYPES))
    treated, control = _sums(rows, ""), _sums(rows, "_control")
    is_ratio = (rows["kind"] == "ratio").to_numpy()
    with np.errstate(all="ignore"):
        adjusted_treated, adjusted_control = of_adjusted_means(treated, control)
        one = _either(is_ratio, of_ratio(treated), adjusted_treated)
        other = _either(is_ratio, of_ratio(control), adjusted_control)
        found = difference(one, other)
        planned = rows["planned_customers"].to_numpy(dtype=float)
        half = sequence_half_width(found.standard_error, found.n, planned)
        lift_half = sequence_half_width(found.lift_error, found.n, planned)
        p_value = always_valid_p(found.difference, found.standard_error, found.n, planned)
        share = rows["n_control"] / found.n
        variance = (one.variance * treated.n + other.variance * control.n) / 2
        effect = rows["minimum_lift"].to_numpy(dtype=float) * np.abs(other.mean)
        needed = needed_customers(variance, effect, np.clip(share, 1e-9, 1 - 1e-9))
        saved = np.where(is_ratio, 0.0, variance_saved(treated, control))
    result = rows[KEY].assign(
        control=rows["control"],
        n_customers=rows["n"], n_control=rows["n_control"],
        n_converters=rows["n_positive"], n_control_converters=rows["n_positive_control"],
        n_emailed=rows["n_emailed"], n_control_emailed=rows["n_emailed_control"],
        mean=one.mean, control_mean=other.mean, difference=found.difference,
        difference_low=found.low, difference_high=found.high, p_value=found.p_value, lift=found.lift,
        lift_low=found.lift_low, lift_high=found.lift_high,
        lift_sequence_low=found.lift - lift_half, lift_sequence_high=found.lift + lift_half,
        sequence_low=found.difference - half, sequence_high=found.difference + half,
        always_valid_p=p_value, variance_saved_share=saved,
        sample_ratio_p=rows["experiment"].map(ratio_p),
        n_needed=pd.array(np.where(np.isfinite(needed), np.ceil(needed), np.nan), dtype="Int64"),
        n_converters_needed=MIN_CONVERTERS,
        has_enough_converters=has_enough_converters(rows["n_positive"], rows["n_positive_control"]),
    )  # fmt: skip
    result["adjusted_p"] = _holm(result)
    result["is_significant"] = result["has_enough_converters"] & (result["adjusted_p"] <= ALPHA)
    result[NUMBERS] = result[NUMBERS].replace([np.inf, -np.inf], np.nan)
    return result[list(TYPES)]


def _sums(rows: pd.DataFrame, of: str) -> Sums:
    return Sums(*(rows[f"{name}{of}"].to_numpy(dtype=float) for name in ("n", "y", "yy", "x", "xx", "xy")))


def _either(is_ratio: Any, ratio: Estimate, mean: Estimate) -> Estimate:
    return Estimate(
        np.where(is_ratio, ratio.mean, mean.mean), np.where(is_ratio, ratio.variance, mean.variance), mean.n
    )


def _holm(rows: pd.DataFrame) -> pd.Series:
    """Return always_valid_p after Holm's correction over the segments of each measure and arm."""
    ordered = rows.sort_values("always_valid_p")
    groups = ordered.groupby(["experiment", "measure", "segment_type", "arm"], sort=False)["always_valid_p"]
    left = groups.transform("size") - groups.cumcount()
    raised = (ordered["always_valid_p"] * left).clip(upper=1.0)
    keys = [ordered[name] for name in ("experiment", "measure", "segment_type", "arm")]
    return raised.groupby(keys, sort=False).cummax().reindex(rows.index)
