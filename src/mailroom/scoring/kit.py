"""All that was learned up to a moment, to answer for customers at it: plain numbers, to JSON and from it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mailroom.models.blend import ReturnBlend, SpendBlend
from mailroom.models.inputs import INPUTS, TOPICS
from mailroom.models.rhythm import OrderRhythm
from mailroom.models.rules import RateRule, history_rate
from mailroom.scoring.base import QUANTILES, Base

Floats = NDArray[np.float64]
YEAR = 365
LEAST_REASON = 0.1  # logits; less than this is no reason
TOPIC_NAMES = (*TOPICS, None)


@dataclass
class Kit:
    """For customers who have bought: the chance of another order, money, and when, by every method there
    is."""

    horizon: int
    base: Base
    level: dict[str, float]  # factors of the base's level: chance, money, money over a year
    is_level_verified: bool
    rule: RateRule | None = None
    chance: ReturnBlend | None = None
    money: SpendBlend | None = None
    rhythm: OrderRhythm | None = None
    intervals: dict[str, Any] = field(default_factory=dict)
    methods: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys(("churn", "value", "next_order"), "rule")
    )
    shapes: dict[str, Any] = field(default_factory=dict)  # of inputs and scores on the day of training

    def answer(self, features: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
        """Per customer with an order: the chance of another within the horizon, the money in it and in a
        year, by every method that there is. base is what Base.predict says of them."""
        days = self.horizon
        value = self.base.expected_value(features)
        found = pd.DataFrame(index=features.index)
        found["chance_base"] = levelled(
            base[f"order_probability_{days}d"].to_numpy(dtype=float), self.level["chance_shift"]
        )
        found["money_base"] = base[f"expected_orders_{days}d"].to_numpy() * value * self.level["money"]
        found["year_base"] = base[f"expected_orders_{YEAR}d"].to_numpy() * value * self.level["money_year"]
        found["money_rule"], found["year_rule"] = history_rate(features, days), history_rate(features, YEAR)
        if self.rule:
            found["chance_rule"] = self.rule.predict(features)
        if self.chance:
            found["chance_blend"] = self.chance.predict(features, found["chance_base"])
        if self.money:
            found["money_blend"] = self.money.predict(features, found["money_base"])
            ratio = found["money_blend"] / found["money_base"].where(found["money_base"] > 0)
            found["year_blend"] = found["year_base"] * ratio.fillna(1.0)
        return found

    def next_order(
        self, features: pd.DataFrame, base: pd.DataFrame, within: float
    ) -> dict[str, pd.DataFrame]:
        """Days to the next order if it comes within so many, by method: low, median and high (QUANTILES).
        base is what Base.next_order says. The rhythm leaves to the base whom it knows no pace of; the rule
        takes the customer's mean gap, or the shop's, and knows no bounds of its own."""
        found = {"base": base}
        waited = features["days_since_last_order"].to_numpy(dtype=float)
        gap = features["mean_gap_days"].to_numpy(dtype=float, na_value=np.nan)
        if self.rhythm and self.rhythm.gap_days_ is not None:
            gap = np.where(np.isfinite(gap), gap, self.rhythm.gap_days_)
            paced = {name: self.rhythm.predict(features, part, within) for name, part in QUANTILES.items()}
            found["rhythm"] = pd.DataFrame(paced, index=features.index).fillna(base)
        due = np.where(np.isfinite(gap), np.clip(gap - waited, 0, within), base["median"])
        found["rule"] = base.assign(
            low=np.minimum(base["low"], due), median=due, high=np.maximum(base["high"], due)
        )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "horizon": self.horizon,
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
        """As to_dict wrote it."""
        kit = cls(
            written["horizon"],
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
    """For people who have never bought: the chance of a first order, and what it would bring.

    The prior is how often people known for as long bought within the horizon; the blend adds what they do.
    """

    horizon: int
    rule: RateRule
    chance: ReturnBlend | None
    money: float  # what somebody who buys for the first time leaves in the shop within the horizon
    money_year: float  # … and within a year
    methods: dict[str, str] = field(default_factory=lambda: {"first_order": "rule"})
    shapes: dict[str, Any] = field(default_factory=dict)

    def answer(self, features: pd.DataFrame) -> pd.DataFrame:
        """Per customer without an order, by every method that there is, as Kit.answer."""
        found = pd.DataFrame(index=features.index)
        found["chance_rule"] = self.rule.predict(features)
        if self.chance:
            found["chance_blend"] = self.chance.predict(features, found["chance_rule"])
        for method in [name.removeprefix("chance_") for name in found]:
            found[f"money_{method}"] = found[f"chance_{method}"] * self.money
            found[f"year_{method}"] = found[f"chance_{method}"] * self.money_year
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "horizon": self.horizon,
            "rule": self.rule.to_dict(),
            "chance": self.chance.to_dict() if self.chance else None,
            "money": self.money,
            "money_year": self.money_year,
            "methods": self.methods,
            "shapes": self.shapes,
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "FirstOrderKit":
        """As to_dict wrote it."""
        return cls(
            written["horizon"],
            RateRule.from_dict(written["rule"]),
            ReturnBlend.from_dict(written["chance"]) if written["chance"] else None,
            written["money"],
            written["money_year"],
            written["methods"],
            written["shapes"],
        )


def reasons(blend: ReturnBlend | None, features: pd.DataFrame, base: Floats) -> pd.DataFrame:
    """Per row the two topics that move the regression furthest from the average customer, in the direction
    of their sum, and whether that is up. The base knows two. Columns reason_1, reason_2 (None where there is
    no second), is_likelier (None without a blend)."""
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


def levelled(chance: Floats, shift: float) -> Floats:
    """Probabilities with logits shifted."""
    odds = np.clip(chance, 1e-9, 1 - 1e-9)
    odds = odds / (1 - odds) * np.exp(shift)
    return np.asarray(odds / (1 + odds))
