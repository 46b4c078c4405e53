"""Numbers, times, ids and words as in shops' exports, through the macros that read them."""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import PROJECT, Warehouse

MARKS = (".", ",", "mixed", "money", "")
MACROS = {
    **{f"decimal {mark}": f"parse('value', 'decimal(18,2)', '{mark}')" for mark in MARKS},
    "boolean": "parse('value', 'boolean')",
    "timestamp": "parse('value', 'timestamp')",
    "month first": "parse('value', 'timestamp', 'month')",
    "day first": "parse('value', 'timestamp', 'day', 'Europe/Berlin')",
    "first": "'(select concat(' ~ first_shown('value').values() | join(', ') ~ ') from texts)'",
    "timestamp of Sydney": "parse('value', 'timestamp', '', 'Australia/Sydney')",
    "id": "plain_id('value')",
    "is odd": "is_odd_id('value')",
    "marks": "'(select concat(' ~ marks_shown('value').values() | join(', ') ~ ') from texts)'",
}  # fmt: skip
BREAK = "===="
Sql = dict[str, str]


@pytest.fixture(scope="module")
def sqls(parsed: Warehouse) -> Iterator[Sql]:
    inline = BREAK.join(["", *("{{ " + call + " }}" for call in MACROS.values()), ""])
    run = parsed.dbt("compile", "--quiet", "--inline", inline)
    assert run.ok, run.output
    yield dict(zip(MACROS, run.output.split(BREAK)[1:-1], strict=True))


def read(sql: str, values: Sequence[str]) -> list[Any]:
    rows = duckdb.execute(
        "with texts as (select unnest($1::varchar[]) as value)"
        f" select {sql} from (select unnest($1::varchar[]) as value, unnest(range($2)) as n) order by n",
        [list(values), len(values)],
    ).fetchall()
    return [row[0] for row in rows]


ANY_MARK = {
    "1000,50": "1000.50", "12,90": "12.90", "12.90": "12.90", "1.234,50": "1234.50", "1,234.50": "1234.50",
    "1.234.567": "1234567", "1,234,567": "1234567", "1 234,50": "1234.50", "1\u00a0234,50": "1234.50",
    "1\u202f234,5": "1234.50", "1'234.50": "1234.50", "1\u2019234.50": "1234.50", "(12.90)": "-12.90",
    "(12,90)": "-12.90", "-12,90": "-12.90", "12,90-": "-12.90", "\u221212,90": "-12.90", "+5": "5",
    "\u20ac 12,90": "12.90", "12,90 \u20ac": "12.90", "EUR 12.90": "12.90", "12.90 EUR": "12.90",
    "$1,234.50": "1234.50", "US$ 5.00": "5.00", "R$ 1.234,50": "1234.50", "-$5.00": "-5.00",
    "$-5.00": "-5.00", "($5.00)": "-5.00", "CHF 1'234.-": "1234", "100,-": "100", "Fr. 12.50": "12.50",
    "12,90 z\u0142": "12.90", "Rs. 500": "500", "0,125": "0.13", "0.125": "0.13", "1234,567": "1234.57",
    ".5": "0.50", ",5": "0.50", "1e3": "1000",
}  # fmt: skip
BY_MARK = {
    "1,234": {".": "1234", ",": "1.23", "mixed": None, "money": "1234", "": None},
    "1.234": {".": "1.23", ",": "1234", "mixed": None, "money": None, "": "1.23"},
    "-12.500": {".": "-12.50", ",": "-12500", "mixed": None, "money": None, "": "-12.50"},
}
NO_NUMBER = [
    "", "soon", "12,90,5", "1.23.4", "12 90", "1,23,456", "12.90.", "--5", "1-2", "01.06.2026", "12 kg",
    "1e400", "5%",
]  # fmt: skip


