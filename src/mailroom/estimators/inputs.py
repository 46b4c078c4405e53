"""Inputs of the feature models: the columns of customer_features on one scale."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Counts, days and money enter as logarithms: from 1 to 2 orders is as far as from 10 to 20.
LOGARITHMS = (
    "days_since_last_order", "n_order_days", "age_days", "known_days", "mean_gap_days", "gap_spread_days",
    "n_order_days_30d", "n_order_days_90d", "n_order_days_180d", "n_order_days_365d",
    "net_revenue", "mean_order_value", "last_order_value", "order_value_spread",
    "net_revenue_90d", "net_revenue_180d", "net_revenue_365d", "n_categories", "n_tickets_90d",
    "days_since_last_session", "days_since_last_click", "n_sessions_30d", "n_sessions_90d",
    "n_product_views_30d", "n_product_views_90d", "n_cart_adds_30d", "n_cart_adds_90d",
    "n_human_clicks_30d", "n_human_clicks_90d", "n_emails_sent_90d",
)  # fmt: skip
SHARES = ("refund_share", "discount_share")
INPUTS = LOGARITHMS + SHARES
# The topic of each input, for reasons. Recent revenue belongs to the rhythm, because there is none
# without an order.
TOPICS = {
    "rhythm": (
        "days_since_last_order", "mean_gap_days", "gap_spread_days",
        "n_order_days_30d", "n_order_days_90d", "n_order_days_180d", "n_order_days_365d",
        "net_revenue_90d", "net_revenue_180d", "net_revenue_365d",
    ),
    "loyalty": ("n_order_days", "age_days", "known_days"),
    "money": ("net_revenue", "mean_order_value", "last_order_value", "order_value_spread"),
    "range": ("n_categories",),
    "sessions": (
        "days_since_last_session", "n_sessions_30d", "n_sessions_90d", "n_product_views_30d",
        "n_product_views_90d", "n_cart_adds_30d", "n_cart_adds_90d",
    ),
    "mail": ("days_since_last_click", "n_human_clicks_30d", "n_human_clicks_90d", "n_emails_sent_90d"),
    "service": ("n_tickets_90d",),
    "refunds": ("refund_share",),
    "discounts": ("discount_share",),
}  # fmt: skip


def inputs(features: pd.DataFrame) -> Floats:
    """Return the inputs, shape (rows, len(INPUTS)). Negative money counts as 0. Unknown values are NaN.

    Raises ValueError naming the columns that are missing.
    """
    missing = [name for name in INPUTS if name not in features.columns]
    if missing:
        raise ValueError(f"customer_features lacks {', '.join(missing)}")
    table: Floats = features[list(INPUTS)].to_numpy(dtype=float, na_value=np.nan, copy=True)
    table[~np.isfinite(table)] = np.nan
    n_logarithms = len(LOGARITHMS)
    table[:, :n_logarithms] = np.log1p(np.maximum(table[:, :n_logarithms], 0))
    table[:, n_logarithms:] = np.clip(table[:, n_logarithms:], 0, 1)
    return table


class Scale:
    """Columns with mean 0 and spread 1. Unknown values and constant columns are 0.

    Attributes mean_ and spread_, one value per column.
    """

    def __init__(self, mean: ArrayLike, spread: ArrayLike) -> None:
        self.mean_, self.spread_ = np.asarray(mean, dtype=float), np.asarray(spread, dtype=float)

    @classmethod
    def of(cls, table: Floats) -> "Scale":
        """Return the scale of a table's columns."""
        known = ~np.isnan(table)
        n = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, table, 0).sum(axis=0) / n
        spread = np.sqrt(np.where(known, (table - mean) ** 2, 0).sum(axis=0) / n)
        return cls(mean, np.where(spread > 1e-9, spread, 0))

    def apply(self, table: Floats) -> Floats:
        """Return each column scaled. A column that was constant in training is 0."""
        with np.errstate(invalid="ignore"):
            scaled = (table - self.mean_) / np.where(self.spread_ > 0, self.spread_, np.inf)
        # Values far outside the training range are clipped.
        return np.asarray(np.clip(np.nan_to_num(scaled, nan=0.0), -5, 5))
