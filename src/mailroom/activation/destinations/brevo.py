"""Brevo: imports, lists, blocklisting, by its API v3.

BREVO_API_KEY: an API key; keys have no scopes. If the account allows known IP addresses only, add this
machine's. An audience is the list `Mailroom <audience>` in the folder `Mailroom`. first_name is the account's
own attribute, named in its language. All other fields are text attributes MAILROOM_<FIELD>, created before
their first use, because Brevo silently drops unknown attributes and values of the wrong type.

A message is the event `Mailroom_<flow>` of a contact, which starts an automation. Brevo has no key by which
it would know a repeated event, so a message that may have arrived is not sent again. What it does with an
event of an address that is no contact is not documented. Nor is the rate limit of POST /v3/events/batch. A
single event has 10 a second, and Brevo may limit the batch to fewer.

An import needs a list: an update puts its contacts into the audience's. Mailroom never lifts a blocklisting:
it sends neither emailBlacklist nor emailBlacklisted as false, nor the attribute EMAIL, whose change would
resubscribe. POST /contacts/batch is not used, because Brevo retires it on 30 October 2026. Addresses are sent
in lower case, as Brevo keeps them, because its lists are case-sensitive. A deletion leaves the logs of
transactional mail.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from pyrate_limiter import Duration, Rate

from mailroom.activation.api import (
    OTHER_SHAPE,
    RETRYABLE,
    Api,
    Connection,
    RefusedError,
    Result,
    StoppedError,
    TryAgainError,
    json_bytes,
    send_without_bad_rows,
    utc,
    was_found,
    with_refresh,
    within,
)
from mailroom.activation.rows import (
    NOT_THERE,
    Answer,
    Batch,
    Kind,
    Limits,
    Operation,
    Refusal,
    Row,
)
from mailroom.activation.scrub import error_text
from mailroom.mailbox import spelled

PROCESSES, MESSAGES = "/v3/processes", "/v3/events/batch"
RUNNING = ("queued", "in_process", "processing")
PREFIX = "MAILROOM_"  # of attributes
AROUND, AROUND_EVENT = 30, 100  # bytes around a contact in an import, and around an event
PAGES_OF_PROCESSES = 10  # searched for a process before it is read alone
FIRST_NAMES = ("FIRSTNAME", "PRENOM", "VORNAME", "NOMBRE", "NOME", "FNAME")
STATISTICS_DAYS = 90  # at most, in one request
# Reasons of a blocklisting, by key of campaignStats. An admin's events are mostly our own.
EVENTS: dict[str, Kind | None] = {
    "userUnsubscription": "unsubscribed", "adminUnsubscription": None, "hardBounces": "bounced",
    "complaints": "complained",
}  # fmt: skip
# Of transactional mail. unsubscribedViaApi and adminBlocked do not come from the person.
BLOCKED: dict[str, Kind] = {
    "unsubscribedViaMA": "unsubscribed", "unsubscribedViaEmail": "unsubscribed", "hardBounce": "bounced",
    "contactFlaggedAsSpam": "complained",
}  # fmt: skip


class BrevoDestination:
    """Imports are background processes, whose rows are pending until settle() finds them done."""

    repeats_sends = False

    def __init__(self, folder: Path, connection: Connection) -> None:
        self.api = Api(
            "brevo",
            "https://api.brevo.com",
            "BREVO_API_KEY",
            lambda key: {"api-key": key, "Accept": "application/json"},
            [Rate(10, Duration.SECOND)],  # of /contacts, which is 36,000 an hour, too
            connection,
        )
        # Reports are on another host, which must not get the key.
        self._reports = httpx.Client(
            transport=connection.transport, timeout=connection.deadline, follow_redirects=True
        )
        self._deadline = connection.deadline
        self._processes: dict[int, dict[str, Any]] = {}  # as last read
        self._attributes: dict[str, str] = {}  # category and type by name, as last read
        self.list_id = cache(self._list_id)
        self.attribute = cache(self._attribute)

    def limits(self, operation: Operation) -> Limits:
        """8 MB per import, as Brevo advises, without a documented number of rows; 150 per removal from a
        list; 200 events or 512 KB, and 50 KB per event. The others are one request per row."""
        if operation == "send":
            return Limits(200, 512_000 - 1_000, 50_000)
        if operation in ("add", "update"):
            return Limits(20_000, 8_000_000 - 1_000)
        return Limits({"remove": 150, "suppress": 10}.get(operation, 1))

    def size(self, row: Row) -> int:
        """Bytes of a contact in an import, or of an event, at most."""
        if row.operation == "send":
            return AROUND_EVENT + json_bytes({"email": row.email, "flow": row.audience, **row.payload})
        fields = {"email": row.email, "customer_id": row.customer_id, **row.payload}
        return AROUND + json_bytes(fields) + len(PREFIX) * len(fields)

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Send one import, plus one per set of cleared fields; or one removal request, two if some are not in
        the list."""
        if batch.operation == "send":
            return self._send_events(batch)
        if batch.operation in ("add", "update"):
            group = self.list_id(batch.audience)
            return send_without_bad_rows(
                batch.rows, lambda rows: self._import(rows, group), lambda refused: {}
            )
        if batch.operation == "remove":
            group = self.list_id(batch.audience)
            return send_without_bad_rows(
                batch.rows, lambda rows: self._remove(rows, group), lambda refused: {}
            )
        if batch.operation == "suppress":
            return [self._change(row, "PUT", {"emailBlacklisted": True}) for row in batch.rows]
        return [self._change(row, "DELETE") for row in batch.rows]

    def _import(self, rows: Sequence[Row], group: int) -> list[Answer]:
        """Import rows. Fields are cleared by separate imports, in which every contact has the same ones,
        because it is not documented whether a clearing import also empties fields that a contact lacks and
        others have. The reference names all imports, so that settle() knows all rows that a report may
        name."""
        values = []
        cleared: dict[tuple[str, ...], list[Row]] = {}
        attribute = self.attribute
        for row in rows:
            attributes, to_clear = {attribute("customer_id"): row.customer_id}, []
            for name, value in row.payload.items():
                if value is None:
                    to_clear.append(attribute(name))
                else:
                    attributes[attribute(name)] = value if type(value) is str else _text(value)
            values.append(_contact(row, attributes))
            if to_clear:
                cleared.setdefault(tuple(sorted(to_clear)), []).append(row)
        numbers = [self._start(values, group)]
        for names, some in cleared.items():
            empty = [_contact(row, dict.fromkeys(names, "")) for row in some]
            numbers.append(self._start(empty, group, does_clear=True))
        reference = f"{PROCESSES}/{','.join(map(str, numbers))}"
        return [Answer(row.outbox_id, "pending", reference=reference) for row in rows]

    def _start(self, contacts: list[dict[str, Any]], group: int, does_clear: bool = False) -> int:
        data = {
            "jsonBody": contacts,
            "listIds": [group],
            "updateExistingContacts": True,
            "emptyContactsAttributes": does_clear,
            "disableNotification": True,  # an e-mail to the account's owner, after each import
        }
        return int(self.api.call("POST", "/v3/contacts/import", data)["processId"])

    def _send_events(self, batch: Batch) -> list[Answer]:
        """Send all events in one request. Status 202 accepts all, 207 some, 400 none: the last two name the
        events that are refused by place, from 0."""
        events = [_event(row) for row in batch.rows]
        bad: dict[int, tuple[str, str]] = {}

        def ask() -> None:
            body = self.api.once("POST", MESSAGES, {"events": events})
            if "errors" in body:
                bad.update(_refused_events(body, "refused"))
            if (body["failed_events"] if "errors" in body else len(events) - body["count"]) != len(bad):
                raise ValueError("it is unclear which events failed")

        try:
            self.api.at_most_once(ask)
        except RefusedError as refused:
            why = (str(refused.status), error_text(refused.body))
            try:
                named = _refused_events(refused.body, str(refused.status))
            except OTHER_SHAPE:
                named = {}
            bad = dict.fromkeys(range(len(events)), why) | named
        return [
            Answer(row.outbox_id, "rejected", *bad[place])
            if place in bad
            else Answer(row.outbox_id, "accepted")
            for place, row in enumerate(batch.rows)
        ]

    def _remove(self, rows: Sequence[Row], group: int) -> Iterator[Answer]:
        """Remove rows from a list. Addresses that the answer does not name are sent again, until Brevo says
        that none is in the list."""
        path = f"/v3/contacts/lists/{group}/contacts/remove"
        waiting = {spelled(row.email): row for row in rows}
        while waiting:
            try:
                answer = self.api.call(
                    "POST", path, {"emails": [row.email.lower() for row in waiting.values()]}
                )
                removed = {spelled(str(email)) for email in answer["contacts"].get("success") or []}
            except RefusedError as refused:
                if not _is_off_list(refused):
                    raise
                removed = set(waiting)
            if removed.isdisjoint(waiting):
                break
            for email in removed & waiting.keys():
                yield Answer(waiting.pop(email).outbox_id, "accepted", reference=path)
        for row in waiting.values():
            yield Answer(row.outbox_id, "rejected", "not_removed", "Brevo does not confirm the removal.")

    def _change(self, row: Row, method: str, data: Any = None) -> Answer:
        """Change or delete one contact, if Brevo has it. Brevo takes the address in the path only."""
        path = f"/v3/contacts/{quote(row.email.lower(), safe='')}"

        def ask() -> None:
            self.api.call(method, path, data, {"identifierType": "email_id"}, yes=204)

        try:
            is_known = was_found(ask, _is_not_found)
        except RefusedError as refused:
            return Answer(row.outbox_id, "rejected", str(refused.status), error_text(refused.body))
        return Answer(row.outbox_id, "accepted", None if is_known else NOT_THERE)

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """Return the answers of imports once all are done. Brevo allows 100 requests for processes an hour,
        so one request reads many, and rows stay pending over the limit. Rows that a report names are
        rejected; all are, if a report is refused or names an address that was not sent."""
        numbers = [int(number) for number in reference.rpartition("/")[2].split(",")]
        outbox_ids: dict[str, str] = {}
        bad: dict[str, tuple[str, str]] = {}
        try:
            processes = [self._process(number) for number in numbers]
            if any(process["status"] in RUNNING for process in processes):
                return []
            for process in processes:
                if process["status"] != "completed":
                    return _all(batch, str(process["status"]), f"The import was {process['status']}.")
                for name, url in ((process.get("info") or {}).get("import") or {}).items():
                    if not url:
                        continue
                    outbox_ids = outbox_ids or {spelled(row.email): row.outbox_id for row in batch.rows}
                    for email in self._named(url, set(outbox_ids)):
                        bad[outbox_ids[email]] = (name, f"Named in Brevo's report {name}.")
        except NotNowError:
            return []
        except RefusedError as refused:
            return _all(batch, "job_lost", error_text(refused.body))
        except UnclearError:
            return _all(batch, "report_unclear", "Some contacts failed, and it is unclear which.")
        return [
            Answer(row.outbox_id, "rejected", *bad[row.outbox_id], reference)
            if row.outbox_id in bad
            else Answer(row.outbox_id, "accepted", reference=reference)
            for row in batch.rows
        ]

    def _process(self, number: int) -> dict[str, Any]:
        """Return a process, from memory unless it was running. Raises RefusedError if Brevo does not have
        it."""
        if number not in self._processes:
            self._read_processes(number)
        if number not in self._processes:
            self._processes[number] = self._ask(f"{PROCESSES}/{number}", {})
        if self._processes[number]["status"] in RUNNING:
            return self._processes.pop(number)
        return self._processes[number]

    def _read_processes(self, number: int) -> None:
        for page in range(PAGES_OF_PROCESSES):
            params: dict[str, str | int] = {"limit": 50, "offset": 50 * page, "sort": "desc"}
            processes = self._ask(PROCESSES, params).get("processes") or []
            self._processes |= {process["id"]: process for process in processes}
            if number in self._processes or len(processes) < 50:
                return

    def _ask(self, path: str, params: Mapping[str, str | int]) -> Any:
        def ask() -> Any:
            try:
                return self.api.once("GET", path, params=params)
            except TryAgainError as error:
                if error.status == 429:  # a retry would wait for the next hour
                    raise NotNowError from error
                raise

        return self.api.with_retries(ask)

    def _named(self, url: str, sent: set[str]) -> set[str]:
        """Return the sent addresses that a report names, one per line, perhaps below a header."""
        try:
            response = within(self._deadline, partial(self._reports.get, url))
        except (httpx.RequestError, TimeoutError) as error:
            raise NotNowError from error
        except httpx.InvalidURL as error:
            raise UnclearError from error
        if response.status_code in RETRYABLE:
            raise NotNowError
        if response.status_code >= 300:
            raise UnclearError
        lines = [
            {spelled(cell) for cell in re.split(r'[;,\t"]', line)} & sent
            for line in response.content.decode("utf-8", "replace").splitlines()
            if line.strip()
        ]
        if not any(lines) or not all(lines[1:]):
            raise UnclearError
        return set().union(*lines)

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Yield refusals of blocklisted contacts from campaign statistics, one request per contact (or one
        per 90 days, if the last have none), and of contacts blocked from transactional mail."""
        params = {"modifiedSince": f"{since.isoformat(timespec='milliseconds')}Z", "sort": "asc"}
        for contact in self._pages("/v3/contacts", "contacts", 1_000, params):
            if contact.get("emailBlacklisted") and contact.get("email"):
                yield from self._events(contact, since)
        for blocked in self._pages("/v3/smtp/blockedContacts", "contacts", 100, {"sort": "desc"}):
            at, kind = utc(blocked["blockedAt"]), BLOCKED.get(blocked["reason"]["code"])
            if at < since:
                return
            if kind:
                # There is no contact id here.
                profile_id = f"smtp-{sha256(blocked['email'].lower().encode()).hexdigest()[:16]}"
                yield Refusal(f"{profile_id}-{kind}-{at.isoformat()}", profile_id, blocked["email"], kind, at)

    def _events(self, contact: Mapping[str, Any], since: datetime) -> Iterator[Refusal]:
        """Yield the newest events that made a contact blocklisted."""
        path = f"/v3/contacts/{contact['id']}/campaignStats"
        for span in _spans(contact, since):
            stats: dict[str, Any] = {}

            def ask(stats: dict[str, Any] = stats, span: dict[str, str] = span) -> None:
                stats |= self.api.call("GET", path, params=span) or {}

            if not was_found(ask, _is_not_found):
                return  # deleted in the meantime
            stats |= stats.get("unsubscriptions") or {}
            for name, kind in EVENTS.items():
                for event in stats.get(name) or []:
                    at = utc(event["eventTime"])
                    if kind and at >= since:
                        key = f"{contact['id']}-{kind}-{at.isoformat()}"
                        yield Refusal(key, str(contact["id"]), contact["email"], kind, at)
            if any(stats.get(name) for name in EVENTS):
                return

    def _attribute(self, name: str) -> str:
        """Return the attribute of a field, created if missing. Raises StoppedError if it can't hold text."""
        wanted = FIRST_NAMES if name == "first_name" else (f"{PREFIX}{name.upper()}",)

        def find() -> str | None:
            return next((known for known in wanted if known in self._attributes), None)

        def make() -> str:
            self.api.once("POST", f"/v3/contacts/attributes/normal/{wanted[0]}", {"type": "text"})
            self._attributes[wanted[0]] = "normal text"
            return wanted[0]

        def refresh() -> None:
            listed = self.api.call("GET", "/v3/contacts/attributes")["attributes"]
            self._attributes = {
                kind["name"].upper(): f"{kind['category']} {kind.get('type')}" for kind in listed
            }

        attribute = self._set_up(with_refresh(find, refresh, bool(self._attributes)), make)
        if self._attributes[attribute] != "normal text":
            raise StoppedError(
                f"brevo has {attribute} as {self._attributes[attribute]}: it must be a normal text attribute"
            )
        return attribute

    def _list_id(self, audience: str) -> int:
        name = f"Mailroom {audience}"

        def make() -> int:
            data = {"name": name, "folderId": self._folder_id()}
            return int(self.api.once("POST", "/v3/contacts/lists", data)["id"])

        return self._set_up(lambda: self._id_of("lists", name), make)

    def _folder_id(self) -> int:
        def make() -> int:
            return int(self.api.once("POST", "/v3/contacts/folders", {"name": "Mailroom"})["id"])

        return self._set_up(lambda: self._id_of("folders", "Mailroom"), make)

    def _id_of(self, what: str, name: str) -> int | None:
        for found in self._pages(f"/v3/contacts/{what}", what, 50, {"sort": "asc"}):
            if found["name"] == name:
                return int(found["id"])
        return None

    def _set_up(self, find: Callable[[], Result | None], make: Callable[[], Result]) -> Result:
        try:
            return self.api.get_or_create(find, make)
        except RefusedError as refused:
            raise StoppedError(
                f"brevo refuses a list or an attribute: {error_text(refused.body)}"
            ) from refused

    def _pages(
        self, path: str, name: str, size: int, params: Mapping[str, str | int]
    ) -> Iterator[dict[str, Any]]:
        """Yield a collection, page by page."""
        offset = 0
        while True:
            page = self.api.call("GET", path, params={**params, "limit": size, "offset": offset})
            if "count" not in page:  # an empty collection has no list, but a count
                raise StoppedError("an answer is not one of Brevo's")
            items = page.get(name) or []
            yield from items
            if len(items) < size:
                return
            offset += size


