"""A generated shop as its tables were at past moments: some rows came late, twice or were corrected since.

A few rows of one month come after the last day, later than any build waits for. Refusals of mail come at any
age. Rows of the shop and its help desk are also edited and deleted at any age, without a date of the change.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from mailroom.demo import generate

LATENESS_DAYS = 3  # var lateness_days
ENDS = datetime(2026, 7, 1)
AFTERWARDS = datetime(2026, 7, 1, 1)
VERY_LATE = (datetime(2026, 5, 1), datetime(2026, 6, 1))


@dataclass(frozen=True)
class History:
    """A growing table: its key, the column that dates a row, and the wrong values of some first versions."""

    key: str
    dated_by: str
    wrong: dict[str, str]
    is_corrected: bool = False  # weeks later, in updated_at; otherwise within days, as a second event

    def comes_at(self, columns: list[str]) -> str:
        """SQL: when a row arrives. A row dated in the future or not at all arrives on some day before."""
        some_day = f"days_after(timestamp '{ENDS}', -100 * chance({self.key}, 'some day'))"
        dated_at = f"case when {self.dated_by} <= timestamp '{ENDS}' then {self.dated_by} else {some_day} end"
        is_very_late = (
            f"{self.dated_by} >= timestamp '{VERY_LATE[0]}' and {self.dated_by} < timestamp '{VERY_LATE[1]}' "
            f"and chance({self.key}, 'very late') < 0.02"
        )
        # A late first purchase event would turn later ones into duplicates, on days that no back-fill reads.
        if "event_type" in columns:
            is_very_late += " and event_type <> 'purchase'"
        return f"case when {is_very_late} then timestamp '{AFTERWARDS}' else {self.late(dated_at)} end"

    def late(self, moment: str) -> str:
        """SQL: a moment, or for some rows one up to LATENESS_DAYS after it."""
        by = f"case when chance({self.key}, 'late') < 0.15 then chance({self.key}, 'how late') else 0 end"
        return f"days_after({moment}, {LATENESS_DAYS} * {by})"

    def versions(self, rows: str, columns: list[str]) -> str:
        """A select of all versions of the table's rows, with comes_at and goes_at."""
        return self._corrected(rows, columns) if self.is_corrected else self._repeated(rows, columns)

    def _replaced(self) -> str:
        return ", ".join(f"{value} as {column}" for column, value in self.wrong.items())

    def _repeated(self, rows: str, columns: list[str]) -> str:
        comes_at = self.comes_at(columns)
        before = f"days_after({self.dated_by}, -chance({self.key}, 'before'))"
        return f"""
            select *, {comes_at} as comes_at, cast(null as timestamp) as goes_at from {rows}
            union all by name
            select *, days_after({comes_at}, {LATENESS_DAYS / 2} * chance({self.key}, 'again')) as comes_at
            from {rows} where chance({self.key}, 'twice') < 0.04
            union all by name
            select * replace ({self._replaced()}, {before} as {self.dated_by}), {self.dated_by} as comes_at
            from {rows} where chance({self.key}, 'wrong') < 0.04 and {self.dated_by} <= timestamp '{ENDS}'
        """

    def _corrected(self, rows: str, columns: list[str]) -> str:
        right_at = f"days_after({self.dated_by}, 1 + 60 * chance({self.key}, 'right'))"
        moved_to = f"case when chance({self.key}, 'moved') < 0.2 then {right_at} else {self.dated_by} end"
        is_wrong = f"chance({self.key}, 'wrong') < 0.15 and {right_at} < timestamp '{ENDS}'"
        helpers = "is_wrong, other"
        return f"""
            with flagged_rows as (
                select
                    *,
                    (select max(customer_id) from {rows}) as other,
                    coalesce({is_wrong}, false) as is_wrong
                from {rows}
            )
            select
                * exclude ({helpers}),
                {self.comes_at(columns)} as comes_at,
                cast(null as timestamp) as goes_at
            from flagged_rows where not is_wrong
            union all by name
            select
                * exclude ({helpers}) replace ({right_at} as updated_at, {moved_to} as {self.dated_by}),
                {self.late(right_at)} as comes_at
            from flagged_rows where is_wrong
            union all by name
            select
                * exclude ({helpers}) replace ({self._replaced()}, {self.dated_by} as updated_at),
                {self.dated_by} as comes_at,
                case when chance({self.key}, 'stays') < 0.5 then {self.late(right_at)} end as goes_at
            from flagged_rows where is_wrong
        """


HISTORIES = {
    "web/events": History("event_id", "occurred_at", {"product_id": "null", "quantity": "99"}),
    "esp/message_events": History(
        "event_id", "occurred_at",
        {
            "url": "'https://wrong.example'",
            "event_type": "case when chance(event_id, 'odd') < 0.3 then 'Bounced' else 'delivered' end",
        },
    ),
    "shop/refunds": History("refund_id", "refunded_at", {"amount": "1"}),
    "privacy/consent_events": History("consent_event_id", "occurred_at", {"form": "'wrong'"}),
    "shop/orders": History(
        "order_id", "ordered_at",
        {"status": "'pending'", "total_amount": "1", "customer_id": "other"}, is_corrected=True,
    ),
    "support/tickets": History(
        "ticket_id", "created_at",
        {"status": "'open'", "satisfaction": "null", "solved_at": "null", "customer_id": "other"},
        is_corrected=True,
    ),
}  # fmt: skip

