"""Mailchimp: members and tags of one of its audiences, by the Marketing API 3.0.

MAILCHIMP_API_KEY: a key, with its data centre after the last dash. MAILCHIMP_LIST_ID: the Mailchimp audience
of all members. One of our audiences is a tag there, `Mailroom <audience>`. Fields are merge fields
`Mailroom <field>` of type text, which takes any value, except first_name, which is FNAME. The limit is 30.

Mailroom resubscribes no member. It adds new members by the batch call with update_existing false, which
leaves existing ones alone. It changes their fields by PATCH without a status, which keeps their status, even
if they never subscribed, and creates no member. The batch call adds an archived member as new, whatever their
earlier status, so archived members are looked up first and rejected. Erased people can't be added again:
Mailchimp requires that they sign up themselves.

A message is the event `Mailroom_<flow>` of a member, which starts a journey. Its name may have 30 letters,
digits, underscores and dashes, and its properties are text. The API has no key by which it would know a
repeated event, so a message that may have arrived is not sent again. A message to an address that is no
member is rejected. How many characters the properties may have is not documented. The maintainers of
Mailchimp's iOS SDK name about 1,000 in all.

The path of a member has the MD5 of their address. Members are only changed by jobs (POST /batches), so that
it is in the bodies of requests, never in a URL. The errors of a job are in a file at amazonaws.com, which a
push must be able to fetch.
"""

import base64
import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
from pyrate_limiter import Duration, Rate

from mailroom.activation.api import (
    Api,
    Connection,
    NotUnderstoodError,
    RefusedError,
    StoppedError,
    TryAgainError,
    json_bytes,
    parsed,
    send_without_bad_rows,
    setting,
    utc,
    with_refresh,
    within,
)
from mailroom.activation.jobs import Job, Jobs
from mailroom.activation.rows import (
    NOT_THERE,
    Answer,
    Batch,
    Kind,
    Limits,
    Operation,
    Refusal,
    Row,
    name_too_long,
)
from mailroom.activation.scrub import error_text
from mailroom.mailbox import spelled

SANDBOX_LIST = "sandbox"
PAGE, OVERLAP = 1_000, 100  # of a collection
LONGEST_TAG = 10  # of a merge field
LONGEST_EVENT = 30
SAID_NO: dict[str, Kind] = {"unsubscribed": "unsubscribed", "cleaned": "bounced"}
COMPLIANCE = "Member In Compliance State"
Result = TypeVar("Result")


