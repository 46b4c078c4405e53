"""Proposals for the thresholds that decide the size of a segment, from a shop's own data.

Every value comes from a SQL query over one build, by a rule that is stated in a sentence. Days come from the
shop's rhythm: the times from one day with an order, or with activity, to the next. A taste is a value at
which the segment has the size that its entry in segment_catalog expects. Nothing is changed.
"""

import json
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from mailroom.warehouse import opened

# With fewer returns, a share of 80% may as well be 70% or 90%.
MIN_RETURNS = 100
MIN_CUSTOMERS = 30
# Customers within this share of returns are active, or engaged. Other days keep the defaults' proportions.
RETURNED = 0.8
IN_WORDS = {1 / 3: "a third of", 1.5: "1.5 times", 2: "twice", 4: "four times"}
STAGE_PARTS = {"first_time_buyer_days": 1 / 3, "active_days": 1, "at_risk_days": 2, "lapsed_days": 4}
ENGAGED_PARTS = {"engaged_days": 1, "lightly_engaged_days": 1.5}
# A difference of less than 20% is not worth changing every customer's stage.
CLOSE = 0.2


@dataclass(frozen=True)
class Proposal:
    """One threshold: how many customers it selects, and how many another value would.

    segment: the segment or tier of that size, or `resting` for a rest. n_now, n_then: customers. proposed:
    None if the value in use stays. because: the rule and its result, in one sentence.
    """

    threshold: str
    segment: str
    in_use: float
    n_now: int
    because: str
    proposed: float | None = None
    n_then: int | None = None


@dataclass(frozen=True)
class Report:
    """All proposals. usual: lowest and highest expected share of all customers, by segment. notes: sentences
    to read before a change."""

    proposals: list[Proposal]
    n_customers: int
    n_buyers: int
    usual: dict[str, tuple[float, float]]
    notes: list[str]


class Shop:
    """One built warehouse: its thresholds in use and its distributions."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.in_use: dict[str, Any] = {
            name: json.loads(value)
            for name, value in self.rows("select threshold, value from segment_thresholds")
        }

    def rows(self, sql: str, **parameters: float) -> list[tuple[Any, ...]]:
        """Return the rows of a query with named parameters ($name)."""
        return self.connection.execute(sql, parameters).fetchall()

    def one(self, sql: str, **parameters: float) -> Any:
        """Return the only value of a query."""
        return self.rows(sql, **parameters)[0][0]

    def days_until(self, share: float, gaps: str) -> int:
        """Return the days within which this share of returns come. All customers have the same weight.

        gaps: SQL of customer_id and days, one row per return.
        """
        return int(
            self.one(f"{_shares(gaps)} select min(days) from shares where share >= $share", share=share)
        )

    def share_within(self, days: float, gaps: str) -> float:
        """Return the share of returns within `days`, with the same weights."""
        return float(
            self.one(
                f"{_shares(gaps)} select coalesce(max(share), 0) from shares where days <= $days", days=days
            )
        )

    def too_few(self, gaps: str) -> str | None:
        """Return why these returns are too few to propose days, or None if they are enough."""
        n_returns, n_customers = self.rows(
            f"select count(*), count(distinct customer_id) from ({gaps}) as gaps"
        )[0]
        if n_returns >= MIN_RETURNS and n_customers >= MIN_CUSTOMERS:
            return None
        return (
            f"{n_returns:,} returns of {n_customers:,} customers are too few; "
            f"{MIN_RETURNS} of {MIN_CUSTOMERS} customers are needed."
        )


def _shares(gaps: str) -> str:
    # Rounded, because a sum of doubles depends on the order of its rows.
    return f"""
        with weighted as (
            select days, 1 / count(*) over (partition by customer_id) as weight from ({gaps}) as gaps
        ),
        shares as (
            select days, round(sum(sum(weight)) over (order by days) / sum(sum(weight)) over (), 9) as share
            from weighted
            group by days
        )
    """


# Several orders on one day are one purchase.
ORDER_GAPS = """
    select customer_id, days_since_previous_order as days
    from orders
    where is_sale and days_since_previous_order > 0