def test_a_number_is_read_as_it_was_meant(sqls: Sql) -> None:
    for mark in MARKS:
        given_texts = list(ANY_MARK) + list(BY_MARK) + NO_NUMBER
        found = dict(zip(given_texts, read(sqls[f"decimal {mark}"], given_texts), strict=True))
        wanted = {
            **{text: Decimal(value) for text, value in ANY_MARK.items()},
            **{
                text: None if by_mark[mark] is None else Decimal(str(by_mark[mark]))
                for text, by_mark in BY_MARK.items()
            },
            **dict.fromkeys(NO_NUMBER),
        }
        assert found == wanted, mark


def test_a_column_shows_its_mark_by_the_texts_that_can_be_read_in_one_way(sqls: Sql) -> None:
    shown = {
        "12,90": "10", "1.234,5": "10", "0,125": "10", "1234,567": "10", "1.234.567": "10",
        "12.90": "01", "1,234.5": "01", "0.125": "01", "1234.567": "01", "1,234,567": "01",
        "1,234": "00", "1.234": "00", "980": "00", "": "00", "EUR 5": "00", "12,90 \u20ac": "10",
    }  # fmt: skip
    for text, marks in shown.items():
        assert read(sqls["marks"], [text]) == [marks], text


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.decimals(-999_999_999, 999_999_999, places=2), min_size=1, max_size=60),
    st.sampled_from(["plain", "english", "german", "swiss", "french"]),
)
def test_numbers_in_the_format_of_a_country_are_read_back(
    sqls: Sql, numbers: list[Decimal], how: str
) -> None:
    """Two decimals show the mark of the column."""
    english = [f"{number:,.2f}" for number in numbers]
    signs: dict[str, Any] = {
        "plain": {ord(","): ""}, "english": {}, "german": str.maketrans(",.", ".,"),
        "swiss": str.maketrans(",", "'"), "french": str.maketrans(",.", "\u202f,"),
    }  # fmt: skip
    texts = [text.translate(signs[how]) for text in english]
    mark = "," if how in ("german", "french") else "."
    assert read(sqls["marks"], texts)[0] == ("10" if mark == "," else "01")
    assert read(sqls[f"decimal {mark}"], texts) == numbers


def test_a_time_is_read_in_every_unambiguous_spelling(sqls: Sql) -> None:
    moment = datetime(2026, 7, 1, 9, 30, 5)
    seconds = int(moment.replace(tzinfo=UTC).timestamp())
    same = [
        "2026-07-01 09:30:05", "2026-07-01T09:30:05Z", "2026-07-01T11:30:05+02:00", "2026/07/01 09:30:05",
        "01.07.2026 09:30:05", "20260701093005", str(seconds), f"{seconds}000", f"{seconds}000000",
        f"{seconds}000000000", f"{seconds}.0",
    ]  # fmt: skip
    assert read(sqls["timestamp"], same) == [moment] * len(same)
    assert read(sqls["timestamp"], ["01.07.2026", "20260701", "2026/07/01"]) == [datetime(2026, 7, 1)] * 3
    none = ["07/01/2026", "1.7.26", "12", "0", "99999999", "32.01.2026", "20261301", "123456789012345678901"]
    assert read(sqls["timestamp"], none) == [None] * len(none)


def test_a_time_without_an_offset_is_local_time_of_its_source(sqls: Sql) -> None:
    given_texts = ["2026-07-01 09:00:00", "2026-06-30T22:00:00-04:00", "2026-01-15", "1782892800"]
    zone = ZoneInfo("Australia/Sydney")
    wanted = [
        datetime(2026, 7, 1, 9, tzinfo=zone), datetime.fromisoformat("2026-06-30T22:00:00-04:00"),
        datetime(2026, 1, 15, tzinfo=zone), datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1782892800),
    ]  # fmt: skip
    assert read(sqls["timestamp of Sydney"], given_texts) == [
        moment.astimezone(UTC).replace(tzinfo=None) for moment in wanted
    ]


