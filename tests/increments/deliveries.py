"""A generated shop as its tables stood at past moments: some rows came late, some twice, some were put right since."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from mailroom.demo import generate

LATENESS_DAYS = 3  # var lateness_days
# What dates a row of each table, and the column in which a first version of some rows was wrong.
HISTORY = {
    ("web", "events"): ("event_id", "occurred_at", "product_id"),
    ("esp", "message_events"): ("event_id", "occurred_at", "url"),
    ("shop", "orders"): ("order_id", "ordered_at", "total_amount"),
    ("shop", "refunds"): ("refund_id", "refunded_at", "amount"),
    ("support", "tickets"): ("ticket_id", "created_at", "satisfaction"),
    ("privacy", "consent_events"): ("consent_event_id", "occurred_at", "status"),
    ("privacy", "requests"): ("request_id", "received_at", "status"),
}


@dataclass(frozen=True)
class Shop:
    """Every row that ever was, in `folder`/all, with the moments between which it stands in its source."""

    folder: Path
    begins: datetime
    ends: datetime

    def at(self, moment: datetime) -> Path:
        """The source's tables as they stood at a moment: <source>/<table>/rows.parquet in a folder."""
        folder = self.folder / moment.strftime("%Y%m%dT%H%M%S")
        with duckdb.connect() as connection:
            for file in sorted((self.folder / "all").glob("*/*.parquet")):
                to = folder / file.parent.name / file.stem
                to.mkdir(parents=True, exist_ok=True)
                connection.execute(
                    f"copy (select * exclude (comes_at, goes_at) from '{file}' "
                    f"where comes_at <= ? and (goes_at is null or goes_at > ?)) to '{to}/rows.parquet'",
                    [moment, moment],
                )
        return folder


def shop(folder: Path, seed: int, customers: int = 120, days: int = 150) -> Shop:
    """A shop whose rows' fate hangs on the seed alone."""
    generate(customers=customers, days=days, seed=seed, to=folder / "made", jobs=1)
    ends = datetime(2026, 7, 1)
    with duckdb.connect() as connection:
        connection.execute(f"set threads = 1; create macro chance(key, why) as "
                           f"(hash(key || '{seed}' || why) % 1000000) / 1000000.0")  # fmt: skip
        for table in sorted((folder / "made").glob("*/*")):
            source, name = table.parts[-2:]
            if source == "truth":
                continue
            (folder / "all" / source).mkdir(parents=True, exist_ok=True)
            rows = f"'{table}/*.parquet'"
            connection.execute(
                f"copy ({_fates(connection, source, name, rows)}) to '{folder}/all/{source}/{name}.parquet'"
            )
    return Shop(folder, ends - timedelta(days=days), ends)


def _fates(connection: duckdb.DuckDBPyConnection, source: str, name: str, rows: str) -> str:
    """The rows of a table, each with comes_at and goes_at."""
    columns = [row[0] for row in connection.sql(f"describe select * from {rows}").fetchall()]
    if (source, name) == ("shop", "order_lines"):
        # A line comes with its order.
        return (
            f"select given.*, coalesce(o.comes_at, timestamp '2000-01-01') as comes_at, o.goes_at "
            f"from {rows} as given left join (select order_id, min(comes_at) as comes_at, "
            f"cast(null as timestamp) as goes_at from '{{orders}}' group by 1) as o using (order_id)"
        )
    if (source, name) not in HISTORY:
        dated_by = next((c for c in ("created_at", "sent_at") if c in columns), None)
        comes = f"coalesce({dated_by}, timestamp '2000-01-01')" if dated_by else "timestamp '2000-01-01'"
        return f"select *, least({comes}, timestamp '2026-06-30') as comes_at, cast(null as timestamp) as goes_at from {rows}"
    key, dated_by, wrong = HISTORY[source, name]
    return f"select 1"
