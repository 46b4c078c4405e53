"""One customer, from source records to messages, with every reason: what `mailroom explain` prints and
`mailroom card` draws. It holds personal data, so nothing of it is logged.
"""

import json
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from mailroom.warehouse import opened

WIDTH, LABEL = 110, 26  # letters of a line, and of its first column
RECENT_DECISIONS = 20
SYSTEMS = {
    "shop_customer": "Shop", "crm_contact": "CRM", "esp_profile": "ESP", "guest": "Guest order",
    "support_requester": "Help desk", "web_visitor": "Web",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What a row is about, what is said of it, and whether that is a yes, a no or neither (key)."""

    label: str
    text: str
    mark: str = "key"


@dataclass(frozen=True)
class Customer:
    """A customer: name, key, and lines by section. In card() are the sections that the picture shows."""

    name: str
    customer_id: str
    sections: dict[str, list[Line]]


def customer(path: Path, who: str | None = None, *, is_short: bool = False) -> Customer:
    """Read a customer by customer_id, also one that is retired, or by address. Without one, the customer
    with the most records who has ordered. is_short: only the sections of the card.

    Raises:
        ValueError: there is no such warehouse, or no such customer.
    """
    with opened(path) as connection:
        key = _key(connection, who)
        person = _rows(connection, "from customers where customer_id = $id", key)[0]
        name = " ".join(part for part in (person["first_name"], person["last_name"]) if part) or key
        sections = {
            "RECORDS THAT ARE ONE PERSON": _records(connection, key),
            "ONE ROW IN CUSTOMERS": _facts(person),
            "MAY WE WRITE?": _permissions(connection, key),
            "WHAT TO EXPECT": _scores(connection, key),
            "SEGMENTS AND AUDIENCES": _memberships(connection, key),
        }
        if not is_short:
            sections = {
                "RECORDS THAT ARE ONE PERSON": sections["RECORDS THAT ARE ONE PERSON"],
                "WHY THEY ARE ONE PERSON": _shared_identifiers(connection, key),
                "ONE ROW IN CUSTOMERS": sections["ONE ROW IN CUSTOMERS"],
                "CONSENT": _consents(connection, key),
                "SUPPRESSIONS": _suppressions(connection, key),
                "MAY WE WRITE?": sections["MAY WE WRITE?"],
                "WHAT TO EXPECT": sections["WHAT TO EXPECT"],
                "SEGMENTS AND AUDIENCES": sections["SEGMENTS AND AUDIENCES"],
                "NOT IN THESE AUDIENCES": _exclusions(connection, key),
                "EXPERIMENTS": _arms(connection, key),
                "FLOWS": _enrolments(connection, key),
                "LAST DECISIONS": _decisions(connection, key),
                "WHAT EACH ESP HOLDS": _held(connection, key),
            }
    return Customer(name, key, sections)


def as_text(person: Customer) -> str:
    """Return a page for a person."""
    lines = [f"{person.name}, customer_id {person.customer_id}"]
    for title, rows in person.sections.items():
        lines += ["", title]
        for row in rows or [Line("none", "")]:
            wrapped = textwrap.wrap(row.text, WIDTH - LABEL) or [""]
            label = row.label if len(row.label) < LABEL else f"{row.label}\n  {'':<{LABEL}}"
            lines.append(f"  {label:<{LABEL}}{wrapped[0]}".rstrip())
            lines += [f"  {'':<{LABEL}}{part}" for part in wrapped[1:]]
    return "\n".join(lines)


def as_json(person: Customer) -> str:
    """Return the same for a tool."""
    return json.dumps(asdict(person), ensure_ascii=False)


def _key(connection: duckdb.DuckDBPyConnection, who: str | None) -> str:
    found = _rows(
        connection,
        """
        select customer_id
        from customers
        where
            customer_id = $id
            or customer_id in (select customer_id from retired_customer_ids where retired_customer_id = $id)
            or customer_id in (
                select keys.customer_id
                from identity_records as records inner join customer_keys as keys using (record_key)
                where records.email = lower(trim($id))
            )
            or ($id is null and n_orders > 1)
        order by n_records desc, customer_id
        """,
        who,
    )
    if not found:
        raise ValueError(f"no customer {who}" if who and "@" not in who else "no customer has this address")
    if who and len(found) > 1:
        keys = ", ".join(row["customer_id"] for row in found)
        raise ValueError(f"{len(found)} customers have this address: {keys}. Name one of them.")
    return str(found[0]["customer_id"])


def _rows(connection: duckdb.DuckDBPyConnection, query: str, key: str | None) -> list[dict[str, Any]]:
    result = connection.execute(query, {"id": key})
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _lines(connection: duckdb.DuckDBPyConnection, query: str, key: str) -> list[Line]:
    """Return a line per row: columns label, text and, if there is one, is_yes."""
    return [
        Line(row["label"], row["text"], {True: "yes", False: "no", None: "key"}[row.get("is_yes")])
        for row in _rows(connection, query, key)
    ]


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
        label = SYSTEMS.get(row["record_type"], row["record_type"])
        lines.append(Line(label, f"{about}{': ' if known else ''}{known}"))
    return lines


def _shared_identifiers(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    return _lines(
        connection,
        """
        select
            replace(identifier_type, '_', ' ') as label,
            identifier || ' is on '
            || string_agg(distinct record_key, ', ' order by record_key) || '.' as text
        from record_identifiers inner join customer_keys as keys using (record_key)
        where keys.customer_id = $id
        group by identifier_type, identifier
        having count(distinct record_key) > 1
        order by identifier_type, identifier
        """,
        key,
    )


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


def _consents(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    return _lines(
        connection,
        """
        select channel || ', ' || replace(purpose, '_', ' ') as label, reason as text, is_allowed as is_yes
        from consents where customer_id = $id order by channel, purpose
        """,
        key,
    )


def _suppressions(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    return _lines(
        connection,
        """
        select
            rule as label,
            reason || coalesce(' Until ' || strftime(until, '%Y-%m-%d %H:%M') || '.', '')
            || ' Stops ' || scope || '.' as text,
            false as is_yes
        from suppressions where customer_id = $id order by rule_number
        """,
        key,
    )


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
    return _lines(
        connection,
        """
        select catalog.label, members.reason as text
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


def _exclusions(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    query = """
        select audience as label, rule_reason as text, false as is_yes
        from audience_exclusions where customer_id = $id order by audience
    """
    return _lines(connection, query, key)


def _enrolments(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    return _lines(
        connection,
        """
        select
            flow as label,
            'Since ' || strftime(entered_at, '%Y-%m-%d %H:%M') || ': ' || reason
            || case when is_held_out then ' In the holdout.' else '' end
            || coalesce(' Ended on ' || strftime(exited_at, '%Y-%m-%d %H:%M') || ': ' || exit_reason, '')
                as text
        from flow_enrolments where customer_id = $id order by entered_at, flow, enrolment_id
        """,
        key,
    )


def _arms(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    return _lines(
        connection,
        """
        select
            experiment as label,
            'in arm ' || arm || ' since ' || strftime(since_at, '%Y-%m-%d')
            || case when is_held_out then ', and gets nothing of ' || decides else '' end as text,
            not is_held_out as is_yes
        from experiment_members where customer_id = $id order by experiment
        """,
        key,
    )


def _decisions(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    return _lines(
        connection,
        f"""
        select
            strftime(decisions.decided_at, '%Y-%m-%d %H:%M') || ' ' || decisions.decision as label,
            decisions.flow || ', ' || decisions.step || ' (' || decisions.rule || '): ' || decisions.reason
            || coalesce(' Not before ' || strftime(decisions.wait_until, '%Y-%m-%d %H:%M') || '.', '')
                as text,
            case decisions.decision when 'send' then true when 'drop' then false end as is_yes
        from message_decisions as decisions inner join flow_enrolments as enrolments using (enrolment_id)
        where enrolments.customer_id = $id
        order by decisions.decided_at desc, decisions.flow, decisions.step
        limit {RECENT_DECISIONS}
        """,
        key,
    )


def _held(connection: duckdb.DuckDBPyConnection, key: str) -> list[Line]:
    return _lines(
        connection,
        """
        select
            destination || coalesce(', ' || nullif(audience, ''), '') as label,
            state || ' since ' || strftime(since, '%Y-%m-%d %H:%M') || ', as ' || email as text
        from esp_profile_state where customer_id = $id order by destination, audience, email
        """,
        key,
    )
