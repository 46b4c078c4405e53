"""Files for an ESP's drop folder: a CSV file a batch, and a manifest that names those that are whole."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from mailroom.activation.api import Connection
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

    def limits(self, operation: Operation) -> Limits:
        """As many rows as a spreadsheet opens at once."""
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
        """Write the batch's file, then name it in the manifest. An address that a spreadsheet would compute
        is rejected: with a quote before it, it would be another."""
        answers, lines = [], []
        name = f"{batch.audience or 'everywhere'}-{batch.operation}-{batch.batch_id}.csv"
        for row in batch.rows:
            if row.email.startswith(FORMULA):
                why = f"The address begins with {row.email[0]!r}."
                answers.append(Answer(row.outbox_id, "rejected", "unsafe_address", why))
                continue
            cleared = [field for field, value in row.payload.items() if value is None]
            fields = {field: safe(value) for field, value in row.payload.items() if value is not None}
            lines.append(
                {"email": row.email, **fields, "customer_id": row.customer_id, "cleared": ", ".join(cleared)}
            )
            answers.append(Answer(row.outbox_id, "accepted", reference=name))
        if lines:
            self._write(self.folder / f"{batch.rows[0].decided_at:%Y-%m-%dT%H%M%S}", name, lines)
        return answers

    def _write(self, folder: Path, name: str, lines: list[dict[str, str]]) -> None:
        fields = dict.fromkeys(column for line in lines for column in line)
        columns = [
            "email",
            "customer_id",
            *(f for f in fields if f not in ("email", "customer_id", "cleared")),
            "cleared",
        ]
        written = io.StringIO(newline="")
        writer = csv.DictWriter(written, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        content = written.getvalue().encode()
        folder.mkdir(parents=True, exist_ok=True)
        replace(folder / name, lambda path: path.write_bytes(content))

        manifest = folder / "manifest.json"
        files: dict[str, Any] = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
        files[name] = {"rows": len(lines), "sha256": hashlib.sha256(content).hexdigest()}
        listed = json.dumps(files, indent=2, sort_keys=True) + "\n"
        replace(manifest, lambda path: path.write_text(listed, encoding="utf-8"))


def safe(value: Any) -> str:
    """A value as the text of a cell; a text that a spreadsheet would compute gets a quote before it."""
    if not isinstance(value, str):
        return json.dumps(value)
    return f"'{value}" if value.startswith(FORMULA) else value