"""
ACTION_GAPS = """
    select
        customer_id,
        activity_on - lag(activity_on) over (partition by customer_id order by activity_on) as days
    from customer_daily_activity
    where n_sessions > 0 or n_orders > 0 or n_human_clicks > 0
    qualify days is not null
"""


def ladder(
    shop: Shop,
    parts: dict[str, float],
    gaps: str,
    what: str,
    sizes: Callable[[dict[str, float]], dict[str, int]],
) -> list[Proposal]:
    """Return proposals for proportional thresholds in days. The threshold of part 1 follows the shop's
    rhythm.

    gaps: returns, as for days_until; what: their description. sizes: customers by segment for given days. A
    segment has the name of its threshold without the unit.
    """
    in_use = {name: shop.in_use[name] for name in parts}
    now = sizes(in_use)
    segments = {name: name.removesuffix("_days") for name in parts}
    current = [Proposal(name, segments[name], in_use[name], now.get(segments[name], 0), "") for name in parts]
    too_few = shop.too_few(gaps)
    if too_few:
        return [replace(one, because=too_few) for one in current]
    (base,) = (name for name, part in parts.items() if part == 1)
    days = shop.days_until(RETURNED, gaps)
    # As for a customer's own rhythm: a holiday is no churn.
    least = int(shop.in_use["stage_rhythm_multiples"]["active"] * shop.in_use["stage_rhythm_days"][0])
    proposed = {name: float(int(max(days, least) * part)) for name, part in parts.items()}
    by_then = {name: percent(shop.share_within(value, gaps)) for name, value in proposed.items()}
    because = {
        name: f"{IN_WORDS[part]} {base}; {by_then[name]} of {what} by then."
        for name, part in parts.items()
        if name != base
    }
    because[base] = f"{percent(RETURNED)} of {what} within {days_text(days)}" + (
        f"; {least} allows for a holiday." if days < least else "."
    )
    # Change all or none, because one alone could pass the next.
    if all(abs(proposed[name] - in_use[name]) < CLOSE * in_use[name] for name in parts):
        return [replace(one, because=f"kept: {because[one.threshold]}") for one in current]
    then = sizes(proposed)
    return [
        replace(
            one,
            because=because[one.threshold],
            proposed=proposed[one.threshold],
            n_then=then.get(one.segment, 0),
        )
        for one in current
    ]


def stage_sizes(shop: Shop, days: dict[str, float], by_rhythm: bool) -> dict[str, int]:
    """Return customers by stage for these days. by_rhythm: use the multiples of a customer's own rhythm, if
    known."""
    edge = {name: f"${name}" for name in STAGE_PARTS}
    if by_rhythm:
        floor, ceiling = shop.in_use["stage_rhythm_days"]
        rhythm = f"greatest({floor}, least({ceiling}, usual_days_between_orders))"
        for stage, multiple in shop.in_use["stage_rhythm_multiples"].items():
            name = f"{stage}_days"
            edge[name] = (
                f"case when usual_days_between_orders is null then ${name} "
                f"else floor({multiple} * {rhythm}) end"
            )
    return dict(
        shop.rows(
            f"""
            select
                case
                    when stages.n_orders = 0 then 'never_purchased'
                    when days_since_last_order > {edge["lapsed_days"]} then 'dormant'
                    when days_since_last_order > {edge["at_risk_days"]} then 'lapsed'
                    when days_since_last_order > {edge["active_days"]} then 'at_risk'
                    when stages.n_orders > 1 then 'active'
                    when days_since_last_order > {edge["first_time_buyer_days"]} then 'second_order_window'
                    else 'first_time_buyer'
                end as stage,
                count(*)
            from lifecycle_stages as stages
            inner join customers using (customer_id)
            group by all
            """,
            **days,
        )
    )


def stages(shop: Shop) -> list[Proposal]:
    """Return proposals for the days at which lifecycle stages end, from the times between orders."""
    by_rhythm = shop.in_use["lifecycle_by_own_rhythm"]
    return ladder(
        shop, STAGE_PARTS, ORDER_GAPS, "repeat orders come", lambda days: stage_sizes(shop, days, by_rhythm)
    )


def rest(shop: Shop) -> Proposal:
    """Return the proposal for the rest after an order, from the usual time between orders."""
    sql = """
        select count(*) from customers
        where last_ordered_at + to_hours(cast(least(
            24 * $days, coalesce(floor(24 * $share * usual_days_between_orders), 24 * $days)
        ) as bigint)) > (select max(checked_at) from segment_health)
    """
    in_use, share = shop.in_use["conversion_rest_days"], shop.in_use["rest_rhythm_share"]
    current = Proposal("conversion_rest_days", "resting", in_use, shop.one(sql, days=in_use, share=share), "")
    too_few = shop.too_few(ORDER_GAPS)
    if too_few:
        return replace(current, because=too_few)
    usual = shop.days_until(0.5, ORDER_GAPS)
    because = f"a tenth of {days_text(usual)}, the shop's usual time between orders; 1 day to 2 weeks."
    proposed = min(max(round(usual / 10), 1), 14)
    if proposed == in_use:
        return replace(current, because=f"kept: {because}")
    n_then = shop.one(sql, days=proposed, share=share)
    return replace(current, because=because, proposed=proposed, n_then=n_then)


def engaged(shop: Shop) -> list[Proposal]:
    """Return proposals for the days of the engagement tiers, from the times between days with activity."""

    def sizes(days: dict[str, float]) -> dict[str, int]:
        ((n_engaged, n_lightly),) = shop.rows(
            """
            select
                count(*) filter (where days_since_last_action <= $engaged_days),
                count(*) filter (
                    where n_actions_30d < $highly_engaged_actions
                    and (days_since_last_action > $engaged_days) is not false
                    and (days_since_last_action <= $lightly_engaged_days
                        or days_since_last_open <= $lightly_engaged_days)
                )
            from engagement_tiers
            """,
            highly_engaged_actions=shop.in_use["highly_engaged_actions"],
            **days,
        )
        return {"engaged": n_engaged, "lightly_engaged": n_lightly}

    return ladder(shop, ENGAGED_PARTS, ACTION_GAPS, "returns by a session, order or click come", sizes)


def refill_rest(shop: Shop) -> Proposal:
    """Return the proposal for the days after a purchase without a refill, from the rhythms of consumables."""
    sql = """
        select count(distinct customer_id) from replenishment_scores
        where
            days_since_last_order >= $days
            and days_since_last_order between $first * rhythm_days and $until * rhythm_days
    """
    first, until = shop.in_use["replenishment_from"], shop.in_use["replenishment_until"]
    in_use = shop.in_use["replenishment_min_days"]
    n_now = shop.one(sql, days=in_use, first=first, until=until)
    current = Proposal("replenishment_min_days", "replenishment_due", in_use, n_now, "")
    n_rhythms, shortest = shop.rows(
        "select count(rhythm_days), quantile_disc(rhythm_days, 0.1) from replenishment_scores"
    )[0]
    if n_rhythms < MIN_RETURNS:
        return replace(current, because=f"{n_rhythms:,} rhythms are too few; {MIN_RETURNS} are needed.")
    proposed = max(int(first * shortest), 1)
    because = f"90% of the rhythms of consumables are {days_text(shortest)} or longer."
    if proposed >= in_use:
        return replace(current, because=f"kept: {because}")
    n_then = shop.one(sql, days=proposed, first=first, until=until)
    return replace(current, because=because, proposed=proposed, n_then=n_then)


@dataclass(frozen=True)
class Taste:
    """A threshold that a segment's expected size decides.

    sql: the number of customers that $value selects; other thresholds by their names. steps: candidate
    values. basis: the number of customers with the data, in SQL and in words.
    """

    threshold: str
    segment: str
    sql: str
    steps: Sequence[float]
    basis: str
    basis_text: str


TASTES = (
    Taste(
        "discount_driven_min_share",
        "discount_driven",
        """
            select count(*) from rfm_scores
            where n_orders >= $buying_habit_min_orders and n_discounted_orders / n_orders >= $value
        """,
        [step / 20 for step in range(1, 21)],
        "select count(*) from rfm_scores where n_discounted_orders > 0",
        "customers with a discounted order",
    ),
    Taste(
        "category_fan_min_points",
        "category_fans",
        """
            with by_category as (
                select customer_id, category, sum(interest) as points from customer_products
                group by customer_id, category
            ),
            shares as (
                select *, points / nullif(sum(points) over (partition by customer_id), 0) as share
                from by_category
            )
            select count(distinct customer_id) from shares
            where
                points >= $value and share >= $category_fan_min_share
                and category in (select category from categories where not is_sensitive)
        """,
        range(1, 101),
        "select count(distinct customer_id) from customer_products where category is not null",
        "customers with an interest in a category",
    ),
    Taste(
        "highly_engaged_actions",
        "highly_engaged",
        "select count(*) from engagement_tiers where n_actions_30d >= $value",
        range(1, 61),
        "select count(*) from engagement_tiers where n_actions_30d > 0",
        "customers with a session or click in 30 days",
    ),
    Taste(
        "replenishment_until",
        "replenishment_due",
        """
            select count(distinct customer_id) from replenishment_scores
            where
                days_since_last_order >= $replenishment_min_days
                and days_since_last_order between $replenishment_from * rhythm_days and $value * rhythm_days
        """,
        [step / 20 for step in range(20, 61)],
        "select count(distinct customer_id) from replenishment_scores where rhythm_days is not null",
        "customers with something to refill",
    ),
)


def taste(shop: Shop, one: Taste, n_customers: int, usual: tuple[float, float]) -> Proposal:
    """Return the value nearest to the one in use at which the segment has the expected size."""
    names = [name for name in shop.in_use if f"${name}" in one.sql]
    others = {name: shop.in_use[name] for name in names}
    in_use = shop.in_use[one.threshold]
    n_now = shop.one(one.sql, value=in_use, **others)
    current = Proposal(one.threshold, one.segment, in_use, n_now, "")
    n_basis = shop.one(one.basis)
    if n_basis < MIN_CUSTOMERS:
        return replace(
            current, because=f"{n_basis:,} {one.basis_text} are too few; {MIN_CUSTOMERS} are needed."
        )
    lowest, highest = (share * n_customers for share in usual)
    if lowest <= n_now <= highest:
        return replace(current, because="kept: the segment has the expected size.")
    for value in sorted(one.steps, key=lambda step: (abs(step - in_use), step)):
        n_then = shop.one(one.sql, value=value, **others)
        if lowest <= n_then <= highest:
            return replace(
                current,
                because="the nearest value at which the segment has the expected size.",
                proposed=value,
                n_then=n_then,
            )
    ends = [
        f"{value:g} selects {shop.one(one.sql, value=value, **others):,}"
        for value in (one.steps[0], one.steps[-1])
    ]
    return replace(current, because=f"kept: no value gives the expected size; {', '.join(ends)}.")


def report(connection: duckdb.DuckDBPyConnection) -> Report:
    """Return the proposals for the shop of an open warehouse."""
    shop = Shop(connection)
    n_customers, n_buyers, n_rhythms = shop.rows("""
        select count(*), count(*) filter (where n_orders > 0), count(usual_days_between_orders) from customers
    """)[0]
    usual = {
        segment: (lowest, highest)
        for segment, lowest, highest in shop.rows(
            "select segment, min_expected_share, max_expected_share from segment_catalog"
        )
    }
    proposals = [*stages(shop), rest(shop), *engaged(shop)]
    proposals += [taste(shop, one, n_customers, usual[one.segment]) for one in TASTES]
    proposals.append(refill_rest(shop))
    notes = []
    lapsed = next(one for one in proposals if one.threshold == "lapsed_days")
    span = shop.one("select date_diff('day', min(ordered_at), max(ordered_at)) from orders where is_sale")
    if not shop.too_few(ORDER_GAPS) and span < (lapsed.proposed or lapsed.in_use):
        notes.append(
            f"The orders lie within {days_text(span)}. Longer times between two orders can't be seen yet, "
            "so the days may be too short: run this again in half a year."
        )
    if n_rhythms >= MIN_CUSTOMERS and not shop.in_use["lifecycle_by_own_rhythm"]:
        notes.append(rhythm_note(shop))
    return Report(proposals, n_customers, n_buyers, usual, notes)


def rhythm_note(shop: Shop) -> str:
    """Return a note on the spread of customers' own rhythms, and the sizes of stages by own rhythm."""
    quick, slow = shop.rows("select quantile_disc(usual_days_between_orders, [0.25, 0.75]) from customers")[
        0
    ][0]
    then = stage_sizes(shop, {name: shop.in_use[name] for name in STAGE_PARTS}, by_rhythm=True)
    sizes = ", ".join(
        f"{then.get(stage, 0):,} {stage}" for stage in ("active", "at_risk", "lapsed", "dormant")
    )
    return (
        f"Of customers with a usual time between orders, 25% order at least every {days_text(quick)}, "
        f"and 25% at most every {days_text(slow)}. With lifecycle_by_own_rhythm: true, each stage follows "
        f"the customer's own time: {sizes}."
    )


