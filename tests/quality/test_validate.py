"""`mailroom validate` on a small warehouse: what it finds and prints, and that it shows no value."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from mailroom.cli import main

ENTRY: dict[str, Any] = {
    "schema_name": "main", "model_name": "customers", "is_key": False, "format": "text", "pattern": None,
    "at_least": None, "at_most": None, "accepted": None, "min_fill_share": 1.0,
    "not_given": None, "given_by": None,
}  # fmt: skip
ENTRIES: list[dict[str, Any]] = [
    {"column_name": "customer_id", "data_type": "string", "pattern": "^c_[0-9]+$", "is_key": True},
    {"column_name": "email", "data_type": "string", "pattern": "^[^@]+@[^@]+$", "min_fill_share": 0.9},
    {"column_name": "n_orders", "data_type": "bigint", "at_least": 0},
    {"column_name": "refund_share", "data_type": "double", "at_least": 0, "at_most": 1, "min_fill_share": 0},
    {"column_name": "net_revenue", "data_type": "decimal(18,2)"},
    {"column_name": "rating", "data_type": "bigint", "accepted": "1, 2, 3", "min_fill_share": 0},
    {"column_name": "frequency", "data_type": "string", "accepted": "daily, weekly"},
    {"column_name": "is_open", "data_type": "boolean"},
    {"column_name": "seen_on", "data_type": "date"},
    {"column_name": "seen_at", "data_type": "timestamp"},
]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A public table of 200 rows that meets its entries."""
    path = tmp_path / "warehouse.duckdb"
    entries = [{**ENTRY, **entry, "column_number": number} for number, entry in enumerate(ENTRIES, 1)]
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            create table field_dictionary (
                schema_name varchar, model_name varchar, column_name varchar, column_number bigint,
                data_type varchar, is_key boolean, format varchar, pattern varchar, at_least double,
                at_most double, accepted varchar, min_fill_share double,
                not_given varchar, given_by varchar
            )
        """)
        frame = pd.DataFrame(entries)
        connection.register("entries", frame)
        connection.execute("insert into field_dictionary by name from entries")
        connection.execute("create table field_checks as select timestamp '2026-07-01' as checked_at")
        connection.execute("""
            create table customers as
            select
                'c_' || n as customer_id,
                case when n % 20 <> 0 then 'person' || n || '@private.example' end as email,
                n as n_orders,
                case when n % 2 = 0 then cast(0.5 as double) end as refund_share,
                cast(n as decimal(18, 2)) as net_revenue,
                case when n % 2 = 0 then n % 3 + 1 end as rating,
                'daily' as frequency,
                n % 2 = 0 as is_open,
                date '2026-06-30' as seen_on,
                timestamp '2026-06-30 23:00:00' as seen_at
            from (select unnest(range(200)) as n) as numbers
        """)
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(path))
    return path


def change(database: Path, sql: str) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(sql)


def written_files(folder: Path) -> str:
    """Everything that validate wrote, as one text."""
    return "".join(path.read_text() for pattern in ("*.json", "*.html") for path in folder.rglob(pattern))


def test_a_table_that_meets_its_entries_passes(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "gx"
    assert main(["validate", "--output", str(output)]) == 0
    assert re.search(r"customers +200 +200 +\d+ +0\n", capsys.readouterr().out)
    assert json.loads((output / "result.json").read_text())["success"] is True
    index = (output / "data_docs" / "index.html").read_text()
    for link in re.findall(r'href="([^"]+)"', index):
        assert (output / "data_docs" / link).exists(), link
    assert "@private.example" not in written_files(output)
    assert not re.search(r'(src|href)="https?://[^"]*\.(js|css|png)', written_files(output))


def test_a_failing_table_is_named_by_field_and_shows_no_value(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every kind of expectation fails once. The exit code is 1."""
    for sql in (
        "update customers set customer_id = 'c_1' where customer_id = 'c_2'",
        "update customers set email = 'anna.private.example' where customer_id = 'c_3'",
        "update customers set n_orders = -4 where customer_id = 'c_4'",
        "update customers set refund_share = 1.2 where customer_id = 'c_5'",
        "update customers set net_revenue = null where customer_id = 'c_6'",
        "update customers set rating = 9 where customer_id = 'c_7'",
        "update customers set frequency = 'bertha@private.example' where customer_id = 'c_8'",
        "update customers set seen_on = date '2026-07-02' where customer_id = 'c_9'",
        "update customers set seen_at = timestamp '2026-07-01 00:00:01' where customer_id = 'c_10'",
    ):
        change(database, sql)
    output = tmp_path / "gx"
    assert main(["validate", "--output", str(output)]) == 1
    printed = capsys.readouterr().out
    failed = set(re.findall(r"^customers: (\w+): (\w+)$", printed, re.MULTILINE))
    assert failed == {
        ("customer_id", "expect_column_values_to_be_unique"),
        ("email", "expect_column_values_to_match_regex"),
        ("n_orders", "expect_column_values_to_be_between"),
        ("refund_share", "expect_column_values_to_be_between"),
        ("net_revenue", "expect_column_values_to_not_be_null"),
        ("rating", "expect_column_values_to_be_in_set"),
        ("frequency", "expect_column_values_to_be_in_set"),
        ("seen_on", "expect_column_values_to_be_between"),
        ("seen_at", "expect_column_values_to_be_between"),
    }
    assert json.loads((output / "result.json").read_text())["success"] is False
    assert "private.example" not in printed + written_files(output)