class NotNowError(Exception):
    """The result of an import can't be read now."""


class UnclearError(Exception):
    """A report does not say which contacts failed."""


def _is_not_found(body: Any) -> bool:
    """Return whether a 404 is Brevo's for "no such contact". It gives document_not_found for lists, too."""
    return (
        body["code"] == "document_not_found"
        and re.match(r"contact\b", body["message"], re.IGNORECASE) is not None
    )


def _is_off_list(refused: RefusedError) -> bool:
    """Return whether a removal is refused because none of the addresses is on the list."""
    body = refused.body if isinstance(refused.body, dict) else {}
    return refused.status == 400 and "code" in body and "removed from list" in str(body.get("message"))


def _event(row: Row) -> dict[str, Any]:
    return {
        "event_name": f"Mailroom_{row.audience}",
        "identifiers": {"email_id": row.email.lower()},
        "event_properties": {name: value for name, value in row.payload.items() if value is not None},
    }


def _refused_events(body: Any, code: str) -> dict[int, tuple[str, str]]:
    """Return the events that an answer names, by place, with code and message."""
    return {
        int(place): (code, error_text(error)) for error in body["errors"] for place in error["eventIndex"]
    }


def _contact(row: Row, attributes: dict[str, str]) -> dict[str, Any]:
    return {"email": row.email.lower(), "attributes": attributes}


def _text(value: Any) -> str:
    """Return a value as text; None as empty text."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _spans(contact: Mapping[str, Any], since: datetime) -> Iterator[dict[str, str]]:
    """Yield spans of 90 days: the last one by Brevo's clock, then from the contact's last change back to its
    first, or to since."""
    yield {}
    until = date.fromisoformat(contact["modifiedAt"][:10])
    first = min(until, max(since.date(), date.fromisoformat(contact["createdAt"][:10])))
    while until >= first:
        start = max(first, until - timedelta(days=STATISTICS_DAYS - 1))
        yield {"startDate": start.isoformat(), "endDate": until.isoformat()}
        until = start - timedelta(days=1)


def _all(batch: Batch, code: str, message: str) -> list[Answer]:
    return [Answer(row.outbox_id, "rejected", code, message) for row in batch.rows]
