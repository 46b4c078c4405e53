"""ActiveCampaign: bulk imports, tags, list statuses, by its API v3.

ACTIVECAMPAIGN_URL: https://<account>.api-us1.com, or the host of the account. ACTIVECAMPAIGN_API_KEY: the
key of a user who may manage contacts, tags, fields and lists. An audience is the tag `Mailroom <audience>`,
because leaving a list would be an unsubscription. Fields are custom text fields `Mailroom <field>`, in mails
%MAILROOM_<FIELD>%, except first_name. Mailroom subscribes no contact: a campaign goes to contacts on a list
who have the tag. Imports start no automations.

A message is the event `Mailroom <flow>` of event tracking, which starts an automation. Its name may have 32
characters, and is listed in the account before its first message. The properties are one JSON text. Event
tracking is on another host, trackcmp.net, and must be on in the account. Settings > Tracking shows its own
credentials: ACTIVECAMPAIGN_EVENT_ACTID and ACTIVECAMPAIGN_EVENT_KEY. It has no key by which it would know a
repeated event, so a message that may have arrived is not sent again. Its rate limit, the length of its data,
and what it does with an address that is no contact are not documented.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pyrate_limiter import Duration, Rate

from mailroom.activation.api import (
    Api,
    Connection,
    RefusedError,
    StoppedError,
    TryAgainError,
    json_bytes,
    send_without_bad_rows,
    setting,
    utc,
    was_found,
    with_refresh,
)
from mailroom.activation.rows import (
    NOT_THERE,
    Answer,
    Batch,
    Limits,
    Operation,
    Refusal,
    Row,
    name_too_long,
)
from mailroom.activation.scrub import error_text
from mailroom.mailbox import spelled

API, EVENT_HOST = "/api/3", "https://trackcmp.net"
LONGEST_EVENT = 32
PAGE = 100
AROUND, AROUND_FIELD = 60, 30  # bytes around a contact in an import, and around each field
UNSUBSCRIBED, BOUNCED = "2", "3"  # statuses of a contact on a list
# Tag of contacts that Mailroom unsubscribed, not they themselves. No audience has a colon.
SUPPRESSED = "Mailroom: suppressed"
NOT_ITS_OWN = "The answer is not from ActiveCampaign."
Found = dict[str, Any]


class ActiveCampaignDestination:
    """Imports are jobs, whose rows are pending until settle() finds them done. All other operations go one
    contact at a time, at 5 requests a second: a removal or deletion takes 2 requests (150 a minute, 3,000 in
    20 minutes), a suppression 2 plus one per list of the account, clearing fields 1 plus one per field."""

    repeats_sends = False

    def __init__(self, folder: Path, connection: Connection) -> None:
        is_real = not (connection.sandbox or connection.transport)
        url = setting("ACTIVECAMPAIGN_URL").rstrip("/").removesuffix(API) if is_real else ""

        def api(*rates: Rate) -> Api:
            return Api(
                "activecampaign",
                url,
                "ACTIVECAMPAIGN_API_KEY",
                lambda key: {"Api-Token": key},
                rates,
                connection,
            )

        self.api = api(Rate(5, Duration.SECOND))
        self.imports = api(Rate(5, Duration.SECOND), Rate(100, Duration.MINUTE))
        # The list of imports has no status, so each job is read alone, more slowly than imports are sent.
        self.jobs = api(Rate(1, Duration.SECOND))
        self.event_key = cache(lambda: setting("ACTIVECAMPAIGN_EVENT_KEY") if is_real else "sandbox")
        self.event_actid = cache(lambda: setting("ACTIVECAMPAIGN_EVENT_ACTID") if is_real else "sandbox")
        self.events = cache(
            lambda: Api(
                "activecampaign",
                EVENT_HOST,
                "ACTIVECAMPAIGN_EVENT_KEY",
                lambda key: {},
                [Rate(5, Duration.SECOND)],
                connection,
            )
        )
        self.list_event = cache(self._list_event)
        self.fields: list[Found] | None = None  # as last read
        self.tag_id = cache(self._tag_id)
        self.field_id = cache(self._field_id)
        self.list_ids = cache(self._list_ids)

    def limits(self, operation: Operation) -> Limits:
        """250 contacts and less than 400,000 bytes per import. Other batches take about a minute, which
        limits what is repeated after a push was killed. A message is a batch of its own, so that no other is
        lost with it."""
        if operation == "send":
            return Limits(1)
        if operation in ("add", "update"):
            return Limits(250, 399_999 - 100)
        return Limits({"suppress": 50}.get(operation, 100))

    def size(self, row: Row) -> int:
        """Bytes of a contact in an import, at most, because the ids of its fields are not known yet."""
        fields = {
            "email": row.email,
            "tag": _tag(row.audience),
            "customer_id": row.customer_id,
            **row.payload,
        }
        return AROUND + json_bytes(fields) + AROUND_FIELD * len(fields)

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Send a batch. Contacts that do not exist there count as removed, suppressed and deleted."""
        if batch.operation == "send":
            event = f"Mailroom {batch.audience}"
            if len(event) > LONGEST_EVENT:
                return name_too_long(batch, event, LONGEST_EVENT)
            self.list_event(event)
            return _singly(batch.rows, lambda row: self._send_event(row, event))
        if batch.operation in ("add", "update"):
            return self._upsert(batch)
        if batch.operation == "remove":
            tag = self.tag_id(_tag(batch.audience))
            return _singly(batch.rows, lambda row: self._remove(row, tag))
        if batch.operation == "suppress":
            tag = self.tag_id(SUPPRESSED)
            return _singly(batch.rows, lambda row: self._suppress(row, tag))
        return _singly(batch.rows, self._delete)

    def _upsert(self, batch: Batch) -> Iterator[Answer]:
        """Import rows. The tag is created first, because two simultaneous imports could create it twice."""
        tags = []
        if batch.operation == "add":
            tags = [_tag(batch.audience)]
            self.tag_id(tags[0])
        ids = {name: self.field_id(name) for row in batch.rows for name in _fields(row)}
        rows = []
        for row in batch.rows:
            try:
                self._clear(row, ids)
            except RefusedError as refused:
                yield _refused(row, refused)
            else:
                rows.append(row)
        if rows:
            yield from self._import_without_bad_rows(rows, lambda some: self._import(some, ids, tags))

    def _clear(self, row: Row, ids: dict[str, int]) -> None:
        """Delete cleared values, because it is not documented what an import does with an empty value."""
        cleared = {name for name, value in row.payload.items() if value is None}
        if not cleared:
            return
        fields = {str(ids[name]) for name in cleared if name in ids}
        for contact in self._known(row.email, "fieldValues"):
            for value in contact["fieldValues"]:
                if str(value["field"]) in fields:
                    self._take_off("fieldValues", value["id"])
            if "first_name" in cleared:
                self.api.call("PUT", f"{API}/contacts/{contact['id']}", {"contact": {"firstName": ""}})

    def _import_without_bad_rows(
        self, rows: Sequence[Row], send: Callable[[Sequence[Row]], list[Answer]]
    ) -> Iterable[Answer]:
        """Import rows without the bad ones. One bad row refuses the import, which names it by number, from 1
        or from 0: this is not documented. With the wrong one the bad row stays, and the import is refused
        again."""
        try:
            return send(rows)
        except RefusedError as refused:
            reasons = _pointed(refused)
        for first in (1, 0):
            bad = {number - first: reason for number, reason in reasons.items()}
            if not bad or not bad.keys() <= set(range(len(rows))):
                continue
            kept = [row for place, row in enumerate(rows) if place not in bad]
            try:
                sent = send(kept) if kept else []
            except RefusedError:
                continue
            return sent + [
                Answer(rows[place].outbox_id, "rejected", "invalid", reason) for place, reason in bad.items()
            ]
        return send_without_bad_rows(rows, send, lambda refused: {})

    def _import(self, rows: Sequence[Row], ids: dict[str, int], tags: Sequence[str]) -> list[Answer]:
        """Start an import. exclude_automations is in each contact in the vendor's example, beside them in its
        text."""
        contacts = [_contact(row, ids, tags) for row in rows]

        def ask() -> Any:
            try:
                return self.imports.once(
                    "POST", f"{API}/import/bulk_import", {"contacts": contacts, "exclude_automations": True}
                )
            except RefusedError as refused:
                # The limits are 100 imports a minute, and 20 of a single contact.
                if "rate limit" in error_text(refused.body).lower():
                    raise TryAgainError(
                        f"no more imports now, status {refused.status}", after=15
                    ) from refused
                raise

        job = self.imports.with_retries(ask)["batchId"]
        reference = f"{API}/import/info?batchId={job}"
        return [Answer(row.outbox_id, "pending", reference=reference) for row in rows]

    def _remove(self, row: Row, tag: str) -> None:
        """Remove a tag, by the id of the contact's link to it."""
        for contact in self._known(row.email, "contactTags"):
            for tagged in contact["contactTags"]:
                if str(tagged["tag"]) == tag:
                    self._take_off("contactTags", tagged["id"])

    def _suppress(self, row: Row, tag: str) -> str | None:
        """Unsubscribe a contact from every list, also those it is not on. The API can't block an address from
        all mail (it lacks the exclusion list). An import can't subscribe the contact again, a form can, which
        is the person's own wish. Campaigns to a list made later should exclude the tag `Mailroom:
        suppressed`. Automations that start on an unsubscription do start."""
        code: str | None = NOT_THERE
        for contact in self._known(row.email, "contactLists", "contactTags"):
            code = None
            # The tag comes first, so that no pull takes the opt-out for the person's own.
            if not _has(contact, tag):
                tagged = {"contact": int(contact["id"]), "tag": int(tag)}
                _own(self.api.call("POST", f"{API}/contactTags", {"contactTag": tagged}), "contactTag")
            statuses = {str(on["list"]): str(on["status"]) for on in contact["contactLists"]}
            for list_id in self.list_ids():
                if statuses.get(list_id) not in (UNSUBSCRIBED, BOUNCED):
                    off = {"list": int(list_id), "contact": int(contact["id"]), "status": int(UNSUBSCRIBED)}
                    _own(self.api.call("POST", f"{API}/contactLists", {"contactList": off}), "contactList")
        return code

    def _delete(self, row: Row) -> None:
        for contact in self._known(row.email):
            self._take_off("contacts", contact["id"])

    def _send_event(self, row: Row, event: str) -> None:
        form = {
            "actid": self.event_actid(),
            "key": self.event_key(),
            "event": event,
            "eventdata": json.dumps(row.payload, ensure_ascii=False),
            "visit": json.dumps({"email": row.email}, ensure_ascii=False),
        }
        events = self.events()

        def ask() -> None:
            body = events.once("POST", "/event", form=form)
            if not int(body["success"]):
                raise RefusedError(400, body)

        events.at_most_once(ask)

    def _list_event(self, event: str) -> bool:
        """List the name of an event in the account, which is what an automation chooses from."""
        path = f"{API}/eventTrackingEvents"

        def find() -> bool | None:
            return (
                any(known["name"] == event for known in self.api.call("GET", path)["eventTrackingEvents"])
                or None
            )

        def make() -> bool:
            self.api.once("POST", path, {"eventTrackingEvent": {"name": event}})
            return True

        with _needed(f"the event {event}"):
            return self.api.get_or_create(find, make)

    def _take_off(self, kind: str, found: Any) -> None:
        """Delete something by its id, unless it is gone already. ActiveCampaign answers with an empty object;
        an answer without a body is not its own."""

        def ask() -> None:
            if self.api.call("DELETE", f"{API}/{kind}/{found}") != {}:
                raise RefusedError(200, NOT_ITS_OWN)

        was_found(ask, lambda body: _is_not_found(body, found))

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """Return the answers of an import once it is done. It names failed addresses without reasons: bounced
        or on its exclusion list, as after complaints. If it names an address that was not sent, all are
        rejected."""
        try:
            job = self.jobs.call("GET", reference)
        except RefusedError as refused:
            return _all(batch, "job_lost", error_text(refused.body))
        # False: the import is too new to have a status.
        if job["status"] in (False, None, "waiting", "claimed", "active"):
            return []
        if job["status"] != "completed":
            return _all(batch, str(job["status"]), f"The import was {job['status']}.")
        failed = {spelled(str(email)) for email in job.get("failure") or []}
        if failed - {spelled(row.email) for row in batch.rows}:
            return _all(batch, "job_failed", f"{len(failed)} contacts failed, and it is unclear which.")
        why = "Not imported: the address is invalid, has bounced or is on the exclusion list."
        return [
            Answer(row.outbox_id, "rejected", "not_imported", why, reference)
            if spelled(row.email) in failed
            else Answer(row.outbox_id, "accepted", reference=reference)
            for row in batch.rows
        ]

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Yield unsubscribes from a list and hard bounces, except our own suppressions. Complaints can't be
        read: those contacts look subscribed, get no mail and are no longer imported.

        Reads all of them, 100 a request, because it is not documented whether a contact counts as updated.
        """
        since = since.replace(microsecond=0)  # its clock has no fractions of a second
        with _needed("its lists of unsubscribed contacts"):
            tag = self._find_tag(SUPPRESSED)
            for list_id in self.list_ids():
                for status in (UNSUBSCRIBED, BOUNCED):
                    for contact in self._on_list(list_id, status):
                        yield from _list_refusals(contact, list_id, status, tag, since)

    def _on_list(self, list_id: str, status: str) -> Iterator[Found]:
        """Yield contacts with this status on a list, paged by id, because offsets are slow there."""
        last = 0
        while True:
            page = self._contacts(
                {"listid": list_id, "status": status, "orders[id]": "ASC", "id_greater": last},
                "contactLists",
                "contactTags",
            )
            yield from page
            if not page:
                return
            following = max(int(contact["id"]) for contact in page)
            if following <= last:
                raise StoppedError("activecampaign keeps returning the same page of contacts")
            last = following

    def _known(self, email: str, *include: str) -> list[Found]:
        """Return the contact of an address as a list of one or none, with its related objects by name."""
        found = self._contacts({"email": email, "status": -1}, *include)
        return [contact for contact in found if spelled(contact["email"] or "") == spelled(email)]

    def _contacts(self, params: dict[str, str | int], *include: str) -> list[Found]:
        also = {"include": ",".join(include)} if include else {}
        page = self.api.call("GET", f"{API}/contacts", params={**params, **also, "limit": PAGE})
        _own(page, "contacts", "meta")
        for contact in page["contacts"]:
            for name in include:
                related = page.get(name)
                if related is None and contact.get(name) != []:
                    related = self.api.call("GET", f"{API}/contacts/{contact['id']}/{name}")[name]
                contact[name] = [one for one in related or [] if str(one["contact"]) == str(contact["id"])]
        found: list[Found] = page["contacts"]
        return found

    def _find_tag(self, name: str) -> str | None:
        for found in self._pages("tags", {"search": name}):  # finds parts of names, too
            if found["tag"].lower() == name.lower() and found.get("tagType", "contact") == "contact":
                return str(found["id"])
        return None

    def _tag_id(self, name: str) -> str:
        def make() -> str:
            tag = {"tag": name, "tagType": "contact", "description": "Kept by Mailroom."}
            return str(self.api.once("POST", f"{API}/tags", {"tag": tag})["tag"]["id"])

        with _needed(f"the tag {name}"):
            return self.api.get_or_create(lambda: self._find_tag(name), make)

    def _field_id(self, name: str) -> int:
        """Return a field's id, created if missing. It shows in no contact until it is related to lists (0:
        all)."""
        title, perstag = f"Mailroom {name}", f"MAILROOM_{name.upper()}"

        def refresh() -> None:
            self.fields = list(self._pages("fields"))

        def find() -> Found | None:
            for found in self.fields or ():
                if found["title"] == title or found["perstag"] == perstag:
                    return found
            return None

        def find_related() -> Found | None:
            found = find()
            return found if found and found.get("relations") else None

        def make() -> Found:
            field = {"type": "text", "title": title, "perstag": perstag, "visible": 1}
            self.api.once("POST", f"{API}/fields", {"field": field})
            refresh()
            found = find()  # read again, because the documented answer of the request is wrong
            if found is None:
                raise TryAgainError("a field that was created is missing")
            return found

        def relate() -> Found:
            self.api.once("POST", f"{API}/fieldRels", {"fieldRel": {"field": int(field["id"]), "relid": 0}})
            return field

        with _needed(f"the field {title}"):
            field = self.api.get_or_create(with_refresh(find, refresh, self.fields is not None), make)
            if not field.get("relations"):
                self.api.get_or_create(with_refresh(find_related, refresh, True), relate)
        return int(field["id"])

    def _list_ids(self) -> list[str]:
        """Return the ids of the lists that get mail."""
        with _needed("its lists"):
            return [
                str(found["id"])
                for found in self._pages("lists")
                if not found.get("deletestamp") and found.get("channel") != "sms"
            ]

    def _pages(self, name: str, params: dict[str, str | int] | None = None) -> Iterator[Found]:
        """Yield a collection, page by page. Totals are text there."""
        first = 0
        while True:
            page_params = {**(params or {}), "limit": PAGE, "offset": first}
            page = self.api.call("GET", f"{API}/{name}", params=page_params)
            yield from page[name]
            first += PAGE
            if first >= int(page["meta"]["total"]):
                return


def _tag(audience: str) -> str:
    return f"Mailroom {audience}"


def _fields(row: Row) -> list[str]:
    """Return the names of the custom fields of a row."""
    return [name for name in {"customer_id": None, **row.payload} if name != "first_name"]


def _contact(row: Row, ids: dict[str, int], tags: Sequence[str]) -> Found:
    """Return a contact for an import. Fields that it does not name stay unchanged."""
    values = {"customer_id": row.customer_id, **row.payload}
    contact: Found = {
        "email": row.email,
        "exclude_automations": True,
        "fields": [
            {"id": ids[name], "value": _text(values[name])}
            for name in _fields(row)
            if values[name] is not None
        ],
    }
    if values.get("first_name") is not None:
        contact["first_name"] = values["first_name"]
    if tags:
        contact["tags"] = list(tags)
    return contact


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _has(contact: Found, tag: str | None) -> bool:
    return any(str(tagged["tag"]) == tag for tagged in contact["contactTags"])


def _list_refusals(
    contact: Found, list_id: str, status: str, tag: str | None, since: datetime
) -> Iterator[Refusal]:
    """Yield a contact's refusals on a list. An unsubscribe by a link has a campaign, and counts even for
    contacts that Mailroom suppressed."""
    for on in contact["contactLists"]:
        if str(on["list"]) != list_id or str(on["status"]) != status:
            continue
        if status == UNSUBSCRIBED and _has(contact, tag) and not on.get("campaign"):
            continue
        if status == BOUNCED and not int(contact.get("bounced_hard") or 0):
            continue
        # Without a date it is pulled each time, with the same key.
        changed_at = next(
            (on[name] for name in ("udate", "updated_timestamp") if _is_date(on.get(name))), None
        )
        at = utc(changed_at) if changed_at else since
        if at >= since and contact["email"]:  # some have a phone number only
            yield Refusal(
                f"{on['id']}-{status}-{changed_at}",
                str(contact["id"]),
                contact["email"],
                "unsubscribed" if status == UNSUBSCRIBED else "bounced",
                at,
            )


def _is_date(text: str | None) -> bool:
    return bool(text) and not str(text).startswith("0000")


def _singly(rows: Sequence[Row], act: Callable[[Row], str | None]) -> Iterator[Answer]:
    """Yield the answers of rows that are sent one at a time. act returns the code, NOT_THERE if unknown."""
    for row in rows:
        try:
            code = act(row)
        except RefusedError as refused:
            yield _refused(row, refused)
        else:
            yield Answer(row.outbox_id, "accepted", code)


def _refused(row: Row, refused: RefusedError) -> Answer:
    return Answer(row.outbox_id, "rejected", str(refused.status), error_text(refused.body))


def _own(reply: Any, *names: str) -> None:
    """Raise RefusedError if an answer is not ActiveCampaign's, whose answers have these names."""
    if not isinstance(reply, dict) or not reply.keys() >= set(names):
        raise RefusedError(200, NOT_ITS_OWN)


def _is_not_found(body: Any, found: Any) -> bool:
    """Return whether a 404 is ActiveCampaign's for "nothing with this id"."""
    return (
        re.fullmatch(rf"No Result found for \w+ with id {re.escape(str(found))}", body["message"]) is not None
    )


def _all(batch: Batch, code: str, message: str) -> list[Answer]:
    return [Answer(row.outbox_id, "rejected", code, message) for row in batch.rows]


def _pointed(refused: RefusedError) -> dict[int, str]:
    """Return the numbers of the contacts that a refused import names, and why. Other refusals have texts."""
    reasons = refused.body.get("failureReasons") if isinstance(refused.body, dict) else None
    return {
        int(reason["contact"]): str(reason.get("failureReason"))
        for reason in reasons or []
        if isinstance(reason, dict) and re.fullmatch(r"[0-9]{1,9}", str(reason.get("contact")))
    }


@contextmanager
def _needed(what: str) -> Iterator[None]:
    """Raise a refusal as StoppedError, because nothing can be sent without the answer."""
    try:
        yield
    except RefusedError as refused:
        raise StoppedError(f"activecampaign refuses {what}: {error_text(refused.body)}") from refused
