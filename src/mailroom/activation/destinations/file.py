"""Files for an ESP's drop folder: one per batch, CSV or Parquet, and a manifest of the complete ones.

MAILROOM_DROP_FORMAT: csv (the default) or parquet. MAILROOM_DROP_DAYS: days that a file is kept, KEPT_DAYS by
default.
"""

import csv
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mailroom.activation.api import Connection, StoppedError
from mailroom.activation.rows import Answer, Batch, Limits, Operation, Refusal, Row
from mailroom.files import replace

KEPT_DAYS = 30  # by then the files have been fetched

# A sign at the start of a cell makes a spreadsheet compute it, also a full-width sign. A cell starts where
# the text does, and wherever a spreadsheet of another locale splits it: after a separator or a line end.
# Spaces, quotes and invisible characters may come before the sign.
# https://owasp.org/www-community/attacks/CSV_Injection
SIGNS = "=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212-"
SEPARATORS = ",;|\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
UNSEEN = '"\\s\\x00-\\x1f\\x7f-\\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff'
FORMULA = re.compile(f"(?:^|(?<=[{SEPARATORS}]))(?=[{UNSEEN}]*[{SIGNS}])|^(?=[\\t\\r\\n])")

LINE_END = "\r\n"  # as in RFC 4180; only then does Python quote cells with either character
DELETION = "-delete-"  # in the name of a file with rows to delete


class FileDestination:
    """Writes <folder>/<moment of the outbox>/<audience>-<operation>-<batch_id>.csv with email, customer_id,
    the fields and the names of fields to clear (an empty cell leaves a field unchanged), and a manifest.json
    with rows and SHA-256 of each file. The same batch gives the same file. When a person in it is deleted, it
    is written again without them. tidy() deletes old files."""

    max_rows = 50_000
    repeats_sends = True  # in the same file

    def __init__(self, folder: Path, connection: Connection) -> None:
        self.folder = folder
        self.form = os.environ.get("MAILROOM_DROP_FORMAT", "csv")
        if self.form not in ("csv", "parquet"):
            raise StoppedError(f"MAILROOM_DROP_FORMAT is {self.form}, which is neither csv nor parquet")

    def limits(self, operation: Operation) -> Limits:
        """A number of rows that a spreadsheet opens easily."""
        return Limits(self.max_rows)

    def size(self, row: Row) -> int:
        """Return 0, because the bytes of a file have no limit."""
        return 0

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """Return nothing, because no row is pending."""
        return []

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Return nothing: a folder has no refusals."""
        return iter(())

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Write the batch's file, then name it in the manifest. In CSV, an address that a spreadsheet would
        compute is rejected, because a quote before it would change it. A deletion first removes its addresses
        from the files here."""
        answers, lines = [], []
        if batch.operation == "delete":
            forget(self.folder, {row.email for row in batch.rows})
        name = f"{batch.audience or 'everywhere'}-{batch.operation}-{batch.batch_id}.{self.form}"
        for row in batch.rows:
            if self.form == "csv" and FORMULA.search(row.email):
                why = "A spreadsheet would read the address as a formula."
                answers.append(Answer(row.outbox_id, "rejected", "unsafe_address", why))
                continue
            no_value = [field for field, value in row.payload.items() if value is None]
            cleared = ", ".join(no_value if batch.operation != "send" else ())
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

        _write_manifest(folder, _manifest(folder) | {name: _entry(content, len(lines))})


def forget(folder: Path, addresses: Collection[str]) -> None:
    """Remove the rows of these addresses from every file in the drop folder, except deletion files.

    A file without a row left is deleted. The manifest names only complete files at any moment. If killed, the
    next call finishes the work."""
    gone = {address.lower() for address in addresses}
    for moment in _moments(folder):
        listed, changed = {}, {}
        for path in _files(moment):
            before = path.read_bytes()
            content, n_rows = _without(before, path.suffix, set() if DELETION in path.name else gone)
            if n_rows:
                listed[path.name] = _entry(content, n_rows)
            if content != before:
                changed[path] = content
        _write_manifest(moment, {name: listed[name] for name in listed if moment / name not in changed})
        for path, content in changed.items():
            if path.name in listed:
                replace(path, partial(_write_as_old, path, content))
            else:
                path.unlink()
        _write_manifest(moment, listed)


