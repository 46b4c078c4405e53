"""mailroom pull brings an opt-out at an ESP into the sources once, and push adds no customer against it."""

import itertools
import os
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from test_push import outbox_of

from mailroom.activation import ledger
from mailroom.activation.api import Connection
from mailroom.activation.destinations import open_destination
from mailroom.activation.ledger import AnotherPushError
from mailroom.activation.pull import as_text, pull, write_refusals, write_resubscriptions
from mailroom.activation.push import push
from mailroom.activation.rows import Kind, Refusal, Resubscription, TellsResubscriptions
from mailroom.sandbox import Faults, Sandbox

BEFORE, NOW = datetime(2026, 7, 1), datetime(2026, 7, 1, 12)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    outbox_of(tmp_path / "warehouse.duckdb", [])
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("insert into audience_catalog values ('klaviyo', 'vips'), ('file', 'vips')")
    return tmp_path / "warehouse.duckdb"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock shows the sandbox's time, and advances."""
    ticks = itertools.count()
    monkeypatch.setattr("mailroom.activation.ledger.now", lambda: NOW + timedelta(microseconds=next(ticks)))


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox(now=lambda: NOW)
    account = sandbox.accounts["klaviyo"]
    for number, reason in enumerate(("unsubscribed", "bounced", "complained", "suppressed")):
        account.refuse(f"Who{number}@x.de", reason)
    account.upsert("who4@x.de")
    return sandbox


def reached(sandbox: Sandbox) -> Connection:
    return Connection(transport=sandbox.transport(), sleep=lambda seconds: None)


def rows(folder: Path, name: str) -> list[tuple[object, ...]]:
    columns = ", ".join(column for column in ledger.SCHEMAS[name].names if column != "pulled_at")
    with duckdb.connect() as connection:
        return connection.execute(
            f"select {columns} from {ledger.scan(folder, name)} order by all"
        ).fetchall()