def test_day_and_month_are_read_in_the_order_that_the_column_shows(sqls: Sql) -> None:
    shown = {
        "07/25/2026": "10",
        "7/25/2026 9:30 PM": "10",
        "25/07/2026": "01",
        "07/01/2026": "00",
        "13/13/2026": "11",
    }
    for text, firsts in shown.items():
        assert read(sqls["first"], [text]) == [firsts], text
    july, evening = datetime(2026, 7, 1), datetime(2026, 7, 1, 21, 30)
    month_first = {
        "07/01/2026": july, "7/1/2026": july, "7/1/2026 9:30 PM": evening, "07/01/2026, 21:30": evening,
        "7/1/2026 12:05 AM": datetime(2026, 7, 1, 0, 5),
        "7/1/2026 12:05:07 pm": datetime(2026, 7, 1, 12, 5, 7),
        "2026-07-01 21:30": evening, "01.07.2026": july, "13/01/2026": None, "07/32/2026": None,
        "07/01/26": None, "7/1/2026 25:00": None, "soon/7/1": None,
    }  # fmt: skip
    assert dict(zip(month_first, read(sqls["month first"], list(month_first)), strict=True)) == month_first
    # Berlin in summer: midnight, and 21:30.
    assert read(sqls["day first"], ["01/07/2026", "01/07/2026 21:30", "01/13/2026"]) == [
        datetime(2026, 6, 30, 22), datetime(2026, 7, 1, 19, 30), None,
    ]  # fmt: skip


def test_yes_and_no_in_other_languages(sqls: Sql) -> None:
    assert read(sqls["boolean"], ["ja", "Nein", "OUI", "non", "s\u00ed", "on", "Off", "vielleicht"]) == [
        True, False, True, False, True, True, False, None,
    ]  # fmt: skip


def test_an_id_is_that_of_its_own_system(sqls: Sql) -> None:
    ids = {
        " a ": "a", "1001.0": "1001", "1001.00": "1001", "gid://shopify/Customer/207119551": "207119551",
        "gid://shopify/Order/5?key=1": "5", "5.5e+12": "5500000000000", "5.50012E+12": None,
        "12e5": "12e5", "v1.0": "v1.0", "1.0.0": "1.0.0", "7e10": "7e10", "a.0": "a.0",
    }  # fmt: skip
    assert dict(zip(ids, read(sqls["id"], list(ids)), strict=True)) == ids
    odd = read(sqls["is odd"], list(ids))
    assert [text for text, is_odd in zip(ids, odd, strict=True) if not is_odd] == ["12e5", "7e10"]


def test_every_word_of_the_seed_stands_for_a_value_that_its_column_takes() -> None:
    columns = {}
    for path in (PROJECT / "models/staging").glob("*/_*__sources.yml"):
        for source in yaml.safe_load(path.read_text())["sources"]:
            for table in source["tables"]:
                for column in table["columns"]:
                    columns[source["name"], table["name"], column["name"]] = column
    met = set()
    with (PROJECT / "seeds/policy/source_words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = row["source_name"], row["table_name"], row["column_name"]
            meta = columns[key]["config"]["meta"]
            assert meta["words"], row
            values = meta.get("accepted") or meta.get("known") or ["1", "2", "3", "4", "5"]
            met.add(key)
            if key[2] != "currency":
                assert row["value"] in values or (
                    row["value"] == "" and (row["word"].endswith("*") or key[2] == "satisfaction")
                ), row
    worded = {key for key, column in columns.items() if column.get("config", {}).get("meta", {}).get("words")}
    assert met == worded


def test_an_evening_that_is_midnight_in_utc_is_no_day_without_a_time(parsed: Warehouse) -> None:
    call = "{{ parse('value', 'timestamp', '', 'America/New_York') }}"
    run = parsed.dbt("compile", "--quiet", "--inline", BREAK + call + BREAK, time_zone="America/New_York")
    assert run.ok, run.output
    texts = ["2026-06-29 20:00:00", "2026-06-30", "2026-06-30T00:00:00Z", "2026-06-29T20:00:00-04:00"]
    days = [datetime(2026, 6, 30), *[datetime(2026, 6, 30, 4)] * 3]
    assert read(run.output.split(BREAK)[1], texts) == days