def days_text(days: float) -> str:
    """Return a number of days as text."""
    return f"{days:,.4g} day{'' if days == 1 else 's'}"


def percent(share: float, decimals: int = 0) -> str:
    """Return a share in percent."""
    return f"{100 * share:.{decimals}f}%"


def as_text(result: Report, path: Path) -> str:
    """Return the report as text: a table, the rule of each line, notes, and the vars to paste."""

    def size(n: int | None) -> str:
        return "" if n is None else f"{n:,} ({percent(n / max(result.n_customers, 1), 1)})"

    lines = [("threshold", "in use", "selects", "now", "proposed", "then", "usual")]
    for one in result.proposals:
        usual = result.usual.get(one.segment)
        lines.append(
            (
                one.threshold, f"{one.in_use:g}", one.segment, size(one.n_now),
                "" if one.proposed is None else f"{one.proposed:g}", size(one.n_then),
                f"{percent(usual[0])} to {percent(usual[1])}" if usual else "",
            )
        )  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    rules = [f"{one.threshold:<{widths[0]}}  {one.because}" for one in result.proposals]
    notes = [
        "Shares of returns give every customer the same weight.",
        *result.notes,
        "vip_share, high_order_value_share and low_order_value_share select the same share in any shop.",
    ]
    changed = [one for one in result.proposals if one.proposed is not None]
    end = ["Nothing to change."]
    if changed:
        end = [
            "Nothing was changed. To use a value, set it in dbt_project.yml, then dbt build --full-refresh:",
            "",
            "vars:",
            *(f"  {one.threshold}: {one.proposed:g}" for one in changed),
        ]
    return "\n".join(
        [
            f"{path}: {result.n_customers:,} customers, {result.n_buyers:,} of them buyers."
            " Shares are of all customers.",
            "", *table, "", *rules, "", *(textwrap.fill(note, 110) for note in notes), "", *end,
        ]
    )  # fmt: skip


def thresholds(path: Path) -> str:
    """Return what `mailroom thresholds` prints about a built warehouse.

    Raises:
        ValueError: the file does not exist, or lacks a table or threshold.
    """
    with opened(path) as connection:
        try:
            return as_text(report(connection), path)
        except (duckdb.Error, KeyError) as error:
            raise ValueError(
                f"{path} was built by another version, so build it first (make build): {error}"
            ) from error