def test_every_refusal_comes_back_in_the_words_of_the_sources(
    warehouse: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    pulled = pull(warehouse, tmp_path, connection=reached(sandbox))
    assert (pulled.new, pulled.exit_code) == ({"file": 0, "klaviyo": 3}, 0)
    withdrawn = rows(tmp_path, "privacy_consent_events")
    assert all(str(row[0]).startswith("klaviyo-") for row in withdrawn)
    same = ("email", "marketing_email", "withdrawn", None)
    assert {row[1:] for row in withdrawn} == {
        ("Who0@x.de", *same, "esp_unsubscribe", None, None, "2026-07-01 12:00:00"),
        ("Who2@x.de", *same, "esp_complaint", None, None, "2026-07-01 12:00:00"),
    }
    profiles = {row[0]: row[1] for row in rows(tmp_path, "esp_profiles")}
    events = {profiles[row[2]]: row[3:] for row in rows(tmp_path, "esp_message_events")}
    assert events == {
        "Who1@x.de": ("bounced", "hard", "2026-07-01 12:00:00"),
        "Who2@x.de": ("complained", None, "2026-07-01 12:00:00"),
    }


def test_known_refusals_do_not_come_back_twice(warehouse: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    pull(warehouse, tmp_path, connection=reached(sandbox))
    sandbox.now = lambda: NOW + timedelta(hours=1)
    sandbox.accounts["klaviyo"].refuse("who4@x.de", "unsubscribed")
    assert pull(warehouse, tmp_path, connection=reached(sandbox)).new == {"file": 0, "klaviyo": 1}
    assert pull(warehouse, tmp_path, connection=reached(sandbox)).new == {"file": 0, "klaviyo": 0}
    assert len(rows(tmp_path, "privacy_consent_events")) == 3


def test_a_new_subscription_by_a_confirmed_form_comes_back_with_its_evidence(
    warehouse: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    account = sandbox.accounts["klaviyo"]
    pull(warehouse, tmp_path, connection=reached(sandbox))
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("""
            create table refused_addresses as
            from (values ('klaviyo', 'who0@x.de'), ('klaviyo', 'who1@x.de'), ('klaviyo', 'who2@x.de'),
                ('file', 'who9@x.de')) as refused (destination, email)
        """)
    pulled = pull(warehouse, tmp_path, connection=reached(sandbox))
    assert pulled.again == {"klaviyo": 0}, "no one has"

    sandbox.now = lambda: NOW + timedelta(hours=2)
    account.confirm("who0@x.de")
    account.confirm("who9@x.de")  # never opted out there
    account.confirm("who2@x.de")
    account.refuse("who2@x.de", "unsubscribed")  # and opted out again
    pulled = pull(warehouse, tmp_path, connection=reached(sandbox))
    assert (pulled.again, pulled.exit_code) == ({"klaviyo": 1}, 0)
    assert "klaviyo        1 subscribed again" in as_text(pulled)
    yeses = [row for row in rows(tmp_path, "privacy_consent_events") if row[4] == "granted"]
    assert [row[1:] for row in yeses] == [
        (
            "Who0@x.de", "email", "marketing_email", "granted", "express", "double_opt_in",
            "FORM shop.example/news", "2026-07-01 14:00:00", "2026-07-01 14:00:00",
        )
    ]  # fmt: skip
    assert pull(warehouse, tmp_path, connection=reached(sandbox)).again == {"klaviyo": 0}, "it is known"


def test_a_new_opt_in_is_no_new_opt_out_and_removes_none(tmp_path: Path, warehouse: Path) -> None:
    yes = Resubscription("yes", "ann@x.de", "FORM", NOW)
    assert write_resubscriptions(tmp_path, "klaviyo", [yes]) == 1
    assert "add" in goes_out(warehouse, tmp_path, "ann@x.de")
    refuse(tmp_path, "ann@x.de")
    assert write_resubscriptions(tmp_path, "klaviyo", [Resubscription("yes 2", "ann@x.de", "FORM", NOW)]) == 1
    assert "add" not in goes_out(warehouse, tmp_path, "ann@x.de"), "the next build weighs the two"


@pytest.mark.parametrize(
    "changes",
    [
        {"consent": "SUBSCRIBED", "double_optin": False, "consent_timestamp": "2026-07-01T12:00:00+00:00"},
        {"consent": "SUBSCRIBED", "double_optin": None, "consent_timestamp": "2026-07-01T12:00:00+00:00"},
        {"consent": "SUBSCRIBED", "double_optin": True, "consent_timestamp": None},
        {"consent": "UNSUBSCRIBED", "double_optin": True, "consent_timestamp": "2026-07-01T12:00:00+00:00"},
        {
            "consent": "SUBSCRIBED", "double_optin": True, "can_receive_email_marketing": False,
            "consent_timestamp": "2026-07-01T12:00:00+00:00",
        },
    ],
)  # fmt: skip
def test_without_a_confirmation_klaviyos_opt_in_does_not_count(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    marketing = {"can_receive_email_marketing": True, "method": "FORM", "suppression": [], **changes}
    attributes = {"email": "ann@x.de", "subscriptions": {"email": {"marketing": marketing}}}
    page = {"data": [{"id": "p", "attributes": attributes}], "links": {"self": "x", "next": None}}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=page))
    klaviyo = open_destination("klaviyo", tmp_path, Connection(transport=transport, sleep=lambda _: None))
    assert isinstance(klaviyo, TellsResubscriptions)
    assert list(klaviyo.resubscriptions(["ann@x.de"])) == []


def test_killed_anywhere_the_next_pull_has_it_all(
    warehouse: Path, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    pull(warehouse, whole, connection=reached(sandbox))
    for number in range(4):  # three ledgers, and the moment of the newest
        calls = iter(range(100))
        place = tmp_path / f"killed-{number}"

        def dying(source: Path, target: Path, number: int = number, calls: "iter[int]" = calls) -> None:  # type: ignore[valid-type]
            if next(calls) == number:
                raise KeyboardInterrupt
            os.rename(source, target)

        with monkeypatch.context() as patched:
            patched.setattr("mailroom.activation.ledger.os.replace", dying)
            with pytest.raises(KeyboardInterrupt):
                pull(warehouse, place, connection=reached(sandbox))
        pull(warehouse, place, connection=reached(sandbox))
        for name in ("privacy_consent_events", "esp_message_events", "esp_profiles"):
            assert rows(place, name) == rows(whole, name)


def test_a_stopped_destination_has_written_nothing(warehouse: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults = Faults(share=1, kinds=["401"])
    pulled = pull(warehouse, tmp_path, connection=reached(sandbox))
    assert pulled.exit_code == 5 and "401" in pulled.stopped["klaviyo"]
    assert "stopped: klaviyo denies access" in as_text(pulled)
    assert rows(tmp_path, "privacy_consent_events") == []
    sandbox.faults = Faults(0.3, 5)
    assert pull(warehouse, tmp_path, connection=reached(sandbox)).new["klaviyo"] == 3


def test_no_customer_is_added_against_an_opt_out_newer_than_the_outbox(
    warehouse: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    pull(warehouse, tmp_path, connection=reached(sandbox))
    wished = [{"email": f"who{number}@x.de", "destination": "klaviyo"} for number in range(5)]
    outbox_of(warehouse, [row | {"decided_at": BEFORE} for row in wished])
    push(warehouse, tmp_path, connection=reached(sandbox))
    # Opt-outs of a person or mailbox are newer than the outbox. Our own suppressions are not new.
    members = {profile.email for profile in sandbox.accounts["klaviyo"].members("Mailroom vips")}
    assert members == {"Who3@x.de", "who4@x.de"}

    outbox_of(warehouse, [row | {"decided_at": NOW + timedelta(days=1)} for row in wished])
    push(warehouse, tmp_path, connection=reached(sandbox))
    assert len(sandbox.accounts["klaviyo"].members("Mailroom vips")) == 5, "the next build has weighed it"


SPELLINGS = [
    ("Ann@X.de", "ann@x.de"),
    (" ann@x.de ", "ann@x.de"),
    ("Ann B. <ann@x.de>", "ann@x.de"),
    ("mailto:ann@x.de", "ann@x.de"),
    ("\uff41nn\uff20x.de", "ann@x.de"),
    ("zoe\u0308@x.de", "zo\u00eb@x.de"),
    ("ann@xn--mller-kva.de", "ann@m\u00fcller.de"),
    ("ann@m\u00fcller.de", "ann@xn--mller-kva.de"),
    ("ann@x.de", "ann+shop@x.de"),
    ("ann+news@x.de", "ann+shop@x.de"),
    ("ann+news@x.de", "ann@x.de"),
    ("a.nn+news@gmail.com", "ann@googlemail.com"),
]
OTHERS = [
    ("ann@x.de", "bob@x.de"),
    ("a.nn@x.de", "ann@x.de"),
    ("ann+news@web.de", "ann@web.de"),
    ("ann@gmail.com", "ann@x.de"),
]


def goes_out(warehouse: Path, folder: Path, email: str, decided_at: datetime = BEFORE) -> set[str]:
    """The operations about an address that a push sends."""
    wished = [
        {
            "outbox_id": f"{operation}-{email}-{decided_at}", "email": email, "operation": operation,
            "audience": operation, "decided_at": decided_at,
        }
        for operation in ("add", "update", "remove", "suppress")
    ]  # fmt: skip
    outbox_of(warehouse, wished)
    return {sent.operation for sent in push(warehouse, folder).sent if sent.accepted}


def refuse(
    folder: Path,
    email: str,
    kind: Kind = "unsubscribed",
    at: datetime = NOW,
    key: str = "k",
    profile: str = "p",
) -> None:
    write_refusals(folder, "klaviyo", [Refusal(key, profile, email, kind, at)])


@pytest.mark.parametrize(("refused", "wished"), SPELLINGS)
def test_an_opt_out_is_of_the_mailbox_not_of_a_spelling(
    warehouse: Path, tmp_path: Path, refused: str, wished: str
) -> None:
    kinds: list[Kind] = ["unsubscribed", "bounced", "complained"]
    refuse(tmp_path, refused, kinds[len(refused) % 3])
    assert goes_out(warehouse, tmp_path, wished) == {"remove", "suppress"}


@pytest.mark.parametrize(("refused", "wished"), OTHERS)
def test_an_opt_out_is_of_no_other_mailbox(
    warehouse: Path, tmp_path: Path, refused: str, wished: str
) -> None:
    refuse(tmp_path, refused)
    assert goes_out(warehouse, tmp_path, wished) == {"add", "update", "remove", "suppress"}


@pytest.mark.parametrize(
    ("given_at", "built_at", "goes"),
    [
        (BEFORE, NOW - timedelta(hours=1), False),  # given before the build, pulled after it
        (NOW + timedelta(days=999), NOW + timedelta(days=1), False),  # by a clock that is ahead
        (NOW - timedelta(hours=2), NOW + timedelta(hours=1), True),  # the build included it
    ],
)
def test_an_opt_out_counts_from_the_pull(
    warehouse: Path, tmp_path: Path, given_at: datetime, built_at: datetime, goes: bool
) -> None:
    refuse(tmp_path, "ann@x.de", at=given_at)
    assert ("add" in goes_out(warehouse, tmp_path, "ann@x.de", built_at)) == goes


def test_ledgers_of_an_earlier_version_are_read_and_merged(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(tmp_path, "ann@x.de")
    refuse(tmp_path, "bob@x.de", "bounced")
    for path in [*tmp_path.glob("privacy_*/*.parquet"), *tmp_path.glob("esp_message_*/*.parquet")]:
        lacking = {"pulled_at", "lawful_basis", "form", "confirmed_at"}
        table = pq.read_table(path)
        pq.write_table(table.drop_columns(sorted(lacking & set(table.column_names))), path)
    assert "add" not in goes_out(warehouse, tmp_path, "ann@x.de"), "by when it was given"
    assert "add" not in goes_out(warehouse, tmp_path, "bob@x.de")
    assert "add" in goes_out(warehouse, tmp_path, "ann@x.de", NOW + timedelta(hours=1))
    monkeypatch.setattr("mailroom.activation.ledger.now", lambda: NOW + timedelta(hours=2))
    refuse(tmp_path, "cem@x.de", key="k2")
    monkeypatch.setattr(ledger, "MOST_FILES", 1)
    before = rows(tmp_path, "privacy_consent_events")
    ledger.merge(tmp_path, "privacy_consent_events")
    assert rows(tmp_path, "privacy_consent_events") == before and len(before) == 2
    assert "add" not in goes_out(warehouse, tmp_path, "cem@x.de", NOW + timedelta(hours=1))


def test_an_opt_out_from_the_future_hides_no_later_one(
    warehouse: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.now = lambda: NOW + timedelta(days=999)
    sandbox.accounts["klaviyo"].refuse("ahead@x.de", "unsubscribed")
    pull(warehouse, tmp_path, connection=reached(sandbox))
    sandbox.now = lambda: NOW + timedelta(minutes=1)
    sandbox.accounts["klaviyo"].refuse("who4@x.de", "unsubscribed")
    assert pull(warehouse, tmp_path, connection=reached(sandbox)).new["klaviyo"] == 1


def test_a_profile_with_a_new_address_opts_out_for_both(warehouse: Path, tmp_path: Path) -> None:
    refuse(tmp_path, "old@x.de", "bounced", key="first")
    refuse(tmp_path, "new@x.de", "bounced", key="second")
    refuse(tmp_path, "New@x.de", "bounced", key="second")
    for email in ("old@x.de", "new@x.de"):
        assert "add" not in goes_out(warehouse, tmp_path, email)
    write_refusals(
        tmp_path / "at_once",
        "klaviyo",
        [Refusal(email, "p", email, "bounced", NOW) for email in ("b@x.de", "a@x.de")],
    )
    for email in ("a@x.de", "b@x.de"):
        assert "add" not in goes_out(warehouse, tmp_path / "at_once", email)
    assert {row[:2] for row in rows(tmp_path / "at_once", "esp_profiles")} == {
        ("klaviyo-p", "a@x.de"), ("klaviyo-b@x.de", "b@x.de")
    }  # fmt: skip


def test_pulled_rows_of_the_deleted_are_gone_in_every_spelling(warehouse: Path, tmp_path: Path) -> None:
    for number, email in enumerate(("Ann B. <ANN@x.de>", "bob@x.de", "ann@x.de", "\uff41nn@x.de")):
        write_refusals(tmp_path, "klaviyo", [Refusal(f"k{number}", f"p{number}", email, "complained", NOW)])
    outbox_of(warehouse, [{"email": "ann@x.de", "operation": "delete", "audience": ""}])
    push(warehouse, tmp_path)
    for name in ("esp_profiles", "privacy_consent_events"):
        assert [row[1] for row in rows(tmp_path, name)] == ["bob@x.de"]


def test_a_pull_waits_for_no_push(warehouse: Path, tmp_path: Path) -> None:
    with FileLock(tmp_path / "push.lock"), pytest.raises(AnotherPushError):
        pull(warehouse, tmp_path)


def test_pulled_rows_of_the_deleted_are_gone(warehouse: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    pull(warehouse, tmp_path, connection=reached(sandbox))
    gone = [
        {"email": f"who{number}@x.de", "destination": "klaviyo", "operation": "delete", "audience": ""}
        for number in range(2)
    ]
    outbox_of(warehouse, gone)
    push(warehouse, tmp_path, connection=reached(sandbox))
    assert [row[1] for row in rows(tmp_path, "privacy_consent_events")] == ["Who2@x.de"]
    assert [row[1] for row in rows(tmp_path, "esp_profiles")] == ["Who2@x.de"]


def test_many_small_files_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "MOST_FILES", 3)
    for number in range(5):
        row = {"destination": "klaviyo", "newest_at": NOW, "n_new": number, "pulled_at": NOW}
        ledger.write(tmp_path, "pulls", f"{number}", [row])
    before = rows(tmp_path, "pulls")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ledger.merge(tmp_path, "pulls")
    assert len(rows(tmp_path, "pulls")) == 10, "until the small ones are gone"
    ledger.merge(tmp_path, "pulls")
    assert rows(tmp_path, "pulls") == before
    assert len(list((tmp_path / "pulls").glob("*.parquet"))) == 1
