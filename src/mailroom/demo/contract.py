"""Columns and types of the demo shop: those of the source contract in models/staging, and of its truth."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

FOLDER = Path(__file__).resolve().parents[3] / "models" / "staging"
Name = tuple[str, str]  # source, table

TEXT = pa.string()
FLAG = pa.bool_()
TIME = pa.timestamp("us")  # naive UTC
DAY = pa.date32()
WHOLE = pa.int32()
MONEY = pa.decimal128(18, 2)
FOUR_DECIMALS = pa.decimal128(18, 4)
TYPES = {
    "text": TEXT, "boolean": FLAG, "timestamp": TIME, "date": DAY, "integer": WHOLE, "decimal(18,2)": MONEY,
    "decimal(18,4)": FOUR_DECIMALS,
}  # fmt: skip

# The tables that the demo writes, in the order in which bad rows are drawn: another order changes the seeds.
SOURCES: tuple[Name, ...] = (
    ("crm", "contacts"), ("crm", "opportunities"), ("shop", "customers"), ("shop", "products"),
    ("shop", "orders"), ("shop", "order_lines"), ("shop", "refunds"), ("web", "events"),
    ("support", "tickets"), ("esp", "profiles"), ("esp", "campaigns"), ("esp", "message_events"),
    ("privacy", "consent_events"), ("privacy", "requests"),
)  # fmt: skip


@cache
def contract() -> Mapping[Name, Mapping[str, Any]]:
    """The entry of each table of the source contract, as its YAML has it."""
    return {
        (source["name"], table["name"]): table
        for path in sorted(FOLDER.glob("*/_*__sources.yml"))
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        for table in source["tables"]
    }


def schema(name: Name, columns: Mapping[str, Any]) -> pa.Schema:
    """The contract's types of a table's columns, in its order. Only required columns must be there.

    Raises:
        ValueError: the contract has no such column, or requires one that is not there.
    """
    entries = {column["name"]: column for column in contract()[name]["columns"]}
    place = f"{'.'.join(name)} in models/staging/{name[0]}/_{name[0]}__sources.yml"
    for column in columns:
        if column not in entries:
            raise ValueError(f"the demo writes column {column}, and the source contract has none: {place}")
    for column, entry in entries.items():
        if column not in columns and entry.get("config", {}).get("meta", {}).get("required"):
            raise ValueError(f"the demo lacks column {column}, which the source contract requires: {place}")
    return pa.schema(
        [(column, TYPES[entry["data_type"]]) for column, entry in entries.items() if column in columns]
    )


def key_of(name: Name) -> str:
    """A table's key: the contract's first column."""
    key: str = contract()[name]["columns"][0]["name"]
    return key


def _schema(text: str, **typed: pa.DataType) -> pa.Schema:
    """Schema of the columns named in `text`, in order; those in `typed` have that type, the rest are text."""
    return pa.schema([(name, typed.get(name, TEXT)) for name in text.split()])


TRUTH: dict[tuple[str, str], pa.Schema] = {
    ("truth", "people"): _schema(
        "person_id household_id senior_person_id twin_person_id former_number_person_id birth_date joined_at "
        "dropped_out_at is_alive is_held_out orders_per_year refund_propensity open_propensity "
        "best_send_hour time_zone rhythm_days price_tier",
        birth_date=DAY,
        joined_at=TIME,
        dropped_out_at=TIME,
        is_alive=FLAG,
        is_held_out=FLAG,
        orders_per_year=MONEY,
        refund_propensity=FOUR_DECIMALS,
        open_propensity=FOUR_DECIMALS,
        best_send_hour=WHOLE,
        rhythm_days=WHOLE,
        price_tier=WHOLE,
    ),
    ("truth", "records"): _schema("source record_id person_id"),
    ("truth", "machine_events"): _schema("event_id kind"),
    ("truth", "duplicate_events"): _schema("source event_id kind order_id"),
    ("truth", "dirt"): _schema("source table key kind"),
}