# Changes in place at any age, without a date: an order cancelled, a line moved to another order, a price
# corrected. Other rows are deleted in the same way.
EDITED = {
    "shop/orders": {"status": "'cancelled'", "total_amount": "1", "customer_id": "other"},
    "shop/order_lines": {"order_id": "other", "unit_price": "1"},
    "shop/refunds": {"amount": "2", "order_id": "other"},
    "support/tickets": {"status": "'closed'", "customer_id": "other"},
}

# Records that get their identifiers weeks later: the columns that some of them lack until then.
NAMELESS_AT_FIRST = {
    "esp/profiles": ("profile_id", ["email", "phone", "external_id"]),
    "crm/contacts": ("contact_id", ["email", "phone"]),
}


@dataclass(frozen=True)
class Shop:
    """All versions of every row in `folder`/all, with the moments between which each is in its source."""

    folder: Path

    def at(self, moment: datetime) -> Path:
        """A folder with the source tables as they were at a moment: <source>/<table>/rows.parquet."""
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
    """A shop with this many days before ENDS. What happens to its rows depends only on the seed."""
    generate(customers=customers, days=days, seed=seed, to=folder / "made", jobs=1)
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        connection.execute(
            f"create macro chance(key, why) as hash(key || '{seed}' || why) % 1000000 / 1000000.0"
        )
        connection.execute(
            "create macro days_after(moment, n) as moment + interval 1 second * cast(n * 86400 as bigint)"
        )
        # Lines arrive with their orders, so orders come first.
        for table in sorted(
            (folder / "made").glob("*/*"), key=lambda table: (table.name == "order_lines", table)
        ):
            name = table.relative_to(folder / "made").as_posix()
            if name.startswith("truth/"):
                continue
            to = folder / "all" / f"{name}.parquet"
            to.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"copy ({_versions(connection, name, folder)}) to '{to}'")
    return Shop(folder)


def _refused(rows: str) -> str:
    """Message events: a tenth of the deliveries is refused instead, some days later, and some of these are
    delivered after all. For a third of the messages the ESP has no sent event."""
    is_refused = "event_type = 'delivered' and chance(event_id, 'refused') < 0.1"
    days_later = f"{LATENESS_DAYS} * chance(event_id, 'refused when')"
    refused_at = f"case when {is_refused} then days_after(occurred_at, {days_later}) else occurred_at end"
    is_tried_again = f"{is_refused} and occurred_at < timestamp '{ENDS - timedelta(days=10)}'"
    return f"""(
        select * replace (
            case when {is_refused} then 'bounced' else event_type end as event_type,
            case when {is_refused} then 'soft' else bounce_type end as bounce_type,
            {refused_at} as occurred_at
        )
        from {rows}
        where not (event_type = 'sent' and chance(message_id, 'unsaid') < 0.3)
        union all by name
        select * replace (
            event_id || '-again' as event_id, days_after(occurred_at, 5 + {days_later}) as occurred_at
        )
        from {rows}
        where {is_tried_again} and chance(event_id, 'again') < 0.5
    )"""


def _of_any_age(versions: str) -> str:
    """Versions of message events: some with space around their type, and half of the refusals up to sixty
    days late, even if another event with their id came in time."""
    is_spaced = "chance(event_id, 'spaced') < 0.1"
    return f"""
        select * replace (
            case when {is_spaced} then ' ' || event_type || ' ' else event_type end as event_type,
            case
                when
                    event_type = 'bounced'
                    and comes_at < timestamp '{ENDS}'
                    and chance(event_id, 'pulled') < 0.5
                    then least(days_after(comes_at, 60 * chance(event_id, 'age')), timestamp '{ENDS}')
                else comes_at
            end as comes_at
        )
        from ({versions}) as versions
    """


def _across_midnight(rows: str) -> str:
    """Sessions across midnight of the first or last day of VERY_LATE, one half of each very late."""
    visitor = f"(select min(visitor_id) from {rows} where customer_id is not null)"
    product = f"(select min(product_id) from {rows})"
    selects = []
    for day in VERY_LATE:
        for late_half in ("before", "after"):
            for half, seconds in (("before", -120), ("after", 180)):
                occurred_at = day + timedelta(seconds=seconds)
                comes_at = AFTERWARDS if half == late_half else occurred_at
                session = f"{day:%m%d}-{late_half}"
                selects.append(
                    f"select '{session}-{half}' as event_id, {visitor} as visitor_id, "
                    f"'{session}' as session_id, 'product_view' as event_type, {product} as product_id, "
                    f"timestamp '{occurred_at}' as occurred_at, timestamp '{comes_at}' as comes_at"
                )
    return " union all by name ".join(selects)


