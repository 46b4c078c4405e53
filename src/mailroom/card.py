"""`mailroom card`: one customer on a picture, from source records to audiences, with every reason."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import duckdb

from mailroom.files import replace
from mailroom.warehouse import opened

WIDTH, MARGIN, LINE = 960, 24, 17
LABEL, VALUE = 150, 118  # width of a row's first column, and letters of its second
SYSTEMS = {
    "shop_customer": "Shop", "crm_contact": "CRM", "esp_profile": "ESP", "guest": "Guest order",
    "support_requester": "Help desk", "web_visitor": "Web",
}  # fmt: skip
STYLE = (
    "text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#1f2933}"
    ".title{font-size:20px;font-weight:600}.head{font-size:12px;font-weight:600;fill:#52606d;letter-spacing:.04em}"
    ".soft{fill:#52606d}.yes{fill:#0b6e4f;font-weight:600}.no{fill:#a61b1b;font-weight:600}.key{font-weight:600}"
)


@dataclass(frozen=True)
class Line:
    """A row of the card: what it is about, what is said of it, and the class of the first part."""

    label: str
    text: str
    mark: str = "key"


def card(path: Path, customer_id: str | None = None) -> str:
    """The SVG of one customer; without an id, of the one with the most records who has ordered.

    Raises:
        ValueError: there is no such warehouse or customer.
    """
    with opened(path) as connection:
        query = "from customers where customer_id = $id or ($id is null and n_orders > 1)"
        found = _rows(connection, f"{query} order by n_records desc, customer_id limit 1", customer_id)
        if not found:
            raise ValueError(f"no customer {customer_id}")
        person = found[0]
        key = person["customer_id"]
        name = " ".join(part for part in (person["first_name"], person["last_name"]) if part) or key
        sections = {
            "RECORDS THAT ARE ONE PERSON": _records(connection, key),
            "ONE ROW IN CUSTOMERS": _facts(person),
            "MAY WE WRITE?": _permissions(connection, key),
            "WHAT TO EXPECT": _scores(connection, key),
            "SEGMENTS AND AUDIENCES": _memberships(connection, key),
        }
    return _drawn(name, f"customer_id {key}", sections)


def write(path: Path, to: Path, customer_id: str | None = None) -> None:
    """Write the SVG to a file. Raises ValueError as card() does."""
    picture = card(path, customer_id)
    replace(to, lambda unfinished: unfinished.write_text(picture, encoding="utf-8"))


def _rows(connection: duckdb.DuckDBPyConnection, query: str, key: str | None) -> list[dict[str, Any]]:
    result = connection.execute(query, {"id": key})
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _records(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    rows = _rows(
        connection,
        """
        select
            keys.record_type,
            count(*) as n_records,
            string_agg(distinct records.email, ', ' order by records.email) as emails,
            string_agg(distinct records.phone, ', ' order by records.phone) as phones,
            min(keys.first_seen_at)::date as first_seen_on
        from customer_keys as keys left join identity_records as records using (record_key)
        where keys.customer_id = $id
        group by keys.record_type
        order by first_seen_on, keys.record_type
        """,
        key,
    )
    lines = []
    for row in rows:
        known = ", ".join(part for part in (row["emails"], row["phones"]) if part)
        several = f"{row['n_records']} records" if row["n_records"] > 1 else "1 record"
        about = f"{several} since {row['first_seen_on']}"
        lines.append(
            Line(
                SYSTEMS.get(row["record_type"], row["record_type"]), f"{about}{': ' if known else ''}{known}"
            )
        )
    return lines


def _facts(person: dict[str, Any]) -> list[Line]:
    last = person["last_ordered_at"]
    orders = f"{person['n_orders']} orders, {person['net_revenue']:,.2f} net of refunds" + (
        f", last on {last:%Y-%m-%d}" if last else ""
    )
    mail = (
        f"{person['n_emails_sent_90d']} e-mails in 90 days, {person['n_human_clicks_90d']} clicks by a person"
    )
    web = f"{person['n_sessions_30d']} sessions in 30 days"
    return [Line("Orders", orders), Line("E-mail and web", f"{mail}. {web}.")]


def _permissions(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    query = "from contactability where customer_id = $id order by message_class"
    return [
        Line(
            f"{row['message_class'].capitalize()}: {'yes' if row['is_allowed'] else 'no'}",
            row["reason"],
            "yes" if row["is_allowed"] else "no",
        )
        for row in _rows(connection, query, key)
    ]


def _scores(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    lines = []
    for row in _rows(connection, "from churn_scores where customer_id = $id and state = 'scored'", key):
        chance = next(row[name] for name in row if name.startswith("churn_probability"))
        lines.append(Line(f"Churn {chance:.0%}", row["reason"]))
    for row in _rows(connection, "from value_scores where customer_id = $id and state = 'scored'", key):
        lines.append(Line(f"{row['expected_revenue_365d']:,.0f} in a year", row["reason"]))
    for row in _rows(connection, "from next_order_scores where customer_id = $id and state = 'scored'", key):
        between = f"{row['earliest_on']:%d %b} to {row['latest_on']:%d %b %Y} in four of five cases"
        lines.append(Line(f"Next order {row['expected_on']:%d %b}", between))
    for row in _rows(connection, "from send_time_scores where customer_id = $id", key):
        if row["best_hour"] is not None:
            lines.append(Line(f"{row['best_weekday']}, {row['best_hour']:02}:00", row["reason"]))
    return lines


def _memberships(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    return [
        Line(row["label"], row["reason"])
        for row in _rows(
            connection,
            """
            select catalog.label, members.reason
            from segment_memberships as members inner join segment_catalog as catalog using (segment)
            where members.customer_id = $id
            union all
            select distinct '→ ' || catalog.label, members.reason
            from audience_members as members inner join audience_catalog as catalog using (audience)
            where members.customer_id = $id
            order by all
            """,
            key,
        )
    ]


def _drawn(name: str, subtitle: str, sections: dict[str, list[Line]]) -> str:
    parts, y = [], MARGIN + 18
    parts.append(_text(MARGIN, y, name, "title") + _text(WIDTH - MARGIN, y, subtitle, "soft", "end"))
    for title, lines in sections.items():
        y += 34
        parts.append(_text(MARGIN, y, title, "head"))
        parts.append(f'<path d="M{MARGIN} {y + 7}H{WIDTH - MARGIN}" stroke="#d9e2ec"/>')
        y += 9
        for line in lines or [Line("none", "")]:
            wrapped = textwrap.wrap(line.text, VALUE) or [""]
            parts.append(_text(MARGIN, y + LINE, line.label, line.mark))
            for part in wrapped:
                y += LINE
                parts.append(_text(MARGIN + LABEL, y, part))
    height = y + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(name)}, {escape(subtitle)}">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8" '
        'fill="#fff" stroke="#d9e2ec"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _text(x: int, y: int, text: str, mark: str = "", anchor: str = "start") -> str:
    kind = f' class="{mark}"' if mark else ""
    end = ' text-anchor="end"' if anchor == "end" else ""
    return f'<text x="{x}" y="{y}"{kind}{end}>{escape(text)}</text>'
