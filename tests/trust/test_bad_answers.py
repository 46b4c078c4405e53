"""Bad consent data in source files: each bad row appears in a list, and none becomes an opt-in."""

from typing import Any

import pytest

from conftest import Warehouse, write_table

pytestmark = [pytest.mark.slow, pytest.mark.deep]

AS_OF = "2026-07-01 00:00:00"
YES = {"channel": "email", "purpose": "marketing_email", "status": "granted", "lawful_basis": "express"}
GOOD = {**YES, "recorded_by": "preference_centre", "occurred_at": "2026-02-01"}
NO = {**GOOD, "status": "withdrawn", "lawful_basis": None, "occurred_at": "2026-03-01"}

# The consent events by customer. A row without an identifier has the address <customer>@x.de.
SAID: dict[str, list[dict[str, Any]]] = {
    "plain": [GOOD],
    "future": [{**GOOD, "occurred_at": "2026-07-02"}],
    "order": [NO, GOOD],
    "twice": [{**NO, "consent_event_id": "same"}, GOOD, {**NO, "consent_event_id": "same"}],
    "purpose": [{**GOOD, "purpose": "newsletter"}],
    "no-purpose": [GOOD, {**NO, "purpose": "newsletter"}],
    "channel": [GOOD, {**NO, "channel": "whatsapp"}],
    "status": [GOOD, {**NO, "status": "maybe"}],
    "country": [{**GOOD, "lawful_basis": "soft_opt_in"}],
    "undated": [GOOD, {**NO, "occurred_at": None}],
    "some-day": [GOOD, {**NO, "occurred_at": "in spring"}],
    "of-what": [GOOD, {**NO, "purpose": None}],
    "keyless": [GOOD, {**NO, "consent_event_id": ""}],
    "caller": [GOOD, {**NO, "email": None, "phone": "0170/123 45 67"}],
    "spammed": [
        GOOD,
        {**NO, "recorded_by": "esp_complaint"},
        {**GOOD, "recorded_by": "crm", "occurred_at": "2026-04-01"},
    ],
    "request": [GOOD],
    "stranger": [GOOD],
}
UNKNOWN = {"stranger"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("bad_answers")
    people = [who for who in SAID if who not in UNKNOWN]
    write_table(
        folder / "shop/customers.csv",
        [
            {
                "customer_id": who,
                "email": f"{who}@x.de",
                "phone": "+491701234567" if who == "caller" else None,
                "first_name": "Anna",
                "country": "Atlantis" if who == "country" else "DE",
                "created_at": "2025-01-01",
            }
            for who in people
        ],
        ["customer_id", "email", "phone", "first_name", "country", "created_at"],
    )
    write_table(
        folder / "shop/orders.csv",
        [{"order_id": "o1", "customer_id": "country", "total_amount": "9", "ordered_at": "2026-01-01"}],
        ["order_id", "customer_id", "total_amount", "ordered_at"],
    )
    write_table(
        folder / "privacy/consent_events.csv",
        [
            {"consent_event_id": f"{who}{number}", "email": f"{who}@x.de", **answer}
            for who, answers in SAID.items()
            for number, answer in enumerate(answers)
        ],
        ["consent_event_id", "email", "phone", *GOOD],
    )
    write_table(
        folder / "privacy/requests.csv",
        [
            {
                "request_id": "r1",
                "email": "request@x.de",
                "request_type": "leave me alone",
                "status": "received",
                "received_at": "2026-03-01",
            }
        ],
        ["request_id", "email", "request_type", "status", "received_at"],
    )
    warehouse = Warehouse(folder)
    run = warehouse.dbt(
        "build",
        "--select",
        "+consents",
        "+consent_issues",
        "+rejected_rows",
        "--exclude-resource-type",
        "test",
        "unit_test",
        as_of=AS_OF,
        shop={"files": f"{folder}/shop/{{table}}.csv", "absent": ["products", "order_lines", "refunds"]},
        privacy={"files": f"{folder}/privacy/{{table}}.csv"},
        crm="absent",
        web="absent",
        support="absent",
        esp="absent",
    )
    assert run.ok, run.output
    return warehouse


def test_only_the_plain_opt_in_counts(built: Warehouse) -> None:
    allowed = built.rows(
        "select customers.email, consents.purpose from consents join customers using (customer_id)"
        " where is_allowed"
    )
    assert allowed == [("plain@x.de", "marketing_email")]


def test_a_rejected_opt_out_still_counts(built: Warehouse) -> None:
    """The reason names the opt-out, also if staging rejects it or does not know its words."""
    reasons: dict[str, str] = dict(
        built.rows(
            "select split_part(customers.email, '@', 1), consents.reason from consents"
            " join customers using (customer_id) where channel = 'email' and purpose = 'marketing_email'"
        )
    )
    rest = "on 2026-03-01 (preference centre), which stops marketing e-mail."
    assert reasons["of-what"] == reasons["no-purpose"] == reasons["channel"] == f"Unsubscribed {rest}"
    assert (
        reasons["order"]
        == reasons["twice"]
        == "Opted out of marketing e-mail on 2026-03-01 (preference centre)."
    )
    assert "(date unknown)" in reasons["undated"] and "(date unknown)" in reasons["some-day"]
    assert reasons["spammed"].startswith("Reported a message as spam on 2026-03-01")
    assert reasons["request"].startswith("Objected or requested erasure on 2026-03-01")
    assert reasons["country"].endswith("there is no soft opt-in in an unknown country.")
    assert reasons["future"] == "No consent to marketing e-mail on record."


def test_each_event_with_less_effect_than_expected_has_an_issue(built: Warehouse) -> None:
    issues = built.rows(
        "select split_part(email, '@', 1), issue from consent_issues"
        " join consent_history using (consent_event_id)"
    )
    assert sorted(issues) == [
        (
            "channel",
            "an opt-out of an unregistered channel and purpose: it stops every marketing purpose",
        ),
        ("country", "an opt-in that does not count: there is no soft opt-in in an unknown country"),
        (
            "no-purpose",
            "an opt-out of an unregistered channel and purpose: it stops every marketing purpose",
        ),
        ("purpose", "an opt-in to an unregistered channel and purpose"),
        ("some-day", "an opt-out without a date: it counts from when it was recorded"),
        (
            "spammed",
            "an opt-in that does not count: "
            "only the person can undo an unsubscribe, a complaint or an objection",
        ),
        ("status", "an unknown status: it counts as an opt-out"),
        ("stranger", "names no known customer"),
        ("undated", "an opt-out without a date: it counts from when it was recorded"),
    ]
    rejected = built.rows(
        "select row_key, reason from rejected_rows where source_name = 'privacy' and not is_kept"
    )
    assert sorted(rejected, key=str) == [
        ("future0", "occurred_at is after as_of"),
        ("of-what1", "purpose is missing"),
        ("r1", "request_type is not an accepted value"),
        ("same", "consent_event_id is a duplicate"),
        ("some-day1", "occurred_at is not a timestamp"),
        ("undated1", "occurred_at is missing"),
        (None, "consent_event_id is missing"),
    ]
