"""HubSpot: contacts, lists, communication preferences, by its API of version 2026-03.

HUBSPOT_ACCESS_TOKEN: of a private app with crm.objects.contacts, crm.schemas.contacts and crm.lists (.read
and .write of each), communication_preferences.write, content for complaints, and
communication_preferences.statuses.batch.write, which only Marketing Hub Enterprise has.

Messages need two more scopes, behavioral_events.event_definitions.read_write and
analytics.behavioral_events.send, and an Enterprise subscription. A message is an occurrence of the custom
event `mailroom_<flow>` of a contact, which enrols it in a workflow. Mailroom defines the event, with text
properties, before its first message. An account may define 500. The uuid of an occurrence is made of the
outbox_id: of the same ones within a year, HubSpot accepts the first and rejects the others. Whether it then
refuses the request, and with which error, is not documented. A text has 256 characters at most, and is cut. A
message to an address that HubSpot does not have as the first of a contact is rejected.

An audience is the manual list `Mailroom <audience>`. Fields are properties `mailroom_<field>` in the group
`mailroom`, except first_name. Counts are numbers, all else is text, because a date property accepts midnight
only. HubSpot sends marketing mail to marketing contacts only, and no API can set that: use a workflow for the
list.

HubSpot's batch upsert by address is not partial, and its effect on unnamed properties is not documented. A
partial one needs a unique property of our own, which other contacts lack, and which would revert an address
that was corrected in HubSpot. So Mailroom looks contacts up by address, updates the found ones by id, which
leaves unnamed properties unchanged, and creates the others. A contact that exists nevertheless, because an
answer was lost, is looked up again. A batch update by address does not work: it is refused, or reports
success without a change.

A contact can have several addresses, and mail goes to the first. A contact with the address as a further one
is neither added nor erased, because it may be another person.

A suppression unsubscribes the address from all mail, which no write to the contact undoes. Mailroom
subscribes no contact. HubSpot would permanently block an unknown address that it should erase, and opt out
one that it should unsubscribe, so it gets neither request.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from pyrate_limiter import Duration, Rate

from mailroom.activation.api import (
    Api,
    Connection,
    NotUnderstoodError,
    RefusedError,
    StoppedError,
    json_bytes,
    send_without_bad_rows,
    utc,
    was_found,
    with_refresh,
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

CONTACTS, LISTS = "/crm/objects/2026-03/contacts", "/crm/lists/2026-03"
PROPERTIES, STATUSES = "/crm/properties/2026-03/contacts", "/communication-preferences/2026-03/statuses"
TIMELINE = "/email/public/v1/subscriptions/timeline"  # in no dated version
MESSAGES, DEFINITIONS = "/events/2026-03/send", "/events/2026-03/event-definitions"
AT_ONCE, WITH_HISTORY_AT_ONCE, FOUND_AT_ONCE = 100, 50, 200  # contacts in a request
EVENTS_AT_ONCE, LONGEST_VALUE = 500, 256
GROUP, MARK = "mailroom", "mailroom_suppressed_at"
REFUSALS: dict[str, Kind] = {
    "hs_email_optout": "unsubscribed", "hs_email_hard_bounce_reason_enum": "bounced",
}  # fmt: skip
OPTED_OUT = "hs_email_optout"
CHANGED = {"recordsIdsAdded", "recordIdsRemoved", "recordIdsMissing"}  # spelled as documented
SOON = timedelta(hours=1)  # our own opt-out follows the mark within this; a push retries for minutes
Why = tuple[str, str]  # code and message
Done = tuple[dict[str, str], dict[str, Why]]  # ids of contacts, and refusals, by outbox_id
SECOND_ADDRESS: Why = (
    "second_address",
    "HubSpot has this address as a further one of a contact: check it by hand.",
)
NO_CONTACT: Why = ("not_found", "HubSpot has no contact with this address.")
NOT_ANSWERED: Why = ("not_answered", "HubSpot gave no result for this contact.")


class Contact(NamedTuple):
    """A contact of a look-up. email: its first address, as spelled() returns it."""

    contact_id: str
    email: str
    is_opted_out: bool


class HubSpotDestination:
    """Every answer is immediate. No row is ever pending."""

    repeats_sends = True

    def __init__(self, folder: Path, connection: Connection) -> None:
        def api(rate: Rate) -> Api:
            return Api(
                "hubspot",
                "https://api.hubapi.com",
                "HUBSPOT_ACCESS_TOKEN",
                lambda key: {"Authorization": f"Bearer {key}"},
                [rate],
                connection,
            )

        self.api = api(Rate(190, 10 * Duration.SECOND))
        self.search = api(Rate(5, Duration.SECOND))  # has its own rate limit
        self.list_id = cache(self._list_id)
        self.event_name = cache(self._event_name)
        self.make_group = cache(lambda: self.api.get_or_create(self._has_group, self._make_group))
        self.may_mark = cache(self._may_mark)
        self.defined: set[str] = set()  # properties, as last read

    def limits(self, operation: Operation) -> Limits:
        """100 contacts, or 500 events, per request."""
        return Limits(EVENTS_AT_ONCE if operation == "send" else AT_ONCE)

    def size(self, row: Row) -> int:
        """Bytes of a contact in a request."""
        return json_bytes({"email": row.email, "customer_id": row.customer_id, **row.payload})

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Look contacts up and change them by id: two to five requests per batch. An erasure is one per
        contact."""
        try:
            if batch.operation == "send":
                return self._send_events(batch)
            if batch.operation in ("add", "update"):
                self._define({name for row in batch.rows for name in _properties(row)})
                list_id = self.list_id(batch.audience) if batch.operation == "add" else None
                # A refusal of the batch names no row, so it is bisected.
                return list(
                    send_without_bad_rows(batch.rows, lambda rows: self._write(rows, list_id), lambda _: {})
                )
            if batch.operation == "remove":
                return self._remove(batch)
            if batch.operation == "suppress":
                return self._suppress(batch.rows)
            return self._delete(batch.rows)
        except RefusedError as refused:
            why = (str(refused.status), error_text(refused.body))
            return [Answer(row.outbox_id, "rejected", *why) for row in batch.rows]

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """Return nothing, because no row is pending."""
        return []

    def _write(self, rows: Sequence[Row], list_id: str | None) -> list[Answer]:
        """Update known contacts, create new ones, and add all to the list."""
        ids: dict[str, str] = {}  # contact ids by outbox_id
        refused: dict[str, Why] = {}
        waiting = list(rows)
        for _ in range(2):  # once more for contacts that exist after all
            refused = {outbox_id: why for outbox_id, why in refused.items() if why[0] != "CONFLICT"}
            known, _ = self._known(waiting)
            new = [row for row in waiting if spelled(row.email) not in known]
            old = [row for row in waiting if spelled(row.email) in known]
            first = [row for row in old if known[spelled(row.email)].email == spelled(row.email)]
            refused |= {row.outbox_id: SECOND_ADDRESS for row in old if row not in first}
            for done, not_done in (self._update(first, known), self._create(new)):
                ids |= done
                refused |= not_done
            waiting = [row for row in waiting if refused.get(row.outbox_id, NOT_ANSWERED)[0] == "CONFLICT"]
            if not waiting:
                break
        if list_id and ids:
            refused |= self._join(list_id, ids)
        return [
            Answer(row.outbox_id, "rejected", *refused[row.outbox_id])
            if row.outbox_id in refused
            else Answer(row.outbox_id, "accepted", reference=ids[row.outbox_id])
            for row in rows
        ]

    def _update(self, rows: Sequence[Row], known: Mapping[str, Contact]) -> Done:
        ids = {row.outbox_id: known[spelled(row.email)].contact_id for row in rows}
        inputs = [{"id": ids[row.outbox_id], "properties": _properties(row)} for row in rows]
        return self._send("update", rows, inputs, {found: outbox_id for outbox_id, found in ids.items()})

    def _create(self, rows: Sequence[Row]) -> Done:
        inputs = [
            {"associations": [], "properties": {"email": row.email, **_set(_properties(row))}} for row in rows
        ]
        return self._send("create", rows, inputs, {spelled(row.email): row.outbox_id for row in rows})

    def _send(
        self,
        action: str,
        rows: Sequence[Row],
        inputs: Sequence[dict[str, Any]],
        outbox_ids: Mapping[str, str],
    ) -> Done:
        """Make one request. outbox_ids: by contact id or address.

        With a trace id for each contact, HubSpot writes the good ones and names the bad ones.
        """
        if not rows:
            return {}, {}
        traced = [
            {"objectWriteTraceId": row.outbox_id, **contact}
            for row, contact in zip(rows, inputs, strict=True)
        ]
        try:
            body = self.api.call("POST", f"{CONTACTS}/batch/{action}", {"inputs": traced})
        except RefusedError as refused:
            if refused.status != 409:
                raise
            return {}, {row.outbox_id: ("CONFLICT", error_text(refused.body)) for row in rows}
        traces = {row.outbox_id for row in rows}
        done: dict[str, str] = {}
        for result in body.get("results") or []:
            # The key of a result varies by version: the trace id, else the contact id or the address.
            email = spelled((result.get("properties") or {}).get("email") or "")
            trace = result.get("objectWriteTraceId") or outbox_ids.get(result["id"]) or outbox_ids.get(email)
            if trace in traces:
                done[trace] = result["id"]
        not_done: dict[str, Why] = {}
        fallback = NOT_ANSWERED
        for error in body.get("errors") or []:
            why = (str(error.get("category")), error_text(error))
            context = error.get("context") or {}
            traced_ids = context.get("objectWriteTraceId") or [
                outbox_ids.get(key) for key in context.get("ids") or []
            ]
            named_rows = traces.intersection(traced_ids)
            not_done |= dict.fromkeys(named_rows, why)
            fallback = fallback if named_rows else why
        return done, {trace: fallback for trace in traces - done.keys()} | not_done

    def _join(self, list_id: str, ids: Mapping[str, str]) -> dict[str, Why]:
        """Add contacts to a list. Return the refused ones by outbox_id."""
        try:
            missing = self._change_list(list_id, add=list(ids.values()))
        except RefusedError as refused:
            return dict.fromkeys(ids, (str(refused.status), error_text(refused.body)))
        why = ("not_found", "HubSpot has no such contact to add to the list.")
        return {outbox_id: why for outbox_id, contact_id in ids.items() if contact_id in missing}

    def _send_events(self, batch: Batch) -> list[Answer]:
        """Send all events in one request. If it is refused, send each alone, as one repeated uuid may have
        refused all."""
        name = self.event_name(batch.audience, frozenset(n for row in batch.rows for n in _event(row)))
        refused: dict[str, Why] = {}
        events: dict[str, dict[str, Any]] = {}  # by outbox_id
        for first in range(0, len(batch.rows), AT_ONCE):
            rows = batch.rows[first : first + AT_ONCE]
            known, unclear = self._known(rows)
            for row in rows:
                contact = known.get(spelled(row.email))
                if row.outbox_id in unclear:
                    refused[row.outbox_id] = NOT_ANSWERED
                elif contact is None:
                    refused[row.outbox_id] = NO_CONTACT
                elif contact.email != spelled(row.email):
                    refused[row.outbox_id] = SECOND_ADDRESS
                else:
                    events[row.outbox_id] = {
                        "eventName": name,
                        "objectId": contact.contact_id,
                        "properties": _event(row),
                        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, row.outbox_id)),
                    }
        try:
            if events:
                self.api.call("POST", f"{MESSAGES}/batch", {"inputs": list(events.values())}, yes=204)
        except RefusedError:
            for outbox_id, event in events.items():
                try:
                    self.api.call("POST", MESSAGES, event, yes=204)
                except RefusedError as error:
                    if not _is_repeated(error):
                        refused[outbox_id] = (str(error.status), error_text(error.body))
        return [
            Answer(row.outbox_id, "rejected", *refused[row.outbox_id])
            if row.outbox_id in refused
            else Answer(row.outbox_id, "accepted")
            for row in batch.rows
        ]

    def _event_name(self, flow: str, properties: frozenset[str]) -> str:
        """Return the full name of a flow's event, pe<account>_mailroom_<flow>. Define the event, and its
        properties, if they are missing."""
        name = f"mailroom_{flow}".lower()

        def read() -> Any:
            found: Any = None

            def ask() -> None:
                nonlocal found
                found = self.api.call("GET", f"{DEFINITIONS}/{name}")

            return found if was_found(ask, _is_refusal) else None

        def find() -> str | None:
            found = read()
            is_whole = found and properties <= {one["name"] for one in found["properties"]}
            return str(found["fullyQualifiedName"]) if is_whole else None

        def make() -> str:
            found = read()
            if found is None:
                body = {
                    "name": name,
                    "label": f"Mailroom {flow}",
                    "primaryObject": "CONTACT",
                    "includeDefaultProperties": False,
                    "propertyDefinitions": [_event_property(one) for one in sorted(properties)],
                }
                found = self.api.once("POST", DEFINITIONS, body)
            else:
                for missing in sorted(properties - {one["name"] for one in found["properties"]}):
                    self.api.once("POST", f"{DEFINITIONS}/{name}/property", _event_property(missing))
            return str(found["fullyQualifiedName"])

        return self.api.get_or_create(find, make)

    def _remove(self, batch: Batch) -> list[Answer]:
        """Remove contacts from a list. Unknown addresses count as removed."""
        known, unclear = self._known(batch.rows)
        if known:
            ids = sorted({contact.contact_id for contact in known.values()})
            self._change_list(self.list_id(batch.audience), remove=ids)
        return [
            Answer(row.outbox_id, "rejected", *NOT_ANSWERED)
            if row.outbox_id in unclear
            else Answer(row.outbox_id, "accepted")
            for row in batch.rows
        ]

    def _change_list(self, list_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> set[str]:
        """Add contacts to a list or remove them. Return the ids that do not exist."""
        body = self.api.call(
            "PUT",
            f"{LISTS}/{list_id}/memberships/add-and-remove",
            {"recordIdsToAdd": list(add), "recordIdsToRemove": list(remove)},
        )
        if not body.keys() <= CHANGED:
            raise RefusedError(200, "The answer is not from HubSpot.")
        return {str(contact_id) for contact_id in body.get("recordIdsMissing") or []}

    def _suppress(self, rows: Sequence[Row]) -> list[Answer]:
        """Unsubscribe known contacts from all mail: in one request with Marketing Hub Enterprise, and with
        one request each for contacts that its answer does not name."""
        known, unclear = self._known(rows)
        present = [row for row in rows if spelled(row.email) in known]
        refused = self._opt_out(present, known) if present else {}
        refused |= dict.fromkeys(unclear, NOT_ANSWERED)
        return [
            Answer(row.outbox_id, "rejected", *refused[row.outbox_id])
            if row.outbox_id in refused
            else Answer(row.outbox_id, "accepted", None if row in present else NOT_THERE)
            for row in rows
        ]

    def _opt_out(self, present: Sequence[Row], known: Mapping[str, Contact]) -> dict[str, Why]:
        """Unsubscribe contacts. Return the refused ones by outbox_id. An answer without a complete status is
        not HubSpot's."""
        self._mark(
            {
                contact.contact_id: row
                for row in present
                if (contact := known[spelled(row.email)]).email == spelled(row.email)
                and not contact.is_opted_out
            }
        )
        try:
            body = self.api.call(
                "POST",
                f"{STATUSES}/batch/unsubscribe-all",
                {"inputs": [row.email for row in present]},
                {"channel": "EMAIL", "verbose": "true"},  # names the contacts
                also=[403],
            )
        except (RefusedError, NotUnderstoodError):
            body = {}
        confirmed = {spelled(result["subscriberIdString"]) for result in _record(body).get("results") or []}
        refused: dict[str, Why] = {}
        for row in present:
            if spelled(row.email) not in confirmed:
                path = f"{STATUSES}/{quote(row.email, safe='@')}/unsubscribe-all"
                try:
                    done = _record(self.api.call("POST", path, params={"channel": "EMAIL"}))
                except RefusedError as error:
                    refused[row.outbox_id] = (str(error.status), error_text(error.body))
                else:
                    if done.get("status") != "COMPLETE" or "completedAt" not in done:
                        refused[row.outbox_id] = NOT_ANSWERED
        return refused

    def _mark(self, rows: Mapping[str, Row]) -> None:
        """Mark contacts, by id, before our own opt-out, because HubSpot does not document how it records an
        opt-out by API."""
        if rows and self.may_mark():
            inputs = [
                {"id": contact_id, "properties": {MARK: row.decided_at.isoformat()}}
                for contact_id, row in rows.items()
            ]
            try:
                self.api.call("POST", f"{CONTACTS}/batch/update", {"inputs": inputs})
            except (RefusedError, NotUnderstoodError):
                return  # without it, refusals() returns them as new; the opt-out must not wait for that

    def _delete(self, rows: Sequence[Row]) -> list[Answer]:
        known, unclear = self._known(rows)
        answers = []
        for row in rows:
            contact = known.get(spelled(row.email))
            why = SECOND_ADDRESS if contact and contact.email != spelled(row.email) else None
            if row.outbox_id in unclear:
                why = NOT_ANSWERED
            if contact and not why:
                try:
                    was_found(partial(self._erase, contact), _is_not_found)
                except RefusedError as refused:
                    why = (str(refused.status), error_text(refused.body))
            answers.append(
                Answer(row.outbox_id, "rejected", *why) if why else Answer(row.outbox_id, "accepted")
            )
        return answers

    def _erase(self, contact: Contact) -> None:
        self.api.call("POST", f"{CONTACTS}/gdpr-delete", {"objectId": contact.contact_id}, yes=204)

    def _known(self, rows: Sequence[Row]) -> tuple[dict[str, Contact], set[str]]:
        """Return HubSpot's contacts by spelled() address, and the outbox_id of rows that its answer does not
        mention."""
        if not rows:
            return {}, set()
        known, absent = self._contacts([row.email for row in rows])
        return known, {row.outbox_id for row in rows if spelled(row.email) not in known.keys() | absent}

    def _contacts(self, emails: Sequence[str]) -> tuple[dict[str, Contact], set[str]]:
        """Return contacts by address, and the addresses that HubSpot does not have.

        Raises RefusedError if the look-up was not completed."""
        body = self.api.call(
            "POST",
            f"{CONTACTS}/batch/read",
            {
                "idProperty": "email",
                "properties": ["email", "hs_additional_emails", OPTED_OUT],
                "propertiesWithHistory": [],
                "inputs": [{"id": email} for email in emails],
            },
        )
        errors = body.get("errors") or []
        unclear = [error for error in errors if error.get("category") != "OBJECT_NOT_FOUND"]
        absent = {spelled(key) for error in errors for key in (error.get("context") or {}).get("ids") or []}
        if unclear or body["status"] != "COMPLETE":
            raise RefusedError(207, unclear or "The look-up was not completed.")
        by_email: dict[str, Contact] = {}
        further: dict[str, Contact] = {}
        for result in body.get("results") or []:
            properties = result["properties"]
            contact = Contact(
                result["id"], spelled(properties.get("email") or ""), properties.get(OPTED_OUT) == "true"
            )
            by_email[contact.email] = contact
            for email in (properties.get("hs_additional_emails") or "").split(";"):
                further[spelled(email)] = contact
        wanted = {spelled(email) for email in emails}
        return {email: contact for email, contact in (further | by_email).items() if email in wanted}, absent

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Yield opt-outs from all mail except our own, hard bounces and complaints.

        Opt-outs from one kind of mail are left out. A search finds changed contacts, and their history has
        the times. A search returns 10,000 contacts at most, and many may change at one moment, so it pages by
        id, not by time. Complaints are only in the timeline of version 1, which HubSpot supports until
        September 2027. Without it, or without the scope content, there are none.
        """
        try:
            last = "0"
            while ids := self._changed(since, last):
                last = ids[-1]
                for first in range(0, len(ids), WITH_HISTORY_AT_ONCE):
                    yield from self._read(ids[first : first + WITH_HISTORY_AT_ONCE], since)
            yield from self._complaints(since)
        except RefusedError as refused:
            raise StoppedError(f"hubspot refuses to list opt-outs: status {refused.status}") from refused

    def _changed(self, since: datetime, last: str) -> list[str]:
        """Return the ids, after the last one, of contacts with an opt-out or bounce that changed since
        then."""
        changed = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(_milliseconds(since))}
        after = {"propertyName": "hs_object_id", "operator": "GT", "value": last}
        opted_out = {"propertyName": OPTED_OUT, "operator": "EQ", "value": "true"}
        bounced = {"propertyName": "hs_email_hard_bounce_reason_enum", "operator": "HAS_PROPERTY"}
        body = self.search.call(
            "POST",
            f"{CONTACTS}/search",
            {
                "filterGroups": [{"filters": [changed, after, no]} for no in (opted_out, bounced)],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": ["email"],
                "limit": FOUND_AT_ONCE,
                "after": "0",
            },
        )
        return [result["id"] for result in body["results"]]

    def _read(self, ids: Sequence[str], since: datetime) -> Iterator[Refusal]:
        """Yield the refusals in the history of contacts."""
        body = self.api.call(
            "POST",
            f"{CONTACTS}/batch/read",
            {
                "properties": ["email"],
                "propertiesWithHistory": [*REFUSALS, MARK],
                "inputs": [{"id": contact_id} for contact_id in ids],
            },
        )
        for contact in body["results"]:
            history = contact.get("propertiesWithHistory") or {}
            email = contact["properties"].get("email")
            ours = {
                min((at for at in _moments(history, OPTED_OUT) if mark <= at <= mark + SOON), default=None)
                for mark in _moments(history, MARK)
            }
            for name, kind in REFUSALS.items():
                for at in _moments(history, name):
                    if email and at >= since and not (name == OPTED_OUT and at in ours):
                        yield Refusal(
                            f"{contact['id']}-{kind}-{at.isoformat()}", contact["id"], email, kind, at
                        )

    def _complaints(self, since: datetime) -> Iterator[Refusal]:
        """Yield spam complaints, the newest first."""
        reports = self._timeline(since)
        while some := list(islice(reports, AT_ONCE)):
            contacts, _ = self._contacts([item["recipient"] for item in some])
            for item in some:
                email = item["recipient"].lower()
                contact = contacts.get(spelled(email))
                person = contact.contact_id if contact else hashlib.sha256(email.encode()).hexdigest()[:16]
                at = datetime.fromtimestamp(item["timestamp"] / 1000, UTC).replace(tzinfo=None)
                yield Refusal(f"{person}-complained-{at.isoformat()}", person, email, "complained", at)

    def _timeline(self, since: datetime) -> Iterator[dict[str, Any]]:
        params: dict[str, str | int] = {
            "changeType": "PORTAL_SPAM_REPORT",
            "startTimestamp": _milliseconds(since),
            "limit": AT_ONCE,
        }
        while True:
            page = self.api.call("GET", TIMELINE, params=params, also=[403, 404, 410])
            if _is_refusal(page):
                return
            yield from page["timeline"]
            if not page["hasMore"]:
                return
            params["offset"] = page["offset"]

    def _list_id(self, audience: str) -> str:
        name = f"Mailroom {audience}"

        def find() -> str | None:
            path = f"{LISTS}/object-type-id/0-1/name/{quote(name, safe='')}"
            reply: Any = {}

            def ask() -> None:
                nonlocal reply
                reply = self.api.call("GET", path)

            if not was_found(ask, _is_refusal):
                return None
            found = reply["list"]
            if found["processingType"] == "DYNAMIC":
                raise RefusedError(
                    409, f"The list {name} is dynamic: rename it, so that Mailroom can create a manual one."
                )
            return str(found["listId"])

        def make() -> str:
            body = {"name": name, "objectTypeId": "0-1", "processingType": "MANUAL"}
            return str(self.api.once("POST", LISTS, body)["list"]["listId"])

        return self.api.get_or_create(find, make)

    def _define(self, names: set[str]) -> None:
        """Create missing properties, because HubSpot refuses contacts with unknown ones."""

        def refresh() -> None:
            self.defined = {one["name"] for one in self.api.call("GET", PROPERTIES)["results"]}

        def find() -> bool | None:
            return True if names <= self.defined else None

        def make() -> bool:
            self.make_group()
            inputs = [_definition(name) for name in sorted(names - self.defined)]
            made = self.api.once("POST", f"{PROPERTIES}/batch/create", {"inputs": inputs})
            self.defined |= {one["name"] for one in made.get("results") or []}
            if names - self.defined:
                raise RefusedError(207, made.get("errors") or NOT_ANSWERED[1])
            return True

        if names - self.defined:
            self.api.get_or_create(with_refresh(find, refresh, bool(self.defined)), make)

    def _may_mark(self) -> bool:
        """Return whether the property for marks exists, or can be created."""
        try:
            self._define({MARK})
        except (RefusedError, NotUnderstoodError):
            return False
        return True

    def _has_group(self) -> bool | None:
        ask = partial(self.api.call, "GET", f"{PROPERTIES}/groups/{GROUP}")
        return True if was_found(ask, _is_refusal) else None

    def _make_group(self) -> bool:
        self.api.once("POST", f"{PROPERTIES}/groups", {"name": GROUP, "label": "Mailroom"})
        return True


def _properties(row: Row) -> dict[str, str]:
    """Return values for HubSpot: all are text, and empty text clears."""
    fields = {"customer_id": row.customer_id, **row.payload}
    return {
        "firstname" if name == "first_name" else f"{GROUP}_{name}".lower(): _text(value)
        for name, value in fields.items()
    }


def _event(row: Row) -> dict[str, str]:
    """Return the properties of a message."""
    return {name: _text(value)[:LONGEST_VALUE] for name, value in row.payload.items() if value is not None}


def _event_property(name: str) -> dict[str, str]:
    return {"name": name, "label": name.replace("_", " ").capitalize(), "type": "string"}


def _is_repeated(refused: RefusedError) -> bool:
    """Return whether an event is refused because HubSpot has its uuid."""
    return refused.status == 409 or "uuid" in json.dumps(refused.body).lower()


def _record(body: Any) -> dict[str, Any]:
    """Return an answer if it is an object, else an empty one. A refusal may be text."""
    return body if isinstance(body, dict) else {}


def _is_refusal(body: Any) -> bool:
    """Return whether a refusal is HubSpot's own, with a correlation id, and not a gateway's."""
    return bool(_record(body).get("correlationId"))


def _is_not_found(body: Any) -> bool:
    """Return whether a 404 is HubSpot's for "no such contact". For an unknown path it has no category."""
    return _is_refusal(body) and body["category"] == "OBJECT_NOT_FOUND"


def _set(properties: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if value}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _definition(name: str) -> dict[str, str]:
    """Return a property definition. Fields named n_ are counts."""
    type_, field_type = ("number", "number") if name.startswith(f"{GROUP}_n_") else ("string", "text")
    label = name.replace("_", " ").capitalize()
    return {"name": name, "label": label, "groupName": GROUP, "type": type_, "fieldType": field_type}


def _moments(history: Mapping[str, Any], name: str) -> list[datetime]:
    """Return when a property was set to a value."""
    return [
        utc(entry["timestamp"]) for entry in history.get(name) or [] if entry["value"] not in ("", "false")
    ]


def _milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)
