"""ActiveCampaign: bulk imports, tags, list statuses, by its API v3.

ACTIVECAMPAIGN_URL: https://<account>.api-us1.com, or the host of the account. ACTIVECAMPAIGN_API_KEY: the
key of a user who may manage contacts, tags, fields and lists. An audience is the tag `Mailroom <audience>`: a
list is a subscription, and leaving it an unsubscription. Fields are custom text fields `Mailroom <field>`, in
mails %MAILROOM_<FIELD>%, but for first_name. Nobody is ever subscribed here: a campaign goes to those on a
list who have the tag. Imports start no automations.
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
    reread_on_retry,
    send_without_bad_rows,
    setting,
    utc,
    was_there,
)
from mailroom.activation.rows import NOT_THERE, Answer, Batch, Limits, Operation, Refusal, Row
from mailroom.activation.scrub import error_text
from mailroom.mailbox import spelled

API = "/api/3"
PAGE = 100
AROUND, AROUND_FIELD = 60, 30  # bytes of a contact in an import, and of each field, without what they say
UNSUBSCRIBED, BOUNCED = "2", "3"  # statuses of a contact on a list
# On whom Mailroom unsubscribed, which tells them from those who did it themselves. No audience has a colon.
SUPPRESSED = "Mailroom: suppressed"
NOT_ITS_OWN = "The answer is not one of ActiveCampaign's."
Found = dict[str, Any]


class ActiveCampaignDestination:
    """Imports are jobs: their rows are pending until settle() finds them done. All else is one contact at a
    time, at 5 requests a second: a removal or deletion takes 2 requests (150 a minute, 3,000 in 20 minutes),
    a suppression 2 and one for each list of the account, clearing fields 1 and one for each field."""

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
        # Its list of imports tells of no single one: each is asked for, more slowly than imports are sent.
        self.jobs = api(Rate(1, Duration.SECOND))
        self.fields: list[Found] | None = None  # as last read
        self.tag_id = cache(self._tag_id)
        self.field_id = cache(self._field_id)
        self.list_ids = cache(self._list_ids)

    def limits(self, operation: Operation) -> Limits:
        """250 contacts and less than 400,000 bytes an import; of the others as many as take a minute or so:
        no more than that is done again after a push was killed."""
        if operation in ("add", "update"):
            return Limits(250, 399_999 - 100)
        return Limits({"suppress": 50}.get(operation, 100))

    def size(self, row: Row) -> int:
        """Bytes of a contact in an import, at most: the ids of its fields are not known yet."""
        fields = {
            "email": row.email,
            "tag": _tag(row.audience),
            "customer_id": row.customer_id,
            **row.payload,
        }
        return AROUND + json_bytes(fields) + AROUND_FIELD * len(fields)

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Make it so. Who is not known there is removed, suppressed and deleted already."""
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
        """An import makes the tag where there is none; here it is made before, so that two imports that
        arrive at once can't make two."""
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
        """What an import does with an empty value, nobody says: the values are deleted."""
        gone = {name for name, value in row.payload.items() if value is None}
        if not gone:
            return
        fields = {str(ids[name]) for name in gone if name in ids}
        for contact in self._known(row.email, "fieldValues"):
            for value in contact["fieldValues"]:
                if str(value["field"]) in fields:
                    self._take_off("fieldValues", value["id"])
            if "first_name" in gone:
                self.api.call("PUT", f"{API}/contacts/{contact['id']}", {"contact": {"firstName": ""}})

    def _import_without_bad_rows(
        self, rows: Sequence[Row], send: Callable[[Sequence[Row]], list[Answer]]
    ) -> Iterable[Answer]:
        """An import is refused whole for one bad row, and told by its number, from 1 or from 0: nobody says
        which. Left out by the wrong count, a bad row would stay in, and the import be refused again."""
        try:
            return send(rows)
        except RefusedError as refused:
            told = _pointed(refused)
        for first in (1, 0):
            bad = {number - first: reason for number, reason in told.items()}
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
        """exclude_automations stands in each contact in the vendor's example, beside them in its prose."""
        contacts = [_contact(row, ids, tags) for row in rows]

        def ask() -> Any:
            try:
                return self.imports.once(
                    "POST", f"{API}/import/bulk_import", {"contacts": contacts, "exclude_automations": True}
                )
            except RefusedError as refused:
                # Besides 100 imports a minute, 20 of a single contact.
                if "rate limit" in error_text(refused.body).lower():
                    raise TryAgainError(
                        f"no more imports now, status {refused.status}", after=15
                    ) from refused
                raise

        job = self.imports.with_retries(ask)["batchId"]
        reference = f"{API}/import/info?batchId={job}"
        return [Answer(row.outbox_id, "pending", reference=reference) for row in rows]

    def _remove(self, row: Row, tag: str) -> None:
        """A tag comes off by the id of its being on this contact."""
        for contact in self._known(row.email, "contactTags"):
            for tagged in contact["contactTags"]:
                if str(tagged["tag"]) == tag:
                    self._take_off("contactTags", tagged["id"])

    def _suppress(self, row: Row, tag: str) -> str | None:
        """Nothing in this API keeps an address from all mail (the exclusion list is not in it), so that it is
        unsubscribed from every list there is now, also those it is not on: an import can't subscribe it
        again, a form can, which is the person's own wish. A list made later is not covered: campaigns to one
        should leave out the tag `Mailroom: suppressed`. Automations that start when somebody unsubscribes do
        start."""
        code: str | None = NOT_THERE
        for contact in self._known(row.email, "contactLists", "contactTags"):
            code = None
            # First, so that nothing takes what follows for the person's own wish.
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

    def _take_off(self, kind: str, found: Any) -> None:
        """Delete something by its id, or find it gone. A yes has a body there, an empty object: one without
        is not ActiveCampaign's."""

        def ask() -> None:
            if self.api.call("DELETE", f"{API}/{kind}/{found}") != {}:
                raise RefusedError(200, NOT_ITS_OWN)

        was_there(ask, lambda body: _says_absent(body, found))

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """What an import says once it is done. It names the addresses that failed, without reasons: on its
        exclusion list, as those are who complained, or bounced. If it names one that was not sent, nothing is
        known of any."""
        try:
            job = self.jobs.call("GET", reference)
        except RefusedError as refused:
            return _all(batch, "job_lost", error_text(refused.body))
        # False: it is so new that it has no status.
        if job["status"] in (False, None, "waiting", "claimed", "active"):
            return []
        if job["status"] != "completed":
            return _all(batch, str(job["status"]), f"The import was {job['status']}.")
        failed = {spelled(str(email)) for email in job.get("failure") or []}
        if failed - {spelled(row.email) for row in batch.rows}:
            return _all(batch, "job_failed", f"{len(failed)} contacts failed, which ones is not clear.")
        why = "Not imported; it may be on the exclusion list, have bounced, or not be an address."
        return [
            Answer(row.outbox_id, "rejected", "not_imported", why, reference)
            if spelled(row.email) in failed
            else Answer(row.outbox_id, "accepted", reference=reference)
            for row in batch.rows
        ]

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Who unsubscribed from a list, or bounced for good, but for our own suppressions. Who complained
        can't be read: they look subscribed there, get no mail, and are not imported any more.

        Reads all who ever did, 100 a request: whether a contact counts as updated then, nobody says.
        """
        since = since.replace(microsecond=0)  # its clock has no parts of a second
        with _needed("its lists of who said no"):
            tag = self._find_tag(SUPPRESSED)
            for list_id in self.list_ids():
                for status in (UNSUBSCRIBED, BOUNCED):
                    for contact in self._on_list(list_id, status):
                        yield from _said_no(contact, list_id, status, tag, since)

    def _on_list(self, list_id: str, status: str) -> Iterator[Found]:
        """Contacts who have this status on a list, by their ids: offsets are slow there."""
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
                raise StoppedError("activecampaign gives the same page of contacts again and again")
            last = following

    def _known(self, email: str, *include: str) -> list[Found]:
        """The contact of an address, or none, with what is related to it in lists of their names."""
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
        """A field is shown in no contact until it is related to lists, 0 for all."""
        title, perstag = f"Mailroom {name}", f"MAILROOM_{name.upper()}"

        def look() -> None:
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
            look()
            found = find()  # what the request itself answers, the documentation shows wrongly
            if found is None:
                raise TryAgainError("a field that was made is not there")
            return found

        def relate() -> Found:
            self.api.once("POST", f"{API}/fieldRels", {"fieldRel": {"field": int(field["id"]), "relid": 0}})
            return field

        with _needed(f"the field {title}"):
            field = self.api.get_or_create(reread_on_retry(find, look, self.fields is not None), make)
            if not field.get("relations"):
                self.api.get_or_create(reread_on_retry(find_related, look, True), relate)
        return int(field["id"])

    def _list_ids(self) -> list[str]:
        """The lists that get mail."""
        with _needed("its lists"):
            return [
                str(found["id"])
                for found in self._pages("lists")
                if not found.get("deletestamp") and found.get("channel") != "sms"
            ]

    def _pages(self, name: str, params: dict[str, str | int] | None = None) -> Iterator[Found]:
        """What a collection has, page after page. Totals are texts there."""
        first = 0
        while True:
            asked = {**(params or {}), "limit": PAGE, "offset": first}
            page = self.api.call("GET", f"{API}/{name}", params=asked)
            yield from page[name]
            first += PAGE
            if first >= int(page["meta"]["total"]):
                return


def _tag(audience: str) -> str:
    return f"Mailroom {audience}"


def _fields(row: Row) -> list[str]:
    """The custom fields of a row."""
    return [name for name in {"customer_id": None, **row.payload} if name != "first_name"]


def _contact(row: Row, ids: dict[str, int], tags: Sequence[str]) -> Found:
    """A contact as an import takes it: fields that it does not name stay as they are."""
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


def _said_no(
    contact: Found, list_id: str, status: str, tag: str | None, since: datetime
) -> Iterator[Refusal]:
    """What a contact said no to on a list. Who unsubscribed by a link in a mail did it in a campaign: that is
    told even of whom Mailroom suppressed."""
    for on in contact["contactLists"]:
        if str(on["list"]) != list_id or str(on["status"]) != status:
            continue
        if status == UNSUBSCRIBED and _has(contact, tag) and not on.get("campaign"):
            continue
        if status == BOUNCED and not int(contact.get("bounced_hard") or 0):
            continue
        # Without a date, it is told each time, with the same key.
        told = next((on[name] for name in ("udate", "updated_timestamp") if _is_date(on.get(name))), None)
        at = utc(told) if told else since
        if at >= since and contact["email"]:  # some have a telephone only
            yield Refusal(
                f"{on['id']}-{status}-{told}",
                str(contact["id"]),
                contact["email"],
                "unsubscribed" if status == UNSUBSCRIBED else "bounced",
                at,
            )


def _is_date(text: str | None) -> bool:
    return bool(text) and not str(text).startswith("0000")


def _singly(rows: Sequence[Row], act: Callable[[Row], str | None]) -> Iterator[Answer]:
    """What became of rows that go one at a time; act says how, with NOT_THERE of whom it does not know."""
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
    """Raises RefusedError where a yes is not ActiveCampaign's: its answers have these names."""
    if not isinstance(reply, dict) or not reply.keys() >= set(names):
        raise RefusedError(200, NOT_ITS_OWN)


def _says_absent(body: Any, found: Any) -> bool:
    """Whether a 404 is ActiveCampaign's word for "nothing with this id"."""
    return (
        re.fullmatch(rf"No Result found for \w+ with id {re.escape(str(found))}", body["message"]) is not None
    )


def _all(batch: Batch, code: str, message: str) -> list[Answer]:
    return [Answer(row.outbox_id, "rejected", code, message) for row in batch.rows]


def _pointed(refused: RefusedError) -> dict[int, str]:
    """Numbers of the contacts that a refused import points at, and why. Other refusals give texts."""
    reasons = refused.body.get("failureReasons") if isinstance(refused.body, dict) else None
    return {
        int(reason["contact"]): str(reason.get("failureReason"))
        for reason in reasons or []
        if isinstance(reason, dict) and re.fullmatch(r"[0-9]{1,9}", str(reason.get("contact")))
    }


@contextmanager
def _needed(what: str) -> Iterator[None]:
    """Where nothing can go out without what is asked for."""
    try:
        yield
    except RefusedError as refused:
        raise StoppedError(f"activecampaign refuses {what}: {error_text(refused.body)}") from refused
