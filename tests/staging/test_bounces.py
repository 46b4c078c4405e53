"""What mailbox providers answer to bounced messages, in their manner, and what it means."""

from collections.abc import Iterator

import duckdb
import pytest

from conftest import PROJECT
from project_macros import macros

# Answer, status code, class, and what it counts as.
ANSWERS = [
    ("550 5.1.1 <anna@example.org>: Recipient address rejected", "5.1.1", "no_mailbox", "hard"),
    (
        "550-5.1.1 The email account that you tried to reach does not exist. https://support.example.org/?p=Spam",
        "5.1.1",
        "no_mailbox",
        "hard",
    ),
    ("smtp; 550 5.1.1 unknown or illegal alias", "5.1.1", "no_mailbox", "hard"),
    ("5.1.1", "5.1.1", "no_mailbox", "hard"),
    ("554 5.1.2 Domain of the recipient not found", "5.1.2", "no_domain", "hard"),
    ("501 5.1.3 Bad address syntax", "5.1.3", "no_mailbox", "hard"),
    ("550 5.1.4 Ambiguous address", "5.1.4", "no_mailbox", "hard"),
    ("551 5.1.6 Moved without a new address", "5.1.6", "inactive", "hard"),
    ("553 5.1.7 Invalid sender", "5.1.7", "sender", "blocked"),
    ("550 5.1.8 Sender's domain does not exist", "5.1.8", "sender", "blocked"),
    ("450 4.1.8 Sender's domain not found", "4.1.8", "sender", "blocked"),
    ("556 5.1.10 Recipient takes no mail (null MX)", "5.1.10", "no_mailbox", "hard"),
    ("450 4.1.1 Recipient unverified", "4.1.1", "transient", "soft"),
    ("550 5.2.1 The account is disabled", "5.2.1", "inactive", "hard"),
    ("450 4.2.1 The user gets mail too quickly", "4.2.1", "transient", "soft"),
    ("552 5.2.2 The mailbox is over quota", "5.2.2", "full", "soft"),
    ("452 4.2.2 Out of storage", "4.2.2", "full", "soft"),
    ("552 5.2.3 Longer than this mailbox takes", "5.2.3", "full", "soft"),
    ("452 4.3.1 Insufficient system storage", "4.3.1", "full", "soft"),
    ("421 4.3.2 Not accepting messages", "4.3.2", "transient", "soft"),
    ("552 5.3.4 Message too big", "5.3.4", "message", "blocked"),
    ("451 4.4.1 No answer from the host", "4.4.1", "transient", "soft"),
    ("451 4.4.2 Connection dropped", "4.4.2", "transient", "soft"),
    ("550 5.4.1 Recipient address rejected: Access denied", "5.4.1", "transient", "soft"),
    ("550 5.4.4 Unable to route", "5.4.4", "transient", "soft"),
    ("554 5.4.6 Routing loop", "5.4.6", "transient", "soft"),
    ("550 5.4.7 Delivery time expired", "5.4.7", "transient", "soft"),
    ("501 5.5.4 Invalid arguments", "5.5.4", "message", "blocked"),
    ("550 5.6.0 Malformed message", "5.6.0", "message", "blocked"),
    ("550 5.7.1 Delivery not authorised", "5.7.1", "policy", "blocked"),
    ("550-5.7.1 [203.0.113.7      12] Our system detected an unusual rate", "5.7.1", "policy", "blocked"),
    ("421 4.7.0 [TSS04] Messages temporarily deferred", "4.7.0", "policy", "blocked"),
    ("421-4.7.28 Unusual rate of mail from your IP", "4.7.28", "policy", "blocked"),
    ("550 5.7.9 Not accepted for policy reasons", "5.7.9", "policy", "blocked"),
    ("550 5.7.13 User account disabled", "5.7.13", "inactive", "hard"),
    ("550 5.7.17 Mailbox owner has changed", "5.7.17", "no_mailbox", "hard"),
    ("550 5.7.18 Domain owner has changed", "5.7.18", "no_mailbox", "hard"),
    ("550-5.7.26 This mail is unauthenticated", "5.7.26", "policy", "blocked"),
    ("550 5.7.27 Sender address has a null MX", "5.7.27", "sender", "blocked"),
    ("550 5.7.509 Access denied, sending domain does not pass DMARC", "5.7.509", "policy", "blocked"),
    (
        "550 5.7.515 Access denied, sending domain does not meet the required level",
        "5.7.515",
        "policy",
        "blocked",
    ),
    ("554 5.7.606 Access denied, banned sending IP [198.51.100.4]", "5.7.606", "policy", "blocked"),
    (
        "451 4.7.650 The mail server [5.1.1.8] has been temporarily rate limited",
        "4.7.650",
        "policy",
        "blocked",
    ),
    ("550 5.0.0 Other failure", "5.0.0", None, None),
    ("550 5.0.0 Other failure, soft by the ESP", "5.0.0", None, None),
    ("UNKNOWN_USER", None, "no_mailbox", "hard"),
    ("MAILBOX_FULL", None, "full", "soft"),
    ("SPAM", None, "policy", "blocked"),
    ("POLICY", None, "policy", "blocked"),
    ("DMARC", None, "policy", "blocked"),
    ("DNS_FAILURE", None, "transient", "soft"),
    ("TIMEOUT", None, "transient", "soft"),
    ("THROTTLED", None, "policy", "blocked"),
    ("550 No such user here", None, "no_mailbox", "hard"),
    ("550 user anna@spam-filter.example unknown: mailbox not found", None, "no_mailbox", "hard"),
    ("550 Your IP 5.1.1.8 is on a blocklist", None, "policy", "blocked"),
    ("554 Blocked as spam: user unknown", None, "policy", "blocked"),
    ("452 User unknown or mailbox is full", None, "full", "soft"),
    ("550 Mailbox unavailable", None, None, None),
    ("Delivered to 2.1.5", None, None, None),
]


