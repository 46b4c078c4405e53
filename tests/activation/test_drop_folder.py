"""The drop folder: deleted people and old files leave it, and no cell is a formula in any spreadsheet."""

import csv
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailroom.activation.api import Connection, StoppedError
from mailroom.activation.destinations.file import KEPT_DAYS, FileDestination, as_csv, safe, tidy
from mailroom.activation.ledger import merge
from mailroom.activation.rows import Batch, Operation, Row

ERASED = "Erased@x.de"
OTHERS = ("a@x.de", "erased@x.de.example", "not-erased@x.de")


@pytest.fixture(params=["csv", "parquet"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MAILROOM_DROP_FORMAT", request.param)
    return str(request.param)


def sent(
    folder: Path, operation: Operation, *emails: str, moment: int = 1, payload: dict[str, Any] | None = None
) -> None:
    """A batch of these addresses for the drop folder."""
    rows = [
        Row(
            f"{operation}-{email}", "file", "vips", operation, f"c{number}", email,
            payload or {"first_name": 'Zoë, "Z"\n-1', "n_orders": -5}, None, datetime(2026, 7, moment), 1,
        )
        for number, email in enumerate(emails)
    ]  # fmt: skip
    audience = "" if operation == "delete" else "vips"
    batch_id = hashlib.sha256("".join(emails).encode()).hexdigest()[:16]
    answers = FileDestination(folder, Connection()).send(Batch(batch_id, "file", audience, operation, rows))
    assert [answer.status for answer in answers] == ["accepted"] * len(emails)


def held(folder: Path) -> dict[str, list[str]]:
    """The addresses in each file, after checking every file in a manifest."""
    found = {}
    for path in sorted(folder.glob("*/*")):
        content = path.read_bytes()
        if path.name == "manifest.json":
            for name, entry in json.loads(content).items():
                content = (path.parent / name).read_bytes()
                assert entry["sha256"] == hashlib.sha256(content).hexdigest()
                assert entry["rows"] == len(emails_of(path.parent / name))
        else:
            found[f"{path.parent.name[8:10]}/{path.name.rsplit('-', 1)[0]}"] = emails_of(path)
    return found


def emails_of(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return [str(email) for email in pq.read_table(path)["email"].to_pylist()]
    return [line["email"] for line in csv.DictReader(io.StringIO(path.read_text(), newline=""))]


def test_deleted_people_leave_all_files_except_deletion_files(tmp_path: Path, form: str) -> None:
    sent(tmp_path, "add", OTHERS[0], ERASED, *OTHERS[1:])
    sent(tmp_path, "suppress", ERASED)
    sent(tmp_path, "update", *OTHERS, moment=2)
    untouched = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*02T*/*")}
    (added,) = tmp_path.glob("*/vips-add-*")
    os.utime(added, (1_800_000_000, 1_800_000_000))
    before = added.read_bytes()

    sent(tmp_path, "delete", ERASED.lower(), moment=3)
    assert held(tmp_path) == {
        "01/vips-add": list(OTHERS), "02/vips-update": list(OTHERS), "03/everywhere-delete": ["erased@x.de"]
    }  # fmt: skip
    assert {path: path.stat().st_mtime_ns for path in untouched} == untouched, (
        "a file without them is not written again"
    )
    assert added.stat().st_mtime == 1_800_000_000, "it stays no longer for being written again"
    if form == "csv":
        kept = [row for row in csv.reader(io.StringIO(before.decode(), newline="")) if row[0] != ERASED]
        assert list(csv.reader(io.StringIO(added.read_text(), newline=""))) == kept
    once = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    sent(tmp_path, "delete", ERASED.lower(), moment=3)
    assert once == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def dying(number: int, work: Callable[..., Any]) -> Callable[..., Any]:
    """A function that dies after the call of that number."""
    calls: Iterator[int] = iter(range(1_000))

    def and_die(*arguments: Any, **named: Any) -> Any:
        result = work(*arguments, **named)
        if next(calls) == number:
            raise KilledError
        return result

    return and_die


@pytest.mark.parametrize("call", ["os.replace", "pathlib.Path.unlink"])
@pytest.mark.parametrize("number", range(6))
def test_killed_anywhere_manifests_are_correct_and_the_next_push_finishes(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    sent(tmp_path, "add", OTHERS[0], ERASED, *OTHERS[1:])
    sent(tmp_path, "suppress", ERASED)
    sent(tmp_path, "add", ERASED, *OTHERS, moment=2)
    with monkeypatch.context() as patched:
        work = os.replace if call == "os.replace" else Path.unlink
        patched.setattr(call, dying(number, work))
        try:
            sent(tmp_path, "delete", ERASED.lower(), moment=3)
        except KilledError:
            held(tmp_path)
        else:
            assert call != "os.replace"
    sent(tmp_path, "delete", ERASED.lower(), moment=3)
    expected = {
        "01/vips-add": list(OTHERS), "02/vips-add": list(OTHERS), "03/everywhere-delete": [ERASED.lower()]
    }  # fmt: skip
    assert held(tmp_path) == expected
    named = {name for path in tmp_path.glob("*/manifest.json") for name in json.loads(path.read_text())}
    assert len(named) == len(expected)


def aged(path: Path, days: float) -> None:
    moment = time.time() - days * 24 * 60 * 60
    os.utime(path, (moment, moment))


def test_old_and_unfinished_files_are_deleted_with_their_folder(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(tmp_path, "add", *OTHERS)
    sent(tmp_path, "add", *OTHERS, moment=2)
    sent(tmp_path, "remove", *OTHERS, moment=2)
    for path in tmp_path.glob("*/vips-add-*"):
        aged(path, KEPT_DAYS + 0.1)
    (tmp_path / f"2026-07-02T000000/.vips-add-1.{form}.unfinished").write_text("a@x.de")
    tidy(tmp_path)
    assert held(tmp_path) == {"02/vips-remove": list(OTHERS)}
    assert [path.name for path in tmp_path.iterdir()] == ["2026-07-02T000000"]
    assert not any(path.name.startswith(".") for path in tmp_path.rglob("*"))

    for path in tmp_path.glob("*/vips-*"):
        aged(path, 3.1)
    monkeypatch.setenv("MAILROOM_DROP_DAYS", "4")
    tidy(tmp_path)
    assert held(tmp_path) == {"02/vips-remove": list(OTHERS)}
    monkeypatch.setenv("MAILROOM_DROP_DAYS", "3")
    tidy(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("MAILROOM_DROP_DAYS", "-1")
    with pytest.raises(StoppedError, match="not a number of days"):
        tidy(tmp_path)


@pytest.mark.parametrize("number", range(3))
def test_killed_while_deleting_old_files_manifests_are_correct(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for operation in ("add", "update"):
        sent(tmp_path, operation, *OTHERS)
    for path in tmp_path.glob("*/vips-*"):
        aged(path, KEPT_DAYS + 1)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dying(number, Path.unlink))
        with pytest.raises(KilledError):
            tidy(tmp_path)
    held(tmp_path)
    tidy(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_unfinished_ledger_files_of_a_killed_push_are_deleted_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "receipts").mkdir()
    (tmp_path / "receipts/.20260701T000000000000-ab.parquet.unfinished").write_text("a@x.de")
    merge(tmp_path, "receipts")
    assert list((tmp_path / "receipts").iterdir()) == []


def test_an_empty_folder_is_tidy(tmp_path: Path) -> None:
    tidy(tmp_path / "none")


SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
UNSEEN = ' \t\u00a0\u3000\ufeff\u200b\u200d\u2060\u00ad\x00\x1f"'
SPLITS = ",;|\t\r\n\x0b\x0c\x85\u2028\u2029"
TEXTS = st.text(st.sampled_from(SIGNS + UNSEEN + SPLITS + "'a1(") | st.characters(codec="utf-8"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"), ("-5", "'-5"), ("@a", "'@a"), ("\tx", "'\tx"), ("\rx", "'\rx"), ("\nx", "'\nx"),
        ("a;=1", "a;'=1"), ("a, -1", "a,' -1"), ("a\t+1", "a\t'+1"), ("a\n=1", "a\n'=1"),
        ('a;"=1', "a;'\"=1"),
        ("\uff1d1", "'\uff1d1"), ("\uff0b1", "'\uff0b1"), ("\uff0d1", "'\uff0d1"), ("\uff20a", "'\uff20a"),
        (" =1", "' =1"), ("\ufeff=1", "'\ufeff=1"), ("\u200b=1", "'\u200b=1"), ("\u00a0=1", "'\u00a0=1"),
        ("a=1", "a=1"), ("a-b, c", "a-b, c"), ("'=1", "'=1"), ("", ""), (-5, "-5"), (-0.5, "-0.5"),
        (True, "true"), (["a", "=1"], "[\"a\",' \"=1\"]"),
    ],
)  # fmt: skip
def test_a_quote_stands_before_what_a_spreadsheet_would_compute(text: Any, written: str) -> None:
    assert safe(text) == written


@given(st.lists(TEXTS, min_size=1, max_size=3))
@example(["=1"])
@example(["a", ";=1"])
@example(['x";"=1'])
def test_no_part_of_a_file_is_a_formula_however_it_is_split(texts: list[str]) -> None:
    """Neither if quotes delimit a cell, nor if any separator or line end does."""
    columns = ["email", *(f"field_{number}" for number in range(len(texts)))]
    line = dict(zip(columns, ["a@x.de", *texts], strict=True))
    content = as_csv(columns, [line]).decode()
    (read,) = list(csv.DictReader(io.StringIO(content, newline="")))
    pieces = re.split(f"[{SPLITS}]", content)
    for mark in ",;|\t":
        for row in csv.reader(io.StringIO(content, newline=""), delimiter=mark):
            pieces += row
    for piece in [*read.values(), *pieces]:
        assert not piece.lstrip().lstrip(UNSEEN).startswith(tuple(SIGNS)), repr(piece)
        assert not piece.strip(UNSEEN + "\r\n\x0b\x0c").startswith(tuple(SIGNS)), repr(piece)
    for column, text in line.items():
        assert read[column].replace("'", "") == text.replace("'", ""), "nothing but quotes was added"


def test_a_number_stays_a_number(tmp_path: Path) -> None:
    sent(tmp_path, "add", OTHERS[0], payload={"n_orders": -5, "share": -0.25, "note": "-5"})
    (path,) = tmp_path.glob("*/*.csv")
    (line,) = csv.DictReader(io.StringIO(path.read_text(), newline=""))
    assert (line["n_orders"], line["share"], line["note"]) == ("-5", "-0.25", "'-5")


@pytest.mark.parametrize("email", ["=a@x.de", "\uff1da@x.de", "\u200b+a@x.de", "a;=b@x.de", "-a@x.de"])
def test_an_address_that_would_be_computed_is_refused(tmp_path: Path, email: str) -> None:
    row = Row("o", "file", "vips", "add", "c", email, {}, None, datetime(2026, 7, 1), 1)
    (answer,) = FileDestination(tmp_path, Connection()).send(Batch("b", "file", "vips", "add", [row]))
    assert (answer.status, answer.code) == ("rejected", "unsafe_address")
    assert not any(tmp_path.iterdir()) and email not in (answer.message or "")
