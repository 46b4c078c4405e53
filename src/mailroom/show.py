"""A summary of a build for a person: public tables, one customer, next steps."""

import csv
import io
from difflib import get_close_matches
from pathlib import Path

import duckdb

from mailroom.warehouse import opened, qualified_tables

# Public tables in reading order, with the question that each answers.
QUESTIONS = {
    "customers": "Who is this, what did they do, when were they last here?",
    "customer_keys": "Which records in which systems are this person?",
    "orders": "What was ordered, what was it worth after refunds?",
    "order_lines": "Which products, at what price?",
    "subscriptions": "Which subscriptions run, when are they charged next, which were cancelled?",
    "customer_categories": "What do they like?",
    "customer_daily_activity": "What did they do, day by day?",
    "email_events": "What was sent, what did people (not machines) do with it?",
    "contactability": "May we write to them, with what, and why not?",
    "suppression_funnel": "How many customers does each rule exclude?",
    "segment_memberships": "Who is in which segment, and why?",
    "audience_members": "Who is in which audience, and which fields does the ESP get?",
    "sync_outbox": "Which changes do the ESPs lack?",
    "source_reconciliation": "Did every raw row and cent arrive?",
    "source_flaws": "What was set aside or left empty, and what to do about it?",
    "rejected_rows": "Which rows were set aside, and why?",
    "signal_readiness": "Which fields may steer decisions today?",
}


def first_rows(path: Path, table: str, rows: int) -> str:
    """Return the first rows of one table, each as a block of `column value` lines.

    Raises:
        ValueError: the file or table does not exist.
    """
    with opened(path) as connection:
        tables = qualified_tables(connection)
        if table not in tables:
            near = ", ".join(get_close_matches(table, tables, n=3, cutoff=0.5))
            raise ValueError(
                f"no table {table}: "
                + (f"did you mean {near}?" if near else "mailroom show lists the public tables")
            )
        result = connection.execute(f"select * from {tables[table]} order by 1 limit ?", [rows])
        names = [column[0] for column in result.description or []]
        width = max(map(len, names))
        return "\n\n".join(
            "\n".join(f"{name:<{width}}  {value}" for name, value in zip(names, row, strict=True))
            for row in result.fetchall()
        )


def answer(path: Path, query: str, form: str) -> str:
    """Return the result of a query as a table with full columns, as CSV or as JSON (form).

    Raises:
        ValueError: the file does not exist, or DuckDB refuses the query.
    """
    query = query.strip().rstrip(";")
    with opened(path) as connection:
        try:
            if form == "json":
                rows = connection.execute(f"select to_json(answer) from ({query}\n) as answer").fetchall()
                return "[" + ",".join(f"\n{row}" for (row,) in rows) + "\n]"
            result = connection.execute(query)
            names = [column[0] for column in result.description or []]
            texts = [[_text(value) for value in row] for row in result.fetchall()]
        except duckdb.Error as error:
            raise ValueError(str(error)) from error
    if form == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([names, *texts])
        return out.getvalue().rstrip("\n")
    widths = [max(map(len, column)) for column in zip(names, *texts, strict=True)]
    lines = [
        "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        for row in [names, *texts]
    ]
    return "\n".join(lines)


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def show(path: Path) -> str:
    """Return the summary of a built warehouse.

    Raises:
        ValueError: the file does not exist, or has no build.
    """
    with opened(path) as connection:
        tables = qualified_tables(connection)
        if "customers" not in tables:
            raise ValueError(f"{path} has no table customers: build first (make build)")
        lines = [f"Built {path}", ""]
        if "build_summary" in tables:
            order = f"select sentence, built_at from {tables['build_summary']} order by line_number"
            summary = connection.execute(order).fetchall()
            lines += [f"As of {summary[0][1]}:", *(sentence for sentence, _ in summary), ""]
        lines.append(f"{'table':<36}{'rows':>12}  answers")
        for name, question in QUESTIONS.items():
            if name in tables:
                count = connection.execute(f"select count(*) from {tables[name]}").fetchone()
                lines.append(f"{tables[name]:<36}{count[0] if count else 0:>12,}  {question}")
        lines += ["", "One customer:"]
        customers = connection.execute(
            f"""
            select
                customer_id, first_name, country_code, n_records, n_orders, net_revenue, last_ordered_at,
                top_category, n_sessions_30d, n_human_clicks_90d, has_open_cart_30d
            from {tables["customers"]}
            where n_orders > 1
            order by n_records desc, customer_id
            limit 1
            """
        )
        names = [column[0] for column in customers.description or []]
        for row in customers.fetchall():
            lines += [f"  {name:<20}{value}" for name, value in zip(names, row, strict=True)]
    lines += [
        "",
        "Next:",
        "  look     mailroom show customers  (or any table above; the commands are in .venv/bin)",
        '  ask      mailroom sql "select …"  (--format csv or json for other programs)',
        "  fit      mailroom thresholds     (days and shares that fit the shop; changes nothing)",
        "  check    make validate          (Great Expectations over the field dictionary, browsable in gx/)",
        "  browse   make docs              (tables, columns and lineage in target/static_index.html)",
        "  yours    docs/getting-started.md  (your own data, step by step)",
    ]
    return "\n".join(lines)