def test_a_column_filled_less_than_its_entry_requires_fails(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(database, "update customers set email = null where n_orders < 20")
    assert main(["validate", "--output", str(tmp_path / "gx")]) == 1
    assert "customers: email: expect_column_values_to_not_be_null" in capsys.readouterr().out


def test_a_field_without_a_source_need_not_be_filled_and_is_listed(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If another record type has the field, it must be filled for customers first seen there."""
    change(
        database,
        """
        update customers set email = null, frequency = null;
        alter table customers add column first_record_type varchar;
        update customers set
            first_record_type = case when n_orders < 20 then 'crm_contact' else 'shop_customer' end,
            frequency = case when n_orders < 20 then 'daily' end;
        insert into field_dictionary by name
        from field_dictionary select * replace (
            'first_record_type' as column_name, 11 as column_number
        ) where column_name = 'is_open';
        update field_dictionary set data_type = 'string' where column_name = 'first_record_type';
        update field_dictionary set not_given = 'shop.customers.' || column_name
        where column_name in ('email', 'frequency');
        update field_dictionary set given_by = 'crm_contact, esp_profile' where column_name = 'frequency';
        """,
    )
    output = tmp_path / "gx"
    assert main(["validate", "--output", str(output)]) == 0
    said = capsys.readouterr().out
    assert "need not be filled, because the shop has no shop.customers.email: customers.email\n" in said
    (suite,) = [
        one
        for one in json.loads((output / "result.json").read_text())["suites"]
        if one["name"] == "customers"
    ]
    assert suite["not_asked"] == {"email": "shop.customers.email"}
    change(database, "update customers set frequency = null where n_orders < 5")
    assert main(["validate", "--output", str(output)]) == 1
    assert re.findall(r"^customers: (\w+):", capsys.readouterr().out, re.MULTILINE) == ["frequency"]


def test_columns_must_be_those_of_the_entries(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(database, "alter table customers add column nickname varchar")
    change(database, "alter table customers drop column frequency")
    change(database, "alter table customers alter net_revenue type double")
    assert main(["validate", "--output", str(tmp_path / "gx")]) == 1
    printed = capsys.readouterr().out
    assert "columns_and_types: all columns: expect_table_columns_to_match_set" in printed
    assert "columns_and_types: customers.frequency: expect_column_distinct_values_to_equal_set" in printed
    assert "columns_and_types: customers.net_revenue: expect_column_distinct_values_to_equal_set" in printed


def test_a_large_table_is_sampled_and_the_output_says_so(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample_sizes = set()
    for _ in range(2):
        assert main(["validate", "--output", str(tmp_path / "gx"), "--rows", "100"]) == 0
        found = re.search(r"customers +200 +(\d+) ", capsys.readouterr().out)
        assert found
        sample_sizes.add(int(found[1]))
    assert len(sample_sizes) == 1
    assert 60 < sample_sizes.pop() < 140


def test_an_empty_table_has_nothing_wrong(database: Path, tmp_path: Path) -> None:
    change(database, "delete from customers")
    assert main(["validate", "--output", str(tmp_path / "gx")]) == 0


def test_without_a_build_it_says_so(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(database, "drop table field_dictionary")
    assert main(["validate"]) == 1
    assert "run dbt build first" in capsys.readouterr().err