@pytest.fixture(scope="module")
def classified() -> Iterator[dict[str, tuple[str | None, ...]]]:
    """What macro classified_answers finds for each answer, with the project's seed."""
    esp = macros(
        "esp.sql",
        ref=lambda name: f"'{PROJECT}/seeds/policy/{name}.csv'",
        replace_pattern=lambda text, pattern, new="": f"regexp_replace({text}, '{pattern}', '{new}', 'g')",
        extract_pattern=lambda text, pattern: f"nullif(regexp_extract({text}, '{pattern}', 1), '')",
    )
    with duckdb.connect() as connection:
        connection.execute("create table answers (bounce_answer varchar)")
        connection.executemany("insert into answers values (?)", [[answer] for answer, *_ in ANSWERS])
        rows = connection.execute(esp["classified_answers"]("answers")).fetchall()
    found: dict[str, tuple[str | None, ...]] = {row[0]: row[1:] for row in rows}
    yield found | {"n": (str(len(rows)),)}


@pytest.mark.parametrize(("answer", "code", "bounce_class", "counts_as"), ANSWERS)
def test_an_answer_is_understood(
    classified: dict[str, tuple[str | None, ...]],
    answer: str,
    code: str | None,
    bounce_class: str | None,
    counts_as: str | None,
) -> None:
    """A code counts more than words. An address, a link or an IP address in an answer says nothing. Of
    several texts the one counts that does least to the customer."""
    assert tuple(classified[answer]) == (code, bounce_class, counts_as)


def test_no_refusal_because_of_the_sender_is_the_customers_fault() -> None:
    ours = ("policy", "sender", "message")
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select bounce_class, counts_as from '{PROJECT}/seeds/policy/bounce_classes.csv'"
        ).fetchall()
    assert {counts_as for name, counts_as in rows if name in ours} == {"blocked"}
    assert "blocked" not in {counts_as for name, counts_as in rows if name not in ours}


def test_each_answer_has_one_row(classified: dict[str, tuple[str | None, ...]]) -> None:
    assert classified["n"] == (str(len(ANSWERS)),)