def _lines(rows: str, orders: str, long_ago: str) -> str:
    """Order lines arrive with their order. Some arrive twice, and some of a corrected order are wrong until
    the correction."""
    of_order = f"""
        select
            order_id, min(comes_at) as comes_at, max(comes_at) as right_at, count(*) > 1 as is_corrected
        from {orders}
        group by order_id
    """
    lines = f"""
        select
            lines.*,
            coalesce(of_order.comes_at, timestamp '2000-01-01') as first_at,
            of_order.right_at,
            coalesce(of_order.is_corrected, false) and chance(order_line_id, 'wrong') < 0.5 as is_wrong
        from {rows} as lines
        left join ({of_order}) as of_order on lines.order_id = of_order.order_id
    """
    return f"""
        with lines as ({lines})
        select
            * exclude (first_at, right_at, is_wrong),
            case when is_wrong then right_at else first_at end as comes_at,
            cast(null as timestamp) as goes_at
        from lines
        union all by name
        select
            * exclude (first_at, right_at, is_wrong),
            days_after(first_at, {LATENESS_DAYS / 2} * chance(order_line_id, 'again')) as comes_at,
            cast(null as timestamp) as goes_at
        from lines where not is_wrong and chance(order_line_id, 'twice') < 0.04
        union all by name
        select
            * exclude (first_at, right_at, is_wrong) replace ('99' as quantity),
            first_at as comes_at,
            right_at as goes_at
        from lines where is_wrong
    """


def _edited(versions: str, key: str, changes: dict[str, str]) -> str:
    """Versions of a table in which some keys are deleted, and some edited, at a moment after they came."""
    (edited_key,) = (column for column, value in changes.items() if value == "other")
    replaced = ", ".join(f"{value} as {column}" for column, value in changes.items())
    helpers = "other, first_at, fate, changed_at, newest_first"
    days_left = f"greatest(date_diff('second', first_at, timestamp '{ENDS}') / 86400.0, 0)"
    return f"""
        with fated_rows as (
            select
                *,
                (select max({edited_key}) from ({versions}) as others) as other,
                min(comes_at) over (partition by {key}) as first_at,
                case
                    when chance({key}, 'fate') < 0.08 then 'deleted'
                    when chance({key}, 'fate') < 0.2 then 'edited'
                    else 'kept'
                end as fate,
                days_after(first_at, {days_left} * chance({key}, 'when')) as changed_at,
                row_number() over (
                    partition by {key} order by goes_at nulls first, comes_at desc
                ) as newest_first
            from ({versions}) as versions
        )
        select
            * exclude ({helpers})
            replace (case when fate <> 'kept' then least(changed_at, goes_at) else goes_at end as goes_at)
        from fated_rows
        where fate = 'kept' or comes_at < changed_at
        union all by name
        select
            * exclude ({helpers})
            replace ({replaced}, changed_at as comes_at, cast(null as timestamp) as goes_at)
        from fated_rows
        where fate = 'edited' and newest_first = 1
    """


def _versions(connection: duckdb.DuckDBPyConnection, name: str, folder: Path) -> str:
    found = _all_versions(connection, name, folder)
    if name not in EDITED:
        return found
    return _edited(found, HISTORIES[name].key if name in HISTORIES else "order_line_id", EDITED[name])


def _all_versions(connection: duckdb.DuckDBPyConnection, name: str, folder: Path) -> str:
    rows = f"'{folder}/made/{name}/*.parquet'"
    columns = [row[0] for row in connection.sql(f"describe select * from {rows}").fetchall()]
    if name == "esp/message_events":
        return _of_any_age(HISTORIES[name].versions(_refused(rows), columns))
    if name == "web/events":
        return f"{HISTORIES[name].versions(rows, columns)} union all by name {_across_midnight(rows)}"
    if name in HISTORIES:
        return HISTORIES[name].versions(rows, columns)
    never = "cast(null as timestamp) as goes_at"
    long_ago = "timestamp '2000-01-01'"
    if name == "shop/order_lines":
        return _lines(rows, f"'{folder}/all/shop/orders.parquet'", long_ago)
    dated_by = next(
        (column for column in ("created_at", "received_at", "sent_at") if column in columns), "null"
    )
    comes_at = f"least(coalesce({dated_by}, {long_ago}), timestamp '{ENDS}')"
    if name not in NAMELESS_AT_FIRST:
        return f"select *, {comes_at} as comes_at, {never} from {rows}"
    key, lacking = NAMELESS_AT_FIRST[name]
    named_at = f"least(days_after({comes_at}, 5 + 90 * chance({key}, 'named')), timestamp '{ENDS}')"
    is_nameless = f"chance({key}, 'nameless') < 0.3"
    return f"""
        select *, case when {is_nameless} then {named_at} else {comes_at} end as comes_at, {never} from {rows}
        union all by name
        select
            * replace ({", ".join(f"null as {column}" for column in lacking)}),
            {comes_at} as comes_at,
            {named_at} as goes_at
        from {rows} where {is_nameless}
    """
