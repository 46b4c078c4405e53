"""Trained models of one cut-off, which predict for customers at it. They are stored as JSON."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from mailroom.estimators.blend import ReturnBlend, SpendBlend
from mailroom.estimators.inputs import INPUTS, TOPICS
from mailroom.estimators.rhythm import OrderRhythm
from mailroom.estimators.rules import RateRule, history_rate
from mailroom.scoring.base import QUANTILES, Base

Floats = NDArray[np.float64]
YEAR = 365
LEAST_REASON = 0.1  # logits; a smaller effect is no reason
TOPIC_NAMES = (*TOPICS, None)


@dataclass
class Kit:
    """Models for customers who have bought: the chance of another order, its money, and its date, by method.

    It is trained on outcomes within learning_days. The base model extends them to the horizon.
    """

    horizon: int
    learning_days: int
    base: Base
    level: dict[str, float]  # corrects the base's level: chance, money, money over a year
    is_level_verified: bool
    rule: RateRule | None = None
    chance: ReturnBlend | None = None
    money: SpendBlend | None = None
    rhythm: OrderRhythm | None = None
    intervals: dict[str, Any] = field(default_factory=dict)
    methods: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys(("churn", "value", "next_order"), "rule")
    )
    shapes: dict[str, Any] = field(
        default_factory=dict
    )  # distributions of inputs and scores on the training day

    def answer(
        self, features: pd.DataFrame, base: pd.DataFrame, scores: Collection[str] = ("churn", "value")
    ) -> pd.DataFrame:
        """Return, per customer with an order and per method, the chance of another order within the horizon
        (churn) and the money within the horizon and a year (value). base: Base.predict of the customers."""
        days, learned = self.horizon, self.learning_days
        answers = pd.DataFrame(index=features.index)
        chance, money = self.learned(features, base)
        if "churn" in scores:
            known = base[f"order_probability_{days}d"].to_numpy(dtype=float)
            answers["chance_base"] = levelled(known, self.level["chance_shift"])
            if self.rule:
                answers["chance_rule"] = stretched(self.rule.predict(features), days / learned)
            if self.chance:
                moved = logits(self.chance.predict(features, chance)) - logits(chance)
                answers["chance_blend"] = levelled(answers["chance_base"].to_numpy(), moved)
        if "value" in scores:
            value = self.base.expected_value(features)
            for over, ahead in (("money", days), ("year", YEAR)):
                level = self.level["money" if over == "money" else "money_year"]
                answers[f"{over}_base"] = base[f"expected_orders_{ahead}d"].to_numpy() * value * level
                answers[f"{over}_rule"] = history_rate(features, ahead)
            if self.money:
                ratio = self.money.predict(features, money) / np.where(money > 0, money, np.nan)
                for over in ("money", "year"):
                    answers[f"{over}_blend"] = answers[f"{over}_base"] * np.nan_to_num(ratio, nan=1.0)
        return answers

    def learned(self, features: pd.DataFrame, base: pd.DataFrame) -> tuple[Floats, Floats]:
        """Return the base's chance of an order and its money within learning_days, which the blends adjust.
        base: Base.predict within the horizon."""
        days = self.learning_days
        known = base if days == self.horizon else self.base.predict(features, [days])
        chance = known[f"order_probability_{days}d"].to_numpy(dtype=float)
        orders = known[f"expected_orders_{days}d"].to_numpy(dtype=float)
        money = orders * self.base.expected_value(features) * self.level["money"]
        return levelled(chance, self.level["chance_shift"]), money

    def next_order(
        self, features: pd.DataFrame, base: pd.DataFrame, within: float
    ) -> dict[str, pd.DataFrame]:
        """Return days to the next order if it comes within that many, by method: low, median, high
        (QUANTILES). base: Base.next_order. The rhythm uses the base for customers without a pace. The rule
        takes the customer's mean gap, or the shop's, and widens the base's interval to include it."""
        by_method = {"base": base}
        waited = features["days_since_last_order"].to_numpy(dtype=float)
        gap = features["mean_gap_days"].to_numpy(dtype=float, na_value=np.nan)
        if self.rhythm and self.rhythm.gap_days_ is not None:
            gap = np.where(np.isfinite(gap), gap, self.rhythm.gap_days_)
            paced = {name: self.rhythm.predict(features, part, within) for name, part in QUANTILES.items()}
            by_method["rhythm"] = pd.DataFrame(paced, index=features.index).fillna(base)
        due = np.where(np.isfinite(gap), np.clip(gap - waited, 0, within), base["median"])
        by_method["rule"] = base.assign(
            low=np.minimum(base["low"], due), median=due, high=np.maximum(base["high"], due)
        )
        return by_method

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {
            "horizon": self.horizon,
            "learning_days": self.learning_days,
            "base": self.base.to_dict(),
            "level": self.level,
            "is_level_verified": self.is_level_verified,
            "rule": self.rule.to_dict() if self.rule else None,
            "chance": self.chance.to_dict() if self.chance else None,
            "money": self.money.to_dict() if self.money else None,
            "rhythm": self.rhythm.to_dict() if self.rhythm else None,
            "intervals": self.intervals,
            "methods": self.methods,
            "shapes": self.shapes,
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "Kit":
        """Read what to_dict wrote."""
        kit = cls(
            written["horizon"],
            written["learning_days"],
            Base.from_dict(written["base"]),
            written["level"],
            written["is_level_verified"],
        )
        kit.rule = RateRule.from_dict(written["rule"]) if written["rule"] else None
        kit.chance = ReturnBlend.from_dict(written["chance"]) if written["chance"] else None
        kit.money = SpendBlend.from_dict(written["money"]) if written["money"] else None
        kit.rhythm = OrderRhythm.from_dict(written["rhythm"]) if written["rhythm"] else None
        kit.intervals, kit.methods = written["intervals"], written["methods"]
        kit.shapes = written["shapes"]
        return kit


@dataclass
class FirstOrderKit:
    """Models for people who have never bought: the chance of a first order, and its money.

    The rule is the share of people known for as long who bought within learning_days. The blend adds
    behaviour.
    """

    horizon: int
    learning_days: int
    rule: RateRule
    chance: ReturnBlend | None
    money: float  # what a first-time buyer spends within the horizon
    money_year: float  # … and within a year
    methods: dict[str, str] = field(default_factory=lambda: {"first_order": "rule"})
    shapes: dict[str, Any] = field(default_factory=dict)

    def answer(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return chance and money per customer without an order and per method, as Kit.answer does."""
        answers = pd.DataFrame(index=features.index)
        times = self.horizon / self.learning_days
        prior = self.rule.predict(features)
        answers["chance_rule"] = stretched(prior, times)
        if self.chance:
            answers["chance_blend"] = stretched(self.chance.predict(features, prior), times)
        for method in [name.removeprefix("chance_") for name in answers]:
            answers[f"money_{method}"] = answers[f"chance_{method}"] * self.money
            answers[f"year_{method}"] = answers[f"chance_{method}"] * self.money_year
        return answers

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {
            "horizon": self.horizon,
            "learning_days": self.learning_days,
            "rule": self.rule.to_dict(),
            "chance": self.chance.to_dict() if self.chance else None,
            "money": self.money,
            "money_year": self.money_year,
            "methods": self.methods,
            "shapes": self.shapes,
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "FirstOrderKit":
        """Read what to_dict wrote."""
        return cls(
            written["horizon"],
            written["learning_days"],
            RateRule.from_dict(written["rule"]),
            ReturnBlend.from_dict(written["chance"]) if written["chance"] else None,
            written["money"],
            written["money_year"],
            written["methods"],
            written["shapes"],
        )


def reasons(blend: ReturnBlend | None, features: pd.DataFrame, base: Floats) -> pd.DataFrame:
    """Return per row the two topics that move the regression furthest from the average customer, in the
    direction of their sum. Columns reason_1, reason_2 (None if there is no second), is_likelier (whether
    the sum is up; None without a blend, whose reasons are always rhythm and loyalty)."""
    if blend is None:
        both = pd.DataFrame({"reason_1": "rhythm", "reason_2": "loyalty"}, index=features.index, dtype=object)
        return both.assign(is_likelier=None)
    by_input = blend.contributions(features, base)
    members = [[INPUTS.index(name) for name in names] for names in TOPICS.values()]
    by_topic = np.column_stack([by_input[:, columns].sum(axis=1) for columns in members])
    by_topic[:, 0] += by_input[:, -1]
    total = by_topic.sum(axis=1)
    effects = by_topic * np.where(total < 0, -1.0, 1.0)[:, None]
    order = np.argsort(-effects, axis=1, kind="stable")[:, :2]
    size = np.take_along_axis(effects, order, axis=1)
    chosen = np.where(size >= LEAST_REASON, order, len(TOPICS))
    chosen[:, 0] = order[:, 0]
    names = np.array(TOPIC_NAMES, dtype=object)
    return pd.DataFrame(
        {"reason_1": names[chosen[:, 0]], "reason_2": names[chosen[:, 1]], "is_likelier": total >= 0},
        index=features.index,
    )


def logits(chance: Floats) -> Floats:
    """Return the logits of probabilities, clipped to within 1e-9 of 0 and 1."""
    return np.asarray(logit(np.clip(chance, 1e-9, 1 - 1e-9)))


def levelled(chance: Floats, shift: float | Floats) -> Floats:
    """Return probabilities whose logits are shifted."""
    return np.asarray(expit(logits(chance) + shift))


def stretched(chance: Floats, times: float) -> Floats:
    """Return the chance over `times` as many days, if it is the same on each day."""
    return np.asarray(1 - (1 - chance) ** times)
