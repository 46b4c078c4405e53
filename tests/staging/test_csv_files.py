"""A user's CSV files: read as they are written, or refused by file and line, without their content."""

from pathlib import Path

import pytest

from conftest import Run, Warehouse

HEADINGS = {
    "crm/contacts": b"contact_id,email,created_at\n",
    "crm/opportunities": b"opportunity_id,contact_id,stage,created_at\n",
    "shop/customers": b"customer_id,email,created_at\n",
    "shop/products": b"product_id,name\n",
    "support/tickets": b"ticket_id,status,created_at,subject\n",
    "privacy/requests": b"request_id,request_type,status,received_at\n",
    "privacy/consent_events": b"consent_event_id,email,channel,purpose,status,occurred_at\n",
}
# The file of each table, and the error for it.
BROKEN: dict[str, tuple[bytes, str]] = {
    "crm/contacts": (
        HEADINGS["crm/contacts"]
        + b'1,a@x.de,2025-01-01\n2,"canary@secret.example,2025-01-01\n3,b@x.de,2025-01-01\n',
        "contacts.csv, line 3: unquoted value",
    ),
    "crm/opportunities": (
        HEADINGS["crm/opportunities"]
        + b"1,1,open,2025-01-01\n" * 2 + b"2,1,open,canary@secret.example,2025-01-01\n" * 2,
        "opportunities.csv, line 4: too many columns (and 1 more lines with errors)",
    ),
    "shop/customers": (
        HEADINGS["shop/customers"] + b"1,canary@secret.example\n2,b@x.de,2025-01-01\n",
        "customers.csv, line 2: missing columns",
    ),
    "shop/products": (
        HEADINGS["shop/products"] + b"1,canary@secret.example M\xfcller\n",
        "products.csv, line 2: invalid encoding",
    ),
    "shop/refunds": (
        b"canary@secret.example,1.00,2025-01-01\ncanary@secret.example,2.00,2025-01-01\n",
        "refunds.csv, line 1: none of the table's columns is in the header",
    ),
    "support/tickets": (
        HEADINGS["support/tickets"] + b"1,open,2025-01-01,canary@secret.example" + b"x" * 2_100_000 + b"\n",
        "tickets.csv, line 2: line size over maximum",
    ),
    "esp/campaigns": (
        b"campaign_id,canary@secret.example\xfc\n1,canary@secret.example\n",
        "campaigns.csv, line 1: invalid encoding",
    ),
    "privacy/requests": (
        HEADINGS["privacy/requests"]
        + b'1,erasure,done,2025-01-01\n2,"er"canary@secret.example"asure",done,2025-01-01\n',
        "requests.csv, line 3: unquoted value",
    ),
    "privacy/consent_events": (
        HEADINGS["privacy/consent_events"].replace(b"\n", b"\r\n")
        + b"1,canary@secret.example,email,marketing_email,granted,2025-01-01\n" * 2,
        "consent_events.csv",
    ),
}  # fmt: skip


def run_of(folder: Path, files: dict[str, bytes], *command: str) -> tuple[Warehouse, Run]:
    """Runs the base models of tables that are CSV files in a folder. Other tables are absent."""
    for table, content in files.items():
        path = folder / "files" / f"{table}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    warehouse = Warehouse(folder / "warehouse")
    warehouse.folder.mkdir()
    given = {table.split("/")[0] for table in files}
    variables = {
        source: {"files": f"{folder}/files/{source}/{{table}}.csv"} if source in given else "absent"
        for source in ("crm", "shop", "support", "esp", "privacy", "web")
    }
    names = [f"base_{table.replace('/', '__')}" for table in files]
    return warehouse, warehouse.dbt(*command, "run", "--select", *names, **variables)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, Run]:
    """Each file is broken in its own way, and dbt logs at debug level."""
    files = {table: content for table, (content, _) in BROKEN.items()}
    return run_of(tmp_path_factory.mktemp("broken"), files, "--log-level-file", "debug")


