"""Brevo: imports, lists, blocklisting, by its API v3.

BREVO_API_KEY: an API key; they have no scopes. If the account lets in known IP addresses only, ours must be
one. An audience is the list `Mailroom <audience>` in the folder `Mailroom`. first_name is the account's own
attribute, named in its language; all other fields are text attributes MAILROOM_<FIELD>, made before they are
first used, because Brevo drops unknown attributes, and values of the wrong type, in silence.

An import needs a list: an update puts its contacts into the audience's. Nothing here lifts a blocklisting:
neither emailBlacklist nor emailBlacklisted is ever sent as false, nor the attribute EMAIL, whose change would
resubscribe. POST /contacts/batch is not used: Brevo has given it up as of 30 October 2026. Addresses go out
in lower case, as Brevo keeps them: its lists match letter by letter. Deletion leaves the logs of
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
    RETRYABLE,
    Api,
    Connection,
    RefusedError,
    Result,
    StoppedError,
    TryAgainError,
    json_bytes,
    reread_on_retry,
    send_without_bad_rows,
    utc,
    was_there,
    within,
)
from mailroom.activation.rows import NOT_THERE, Answer, Batch, Kind, Limits, Operation, Refusal, Row
from mailroom.activation.scrub import error_text
from mailroom.mailbox import spelled

PROCESSES = "/v3/processes"
RUNNING = ("queued", "in_process", "processing")
PREFIX = "MAILROOM_"  # of attributes
AROUND = 30  # bytes of a contact in an import, without what it says
PAGES_OF_PROCESSES = 10  # looked through for one before it is asked for alone
FIRST_NAMES = ("FIRSTNAME", "PRENOM", "VORNAME", "NOMBRE", "NOME", "FNAME")
STATISTICS_DAYS = 90  # at most, in one request
# What made a contact blocklisted, by where campaignStats has it. An admin's events are our own, mostly.
EVENTS: dict[str, Kind | None] = {
    "userUnsubscription": "unsubscribed", "adminUnsubscription": None, "hardBounces": "bounced",
    "complaints": "complained",
}  # fmt: skip
# Of transactional mail. unsubscribedViaApi and adminBlocked were not said by the person.
BLOCKED: dict[str, Kind] = {
    "unsubscribedViaMA": "unsubscribed", "unsubscribedViaEmail": "unsubscribed", "hardBounce": "bounced",
    "contactFlaggedAsSpam": "complained",
}  # fmt: skip


class BrevoDestination:
    """Imports are background processes: their rows are pending until settle() finds them done."""

    def __init__(self, folder: Path, connection: Connection) -> None:
        self.api = Api(
            "brevo",
            "https://api.brevo.com",
            "BREVO_API_KEY",
            lambda key: {"api-key": key, "Accept": "application/json"},
            [Rate(10, Duration.SECOND)],  # of /contacts, which is 36,000 an hour, too
            connection,
        )
        # Reports lie elsewhere, where the key has no business.
        self._reports = httpx.Client(
            transport=connection.transport, timeout=connection.deadline, follow_redirects=True
        )
        self._deadline = connection.deadline
        self._processes: dict[int, dict[str, Any]] = {}  # as last told
        self._attributes: dict[str, str] = {}  # category and type by name, as last told
        self.list_id = cache(self._list_id)
        self.attribute = cache(self._attribute)

    def limits(self, operation: Operation) -> Limits:
        """8 MB an import, as Brevo advises, in no documented number of rows; 150 of a list. The others are
        one request a row."""
        if operation in ("add", "update"):
            return Limits(20_000, 8_000_000 - 1_000)
        return Limits({"remove": 150, "suppress": 10}.get(operation, 1))

    def size(self, row: Row) -> int:
        """Bytes of a contact in an import, at most."""
        fields = {"email": row.email, "customer_id": row.customer_id, **row.payload}
        return AROUND + json_bytes(fields) + len(PREFIX) * len(fields)

    def send(self, batch: Batch) -> Iterable[Answer]:
        """One import, and one for each set of fields that rows clear; one request for a removal, two if some
        are not in the list."""
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
            return [self._tell(row, "PUT", {"emailBlacklisted": True}) for row in batch.rows]
        return [self._tell(row, "DELETE") for row in batch.rows]

    def _import(self, rows: Sequence[Row], group: int) -> list[Answer]:
        """Fields are cleared by imports of their own, in which every contact has the same ones: whether an
        import that clears takes a field that a contact lacks, and others have, for empty is not said. The
        reference names all of them, so that what settle() gets is all that a report may be about."""
        values = []
        cleared: dict[tuple[str, ...], list[Row]] = {}
        attribute = self.attribute
        for row in rows:
            attributes, gone = {attribute("customer_id"): row.customer_id}, []
            for name, value in row.payload.items():
                if value is None:
                    gone.append(attribute(name))
                else:
                    attributes[attribute(name)] = value if type(value) is str else _text(value)
            values.append(_contact(row, attributes))
            if gone:
                cleared.setdefault(tuple(sorted(gone)), []).append(row)
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

    def _remove(self, rows: Sequence[Row], group: int) -> Iterator[Answer]:
        """Whoever it does not name as removed is asked for again, until it says that nobody of them is in
        the list."""
        path = f"/v3/contacts/lists/{group}/contacts/remove"
        waiting = {spelled(row.email): row for row in rows}
        while waiting:
            try:
                told = self.api.call(
                    "POST", path, {"emails": [row.email.lower() for row in waiting.values()]}
                )
                removed = {spelled(str(email)) for email in told["contacts"].get("success") or []}
            except RefusedError as refused:
                if not _says_off_list(refused):
                    raise
                removed = set(waiting)
            if removed.isdisjoint(waiting):
                break
            for email in removed & waiting.keys():
                yield Answer(waiting.pop(email).outbox_id, "accepted", reference=path)
        for row in waiting.values():
            yield Answer(row.outbox_id, "rejected", "not_removed", "Brevo does not say that it is removed.")

    def _tell(self, row: Row, method: str, data: Any = None) -> Answer:
        """Change one contact, or delete it; one whom Brevo does not know is left unknown. It takes an address
        in the path only."""
        path = f"/v3/contacts/{quote(row.email.lower(), safe='')}"

        def ask() -> None:
            self.api.call(method, path, data, {"identifierType": "email_id"}, yes=204)

        try:
            is_known = was_there(ask, _says_absent)
        except RefusedError as refused:
            return Answer(row.outbox_id, "rejected", str(refused.status), error_text(refused.body))
        return Answer(row.outbox_id, "accepted", None if is_known else NOT_THERE)

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """What imports say once all of them are done. Brevo lets us ask for processes 100 times an hour, so
        many are asked about at once, and nothing is known while it does not let us ask. Rows that a report
        names are refused; if a report is refused, or names what was not sent, nothing is known of any."""
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
                        bad[outbox_ids[email]] = (name, f"Brevo's report {name} names it.")
        except NotNowError:
            return []
        except RefusedError as refused:
            return _all(batch, "job_lost", error_text(refused.body))
        except UnclearError:
            return _all(batch, "report_unclear", "Some contacts failed, which ones is not said clearly.")
        return [
            Answer(row.outbox_id, "rejected", *bad[row.outbox_id], reference)
            if row.outbox_id in bad
            else Answer(row.outbox_id, "accepted", reference=reference)
            for row in batch.rows
        ]

    def _process(self, number: int) -> dict[str, Any]:
        """A process, of those told last; one that was running is asked for anew the next time. Raises
        RefusedError where nobody knows it."""
        if number not in self._processes:
            self._look_at_processes(number)
        if number not in self._processes:
            self._processes[number] = self._ask(f"{PROCESSES}/{number}", {})
        if self._processes[number]["status"] in RUNNING:
            return self._processes.pop(number)
        return self._processes[number]

    def _look_at_processes(self, number: int) -> None:
        for page in range(PAGES_OF_PROCESSES):
            asked: dict[str, str | int] = {"limit": 50, "offset": 50 * page, "sort": "desc"}
            found = self._ask(PROCESSES, asked).get("processes") or []
            self._processes |= {process["id"]: process for process in found}
            if number in self._processes or len(found) < 50:
                return

    def _ask(self, path: str, params: Mapping[str, str | int]) -> Any:
        def ask() -> Any:
            try:
                return self.api.once("GET", path, params=params)
            except TryAgainError as error:
                if error.status == 429:  # everything else would wait for the next hour
                    raise NotNowError from error
                raise

        return self.api.with_retries(ask)

    def _named(self, url: str, sent: set[str]) -> set[str]:
        """The addresses of those sent that a report names, a line each, perhaps under a head."""
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
        """What blocklisted contacts did, by the statistics of campaigns, a request for each contact (or one
        for each 90 days of it, where the last have nothing); and who is blocked from transactional mail."""
        asked = {"modifiedSince": f"{since.isoformat(timespec='milliseconds')}Z", "sort": "asc"}
        for contact in self._pages("/v3/contacts", "contacts", 1_000, asked):
            if contact.get("emailBlacklisted") and contact.get("email"):
                yield from self._said(contact, since)
        for blocked in self._pages("/v3/smtp/blockedContacts", "contacts", 100, {"sort": "desc"}):
            at, kind = utc(blocked["blockedAt"]), BLOCKED.get(blocked["reason"]["code"])
            if at < since:
                return
            if kind:
                # It has no id here.
                profile_id = f"smtp-{sha256(blocked['email'].lower().encode()).hexdigest()[:16]}"
                yield Refusal(f"{profile_id}-{kind}-{at.isoformat()}", profile_id, blocked["email"], kind, at)

    def _said(self, contact: Mapping[str, Any], since: datetime) -> Iterator[Refusal]:
        """The newest that is known of what made a contact blocklisted."""
        path = f"/v3/contacts/{contact['id']}/campaignStats"
        for span in _spans(contact, since):
            stats: dict[str, Any] = {}

            def ask(stats: dict[str, Any] = stats, span: dict[str, str] = span) -> None:
                stats |= self.api.call("GET", path, params=span) or {}

            if not was_there(ask, _says_absent):
                return  # deleted since they were listed
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
        """The attribute of a field, made where there is none. Raises StoppedError if it would drop text."""
        wanted = FIRST_NAMES if name == "first_name" else (f"{PREFIX}{name.upper()}",)

        def find() -> str | None:
            return next((known for known in wanted if known in self._attributes), None)

        def make() -> str:
            self.api.once("POST", f"/v3/contacts/attributes/normal/{wanted[0]}", {"type": "text"})
            self._attributes[wanted[0]] = "normal text"
            return wanted[0]

        def look() -> None:
            listed = self.api.call("GET", "/v3/contacts/attributes")["attributes"]
            self._attributes = {
                kind["name"].upper(): f"{kind['category']} {kind.get('type')}" for kind in listed
            }

        found = self._set_up(reread_on_retry(find, look, bool(self._attributes)), make)
        if self._attributes[found] != "normal text":
            raise StoppedError(
                f"brevo has {found} as {self._attributes[found]}: it must be a normal text attribute"
            )
        return found

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
        """What a collection has, page after page."""
        offset = 0
        while True:
            page = self.api.call("GET", path, params={**params, "limit": size, "offset": offset})
            if "count" not in page:  # the list itself is missing where it is empty
                raise StoppedError("brevo gives a page that is none of its own")
            found = page.get(name) or []
            yield from found
            if len(found) < size:
                return
            offset += size


class NotNowError(Exception):
    """What became of an import is to be asked for another time."""


class UnclearError(Exception):
    """A report does not say which contacts failed."""


def _says_absent(body: Any) -> bool:
    """Whether a 404 is Brevo's word for "no such contact": document_not_found it says of lists, too."""
    return (
        body["code"] == "document_not_found"
        and re.match(r"contact\b", body["message"], re.IGNORECASE) is not None
    )


def _says_off_list(refused: RefusedError) -> bool:
    """Whether a removal is refused because none of them is on the list."""
    body = refused.body if isinstance(refused.body, dict) else {}
    return refused.status == 400 and "code" in body and "removed from list" in str(body.get("message"))


def _contact(row: Row, attributes: dict[str, str]) -> dict[str, Any]:
    return {"email": row.email.lower(), "attributes": attributes}


def _text(value: Any) -> str:
    """A value as a text attribute takes it; none is an empty one."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _spans(contact: Mapping[str, Any], since: datetime) -> Iterator[dict[str, str]]:
    """The last 90 days, by Brevo's clock; then those up to the contact's last change, back to its first, or
    to since."""
    yield {}
    until = date.fromisoformat(contact["modifiedAt"][:10])
    first = min(until, max(since.date(), date.fromisoformat(contact["createdAt"][:10])))
    while until >= first:
        start = max(first, until - timedelta(days=STATISTICS_DAYS - 1))
        yield {"startDate": start.isoformat(), "endDate": until.isoformat()}
        until = start - timedelta(days=1)


def _all(batch: Batch, code: str, message: str) -> list[Answer]:
    return [Answer(row.outbox_id, "rejected", code, message) for row in batch.rows]
