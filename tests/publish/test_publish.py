"""mailroom publish: readers always have one complete copy of the public tables."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock

from conftest import Warehouse
from mailroom import publish as module
from mailroom.cli import main
from mailroom.demo import generate
from mailroom.publish import AnotherPublishError, as_text, publish, published_folder
from mailroom.sql import quoted

Rows = list[tuple[Any, ...]]
TABLES = ("customers", "field_dictionary", "orders")
# Each file, the folder and `latest`. The first time, two more links.
REPLACES = len(TABLES) + 3
FIRST_REPLACES = REPLACES + 2
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+")


def build(warehouse: Path, generation: int, backwards: bool = False) -> None:
    """A warehouse as a build leaves it: two public tables, one of them a view, and one that is not public."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(f"""
            create or replace table customers as
            select
                'c' || n as customer_id, 'person' || (100 - n) || '@x.de' as email, n * 1.5 as revenue,
                if(n % 3 = 0, null, 'it''s "' || n) as "top category", {generation} as generation,
                n as internal
            from range(20) as numbers (n) order by n {"desc" if backwards else ""}
        """)
        connection.execute(f"""
            create or replace table order_facts as
            select
                n as order_id, 'person' || n || '@x.de' as ordered_by, timestamp '2026-07-01' as ordered_at,
                {generation} as generation
            from range(30) as numbers (n) order by n {"desc" if backwards else ""}
        """)
        connection.execute("create schema if not exists marts")
        connection.execute("create or replace view marts.orders as select * from main.order_facts")
        connection.execute("create or replace table private as select 1 as secret")
        connection.execute("""
            create or replace table field_dictionary as
            select
                * exclude (generation), row_number() over (partition by model_name) as column_number,
                'What ' || column_name || ' is; it''s "so".' as description
            from (values
                ('main', 'customers', 'customer_id', true, 'pseudonymous', 1),
                ('main', 'customers', 'email', false, 'personal', 2),
                ('main', 'customers', 'revenue', false, 'none', 3),
                ('main', 'customers', 'top category', false, 'none', 4),
                ('main', 'customers', 'generation', false, 'none', 5),
                ('marts', 'orders', 'ordered_by', true, 'personal', 6),
                ('marts', 'orders', 'ordered_at', false, 'none', 7),
                ('marts', 'orders', 'order_id', false, null, 8),
                ('marts', 'orders', 'generation', false, 'none', 9),
                ('main', 'field_dictionary', 'model_name', true, 'none', 10),
                ('main', 'field_dictionary', 'column_name', true, 'none', 11),
                ('main', 'field_dictionary', 'pii', false, 'none', 12)
            ) as entries (schema_name, model_name, column_name, is_key, pii, generation)
            order by generation
        """)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    build(tmp_path / "shop.duckdb", 1)
    return tmp_path / "shop.duckdb"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shop-published"


def copied(folder: Path, query: str) -> Rows:
    """The rows of a query against the published DuckDB file."""
    with duckdb.connect(str(folder / "mailroom.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def parquet(path: Path) -> Rows:
    with duckdb.connect() as connection:
        return connection.execute(f"select * from '{path}'").fetchall()


def generation(folder: Path) -> int:
    """The build that a reader sees. Both formats have every table of that build and no other row."""
    assert in_folder(folder / "parquet") == [f"{table}.parquet" for table in TABLES]
    seen = set()
    with duckdb.connect(str(folder / "mailroom.duckdb"), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() order by 1").fetchall()
        assert tables == [(table,) for table in TABLES]
        for table, n_rows in (("customers", 20), ("orders", 30)):
            rows = connection.execute(f"from {table}").fetchall()
            assert rows == connection.execute(f"from '{folder}/parquet/{table}.parquet'").fetchall()
            assert len(rows) == n_rows
            seen |= {row[-1] for row in rows}
    (only,) = seen
    return int(only)


def in_folder(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def publications(folder: Path) -> list[str]:
    """The publications in the folder, which has only them, the links and the lock."""
    return [
        name
        for name in in_folder(folder)
        if name not in ("latest", "mailroom.duckdb", "parquet", "publish.lock")
    ]


def test_every_row_of_every_public_table_is_published_and_nothing_else(warehouse: Path, folder: Path) -> None:
    published = publish(warehouse, folder)
    assert [(table.name, table.rows) for table in published.tables] == [
        ("customers", 20), ("field_dictionary", 12), ("orders", 30)
    ]  # fmt: skip
    assert generation(folder) == 1 and published.left_out == published.missing == []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        customers = connection.execute(
            'select customer_id, email, revenue, "top category", generation from customers'
        ).fetchall()
        orders = connection.execute(
            "select ordered_by, ordered_at, order_id, generation from marts.orders"
        ).fetchall()
    assert sorted(copied(folder, "from customers")) == sorted(customers), "without the column internal"
    assert sorted(copied(folder, "from orders")) == sorted(orders)
    assert len(copied(folder, "from field_dictionary")) == 12


def test_columns_keep_their_descriptions(warehouse: Path, folder: Path) -> None:
    publish(warehouse, folder)
    comments = copied(folder, "select column_name, comment from duckdb_columns() where not internal")
    assert len(comments) == 12
    assert all(comment == f'What {column} is; it\'s "so".' for column, comment in comments)


def test_older_readers_can_open_the_copy(warehouse: Path, folder: Path) -> None:
    publish(warehouse, folder)
    opened = "select tags['storage_version'] from duckdb_databases() where not internal and path is not null"
    try:
        ((version,),) = copied(folder, opened)
    except duckdb.BinderException:
        ((version,),) = copied(folder, opened.replace("tags", "options"))
    assert version == "v1.0.0+"
    with (folder / "mailroom.duckdb").open("rb") as file:
        header = file.read(20)
    assert header[8:12] == b"DUCK" and int.from_bytes(header[12:20], "little") == 64, "DuckDB 1.0 reads 64"


def test_the_same_rows_give_the_same_parquet_bytes(warehouse: Path, folder: Path, tmp_path: Path) -> None:
    publish(warehouse, folder)
    build(tmp_path / "again.duckdb", 1, backwards=True)
    publish(tmp_path / "again.duckdb", tmp_path / "again")
    for table in TABLES:
        first, second = (place / "parquet" / f"{table}.parquet" for place in (folder, tmp_path / "again"))
        assert first.read_bytes() == second.read_bytes()


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def killed_at(number: int, before: bool, look: Callable[[], None]) -> Callable[..., None]:
    """os.replace that dies at the given call, before or after its work. look() is called around each."""
    calls = iter(range(1_000_000))
    replace = os.replace

    def dying(source: Path, target: Path) -> None:
        call = next(calls)
        look()
        if call == number and before:
            raise KilledError
        replace(source, target)
        look()
        if call == number:
            raise KilledError

    return dying


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("number", range(REPLACES + 1))
def test_killed_anywhere_readers_keep_a_complete_copy_and_the_next_publish_tidies_up(
    warehouse: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, before: bool
) -> None:
    publish(warehouse, folder)
    build(warehouse, 2)
    seen: list[int] = []
    is_killed = False
    with monkeypatch.context() as patched:
        dying = killed_at(number, before, lambda: seen.append(generation(folder)))
        patched.setattr("mailroom.publish.os.replace", dying)
        try:
            publish(warehouse, folder)
        except KilledError:
            is_killed = True
    assert is_killed == (number < REPLACES), "every file and link that is written was killed at"
    assert seen == sorted(seen), "no reader sees the old copy after the new one"
    is_published = number == REPLACES or (number == REPLACES - 1 and not before)
    assert generation(folder) == (2 if is_published else 1)

    build(warehouse, 3)
    publish(warehouse, folder)
    assert generation(folder) == 3 and len(publications(folder)) == 2


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("number", range(FIRST_REPLACES))
def test_killed_the_first_time_there_is_a_complete_copy_or_none(
    warehouse: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, before: bool
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("mailroom.publish.os.replace", killed_at(number, before, lambda: None))
        with pytest.raises(KilledError):
            publish(warehouse, folder)
    if number == FIRST_REPLACES - 1 and not before:
        assert generation(folder) == 1
    else:
        assert not (folder / "mailroom.duckdb").exists() and not (folder / "parquet").exists()
    publish(warehouse, folder)
    assert generation(folder) == 1


def test_a_real_kill_leaves_the_copy_before(warehouse: Path, folder: Path) -> None:
    publish(warehouse, folder)
    build(warehouse, 2)
    program = f"""
