"""Similarity of people to a chosen group, as a sum of points for their known traits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]
COMMON = 20  # customers; rarer values are ignored, as they say little and might identify a person


class TraitPoints:
    """The chance of belonging to the chosen group, by a ridge logistic regression on traits.

    A customer has values of some traits, perhaps several of one trait. A value is compared among customers
    with that trait known, so an unknown trait adds nothing to the chance.

    Attributes: points_, one row per trait and value with points (logits, compared with the average of
    customers with the trait known), chosen_share and other_share (the share with the value, among the chosen
    and the others with the trait known); intercept_, the logit of a customer without known traits.
    """

    def __init__(self, ridge: float = 10.0) -> None:
        self.ridge = ridge

    def fit(self, traits: pd.DataFrame, chosen: pd.Series, weight: pd.Series | None = None) -> "TraitPoints":
        """Fit the points.

        traits: columns customer_id, trait and trait_value, one row per value of a customer. chosen: boolean
        by customer_id. weight: customers that each stands for, by customer_id.

        Raises ValueError if all are chosen, or none.
        """
        outcome = chosen.to_numpy(dtype=bool)
        if outcome.all() or not outcome.any():
            raise ValueError("all customers are chosen, or none: there is nothing to learn")
        weights = (
            np.ones(len(outcome)) if weight is None else weight.reindex(chosen.index).to_numpy(dtype=float)
        )
        sizes = traits.groupby(["trait", "trait_value"], sort=True).size()
        values = sizes.index[sizes.to_numpy() >= COMMON]
        has, known = _indicators(traits, chosen.index, values)

        def share(of: Floats) -> Floats:
            total = of @ known
            return np.divide(of @ has, total, out=np.zeros(len(values)), where=total > 0)

        average = share(weights)
        points = np.zeros(len(values))
        self.intercept_ = float(np.log(weights @ outcome) - np.log(weights @ ~outcome))
        if len(values):
            regression = LogisticRegression(C=1 / self.ridge, max_iter=1_000)
            regression.fit((has - average) * known, outcome, sample_weight=weights)
            points, self.intercept_ = regression.coef_[0], float(regression.intercept_[0])
        self.points_ = pd.DataFrame(
            {
                "trait": values.get_level_values(0).to_numpy(dtype=object),
                "trait_value": values.get_level_values(1).to_numpy(dtype=object),
                "points": points,
                "average": average,
                "chosen_share": share(weights * outcome),
                "other_share": share(weights * ~outcome),
            }
        )
        return self

    def predict(self, traits: pd.DataFrame, customers: pd.Index) -> Floats:
        """Return the chance of belonging to the chosen group per customer, shape (len(customers),)."""
        values = pd.MultiIndex.from_frame(self.points_[["trait", "trait_value"]])
        has, known = _indicators(traits, customers, values)
        moved = (has - self.points_["average"].to_numpy()) * known
        return np.asarray(expit(self.intercept_ + moved @ self.points_["points"].to_numpy()))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and texts for JSON."""
        return {"intercept": self.intercept_, "points": self.points_.to_dict("list")}

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> "TraitPoints":
        """Read what to_dict wrote."""
        model = cls()
        model.intercept_, model.points_ = written["intercept"], pd.DataFrame(written["points"])
        return model


def _indicators(traits: pd.DataFrame, customers: pd.Index, values: pd.MultiIndex) -> tuple[Floats, Floats]:
    """Return whether each customer has each value, and whether its trait is known; shape (customers,
    values)."""
    has, known = np.zeros((len(customers), len(values))), np.zeros((len(customers), len(values)))
    row = customers.get_indexer(traits["customer_id"])
    column = values.get_indexer(pd.MultiIndex.from_frame(traits[["trait", "trait_value"]]))
    of_value = (row >= 0) & (column >= 0)
    has[row[of_value], column[of_value]] = 1
    for trait in values.get_level_values(0).unique():
        of_trait = (row >= 0) & (traits["trait"].to_numpy() == trait)
        known[np.ix_(np.unique(row[of_trait]), values.get_level_values(0) == trait)] = 1
    return has, known
