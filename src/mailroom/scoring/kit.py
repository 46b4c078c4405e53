"""All that was learned up to a moment, to answer for customers at it: plain numbers, to JSON and from it."""

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
LEAST_REASON = 0.1  # logits; less than this is no reason
TOPIC_NAMES = (*TOPICS, None)


@dataclass
class Kit:
    """For customers who have bought: the chance of another order, money, and when, by every method there
    is.

    Outcomes within learning_days are what it learned from; the base carries what they say to the horizon.
    """

    horizon: int
    learning_days: int
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

    def answer(
        self, features: pd.DataFrame, base: pd.DataFrame, scores: Collection[str] = ("churn", "value")
    ) -> pd.DataFrame:
        """Per customer with an order: the chance of another within the horizon (churn), the money in it and
        in a year (value), by every method that there is. base is what Base.predict says of them."""
        days, learned = self.horizon, self.learning_days
        found = pd.DataFrame(index=features.index)
        chance, money = self.learned(features, base)
        if "churn" in scores:
            known = base[f"order_probability_{days}d"].to_numpy(dtype=float)
            found["chance_base"] = levelled(known, self.level["chance_shift"])
            if self.rule:
                found["chance_rule"] = stretched(self.rule.predict(features), days / learned)
            if self.chance:
                moved = logits(self.chance.predict(features, chance)) - logits(chance)
                found["chance_blend"] = levelled(found["chance_base"].to_numpy(), moved)
        if "value" in scores:
            value = self.base.expected_value(features)
            for over, ahead in (("money", days), ("year", YEAR)):
                level = self.level["money" if over == "money" else "money_year"]
                found[f"{over}_base"] = base[f"expected_orders_{ahead}d"].to_numpy() * value * level
                found[f"{over}_rule"] = history_rate(features, ahead)
            if self.money:
                ratio = self.money.predict(features, money) / np.where(money > 0, money, np.nan)
                for over in ("money", "year"):
                    found[f"{over}_blend"] = found[f"{over}_base"] * np.nan_to_num(ratio, nan=1.0)
        return found

    def learned(self, features: pd.DataFrame, base: pd.DataFrame) -> tuple[Floats, Floats]:
        """The base's chance of an order and its money within learning_days: what the blends move. base is
        what Base.predict says within the horizon."""
        days = self.learning_days
        known = base if days == self.horizon else self.base.predict(features, [days])
        chance = known[f"order_probability_{days}d"].to_numpy(dtype=float)
        orders = known[f"expected_orders_{days}d"].to_numpy(dtype=float)
        money = orders * self.base.expected_value(features) * self.level["money"]
        return levelled(chance, self.level["chance_shift"]), money

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
        """As to_dict wrote it."""
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
    """For people who have never bought: the chance of a first order, and what it would bring.

    The prior is how often people known for as long bought within learning_days; the blend adds what they do.
    """

    horizon: int
    learning_days: int
    rule: RateRule
    chance: ReturnBlend | None
    money: float  # what somebody who buys for the first time leaves in the shop within the horizon
    money_year: float  # … and within a year
    methods: dict[str, str] = field(default_factory=lambda: {"first_order": "rule"})
    shapes: dict[str, Any] = field(default_factory=dict)

    def answer(self, features: pd.DataFrame) -> pd.DataFrame:
        """Per customer without an order, by every method that there is, as Kit.answer."""
        found = pd.DataFrame(index=features.index)
        times = self.horizon / self.learning_days
        prior = self.rule.predict(features)
        found["chance_rule"] = stretched(prior, times)
        if self.chance:
            found["chance_blend"] = stretched(self.chance.predict(features, prior), times)
        for method in [name.removeprefix("chance_") for name in found]:
            found[f"money_{method}"] = found[f"chance_{method}"] * self.money
            found[f"year_{method}"] = found[f"chance_{method}"] * self.money_year
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
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
        """As to_dict wrote it."""
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


def logits(chance: Floats) -> Floats:
    """Of probabilities, none nearer to 0 or 1 than a thousand millionth."""
    return np.asarray(logit(np.clip(chance, 1e-9, 1 - 1e-9)))


def levelled(chance: Floats, shift: float | Floats) -> Floats:
    """Probabilities with logits shifted."""
    return np.asarray(expit(logits(chance) + shift))


def stretched(chance: Floats, times: float) -> Floats:
    """The chance within so many times the days, if it were the same on each of them."""
    return np.asarray(1 - (1 - chance) ** times)
