"""A synthetic shop that behaves like a real one, with its ground truth, in the format of the source contract.

    >>> generate(customers=1_000, days=540, seed=7, to=Path("seeds/demo"), form="seeds")  # doctest: +SKIP

The same arguments give the same bytes, however many processes write them: every chunk of customers draws from
random streams of its own. All people are invented; see `mailroom.demo.constants`.
"""

from datetime import UTC, date, datetime
from pathlib import Path

INTENSITIES = {  # orders per customer, web events per order, message events per customer, over 540 days
    "parquet": (5.0, 10.0, 50.0),
    "seeds": (3.0, 2.9, 9.2),  # a year and a half of 1,000 customers stays small enough to read in a diff
}
UNTIL = date(2026, 7, 1)


def generate(
    *,
    customers: int,
    days: int,
    seed: int,
    to: Path,
    form: str = "parquet",
    until: date = UNTIL,
    orders_per_customer: float | None = None,
    web_events_per_order: float | None = None,
    message_events_per_customer: float | None = None,
    holdout_share: float = 0.0,
    jobs: int = 1,
) -> dict[str, int]:
    """Write a demo shop and return the rows of every table, as {"shop.orders": 3021, ...}.

    customers: people the shop has, about 0.95 shop accounts and 0.86 ESP profiles for each.
    days: length of the window that ends at the start of `until` (UTC).
    form: "parquet" (typed, to/<source>/<table>/part-*.parquet) or "seeds" (text, to/<source>/demo_*.csv).
    Intensities are per customer over 540 days; None takes INTENSITIES[form].
    holdout_share: people who get no newsletters (truth.people.is_held_out).
    jobs: processes; the files do not depend on it.

    Raises ValueError for sizes that make no shop.
    """
    from mailroom.demo.world import Config
    from mailroom.demo.write import write_parquet, write_seeds

    if customers < 10 or days < 30:
        raise ValueError("a demo shop needs at least 10 customers and 30 days")
    if form not in INTENSITIES:
        raise ValueError(f"format must be one of {', '.join(INTENSITIES)}, not {form}")
    orders, web, mail = INTENSITIES[form]
    config = Config(
        customers=customers,
        days=days,
        seed=seed,
        until=int(datetime(until.year, until.month, until.day, tzinfo=UTC).timestamp()),
        orders_per_customer=orders if orders_per_customer is None else orders_per_customer,
        web_events_per_order=web if web_events_per_order is None else web_events_per_order,
        message_events_per_customer=mail
        if message_events_per_customer is None
        else message_events_per_customer,
        holdout_share=holdout_share,
    )
    return write_seeds(config, to) if form == "seeds" else write_parquet(config, to, jobs)
