"""The next choice of a customer: shares of own interest, shrunk towards the shop's shares."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

Floats = NDArray[np.float64]
WEAKEST, STRONGEST = 1e-3, 1e6  # points


class ShrunkShares:
    """The chance of each thing as the mean of a Dirichlet distribution around the shop's shares:
        p_ic = (interest_ic + strength share_c) / (sum_c interest_ic + strength).
    strength_, in points of interest, maximises the likelihood of the next choices. At STRONGEST, own interest
    has no weight.
    """

    def fit(
        self, interest: ArrayLike, own_total: ArrayLike, share: ArrayLike, chosen: ArrayLike
    ) -> "ShrunkShares":
        """Fit on rows (n,) of customer and thing: points of interest in it, the customer's total points, its
        share of all choices (above 0), and how often the customer chose it next. Without a choice, the shop's
        shares are used."""
        points, total, shares, times = (
            np.asarray(column, dtype=float) for column in (interest, own_total, share, chosen)
        )
        taken = times > 0
        if not taken.any():
            self.strength_ = STRONGEST
            return self
        points, total, shares, times = points[taken], total[taken], shares[taken], times[taken]

        def loss(log_strength: float) -> float:
            strength = np.exp(log_strength)
            return float(-(times * np.log((points + strength * shares) / (total + strength))).sum())

        optimum = minimize_scalar(loss, bounds=(np.log(WEAKEST), np.log(STRONGEST)), method="bounded")
        self.strength_ = float(np.exp(optimum.x))
        return self

    def predict(self, interest: ArrayLike, own_total: ArrayLike, share: ArrayLike) -> Floats:
        """Return the chance of each row's thing, (n,)."""
        points, total, shares = (np.asarray(column, dtype=float) for column in (interest, own_total, share))
        return np.asarray((points + self.strength_ * shares) / (total + self.strength_), dtype=float)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {"strength": self.strength_}