class MailchimpDestination:
    """New members have an immediate answer, changes of existing ones when their job is done."""

    repeats_sends = False

    def __init__(self, folder: Path, connection: Connection) -> None:
        url, list_id = "", SANDBOX_LIST
        if not connection.sandbox and not connection.transport:
            _, dash, centre = setting("MAILCHIMP_API_KEY").rpartition("-")
            if not dash or not centre.isalnum():
                raise StoppedError(
                    "MAILCHIMP_API_KEY does not end with a dash and a data centre, such as -us6"
                )
            url, list_id = f"https://{centre}.api.mailchimp.com/3.0", setting("MAILCHIMP_LIST_ID")
        self.api = Api(
            "mailchimp",
            url,
            "MAILCHIMP_API_KEY",
            lambda key: {"Authorization": f"Basic {base64.b64encode(f'mailroom:{key}'.encode()).decode()}"},
            # Mailchimp has no rate limit, but allows 10 connections at a time. Mailroom uses one.
            [Rate(10, Duration.SECOND)],
            connection,
        )
        # The host of job results must not get the key.
        self.files = httpx.Client(transport=connection.transport, timeout=connection.deadline)
        self.deadline = connection.deadline
        self.list_id, self.list = list_id, f"/lists/{list_id}"
        self.merge_fields: dict[str, str] = {}  # tags by name
        self.jobs = Jobs(self._list_jobs, partial(self.api.call, "GET"))
        self.tag, self.suppressed_on = cache(self._tag_of), cache(self._suppressed_on)
        self.know_list = cache(self._know_list)
        self.segment_id = cache(self._segment_id)
        self.archived = cache(self._archived)

    def limits(self, operation: Operation) -> Limits:
        """500 members per call. The operations and bytes per job are not documented. A job of messages is
        small, because all are lost if nothing proves that it arrived."""
        if operation == "send":
            return Limits(100)
        return Limits(500 if operation in ("add", "remove") else 1_000)

    def size(self, row: Row) -> int:
        """Bytes of a member's fields."""
        return json_bytes({"email": row.email, "customer_id": row.customer_id, **row.payload})

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Send a batch. An addition is three requests: members, tag, and a job for existing members. A
        removal is one, and a job for members that it did not find. All else is a job."""
        if batch.operation == "send" and len(event := f"Mailroom_{batch.audience}") > LONGEST_EVENT:
            return name_too_long(batch, event, LONGEST_EVENT)
        self.know_list()
        if batch.operation == "add":
            return self._add(batch)
        if batch.operation == "remove":
            return send_without_bad_rows(
                batch.rows, partial(self._remove, batch), partial(_pointed, "members_to_remove")
            )
        return send_without_bad_rows(
            batch.rows, partial(self._change, batch), partial(_pointed, "operations")
        )

    def _add(self, batch: Batch) -> Iterator[Answer]:
        archived, others = self.archived(), []
        for row in batch.rows:
            if _hash(row.email) in archived:
                message = "Archived at Mailchimp, so an earlier unsubscribe is unknown."
                yield Answer(row.outbox_id, "rejected", "archived", message)
            else:
                others.append(row)
        yield from send_without_bad_rows(others, partial(self._join, batch), partial(_pointed, "members"))

    def _join(self, batch: Batch, rows: Sequence[Row]) -> Iterable[Answer]:
        """Add new members, tag all, and change the fields of existing ones."""
        fields = {row.outbox_id: self._fields(row) for row in rows}
        members = [
            {"email_address": row.email, "status": "subscribed", "merge_fields": fields[row.outbox_id]}
            for row in rows
        ]
        answer = self.api.call(
            "POST",
            self.list,
            {"members": members, "update_existing": False},
            {"skip_merge_validation": "true", "skip_duplicate_check": "true"},
        )
        new = _emails(answer["new_members"])
        bad = {
            spelled(error["email_address"]): (error.get("error_code") or "refused", _message(error))
            for error in answer["errors"]
            if error.get("error_code") != "ERROR_CONTACT_EXISTS"
        }
        answers = [
            Answer(row.outbox_id, "rejected", *bad[spelled(row.email)])
            for row in rows
            if spelled(row.email) in bad
        ]
        rows = [row for row in rows if spelled(row.email) not in bad]
        tagged = self._tag(batch, "members_to_add", "members_added", rows)
        operations, waiting = [], []
        for row in rows:
            # Members that the answer does not mention may exist, so they get a change.
            is_new, is_tagged = spelled(row.email) in new, spelled(row.email) in tagged
            if not is_new:
                operations.append(self._patch(row, {"merge_fields": fields[row.outbox_id]}))
            if not is_tagged:
                operations.append(self._retag(row, batch, "active"))
            if is_new and is_tagged:
                answers.append(Answer(row.outbox_id, "accepted"))
            else:
                waiting.append(row)
        return answers + self._start(waiting, operations)

    def _remove(self, batch: Batch, rows: Sequence[Row]) -> list[Answer]:
        """Remove the tag. Members that the answer does not name may be unknown, or may lack the tag."""
        done = self._tag(batch, "members_to_remove", "members_removed", rows)
        waiting = [row for row in rows if spelled(row.email) not in done]
        answers = [Answer(row.outbox_id, "accepted") for row in rows if spelled(row.email) in done]
        return answers + self._start(waiting, [self._retag(row, batch, "inactive") for row in waiting])

    def _change(self, batch: Batch, rows: Sequence[Row]) -> list[Answer]:
        if batch.operation == "send":
            operations = [self._operation(row, "POST", "/events", _event(row)) for row in rows]
            return self._start(rows, operations, is_once=True)
        if batch.operation == "delete":
            operations = [self._operation(row, "POST", "/actions/delete-permanent") for row in rows]
        elif batch.operation == "suppress":
            opt_out = {"status": "unsubscribed"}
            operations = [self._patch(row, opt_out | self._signed(row)) for row in rows]
        else:
            operations = [self._patch(row, {"merge_fields": self._fields(row)}) for row in rows]
        return self._start(rows, operations)

    def _signed(self, row: Row) -> dict[str, Any]:
        """Return the date of a suppression, by which refusals() recognises our own. Without room for the
        field, the suppression is sent without it."""
        tag = self.suppressed_on()
        return {"merge_fields": {tag: f"{row.decided_at:%Y-%m-%d}"}} if tag else {}

    def _suppressed_on(self) -> str | None:
        try:
            return self.merge_field("suppressed_on")
        except RefusedError:
            return None

    def _tag(self, batch: Batch, field: str, done: str, rows: Sequence[Row]) -> set[str]:
        """Add or remove the tag. Return the changed spelled() addresses. It is not documented whether the
        answer lists unchanged members, so members that it does not name get a job, which is documented."""
        if not rows:
            return set()
        path = f"{self.list}/segments/{self.segment_id(batch.audience)}"
        return _emails(self.api.call("POST", path, {field: [row.email for row in rows]}).get(done) or [])

    def _retag(self, row: Row, batch: Batch, status: str) -> dict[str, Any]:
        return self._operation(
            row, "POST", "/tags", {"tags": [{"name": f"Mailroom {batch.audience}", "status": status}]}
        )

    def _patch(self, row: Row, body: Any) -> dict[str, Any]:
        # Otherwise a missing required merge field would refuse the change.
        return self._operation(row, "PATCH", "", body) | {"params": {"skip_merge_validation": "true"}}

    def _operation(self, row: Row, method: str, path: str, body: Any = None) -> dict[str, Any]:
        operation = {
            "method": method,
            "path": f"{self.list}/members/{_hash(row.email)}{path}",
            "operation_id": row.outbox_id,
        }
        return operation if body is None else operation | {"body": json.dumps(body)}

    def _start(
        self, rows: Sequence[Row], operations: Sequence[Mapping[str, Any]], is_once: bool = False
    ) -> list[Answer]:
        if not rows:
            return []

        def ask() -> Any:
            return self.api.once("POST", "/batches", {"operations": operations})["id"]

        job = self.api.at_most_once(ask) if is_once else self.api.with_retries(ask)
        reference = f"/batches/{job}"
        return [Answer(row.outbox_id, "pending", reference=reference) for row in rows]

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """Return the answers of a job once it is done: all accepted, or by a file with each operation's
        answer."""
        try:
            job = self.jobs.latest(reference)
            if job["status"] != "finished":
                return []
            n_done, n_all = job["finished_operations"], job["total_operations"]
            if not job["errored_operations"] and n_done >= max(n_all, len(batch.rows)):
                return [Answer(row.outbox_id, "accepted", reference=reference) for row in batch.rows]
            results = self.api.with_retries(lambda: self._results(reference))
        except RefusedError as refused:
            reason = error_text(refused.body)
            return [Answer(row.outbox_id, "rejected", "job_lost", reason) for row in batch.rows]
        reasons: dict[str, tuple[str, str] | None] = {}
        unknown: set[str] = set()
        has_list = cache(self._has_list)
        for result in results:
            status_code, body = result["status_code"], _read(result["response"])
            why = _why_not(batch.operation, status_code, body)
            if batch.operation == "send" and status_code >= 500:
                why = ("no_answer", _message(body))
            if status_code == 404 and batch.operation in ("remove", "suppress", "delete"):
                if _is_not_found(body) and has_list():
                    why = None
                    unknown.add(result["operation_id"])
                else:
                    why = ("404", _message(body))
            reasons[result["operation_id"]] = reasons.get(result["operation_id"]) or why
        answers = []
        for row in batch.rows:
            why = reasons.get(row.outbox_id, ("no_answer", "The job has no result for this member."))
            status: Literal["accepted", "rejected"] = "rejected" if why else "accepted"
            is_unknown = batch.operation == "suppress" and row.outbox_id in unknown
            code, message = why or (NOT_THERE if is_unknown else None, None)
            answers.append(Answer(row.outbox_id, status, code, message, reference))
        return answers

    def _list_jobs(self, reference: str) -> dict[str, Job]:
        """Return one page of jobs, in an undocumented order."""
        names = ("id", "status", "total_operations", "finished_operations", "errored_operations")
        params: dict[str, str | int] = {
            "fields": ",".join(f"batches.{name}" for name in names),
            "count": PAGE,
        }
        jobs = self.api.call("GET", "/batches", params=params)["batches"]
        return {f"/batches/{job['id']}": job for job in jobs}

    def _has_list(self) -> bool:
        """Return whether the audience exists, as Mailchimp has the same 404 for a missing member and a
        missing audience."""
        try:
            return bool(self.api.call("GET", self.list, params={"fields": "id"})["id"] == self.list_id)
        except RefusedError:
            return False

    def _results(self, reference: str) -> list[dict[str, Any]]:
        """Return the answers of a job's operations. The address of the file is valid for minutes only."""
        url = self.api.once("GET", reference)["response_body_url"]
        try:
            response = within(self.deadline, partial(self.files.get, url))
            if response.status_code >= 500 or response.status_code in (408, 429):
                raise TryAgainError(f"status {response.status_code} at the results of a job")
            if response.status_code >= 300:
                raise RefusedError(response.status_code, "The results are no longer available.")
            return _unpacked(response.content)
        except (httpx.RequestError, tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
            raise TryAgainError(f"{type(error).__name__} at the results of a job") from error
        except httpx.InvalidURL as error:
            raise RefusedError(200, "The address of the results is invalid.") from error

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Yield unsubscribed and bounced members, and complaints. Mailchimp has no time of it, only when a
        member last changed in any way, so the first pull has the best time.

        Members that we suppressed have the date in a field, and the reason "N/A (Unsubscribed by admin)".
        """
        self.know_list()
        suppressed = self.merge_fields.get("Mailroom suppressed_on", "")
        for status, kind in SAID_NO.items():
            filters = {
                "status": status,
                "since_last_changed": f"{since.isoformat(timespec='seconds')}+00:00",
                "sort_field": "last_changed",
                "sort_dir": "ASC",
            }
            fields = "contact_id,email_address,unsubscribe_reason,merge_fields,timestamp_opt,last_changed"
            seen: set[str] = set()
            for member in self._pages(f"{self.list}/members", "members", fields, filters):
                # An opt-out after a new opt-in is another refusal.
                key = f"{member['contact_id']}-{status}-{member.get('timestamp_opt') or ''}"
                is_reasoned = not (member.get("unsubscribe_reason") or "N/A").startswith("N/A")
                is_ours = (
                    status == "unsubscribed" and not is_reasoned and member["merge_fields"].get(suppressed)
                )
                if key in seen or is_ours:
                    continue
                seen.add(key)
                yield Refusal(
                    key, member["contact_id"], member["email_address"], kind, utc(member["last_changed"])
                )
        for report in self._pages(f"{self.list}/abuse-reports", "abuse_reports", "id,email_address,date"):
            if utc(report["date"]) >= since:
                # Its member id is the MD5 of the address, which must not be stored.
                key = f"complaint-{report['id']}"
                yield Refusal(key, key, report["email_address"], "complained", utc(report["date"]))

    def _know_list(self) -> None:
        """Read the audience, without which no member would be found, and every removal would count as
        done."""
        _prepared("its audience (MAILCHIMP_LIST_ID)", self._read_merge_fields)

    def _archived(self) -> frozenset[str]:
        """Return the MD5 of every archived member's address, read once, thousands per call."""
        path, filters = f"{self.list}/members", {"status": "archived"}
        return frozenset(member["id"] for member in self._pages(path, "members", "id", filters))

    def _segment_id(self, audience: str) -> str:
        """Return the id of a tag, which is a static segment, created if missing."""
        name, path = f"Mailroom {audience}", f"{self.list}/segments"

        def find() -> str | None:
            for found in self._pages(path, "segments", "id,name", {"type": "static"}):
                if found["name"] == name:
                    return str(found["id"])
            return None

        def make() -> str:
            return str(self.api.once("POST", path, {"name": name, "static_segment": []})["id"])

        return _prepared(f"the tag {name}", lambda: self.api.get_or_create(find, make))

    def _fields(self, row: Row) -> dict[str, str]:
        """Return the merge fields of a member. Empty text clears a field; null would set its default."""
        fields = {"customer_id": row.customer_id, **row.payload}
        return {self.tag(name): _text(value) for name, value in fields.items()}

    def _tag_of(self, field: str) -> str:
        return _prepared(f"the merge field {field}", partial(self.merge_field, field))

    def merge_field(self, field: str) -> str:
        """Return the tag of a field's merge field, created if missing. Mailchimp silently drops unknown
        tags."""
        name, path = f"Mailroom {field}", f"{self.list}/merge-fields"

        def find() -> str | None:
            return self.merge_fields.get(name)

        def make() -> str:
            definition = {"name": name, "type": "text", "public": False}
            try:
                made = self.api.once("POST", path, definition | {"tag": _short(field)})
            except RefusedError:  # the tag is taken or invalid: Mailchimp chooses another
                made = self.api.once("POST", path, definition)
            return str(made["tag"])

        find = with_refresh(find, self._read_merge_fields, bool(self.merge_fields))
        self.merge_fields[name] = self.api.get_or_create(find, make)
        return self.merge_fields[name]

    def _read_merge_fields(self) -> None:
        for found in self._pages(f"{self.list}/merge-fields", "merge_fields", "tag,name,type"):
            is_first_name = (found["tag"], found["type"]) == ("FNAME", "text")
            self.merge_fields["Mailroom first_name" if is_first_name else found["name"]] = found["tag"]

    def _pages(
        self, path: str, name: str, fields: str, filters: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield a collection, page by page. Pages overlap and may repeat items, because changes in the
        meantime move items to an earlier page."""
        wanted = ",".join([f"{name}.{field}" for field in fields.split(",")] + ["total_items"])
        offset = 0
        while True:
            place: dict[str, str | int] = {"fields": wanted, "count": PAGE, "offset": offset}
            page = self.api.call("GET", path, params={**(filters or {}), **place})
            yield from page[name]
            if offset + PAGE >= page["total_items"]:
                return
            offset += PAGE - OVERLAP


def _event(row: Row) -> dict[str, Any]:
    properties = {name: _text(value) for name, value in row.payload.items() if value is not None}
    return {"name": f"Mailroom_{row.audience}", "properties": properties}


def _prepared(what: str, ask: Callable[[], Result]) -> Result:
    """Return ask(). A refusal stops the destination, because no row can be sent without the answer."""
    try:
        return ask()
    except RefusedError as refused:
        raise StoppedError(
            f"mailchimp refuses {what}: status {refused.status}, {error_text(refused.body)}"
        ) from refused


def _why_not(operation: Operation, status: int, body: Any) -> tuple[str, str] | None:
    """Return code and message of a failed operation, None for a successful one."""
    title = body.get("title") if isinstance(body, dict) else None
    if status < 300:
        return None
    if operation == "suppress" and title == COMPLIANCE:
        return None  # gets no mail already
    return title or str(status), _message(body)


def _is_not_found(body: Any) -> bool:
    """Return whether a 404 is Mailchimp's for "no such member" or "no such audience"."""
    return isinstance(body, dict) and (body.get("title"), body.get("status")) == ("Resource Not Found", 404)


def _message(body: Any) -> str:
    """Return the text of an error, by field if it has fields."""
    if not isinstance(body, dict):
        return error_text(body)
    fields = [(error.get("field"), error.get("message")) for error in body.get("errors") or []]
    fields += [(body.get("field"), body.get("field_message"))]
    texts = [f"{field}: {message}" for field, message in fields if field and message]
    return error_text("; ".join(texts) or body)


def _read(response: Any) -> Any:
    """Return an answer in a job's results: JSON in a text, empty without an answer."""
    try:
        return parsed(response, 200) if isinstance(response, str) and response else response
    except (ValueError, NotUnderstoodError):
        return response


def _unpacked(content: bytes) -> list[dict[str, Any]]:
    """Return the results in a .tar.gz of JSON files. Raises an error if it is cut off."""
    results: list[dict[str, Any]] = []
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content)), mode="r:") as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            results += parsed(file.read(), 200) if file else []
    return results


def _pointed(name: str, refused: RefusedError) -> dict[int, tuple[str, str]]:
    """Return the rows that a 400 names, by fields such as members.item:3.email_address."""
    bad = {}
    if isinstance(refused.body, dict):
        for error in refused.body.get("errors") or []:
            place = re.match(rf"{name}\.item:([0-9]{{1,9}})(?![0-9])", str(error.get("field")))
            if place:
                bad[int(place[1])] = (str(refused.body.get("title")), error_text(error))
    return bad


def _emails(members: Iterable[Mapping[str, Any]]) -> set[str]:
    return {spelled(member["email_address"]) for member in members}


def _hash(email: str) -> str:
    """Return Mailchimp's id of a member."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _short(field: str) -> str:
    """Return a tag for a merge field: its name, or its words shortened to the longest tag."""
    if len(field) <= LONGEST_TAG:
        return field.upper()
    parts = field.split("_")
    short = ["".join(part[:letters] for part in parts) for letters in range(1, LONGEST_TAG + 1)]
    return max(
        (tag for tag in short if len(tag) <= LONGEST_TAG), key=len, default=short[0][:LONGEST_TAG]
    ).upper()
