"""Files for an ESP's drop folder: one a batch, CSV or Parquet, and a manifest that names those that are
whole.

MAILROOM_DROP_FORMAT: csv (the default) or parquet.
"""

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mailroom.activation.api import Connection, StoppedError
from mailroom.activation.ledger import replace
from mailroom.activation.rows import Answer, Batch, Limits, Operation, Refusal, Row

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet compute a cell (OWASP, CSV Injection)


class Destination:
    """<folder>/<moment of the outbox>/<audience>-<operation>-<batch_id>.csv with email, customer_id, the
    fields and the names of those to clear (an empty cell leaves a field as it is), and a manifest.json beside
    them with rows and SHA-256 of each file. The same batch is the same file."""

    max_rows = 50_000

    def __init__(self, folder: Path, connection: Connection) -> None:
        self.folder = folder
        self.form = os.environ.get("MAILROOM_DROP_FORMAT", "csv")
        if self.form not in ("csv", "parquet"):
            raise StoppedError(f"MAILROOM_DROP_FORMAT is {self.form}, which is neither csv nor parquet")

    def limits(self, operation: Operation) -> Limits:
        """As many rows as a spreadsheet opens with ease."""
        return Limits(self.max_rows)

    def size(self, row: Row) -> int:
        """Nothing limits the bytes of a file."""
        return 0

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """A file is there or not."""
        return []

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """A folder says no word."""
        return iter(())

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Write the batch's file, then name it in the manifest. In CSV, an address that a spreadsheet would
        compute is rejected: with a quote before it, it would be another."""
        answers, lines = [], []
        name = f"{batch.audience or 'everywhere'}-{batch.operation}-{batch.batch_id}.{self.form}"
        for row in batch.rows:
            if self.form == "csv" and row.email.startswith(FORMULA):
                why = f"The address begins with {row.email[0]!r}."
                answers.append(Answer(row.outbox_id, "rejected", "unsafe_address", why))
                continue
            cleared = ", ".join(field for field, value in row.payload.items() if value is None)
            fields = {field: value for field, value in row.payload.items() if value is not None}
            lines.append({"email": row.email, "customer_id": row.customer_id, **fields, "cleared": cleared})
            answers.append(Answer(row.outbox_id, "accepted", reference=name))
        if lines:
            self._write(self.folder / f"{batch.rows[0].decided_at:%Y-%m-%dT%H%M%S}", name, lines)
        return answers

    def _write(self, folder: Path, name: str, lines: Sequence[dict[str, Any]]) -> None:
        columns = [
            *dict.fromkeys(column for line in lines for column in line if column != "cleared"),
            "cleared",
        ]
        content = as_csv(columns, lines) if self.form == "csv" else as_parquet(columns, lines)
        folder.mkdir(parents=True, exist_ok=True)
        replace(folder / name, lambda path: path.write_bytes(content))

        manifest = folder / "manifest.json"
        files: dict[str, Any] = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
        files[name] = {"rows": len(lines), "sha256": hashlib.sha256(content).hexdigest()}
        listed = json.dumps(files, indent=2, sort_keys=True) + "\n"
        replace(manifest, lambda path: path.write_text(listed, encoding="utf-8"))


def as_csv(columns: Sequence[str], lines: Iterable[dict[str, Any]]) -> bytes:
    """Lines as CSV that no spreadsheet computes; the address is as it is."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: value if name == "email" else safe(value) for name, value in line.items()} for line in lines
    )
    return written.getvalue().encode()


def as_parquet(columns: Sequence[str], lines: Iterable[dict[str, Any]]) -> bytes:
    """Lines as Parquet, each field in its own type."""
    written = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([{name: line.get(name) for name in columns} for line in lines]), written
    )
    return written.getvalue()


def safe(value: Any) -> str:
    """A value as the text of a cell; a text that a spreadsheet would compute gets a quote before it."""
    if not isinstance(value, str):
        return json.dumps(value)
    return f"'{value}" if value.startswith(FORMULA) else value
