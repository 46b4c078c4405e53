"""Bad rows for staging to reject or blank, listed in truth/dirt.

Bad rows are added: each is a copy of a good row with one thing wrong and, unless its key is what is wrong, a
key of its own. No good row loses its parent.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mailroom.demo import constants as c
from mailroom.demo.contract import key_of
from mailroom.demo.encode import Ints, ids

UNPARSEABLE = ("2026-02-30T10:00:00Z", "31/12/25 9am", "not yet")
FUTURE_DAYS = 30  # days after the end of the window

# (source, table) -> prefix of its ids, {kind: (column, wrong value)}. None is an empty value.
# "unparseable" stays text in seeds and is empty in Parquet; "future" is FUTURE_DAYS ahead.
KINDS: dict[tuple[str, str], tuple[str, dict[str, tuple[str, str | None]]]] = {
    ("crm", "contacts"): (
        "k",
        {
            "duplicate_key": ("first_name", None),
            "missing_key": ("contact_id", None),
            "unparseable_timestamp": ("created_at", "unparseable"),
        },
    ),
    ("crm", "opportunities"): (
        "q",
        {"unknown_value": ("stage", "dreaming"), "missing_contact": ("contact_id", None)},
    ),
    ("shop", "customers"): (
        "c",
        {
            "duplicate_key": ("phone", None),
            "missing_key": ("customer_id", None),
            "unparseable_timestamp": ("created_at", "unparseable"),
        },
    ),
    ("shop", "orders"): (
        "o",
        {
            "foreign_currency": ("currency", "USD"),
            "future": ("ordered_at", "future"),
            "missing_key": ("order_id", None),
            "unparseable_timestamp": ("ordered_at", "unparseable"),
        },
    ),
    ("shop", "order_lines"): (
        "l",
        {
            "missing_quantity": ("quantity", None),
            "missing_order": ("order_id", None),
            "exact_duplicate": ("", None),
        },
    ),
    ("shop", "refunds"): ("r", {"missing_amount": ("amount", None), "future": ("refunded_at", "future")}),
    ("web", "events"): (
        "e",
        {
            "unknown_value": ("event_type", "hover"),
            "future": ("occurred_at", "future"),
            "missing_visitor": ("visitor_id", None),
            "missing_key": ("event_id", None),
            "unparseable_timestamp": ("occurred_at", "unparseable"),
        },
    ),
    ("support", "tickets"): (
        "t",
        {"unknown_value": ("status", "???"), "missing_timestamp": ("created_at", None)},
    ),
    ("esp", "profiles"): ("f", {"duplicate_key": ("phone", None), "missing_key": ("profile_id", None)}),
    ("esp", "message_events"): (
        "m",
        {
            "unknown_value": ("event_type", "pondered"),
            "missing_profile": ("profile_id", None),
            "future": ("occurred_at", "future"),
            "unparseable_timestamp": ("occurred_at", "unparseable"),
        },
    ),
    ("privacy", "consent_events"): (
        "a",
        {
            "unknown_value": ("status", "maybe"),
            "missing_purpose": ("purpose", None),
            "future": ("occurred_at", "future"),
        },
    ),
    ("privacy", "requests"): ("d", {"unknown_value": ("request_type", "complaint")}),
}


Cells = dict[str, list[tuple[int, str]]]  # column -> (row, text to write there)


@dataclass
class Soiled:
    """A table with its bad rows, the text to write over single cells in seeds, and what to list in truth."""

    table: pa.Table
    unparseable: Cells
    listed: list[tuple[str, str, str | None, str]]  # source, table, key, kind


def soil(
    rng: np.random.Generator,
    name: tuple[str, str],
    table: pa.Table,
    base: int,
    until: int,
    at_least_one: bool,
) -> Soiled:
    """Add bad rows to `table` right after the rows they were copied from.

    `base` is the first number of the chunk's ids; numbers after the table's last row are free.
    """
    prefix, kinds = KINDS.get(name, ("", {}))
    n = table.num_rows
    if not kinds or n == 0:
        return Soiled(table, {}, [])
    key = key_of(name)
    per_kind = round(n * c.DIRT_PER_MILLE / 1_000)
    per_kind = max(per_kind, 1) if at_least_one else per_kind
    pieces, origins, unparsed, listed = [table], [np.arange(n)], [], []
    position = n
    for kind, (column, wrong) in kinds.items():
        rows = np.sort(rng.integers(0, n, per_kind))
        copy = table.take(pa.array(rows))
        keys: pa.Array = copy.column(key).combine_chunks()
        if kind not in ("duplicate_key", "exact_duplicate") and column != key:
            keys = ids(prefix, base + position + np.arange(per_kind))
            copy = copy.set_column(copy.schema.get_field_index(key), key, keys)
        if column:
            place = copy.schema.get_field_index(column)
            kind_of = copy.schema.field(column).type
            if wrong == "future":
                value = pa.scalar((until + FUTURE_DAYS * c.DAY) * 1_000_000, pa.timestamp("us"))
            else:
                value = pa.scalar(None if wrong == "unparseable" else wrong, kind_of)
            copy = copy.set_column(place, column, pa.array([value.as_py()] * per_kind, kind_of))
        if wrong == "unparseable":
            unparsed += [(position + i, column, UNPARSEABLE[i % len(UNPARSEABLE)]) for i in range(per_kind)]
            if not at_least_one:
                kind = "missing_timestamp"
        listed += [(*name, value, kind) for value in keys.to_pylist()]
        pieces.append(copy)
        origins.append(rows)
        position += per_kind
    order: Ints = np.argsort(np.concatenate(origins), kind="stable")
    lands = np.empty(len(order), dtype=np.int64)
    lands[order] = np.arange(len(order))
    cells: Cells = {}
    for row, column, text in unparsed:
        cells.setdefault(column, []).append((int(lands[row]), text))
    return Soiled(pa.concat_tables(pieces).take(pa.array(order)), cells, listed)