import os, signal
from pathlib import Path
from mailroom import publish
def dying(connection, table, path):
    path.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
publish._write_parquet = dying
publish.publish(Path({str(warehouse)!r}), Path({str(folder)!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert generation(folder) == 1 and any(name.endswith(".unfinished") for name in in_folder(folder))
    publish(warehouse, folder)
    assert generation(folder) == 2 and len(publications(folder)) == 2


def test_a_failed_publish_leaves_nothing_behind(
    warehouse: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    publish(warehouse, folder)
    there = in_folder(folder)
    monkeypatch.setattr(module, "_write_parquet", full)
    with pytest.raises(OSError, match="No space"):
        publish(warehouse, folder)
    assert in_folder(folder) == there and generation(folder) == 1


@contextmanager
def another_process(path: Path, read_only: bool) -> Iterator[Callable[[str], str]]:
    """A process that has a DuckDB file open. Called with a query, it gives the first value."""
    program = f"""
import sys, duckdb
connection = duckdb.connect({str(path)!r}, read_only={read_only})
print("open", flush=True)
for query in sys.stdin:
    print(connection.execute(query).fetchall()[0][0], flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout and process.stdout.readline() == "open\n"
        asked, answered = process.stdin, process.stdout

        def ask(query: str) -> str:
            asked.write(f"{query}\n")
            asked.flush()
            return answered.readline().strip()

        yield ask
        asked.close()


def test_a_dashboard_that_has_the_copy_open_blocks_neither_build_nor_publish(
    warehouse: Path, folder: Path
) -> None:
    publish(warehouse, folder)
    with another_process(folder / "mailroom.duckdb", read_only=True) as dashboard:
        for number in (2, 3, 4):
            build(warehouse, number)
            publish(warehouse, folder)
            assert generation(folder) == number, "who opens it now sees the new copy"
            assert dashboard("select max(generation) from orders") == "1", "who has it open sees theirs"
            assert dashboard("select count(*) from customers") == "20"


def test_the_copy_of_a_reader_stays_until_the_publish_after_the_next(warehouse: Path, folder: Path) -> None:
    publish(warehouse, folder)
    looked_up = (folder / "latest").resolve()
    build(warehouse, 2)
    publish(warehouse, folder)
    assert {row[-1] for row in parquet(looked_up / "parquet" / "orders.parquet")} == {1}
    assert len(publications(folder)) == 2
    publish(warehouse, folder)
    assert not looked_up.exists() and len(publications(folder)) == 2


def test_the_copy_is_read_only(warehouse: Path, folder: Path) -> None:
    publish(warehouse, folder)
    files = [path for path in (folder / "latest").resolve().rglob("*") if path.is_file()]
    assert len(files) == len(TABLES) + 1
    assert all(path.stat().st_mode & 0o222 == 0 for path in files)


def test_a_build_does_not_wait_for_parquet_files(
    warehouse: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, opened = module._write_parquet, []

    def and_build(*arguments: Any) -> None:
        with another_process(warehouse, read_only=False) as building:
            opened.append(building("create or replace table private as select 2"))
        write(*arguments)

    monkeypatch.setattr(module, "_write_parquet", and_build)
    publish(warehouse, folder)
    assert len(opened) == len(TABLES) and generation(folder) == 1


def test_the_second_of_two_publishes_stops_with_an_error(
    warehouse: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(warehouse))
    folder.mkdir()
    with FileLock(folder / "publish.lock"):
        with pytest.raises(AnotherPublishError, match="another publish"):
            publish(warehouse, folder)
        assert main(["publish"]) == 3
        assert "another publish" in capsys.readouterr().err
    assert publications(folder) == []


def test_without_personal_data_no_column_and_no_byte_of_it_is_there(warehouse: Path, folder: Path) -> None:
    publish(warehouse, folder)
    assert ADDRESS.search((folder / "mailroom.duckdb").read_bytes().decode("latin-1"))
    published = publish(warehouse, folder, without_personal_data=True)
    assert published.left_out == ["customers.email", "orders.ordered_by", "orders.order_id"], (
        "an unclassified column counts as personal data"
    )
    columns = copied(
        folder, "select column_name from information_schema.columns where table_name = 'customers'"
    )
    assert columns == [("customer_id",), ("revenue",), ("top category",), ("generation",)]
    assert [len(copied(folder, f"from {table}")) for table in TABLES] == [20, 12, 30]
    (only,) = publications(folder)
    assert only.endswith("-without-personal-data"), "and the copy before, which has personal data, is gone"
    for path in (folder / only).rglob("*.*"):
        assert not ADDRESS.search(path.read_bytes().decode("latin-1"))

    publish(warehouse, folder, without_personal_data=True)
    assert len(publications(folder)) == 2
    publish(warehouse, folder)
    assert len(publications(folder)) == 2 and generation(folder) == 1


def test_columns_left_out_do_not_show_in_the_order_of_the_rows(tmp_path: Path) -> None:
    warehouse = tmp_path / "shop.duckdb"
    build(warehouse, 1)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("""
            update field_dictionary set is_key = column_name in ('customer_id', 'email')
            where model_name = 'customers'
        """)
    publish(warehouse, tmp_path / "published", without_personal_data=True)
    customers = [row[0] for row in copied(tmp_path / "published", "select customer_id from customers")]
    assert customers == sorted(customers)


REACHING = [
    "anna@x.de", "Write to Anna.B+c@mail.x-y.co.uk, please", "?to=anna%40x.de&x=1", "anna\uff20x.de",
    "a@b\u00fccher.de", "+491701234567", "Tel. +49 (170) 123-4567", "0170/1234567",
    "Tel.0170 1234567", "0041 44 123 45 67",
]  # fmt: skip
HARMLESS = [
    "c000001", "o0001234567", "2026-06-30", "Spent 2232.30 EUR in 365 days, 19 orders.", "0.012345678901",
    "-0.05512345678", '["2026-04-02", "2026-03-03"]', "3 @ 5.00", "1e+05", "",
    "^[^@ ,;<>()A-Z]+@[^@ ,;<>()A-Z]+[.][^@ ,;<>().0-9A-Z]{2,}$",
]  # fmt: skip


def test_a_text_with_contact_data_is_hidden_in_any_column(warehouse: Path, folder: Path) -> None:
    """Keys, too, because some shops number their customers by address. Equal values stay equal."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute('create or replace table customers (customer_id varchar, "top category" varchar)')
        connection.execute("alter table customers add column revenue varchar[]")
        for text in REACHING + HARMLESS:
            connection.execute("insert into customers values (?, ?, [?])", [text, text, text])
    publish(warehouse, folder)
    everything = copied(folder, "from customers order by all")
    assert sorted(row[0] for row in everything) == sorted(REACHING + HARMLESS)

    publish(warehouse, folder, without_personal_data=True)
    columns = 'customer_id, "top category", revenue[1]'
    rows = copied(folder, f"select {columns} from customers")
    assert [row for row in rows if row[0] in HARMLESS] == [(text, text, text) for text in sorted(HARMLESS)]
    hidden = [row for row in rows if row[0] not in HARMLESS]
    assert len({row[0] for row in hidden}) == len(REACHING), "each is one of its own"
    for key, text, item in hidden:
        assert re.fullmatch("hidden_[0-9a-f]{16}", key) and text == key and item is None
    assert [row[0] for row in rows] == sorted(row[0] for row in rows), "nor does the order tell"

    publish(warehouse, folder, without_personal_data=True)
    again = {row[0] for row in copied(folder, f"select {columns} from customers")}
    assert again & {row[0] for row in hidden} == set(), "the hashes of one publication say nothing of another"


def test_tables_of_the_dictionary_that_are_not_built_are_listed(warehouse: Path, folder: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("alter table customers drop column revenue")
        connection.execute("drop view marts.orders")
    published = publish(warehouse, folder)
    assert published.missing == ["customers.revenue", "orders"]
    assert [table.name for table in published.tables] == ["customers", "field_dictionary"]
    assert "In field_dictionary, but not built: customers.revenue, orders" in as_text(published)


def test_the_reason_is_clear_if_nothing_can_be_published(warehouse: Path, tmp_path: Path) -> None:
    folder = tmp_path / "to"
    with pytest.raises(ValueError, match=r"no warehouse .*none\.duckdb: run dbt build"):
        publish(tmp_path / "none.duckdb", folder)
    assert not folder.exists()

    duckdb.connect(str(tmp_path / "empty.duckdb")).close()
    with pytest.raises(ValueError, match="has no field_dictionary: run dbt build"):
        publish(tmp_path / "empty.duckdb", folder)

    with (
        another_process(warehouse, read_only=False),
        pytest.raises(ValueError, match="is a build running"),
    ):
        publish(warehouse, folder)

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create table raw as from order_facts")
        connection.execute("create or replace view marts.orders as select * from main.raw")
        connection.execute("drop table raw")
    with pytest.raises(ValueError, match="orders can't be read from the warehouse file alone"):
        publish(warehouse, folder)
    assert publications(folder) == []

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from field_dictionary")
    with pytest.raises(ValueError, match="none of the tables that field_dictionary names"):
        publish(warehouse, folder)


def test_a_warehouse_or_any_other_file_is_not_replaced(tmp_path: Path) -> None:
    warehouse = tmp_path / "mailroom.duckdb"
    build(warehouse, 1)
    (tmp_path / "20260701").mkdir()
    there = warehouse.read_bytes()
    with pytest.raises(ValueError, match="choose another folder"):
        publish(warehouse, tmp_path)
    assert warehouse.read_bytes() == there and in_folder(tmp_path) == ["20260701", "mailroom.duckdb"]


def test_the_command_prints_a_line_per_table_or_json(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(warehouse))
    assert published_folder(warehouse) == tmp_path / "shop-published"
    assert main(["publish"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(TABLES) + 1 and re.fullmatch(r"orders +30 rows +[\d,]+ bytes", lines[2])
    assert generation(tmp_path / "shop-published") == 1

    assert main(["publish", "--json", "--to", str(tmp_path / "to"), "--without-personal-data"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [(table["name"], table["rows"]) for table in printed["tables"]] == [
        ("customers", 20), ("field_dictionary", 12), ("orders", 30)
    ]  # fmt: skip
    for table in printed["tables"]:
        assert table["bytes"] == (tmp_path / "to" / "parquet" / f"{table['name']}.parquet").stat().st_size
    assert printed["duckdb_bytes"] == (tmp_path / "to" / "mailroom.duckdb").stat().st_size
    assert len(printed["left_out"]) == 3 and printed["folder"].startswith(str(tmp_path / "to"))

    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(tmp_path / "none.duckdb"))
    assert main(["publish"]) == 1
    assert "mailroom publish: there is no warehouse" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.deep
def test_the_demo_is_published_completely_and_without_an_address_if_asked(
    demo: Warehouse, tmp_path: Path
) -> None:
    warehouse, folder = tmp_path / "warehouse.duckdb", tmp_path / "published"
    shutil.copy(demo.folder / "warehouse.duckdb", warehouse)
    published = publish(warehouse, folder)
    public = {
        node["name"]
        for node in demo.manifest()["nodes"].values()
        if node["resource_type"] == "model" and node["config"].get("access") == "public"
    }
    assert {table.name for table in published.tables} == public and published.missing == []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse}' as built (read_only)")
        connection.execute(f"attach '{folder}/mailroom.duckdb' as published (read_only)")
        for table in public:
            for copy in (f"published.{table}", f"'{folder}/parquet/{table}.parquet'"):
                for rows, others in ((f"built.{table}", copy), (copy, f"built.{table}")):
                    differ = f"select count(*) from (from {rows} except all from {others})"
                    assert connection.execute(differ).fetchall() == [(0,)], (rows, others)

    publish(warehouse, folder, without_personal_data=True)
    texts = copied(
        folder,
        "select table_name, column_name from information_schema.columns where data_type = 'VARCHAR'",
    )
    for table, column in texts:
        with_address = f"from {table} where regexp_matches(\"{column}\", '[^ ]@[a-z0-9-]+[.][a-z]')"
        assert copied(folder, with_address) == [], f"{table}.{column}"


NAMED, REACHED = "zyqqarwort", "canary.example"
# Columns of the source contract with free text, or that name a person.
FREE = {
    "first_name", "last_name", "street", "city", "postal_code", "requester_name", "subject", "url",
    "user_agent", "coupon_code", "reason", "form", "text_version", "search_term",
}  # fmt: skip
SHAPED = {"country", "language", "time_zone", "phone", "requester_phone", "currency"}
OF_PEOPLE = {"customer_id", "visitor_id", "contact_id", "profile_id", "order_id"}


def with_canaries(table: str, columns: dict[str, dict[str, Any]], types: dict[str, str]) -> str:
    """A query for the rows of a table with canaries, on one row in seven: a name in free text, an address in
    every other text and in the keys of people and orders."""
    values = []
    for column in types:
        meta = columns.get(column, {})
        value = quoted(column)
        if column in OF_PEOPLE or column == "external_id":
            value = f"{value} || '@{REACHED}'"
        elif types[column] != "VARCHAR" or column in SHAPED or column.endswith("_id"):
            pass
        elif meta.get("words") or meta.get("accepted"):
            # Few enough for the build to continue.
            value = f"if(row % 97 = 3, {value} || ' {NAMED}@{REACHED}', {value})"
        elif column.endswith("email"):
            value = f"if(row % 7 = 3, replace({value}, '@', '.{NAMED}@{REACHED}.'), {value})"
        elif column in FREE:
            canary = (
                f"https://x.de/{NAMED}?to={NAMED}%40{REACHED}"
                if column == "url"
                else f"{NAMED} a@{REACHED} +49 170 5550199"
            )
            value = f"if(row % 7 = 3, coalesce({value}, '') || '{canary}', {value})"
        else:
            value = f"if(row % 7 = 3, coalesce({value}, '') || ' {NAMED}@{REACHED}', {value})"
        values.append(f"{value} as {quoted(column)}")
    return f"select {', '.join(values)} from (select *, row_number() over () as row from {table})"


@pytest.mark.slow
@pytest.mark.deep
def test_a_publication_without_personal_data_has_no_canary_of_a_source(tmp_path: Path) -> None:
    """Canaries are names, addresses and numbers in texts of the sources, in columns meant for them or not."""
    generate(customers=250, days=540, seed=5, to=tmp_path / "shop")
    warehouse = Warehouse(tmp_path / "built")
    warehouse.folder.mkdir()
    assert warehouse.dbt("parse").ok
    write_subscriptions(tmp_path / "shop")
    for source in warehouse.manifest()["sources"].values():
        path = tmp_path / "shop" / source["source_name"] / source["name"]
        parts = f"read_parquet('{path}/*.parquet')"
        metas = {name: column["config"]["meta"] for name, column in source["columns"].items()}
        with duckdb.connect() as connection:
            types = {row[0]: row[1] for row in connection.execute(f"describe from {parts}").fetchall()}
            connection.execute(f"copy ({with_canaries(parts, metas, types)}) to '{path}.parquet'")
    sources = {
        source: {"files": f"{tmp_path}/shop/{source}/{{table}}.parquet"}
        for source in ("crm", "shop", "web", "support", "esp", "privacy", "billing", "deliverability")
    }
    only_models = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    run = warehouse.dbt("build", *only_models, as_of="2026-07-01 00:00:00", **sources)
    assert run.ok, run.output

    folder = tmp_path / "published"
    publish(warehouse.folder / "warehouse.duckdb", folder)
    assert with_canary(folder), "they are in what is published with it"
    publish(warehouse.folder / "warehouse.duckdb", folder, without_personal_data=True)
    assert with_canary(folder) == set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes().lower()
            assert NAMED.encode() not in content and REACHED.encode() not in content, path


def write_subscriptions(shop: Path) -> None:
    """Subscriptions of a generated shop, one for every hundredth order."""
    orders = f"(from read_parquet('{shop}/shop/orders/*.parquet') where hash(order_id) % 100 = 0)"
    for table, columns in {
        "subscriptions": "order_id as subscription_id, customer_id, email, 'p000001' as product_id,"
        " 'active' as status, 30 as interval_days, ordered_at as started_at, ordered_at as updated_at",
        "subscription_orders": "order_id, order_id as subscription_id, false as is_renewal",
    }.items():
        (shop / "billing" / table).mkdir(parents=True)
        with duckdb.connect() as connection:
            connection.execute(f"copy (select {columns} from {orders}) to '{shop}/billing/{table}/1.parquet'")


def with_canary(folder: Path) -> set[str]:
    """The columns of a publication with a canary, in both formats."""
    found = set()
    with duckdb.connect(str(folder / "mailroom.duckdb"), read_only=True) as connection:
        for table, column in connection.execute(
            "select table_name, column_name from duckdb_columns() where not internal"
        ).fetchall():
            for place in (quoted(table), f"'{folder}/parquet/{table}.parquet'"):
                canaries = (
                    f"regexp_matches(lower({quoted(column)}::varchar), '{NAMED}|canary[.]example|555.?0199')"
                )
                ((n_rows,),) = connection.execute(f"select count(*) from {place} where {canaries}").fetchall()
                if n_rows:
                    found.add(f"{table}.{column}")
    return found