def tidy(folder: Path) -> None:
    """Delete the files of the drop folder that are older than MAILROOM_DROP_DAYS, and unfinished files of a
    killed push. Raises StoppedError if the setting is not a number of days."""
    days = os.environ.get("MAILROOM_DROP_DAYS", str(KEPT_DAYS))
    if not days.isascii() or not days.isdigit():
        raise StoppedError(f"MAILROOM_DROP_DAYS is {days}, which is not a number of days")
    oldest = time.time() - int(days) * 24 * 60 * 60
    for moment in _moments(folder):
        for path in moment.glob(".*.unfinished"):
            path.unlink()
        old = [path for path in _files(moment) if path.stat().st_mtime < oldest]
        manifest = _manifest(moment)
        _write_manifest(moment, {name: manifest[name] for name in manifest if moment / name not in old})
        for path in old:
            path.unlink()
        if not _files(moment):
            (moment / "manifest.json").unlink(missing_ok=True)
            if not any(moment.iterdir()):
                moment.rmdir()


def _moments(folder: Path) -> list[Path]:
    """Return the folders of a drop folder, one per moment of the outbox."""
    return sorted(path for path in folder.glob("*") if path.is_dir())


def _files(moment: Path) -> list[Path]:
    """Return the files of a moment, without the manifest."""
    return sorted(path for path in moment.glob("[!.]*") if path.suffix in (".csv", ".parquet"))


def _manifest(moment: Path) -> dict[str, Any]:
    path = moment / "manifest.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _write_manifest(moment: Path, files: dict[str, Any]) -> None:
    if files != _manifest(moment):
        listed = json.dumps(files, indent=2, sort_keys=True) + "\n"
        replace(moment / "manifest.json", lambda path: path.write_text(listed, encoding="utf-8"))


def _entry(content: bytes, n_rows: int) -> dict[str, Any]:
    """Return a file's entry in the manifest."""
    return {"rows": n_rows, "sha256": hashlib.sha256(content).hexdigest()}


def _write_as_old(old: Path, content: bytes, path: Path) -> None:
    """Write a file with the age of the old one, so that it is not kept longer."""
    path.write_bytes(content)
    times = old.stat()
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _without(content: bytes, form: str, gone: Collection[str]) -> tuple[bytes, int]:
    """Return a file without the rows of some addresses, and its number of rows."""
    if form == ".csv":
        csv.field_size_limit(max(csv.field_size_limit(), len(content)))  # a cell may be as long as the file
        header, *lines = csv.reader(io.StringIO(content.decode(), newline=""))
        kept = [line for line in lines if line[header.index("email")].lower() not in gone]
        if len(kept) == len(lines):
            return content, len(lines)
        written = io.StringIO(newline="")
        csv.writer(written, lineterminator=LINE_END).writerows([header, *kept])
        return written.getvalue().encode(), len(kept)
    table = pq.read_table(io.BytesIO(content))
    stays = [email.lower() not in gone for email in table["email"].to_pylist()]
    if all(stays):
        return content, table.num_rows
    buffer = io.BytesIO()
    pq.write_table(table.filter(pa.array(stays)), buffer)
    return buffer.getvalue(), sum(stays)


def as_csv(columns: Sequence[str], lines: Iterable[dict[str, Any]]) -> bytes:
    """Return lines as CSV without formulas. The address stays unchanged."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, columns, restval="", lineterminator=LINE_END)
    writer.writeheader()
    writer.writerows(
        {name: value if name == "email" else safe(value) for name, value in line.items()} for line in lines
    )
    return written.getvalue().encode()


def as_parquet(columns: Sequence[str], lines: Iterable[dict[str, Any]]) -> bytes:
    """Return lines as Parquet, each field in its own type."""
    written = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([{name: line.get(name) for name in columns} for line in lines]), written
    )
    return written.getvalue()


def safe(value: Any) -> str:
    """Return a value as the text of a cell: numbers unchanged, and a quote before each formula in a text."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return FORMULA.sub("'", value if isinstance(value, str) else json.dumps(value))
