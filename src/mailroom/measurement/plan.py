"""How many customers, and how many weeks, an experiment needs: computed on the shop's own last weeks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mailroom.measurement.intervals import Sums, needed_customers, variance_saved
from mailroom.warehouse import opened

WEEKS = (1, 2, 4, 8, 13, 26)
COVARIATE_DAYS = 90
POPULATIONS = {
    "everyone": "select customer_id from customers",
    "contactable": """
        select customer_id from contactability
        where channel = 'email' and message_class = 'promotional' and is_allowed
    """,
}
# Of a customer in a window: revenue, orders, clicks by people.
OUTCOMES = {
    "net_revenue": "coalesce(revenue, 0)",
    "ordered": "(coalesce(n_orders, 0) > 0)::int",
    "clicked": "(coalesce(n_clicks, 0) > 0)::int",
}


@dataclass(frozen=True)
class Window:
    """What an experiment of so many weeks would have. needed: customers in all arms."""

    weeks: int
    mean: float
    saved: float
    needed: int | None


@dataclass(frozen=True)
class Plan:
    """The windows, shortest first, and the customers that could be assigned today."""

    customers: int
    windows: list[Window]

    @property
    def weeks(self) -> int | None:
        """The shortest window for which the customers are enough, or None."""
        fitting = (
            window for window in self.windows if window.needed is not None and window.needed <= self.customers
        )
        return next((window.weeks for window in fitting), None)


def plan(
    path: Path, measure: str, lift: float, control_share: float, population: str = "contactable"
) -> Plan:
    """Look at the customers of today over their last weeks, as if they had been assigned then.

    lift: the relative difference to find. control_share: share of the customers in the control arm.

    Raises:
        ValueError: there is no such warehouse, measure or population, or the shares are none.
    """
    if measure not in OUTCOMES:
        raise ValueError(f"measure {measure} is not one of {', '.join(OUTCOMES)}")
    if population not in POPULATIONS:
        raise ValueError(f"population {population} is not one of {', '.join(POPULATIONS)}")
    if not 0 < control_share < 1 or lift <= 0:
        raise ValueError("a control share is between 0 and 1, and a lift above 0")
    windows, customers = [], 0
    with opened(path) as connection:
        for weeks in WEEKS:
            row = connection.execute(_QUERY.format(
                population=POPULATIONS[population], weeks=weeks, days=COVARIATE_DAYS, y=OUTCOMES[measure]
            )).fetchone()  # fmt: skip
            assert row is not None
            sums, customers = Sums(*row), int(row[0])
            # Both halves of a random split have the same sums, so one arm stands for both.
            saved = float(variance_saved(sums, Sums(0, 0, 0)))
            variance = float(sums.variance) * (1 - saved)
            needed = needed_customers(variance, lift * float(sums.mean), control_share) if row[1] else np.inf
            windows.append(
                Window(weeks, float(sums.mean), saved, int(np.ceil(needed)) if np.isfinite(needed) else None)
            )
    return Plan(customers, windows)


_QUERY = """
with today as (select max(checked_at) as moment from field_checks),
people as ({population}),
orders_in as (
    select
        customer_id,
        sum(net_revenue) filter (ordered_at > moment - to_days(7 * {weeks})) as revenue,
        count(*) filter (is_sale and ordered_at > moment - to_days(7 * {weeks})) as n_orders,
        sum(net_revenue) filter (ordered_at <= moment - to_days(7 * {weeks})) as revenue_before
    from orders cross join today
    where
        (is_sale or is_renewal)
        and ordered_at > moment - to_days(7 * {weeks} + {days}) and ordered_at <= moment
    group by customer_id
),
clicks_in as (
    select customer_id, count(*) as n_clicks from email_events cross join today
    where event_type = 'clicked' and not coalesce(is_machine, false)
    and occurred_at > moment - to_days(7 * {weeks}) and occurred_at <= moment
    group by customer_id
),
outcomes as (
    select ({y})::double as y, coalesce(revenue_before, 0)::double as x
    from people left join orders_in using (customer_id) left join clicks_in using (customer_id)
)
select
    count(*), coalesce(sum(y), 0), coalesce(sum(y * y), 0), coalesce(sum(x), 0), coalesce(sum(x * x), 0),
    coalesce(sum(x * y), 0)
from outcomes
"""


def as_text(found: Plan, measure: str, lift: float) -> str:
    """Return the plan as lines for a terminal."""
    lines = [f"{found.customers:,} customers could be assigned today. To find a lift of {lift:.0%}:", ""]
    lines.append(
        f"{'weeks':>5}  {measure + ' per customer':>26}  {'explained by spend before':>25}"
        f"  {'customers needed':>16}"
    )
    for window in found.windows:
        needed = f"{window.needed:,}" if window.needed is not None else "cannot say"
        lines.append(f"{window.weeks:>5}  {window.mean:>26,.4f}  {window.saved:>25.0%}  {needed:>16}")
    lines.append("")
    if found.weeks:
        lines.append(
            f"{found.weeks} week{'s' if found.weeks > 1 else ''} are enough for one look at the end."
        )
    else:
        closest = min((window.needed for window in found.windows if window.needed), default=None)
        lines.append(
            "No window is enough"
            + (
                f": at best, {closest / max(found.customers, 1):,.0f} times the customers are needed."
                if closest
                else "."
            )
            + " Take a larger control arm, a larger lift, or a measure that is less rare."
        )
    return "\n".join(lines)