@pytest.mark.parametrize("table", BROKEN)
def test_a_line_that_cannot_be_read_is_named_by_table_file_and_line(
    broken: tuple[Warehouse, Run], table: str
) -> None:
    status, message = broken[1].results[f"base_{table.replace('/', '__')}"]
    assert status == "error"
    assert BROKEN[table][1] in message
    if table != "privacy/consent_events":  # DuckDB names the model, not the table
        assert table.replace("/", ".") in message


def test_what_is_in_the_line_is_written_nowhere(broken: tuple[Warehouse, Run]) -> None:
    warehouse, run = broken
    assert "secret.example" not in run.output
    written = [path for path in warehouse.folder.rglob("*") if path.is_file()]
    assert {"dbt.log", "run_results.json", "warehouse.duckdb"} <= {path.name for path in written}
    for path in written:
        assert b"secret.example" not in path.read_bytes(), path


def test_files_are_read_as_they_are_written(tmp_path: Path) -> None:
    """Every row and value, for any separator, line ending, quotes and order of columns."""
    warehouse, run = run_of(
        tmp_path,
        {
            "crm/contacts": (
                '\ufeffcontact_id;"email";created_at;first_name\r\n1;a@x.de;2025-01-01;"A;\nB"\r\n'.encode()
            ),
            "shop/customers": (
                b"customer_id\temail\tcreated_at\tfirst_name\n1\ta@x.de\t2025-01-01\ta, b, c, d\n"
            ),
            "shop/products": b'product_id,name\n1,"a \\"b\\", c"\n2,d\n',
            "support/tickets": (
                b'"ticket_id" , Status,created_at,subject\n\n1,open,2025-01-01,"say ""hi"""\n\n'
                b"2,open,2025-01-01,\n"
            ),
            "esp/campaigns": b"campaign_id\r7\r",
            "privacy/requests": b"request_id,request_type,status,received_at,\n1,erasure,done,2025-01-01,\n",
            "shop/refunds": b"refund_id,amount,refunded_at,reason\n1,2.00,2025-01-01,a\x00b\n",
        },
    )
    assert run.ok, run.output

    def rows(table: str, columns: str) -> list[tuple[object, ...]]:
        return warehouse.rows(f"select {columns} from main_staging.base_{table} order by all")

    assert rows("crm__contacts", "contact_id, email, first_name") == [("1", "a@x.de", "A;\nB")]
    assert rows("shop__customers", "customer_id, first_name") == [("1", "a, b, c, d")]
    assert rows("shop__products", "product_id, name") == [("1", 'a "b", c'), ("2", "d")]
    assert rows("support__tickets", "ticket_id, status, subject") == [
        ("1", "open", 'say "hi"'), ("2", "open", None)
    ]  # fmt: skip
    assert rows("esp__campaigns", "campaign_id") == [("7",)]
    assert rows("privacy__requests", "request_id") == [("1",)]
    assert rows("shop__refunds", "refund_id, reason") == [("1", "a\x00b")]


def test_files_of_one_table_may_differ_in_their_columns(tmp_path: Path) -> None:
    (tmp_path / "files/crm/contacts").mkdir(parents=True)
    for name, content in (
        ("1", "contact_id,created_at\n1,2025-01-01\n"),
        ("2", "created_at;contact_id;email\n2025-01-02;2;b@x.de\n"),
        ("3", "contact_id,created_at\n3,2025-01-03\n"),
    ):
        (tmp_path / f"files/crm/contacts/{name}.csv").write_text(content)
    warehouse = Warehouse(tmp_path)
    files = {"files": f"{tmp_path}/files/crm/{{table}}/*.csv", "absent": ["opportunities"]}
    absent = dict.fromkeys(("shop", "support", "esp", "privacy", "web"), "absent")
    run = warehouse.dbt("run", "--select", "base_crm__contacts", crm=files, **absent)
    assert run.ok, run.output
    read = (
        "select contact_id, email, created_at::date::text from main_staging.base_crm__contacts order by all"
    )
    assert warehouse.rows(read) == [
        ("1", None, "2025-01-01"), ("2", "b@x.de", "2025-01-02"), ("3", None, "2025-01-03")
    ]  # fmt: skip
