"""A generated shop as its tables stood at past moments: some rows came late, some twice, some were put right since.

A few rows of one month come on the last day, later than any build waits for.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from mailroom.demo import generate

LATENESS_DAYS = 3  # var lateness_days
ENDS = datetime(2026, 7, 1)
VERY_LATE = (datetime(2026, 5, 1), datetime(2026, 6, 1))
LATE = f"{LATENESS_DAYS} * (case when chance({{key}}, 'late') < 0.15 then chance({{key}}, 'how late') else 0 end)"
# The tables that grow: their key, what dates a row, and what a first version of some rows had instead.
EVENTS = {
    ("web", "events"): ("event_id", "occurred_at", "product_id = null, quantity = 99"),
    ("esp", "message_events"): ("event_id", "occurred_at", "url = 'https://wrong.example'"),
    ("shop", "refunds"): ("refund_id", "refunded_at", "amount = 1"),
    ("privacy", "consent_events"): ("consent_event_id", "occurred_at", "form = 'wrong'"),
}
# Those whose rows are put right weeks later, and then say when.
MUTABLE = {
    ("shop", "orders"): (
        "order_id", "ordered_at", "status = 'pending', total_amount = 1, customer_id = somebodys, updated_at = ordered_at",
    ),
    ("support", "tickets"): (
        "ticket_id", "created_at", "status = 'open', satisfaction = null, solved_at = null, updated_at = created_at",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Shop:
    """Every version of every row in `folder`/all, with the moments between which it stands in its source."""

    folder: Path
    begins: datetime

    def at(self, moment: datetime) -> Path:
        """The source's tables as they stood at a moment: <source>/<table>/rows.parquet in a folder."""
        folder = self.folder / moment.strftime("%Y%m%dT%H%M%S")
        with duckdb.connect() as connection:
            for file in sorted((self.folder / "all").glob("*/*.parquet")):
                to = folder / file.parent.name / file.stem
                to.mkdir(parents=True, exist_ok=True)
                connection.execute(
                    f"copy (select * exclude (comes_at, goes_at) from '{file}' where comes_at <= ? "
                    f"and (goes_at is null or goes_at > ?)) to '{to}/rows.parquet'",
                    [moment, moment],
                )
        return folder


def shop(folder: Path, seed: int, customers: int = 120, days: int = 150) -> Shop:
    """A shop of so many days before ENDS. The fate of its rows hangs on the seed alone."""
    generate(customers=customers, days=days, seed=seed, to=folder / "made", jobs=1)
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        connection.execute(
            f"create macro chance(key, why) as hash(key || '{seed}' || why) % 1000000 / 1000000.0"
        )
        connection.execute("create macro days_after(moment, n) as moment + interval 1 second * cast(n * 86400 as bigint)")
        for table in sorted((folder / "made").glob("*/*"), key=lambda table: (table.name == "order_lines", table)):
            source, name = table.parts[-2:]
            if source == "truth":
                continue
            to = folder / "all" / source
            to.mkdir(parents=True, exist_ok=True)
            connection.execute(
                f"copy ({_fates(connection, source, name, folder / 'made')}) to '{to / name}.parquet'"
            )
    return Shop(folder, ENDS - timedelta(days=days))


def _fates(connection: duckdb.DuckDBPyConnection, source: str, name: str, made: Path) -> str:
    """The versions of a table's rows, with comes_at and goes_at."""
    rows = f"'{made}/{source}/{name}/*.parquet'"
    columns = [row[0] for row in connection.sql(f"describe select * from {rows}").fetchall()]
    if (source, name) in EVENTS:
        key, dated_by, wrong = EVENTS[source, name]
        comes = _comes_at(key, dated_by, columns)
        replaced = ", ".join(_replaced(wrong, columns))
        return f"""
            select *, {comes} as comes_at, cast(null as timestamp) as goes_at from {rows}
            union all by name
            select *, days_after({comes}, {LATENESS_DAYS} * chance({key}, 'again') * 0.5) as comes_at, null as goes_at
            from {rows} where chance({key}, 'twice') < 0.04
            union all by name
            select * replace ({replaced}, days_after({dated_by}, -chance({key}, 'before')) as {dated_by}),
                {dated_by} as comes_at, null as goes_at
            from {rows} where chance({key}, 'wrong') < 0.04 and {dated_by} <= timestamp '{ENDS}'
        """
    if (source, name) in MUTABLE:
        key, dated_by, wrong = MUTABLE[source, name]
        replaced = ", ".join(_replaced(wrong, columns))
        comes = _comes_at(key, dated_by, columns)
        right_at = f"days_after({dated_by}, 1 + 60 * chance({key}, 'right'))"
        somebodys = "(select max(customer_id) from " + rows + ")" if "somebodys" in wrong else "null"
        return f"""
            with given as (
                select *, chance({key}, 'wrong') < 0.15 and {right_at} < timestamp '{ENDS}' as is_wrong, {somebodys} as somebodys
                from {rows}
            )
            select * exclude (is_wrong, somebodys), {comes} as comes_at, cast(null as timestamp) as goes_at
            from given where not coalesce(is_wrong, false)
            union all by name
            select * exclude (is_wrong, somebodys) replace ({right_at} as updated_at),
                days_after({right_at}, {LATE.format(key=key)}) as comes_at, null as goes_at
            from given where is_wrong
            union all by name
            select * exclude (is_wrong, somebodys) replace ({replaced}), {dated_by} as comes_at,
                case when chance({key}, 'stays') < 0.5 then days_after({right_at}, {LATE.format(key=key)}) end as goes_at
            from given where is_wrong
        """
    if name == "order_lines":
        return f"""
            select *, coalesce(comes_at, timestamp '{ENDS}' - interval 90 day) as comes_at, cast(null as timestamp) as goes_at
            from {rows} as given
            left join (
                select order_id as id, min(comes_at) as comes_at from '{made.parent}/all/shop/orders.parquet' group by 1
            ) as of_order on given.order_id = of_order.id
        """.replace("select *,", "select given.*,", 1)
    dated_by = next((column for column in ("created_at", "received_at", "sent_at") if column in columns), None)
    comes = f"least(coalesce({dated_by}, timestamp '2000-01-01'), timestamp '{ENDS}')" if dated_by else "timestamp '2000-01-01'"
    return f"select *, {comes} as comes_at, cast(null as timestamp) as goes_at from {rows}"


def _comes_at(key: str, dated_by: str, columns: list[str]) -> str:
    """When a row is there. A wrong clock's future and a time that is missing were told of on some day before."""
    some_day = f"days_after(timestamp '{ENDS}', -100 * chance({key}, 'some day'))"
    told_at = f"case when {dated_by} <= timestamp '{ENDS}' then {dated_by} else {some_day} end"
    is_very_late = (
        f"{dated_by} >= timestamp '{VERY_LATE[0]}' and {dated_by} < timestamp '{VERY_LATE[1]}' "
        f"and chance({key}, 'very late') < 0.02"
    )
    # A first purchase event would make the later ones of its order doubles, in days that a back-fill leaves alone.
    if "event_type" in columns:
        is_very_late += " and event_type <> 'purchase'"
    return f"case when {is_very_late} then timestamp '{ENDS}' else days_after({told_at}, {LATE.format(key=key)}) end"


def _replaced(wrong: str, columns: list[str]) -> list[str]:
    """`column = value` pairs as `value as column`, for select * replace."""
    pairs = [pair.split(" = ") for pair in wrong.split(", ")]
    return [f"{value} as {column}" for column, value in pairs if column in columns]
