"""`mailroom pull` brings opt-outs, complaints and hard bounces at an ESP into the sources before the next
build, and new subscriptions of the same people, if they confirmed a form there.

An unsubscribe or a complaint becomes a row of privacy.consent_events, a hard bounce or a complaint one of
esp.message_events with its profile in esp.profiles. A new opt-in becomes a row of privacy.consent_events with
its evidence. Macro raw() reads them beside the sources' own rows.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from mailroom.activation import ledger
from mailroom.activation.api import Connection, validated_answers, why
from mailroom.activation.destinations import open_destination
from mailroom.activation.rows import Refusal, Resubscription, TellsResubscriptions
from mailroom.files import replace
from mailroom.warehouse import opened, qualified_tables

OVERLAP = timedelta(days=2)  # read again, because an ESP may report late
SINCE_EVER = datetime(2000, 1, 1)
WRITTEN_AT_ONCE = 10_000  # refusals
REFUSALS = pa.schema(
    {
        "key": ledger.TEXT, "profile_id": ledger.TEXT, "email": ledger.TEXT, "kind": ledger.TEXT,
        "occurred_at": ledger.MOMENT,
    }
)  # fmt: skip
# The key of each ledger that raw() reads, and its rows.
ROWS = {
    "esp_profiles": (
        "profile_id",
        """
        select profile_id, min(email) as email, min(occurred_at) as created_at
        from refusals where kind <> 'unsubscribed' group by profile_id
        """,
    ),
    "esp_message_events": (
        "event_id",
        """
        select
            key as event_id, key as message_id, profile_id, kind as event_type,
            if(kind = 'bounced', 'hard', null) as bounce_type, occurred_at, pulled_at
        from refusals where kind <> 'unsubscribed'
        """,
    ),
    "privacy_consent_events": (
        "consent_event_id",
        """
        select
            key as consent_event_id, email, 'email' as channel, 'marketing_email' as purpose,
            'withdrawn' as status, null::varchar as lawful_basis,
            if(kind = 'complained', 'esp_complaint', 'esp_unsubscribe') as recorded_by,
            null::varchar as form, null::varchar as confirmed_at, occurred_at, pulled_at
        from refusals where kind <> 'bounced'
        """,
    ),
}


@dataclass
class Pulled:
    """Counts per destination: new refusals, and new subscriptions after an opt-out. stopped: why a
    destination stopped."""

    new: dict[str, int] = field(default_factory=dict)
    again: dict[str, int] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """5: a destination stopped; else 0."""
        return 5 if self.stopped else 0


def pull(
    warehouse: Path, folder: Path, destinations: Collection[str] = (), connection: Connection | None = None
) -> Pulled:
    """Pull all refusals since the newest known one, with an overlap of two days, from these destinations or
    from all with an audience. Then pull each proven new opt-in of addresses that the last build refuses
    there. The next pull repeats what a stopped destination missed.

    Raises AnotherPushError, and ValueError for an unknown destination or a missing warehouse.
    """
    with ledger.in_a_sentence(warehouse, folder):
        names = list(destinations) or _destinations(warehouse)
    pulled = Pulled()
    with ledger.locked(folder), ledger.in_a_sentence(warehouse, folder):
        for name in names:
            try:
                esp = open_destination(name, folder, connection)
                since = _newest(folder, name) - OVERLAP
                pulled.new[name] = write_refusals(
                    folder, name, validated_answers(partial(esp.refusals, since))
                )
                if isinstance(esp, TellsResubscriptions):
                    refused = _refused(warehouse, name)
                    opt_ins = validated_answers(partial(esp.resubscriptions, refused))
                    pulled.again[name] = write_resubscriptions(folder, name, opt_ins)
            except Exception as error:
                pulled.stopped[name] = why(error)
    return pulled


def _destinations(warehouse: Path) -> list[str]:
    with opened(warehouse) as built:
        table = qualified_tables(built).get("audience_catalog")
        if table is None:
            raise ValueError(f"{warehouse} has no audience_catalog: run dbt build")
        return [
            row[0] for row in built.execute(f"select distinct destination from {table} order by 1").fetchall()
        ]


def _refused(warehouse: Path, destination: str) -> Sequence[str]:
    """Return the addresses there that the last build refuses."""
    if not warehouse.exists():
        return []
    with opened(warehouse) as built:
        table = qualified_tables(built).get("refused_addresses")
        if table is None:
            return []
        emails = built.execute(
            f"select distinct email from {table} where destination = ? order by 1", [destination]
        )
        return [row[0] for row in emails.fetchall()]


def _newest(folder: Path, destination: str) -> datetime:
    with ledger.connect(folder) as database:
        newest = database.execute(
            # A refusal with a future date, or a pull by a clock that was ahead, must not hide later ones.
            f"""
            select max(least(newest_at, pulled_at))
            from {ledger.scan(folder, "pulls")} where destination = ? and pulled_at <= ?
            """,
            [destination, ledger.now()],
        ).fetchone()
    return newest[0] if newest and newest[0] else SINCE_EVER + OVERLAP


def write_refusals(folder: Path, destination: str, refusals: Iterable[Refusal]) -> int:
    """Add new refusals to the ledgers that raw() reads. Return how many. The moment of the newest is written
    last: if killed before, the next pull reads the same again."""
    folder.mkdir(parents=True, exist_ok=True)
    pulled_at = ledger.now()
    copy, stem = folder / "refusals.parquet", f"{pulled_at:%Y%m%dT%H%M%S%f}-{destination}"
    try:
        with pq.ParquetWriter(copy, REFUSALS) as writer:
            remaining = iter(refusals)
            while some := [asdict(refusal) for refusal in islice(remaining, WRITTEN_AT_ONCE)]:
                writer.write_table(pa.Table.from_pylist(some, REFUSALS))
        with ledger.connect(folder) as database:
            # A profile has one address in our ledger. A refusal by a later address gets a profile of its own,
            # or it would count for the first address only.
            database.execute(f"""
                create view new_rows as
                select distinct
                    '{destination}-' || key as key, '{destination}-' || profile_id as profile_id, email, kind,
                    occurred_at::varchar as occurred_at, timestamp '{pulled_at}' as pulled_at
                from '{copy}';
                create table addresses as
                select profile_id, arg_min(email, place || email) as known_as
                from (
                    select profile_id, email, '0' as place from {ledger.scan(folder, "esp_profiles")}
                    union all
                    select profile_id, email, '1' as place from new_rows where kind <> 'unsubscribed'
                )
                group by profile_id;
                create view refusals as
                select new_rows.* replace (
                    if(lower(email) = lower(known_as), profile_id, key) as profile_id
                )
                from new_rows left join addresses using (profile_id)
            """)
            events, answers = (
                ledger.scan(folder, f) for f in ("esp_message_events", "privacy_consent_events")
            )
            totals = database.execute(f"""
                select
                    max(occurred_at) filter (occurred_at <= pulled_at::varchar)::timestamp,
                    count(*) filter (
                        key not in (select event_id from {events})
                        and key not in (select consent_event_id from {answers})
                    )
                from refusals
            """).fetchall()
            newest, n_new = totals[0]
            for name in ROWS:
                _write_new(database, folder, name, f"{stem}.parquet")
    finally:
        copy.unlink(missing_ok=True)
    pulled = {"destination": destination, "newest_at": newest, "n_new": n_new, "pulled_at": pulled_at}
    ledger.write(folder, "pulls", stem, [pulled])
    return int(n_new)


def write_resubscriptions(folder: Path, destination: str, opt_ins: Iterable[Resubscription]) -> int:
    """Add new opt-ins to the ledger of consent, with their evidence. Return how many."""
    with ledger.connect(folder) as database:
        scanned = ledger.scan(folder, "privacy_consent_events")
        known = {row[0] for row in database.execute(f"select consent_event_id from {scanned}").fetchall()}
    pulled_at = ledger.now()
    new = {
        key: {
            "consent_event_id": key, "email": opt_in.email, "channel": "email", "purpose": "marketing_email",
            "status": "granted", "lawful_basis": "express", "recorded_by": "double_opt_in",
            "form": opt_in.form,
            "confirmed_at": str(opt_in.confirmed_at), "occurred_at": str(opt_in.confirmed_at),
            "pulled_at": pulled_at,
        }
        for opt_in in opt_ins
        if (key := f"{destination}-{opt_in.key}") not in known
    }  # fmt: skip
    if new:
        stem = f"{pulled_at:%Y%m%dT%H%M%S%f}-{destination}-again"
        ledger.write(folder, "privacy_consent_events", stem, list(new.values()))
    return len(new)


def _write_new(database: duckdb.DuckDBPyConnection, folder: Path, name: str, file: str) -> None:
    key, rows = ROWS[name]
    columns = ", ".join(ledger.SCHEMAS[name].names)
    database.execute(f"""
        create table new as
        select {columns} from ({rows}) as refused
        anti join {ledger.scan(folder, name)} as known using ({key})
        order by all
    """)
    if database.execute("select 1 from new limit 1").fetchall():
        (folder / name).mkdir(parents=True, exist_ok=True)
        replace(folder / name / file, lambda path: database.execute(f"copy new to '{path}' (format parquet)"))
    database.execute("drop table new")


def as_text(pulled: Pulled) -> str:
    """Return the counts as text for a person."""
    lines = [f"{name:<14} {count:,} new refusals" for name, count in pulled.new.items()]
    lines += [f"{name:<14} {count:,} subscribed again" for name, count in pulled.again.items() if count]
    lines += [f"{name:<14} stopped: {reason}" for name, reason in pulled.stopped.items()]
    return "\n".join(lines) or "No audience has a destination."
