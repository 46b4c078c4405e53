"""Mailchimp: members and tags of one of its audiences, by the Marketing API 3.0.

MAILCHIMP_API_KEY: a key, with its data centre after the last dash. MAILCHIMP_LIST_ID: the Mailchimp audience
that everybody goes to. An audience of ours is a tag there, `Mailroom <audience>`. Fields are merge fields of
type text, which takes any value, `Mailroom <field>`, but for first_name, which is FNAME; there may be 30.

Nobody is subscribed again. New members come by the batch call with update_existing false, which leaves those
who are there alone; their fields are changed by PATCH without a status, which keeps the one they have, be it
that they never subscribed, and makes nobody. The batch call takes an archived member for a new one, whatever
they had said before: those are looked up first, and refused. Who was erased can't be added again: Mailchimp
wants them to sign up themselves.

The path of a member has the MD5 of their address. Members are only changed by jobs (POST /batches): it stands
in the bodies of these requests, never in a URL. What failed in a job is told by a file at amazonaws.com; a
push must be able to get it.
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
    reread_on_retry,
    send_without_bad_rows,
    setting,
    utc,
    within,
)
from mailroom.activation.jobs import Job, Jobs
from mailroom.activation.rows import NOT_THERE, Answer, Batch, Kind, Limits, Operation, Refusal, Row
from mailroom.activation.scrub import error_text
from mailroom.mailbox import spelled

SANDBOX_LIST = "sandbox"
PAGE, OVERLAP = 1_000, 100  # of a collection
LONGEST_TAG = 10  # of a merge field
SAID_NO: dict[str, Kind] = {"unsubscribed": "unsubscribed", "cleaned": "bounced"}
COMPLIANCE = "Member In Compliance State"
Found = TypeVar("Found")


class MailchimpDestination:
    """New members are answered for at once, changes of others once their job is done."""

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
            # Mailchimp limits no rate, but connections at a time to 10; there is one here.
            [Rate(10, Duration.SECOND)],
            connection,
        )
        # The key must not go where the results of jobs are.
        self.files = httpx.Client(transport=connection.transport, timeout=connection.deadline)
        self.deadline = connection.deadline
        self.list_id, self.list = list_id, f"/lists/{list_id}"
        self.merge_fields: dict[str, str] = {}  # tags by name
        self.jobs = Jobs(self._look_at_jobs, partial(self.api.call, "GET"))
        self.tag, self.suppressed_on = cache(self._tag_of), cache(self._suppressed_on)
        self.know_list = cache(self._know_list)
        self.segment_id = cache(self._segment_id)
        self.archived = cache(self._archived)

    def limits(self, operation: Operation) -> Limits:
        """500 members a call; how many operations a job may have is not said, nor how many bytes."""
        return Limits(500 if operation in ("add", "remove") else 1_000)

    def size(self, row: Row) -> int:
        """Bytes of what is told of a member."""
        return json_bytes({"email": row.email, "customer_id": row.customer_id, **row.payload})

    def send(self, batch: Batch) -> Iterable[Answer]:
        """An addition is three requests: members, tag, and a job for who was there already. A removal is one,
        and a job for whom it did not find. All else is a job."""
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
                message = "Is archived at Mailchimp, which does not say whether they had unsubscribed."
                yield Answer(row.outbox_id, "rejected", "archived", message)
            else:
                others.append(row)
        yield from send_without_bad_rows(others, partial(self._join, batch), partial(_pointed, "members"))

    def _join(self, batch: Batch, rows: Sequence[Row]) -> Iterable[Answer]:
        """Make those who are new, tag all, and change the fields of those who were there."""
        fields = {row.outbox_id: self._fields(row) for row in rows}
        members = [
            {"email_address": row.email, "status": "subscribed", "merge_fields": fields[row.outbox_id]}
            for row in rows
        ]
        told = self.api.call(
            "POST",
            self.list,
            {"members": members, "update_existing": False},
            {"skip_merge_validation": "true", "skip_duplicate_check": "true"},
        )
        new = _emails(told["new_members"])
        bad = {
            spelled(error["email_address"]): (error.get("error_code") or "refused", _message(error))
            for error in told["errors"]
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
            # Whoever the answer does not mention may be there: a change finds out.
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
        """Take the tag off. Of whom it does not say so, it may not know the address, or not the tag on it."""
        done = self._tag(batch, "members_to_remove", "members_removed", rows)
        waiting = [row for row in rows if spelled(row.email) not in done]
        answers = [Answer(row.outbox_id, "accepted") for row in rows if spelled(row.email) in done]
        return answers + self._start(waiting, [self._retag(row, batch, "inactive") for row in waiting])

    def _change(self, batch: Batch, rows: Sequence[Row]) -> list[Answer]:
        if batch.operation == "delete":
            operations = [self._operation(row, "POST", "/actions/delete-permanent") for row in rows]
        elif batch.operation == "suppress":
            no = {"status": "unsubscribed"}
            operations = [self._patch(row, no | self._signed(row)) for row in rows]
        else:
            operations = [self._patch(row, {"merge_fields": self._fields(row)}) for row in rows]
        return self._start(rows, operations)

    def _signed(self, row: Row) -> dict[str, Any]:
        """The date of a suppression, by which refusals() knows that it was us. Where there is no room for
        the field, a no goes without."""
        tag = self.suppressed_on()
        return {"merge_fields": {tag: f"{row.decided_at:%Y-%m-%d}"}} if tag else {}

    def _suppressed_on(self) -> str | None:
        try:
            return self.merge_field("suppressed_on")
        except RefusedError:
            return None

    def _tag(self, batch: Batch, told: str, done: str, rows: Sequence[Row]) -> set[str]:
        """The spelled() addresses that got the tag, or lost it. Of members for whom nothing changes, it is
        not documented whether they are listed: who is missing gets a job, which is documented."""
        if not rows:
            return set()
        path = f"{self.list}/segments/{self.segment_id(batch.audience)}"
        return _emails(self.api.call("POST", path, {told: [row.email for row in rows]}).get(done) or [])

    def _retag(self, row: Row, batch: Batch, status: str) -> dict[str, Any]:
        return self._operation(
            row, "POST", "/tags", {"tags": [{"name": f"Mailroom {batch.audience}", "status": status}]}
        )

    def _patch(self, row: Row, body: Any) -> dict[str, Any]:
        # Required merge fields that a member lacks would refuse the change otherwise.
        return self._operation(row, "PATCH", "", body) | {"params": {"skip_merge_validation": "true"}}

    def _operation(self, row: Row, method: str, path: str, body: Any = None) -> dict[str, Any]:
        operation = {
            "method": method,
            "path": f"{self.list}/members/{_hash(row.email)}{path}",
            "operation_id": row.outbox_id,
        }
        return operation if body is None else operation | {"body": json.dumps(body)}

    def _start(self, rows: Sequence[Row], operations: Sequence[Mapping[str, Any]]) -> list[Answer]:
        if not rows:
            return []
        reference = f"/batches/{self.api.call('POST', '/batches', {'operations': operations})['id']}"
        return [Answer(row.outbox_id, "pending", reference=reference) for row in rows]

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """What a job says once it is done: all is well, or a file of what every operation was answered."""
        try:
            job = self.jobs.latest(reference)
            if job["status"] != "finished":
                return []
            n_done, n_all = job["finished_operations"], job["total_operations"]
            if not job["errored_operations"] and n_done >= max(n_all, len(batch.rows)):
                return [Answer(row.outbox_id, "accepted", reference=reference) for row in batch.rows]
            results = self.api.with_retries(lambda: self._results(reference))
        except RefusedError as refused:
            said = error_text(refused.body)
            return [Answer(row.outbox_id, "rejected", "job_lost", said) for row in batch.rows]
        said_of: dict[str, tuple[str, str] | None] = {}
        unknown: set[str] = set()
        has_list = cache(self._has_list)
        for result in results:
            answered, said = result["status_code"], _read(result["response"])
            why = _why_not(batch.operation, answered, said)
            if answered == 404 and batch.operation in ("remove", "suppress", "delete"):
                if _says_absent(said) and has_list():
                    why = None
                    unknown.add(result["operation_id"])
                else:
                    why = ("404", _message(said))
            said_of[result["operation_id"]] = said_of.get(result["operation_id"]) or why
        answers = []
        for row in batch.rows:
            why = said_of.get(row.outbox_id, ("no_answer", "The job says nothing of it."))
            status: Literal["accepted", "rejected"] = "rejected" if why else "accepted"
            is_unknown = batch.operation == "suppress" and row.outbox_id in unknown
            code, message = why or (NOT_THERE if is_unknown else None, None)
            answers.append(Answer(row.outbox_id, status, code, message, reference))
        return answers

    def _look_at_jobs(self, reference: str) -> dict[str, Job]:
        """As many jobs as a page has, in an order that is not documented."""
        names = ("id", "status", "total_operations", "finished_operations", "errored_operations")
        asked: dict[str, str | int] = {"fields": ",".join(f"batches.{name}" for name in names), "count": PAGE}
        found = self.api.call("GET", "/batches", params=asked)["batches"]
        return {f"/batches/{job['id']}": job for job in found}

    def _has_list(self) -> bool:
        """Whether its audience is there now, and so was when a job looked for members in it: Mailchimp says
        the same 404 of a member and of the audience."""
        try:
            return bool(self.api.call("GET", self.list, params={"fields": "id"})["id"] == self.list_id)
        except RefusedError:
            return False

    def _results(self, reference: str) -> list[dict[str, Any]]:
        """What the operations of a job were answered. The address of the file is good for minutes only."""
        url = self.api.once("GET", reference)["response_body_url"]
        try:
            response = within(self.deadline, partial(self.files.get, url))
            if response.status_code >= 500 or response.status_code in (408, 429):
                raise TryAgainError(f"status {response.status_code} at the results of a job")
            if response.status_code >= 300:
                raise RefusedError(response.status_code, "Its results are not there any more.")
            return _unpacked(response.content)
        except (httpx.RequestError, tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
            raise TryAgainError(f"{type(error).__name__} at the results of a job") from error
        except httpx.InvalidURL as error:
            raise RefusedError(200, "The address of its results is none.") from error

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Members who unsubscribed or bounced, and complaints. When is not told, but when a member was last
        changed, whatever changed: what is told first is nearest.

        Whom we suppressed has a date of it, and "N/A (Unsubscribed by admin)" for a reason.
        """
        self.know_list()
        suppressed = self.merge_fields.get("Mailroom suppressed_on", "")
        for status, kind in SAID_NO.items():
            asked = {
                "status": status,
                "since_last_changed": f"{since.isoformat(timespec='seconds')}+00:00",
                "sort_field": "last_changed",
                "sort_dir": "ASC",
            }
            fields = "contact_id,email_address,unsubscribe_reason,merge_fields,timestamp_opt,last_changed"
            told: set[str] = set()
            for member in self._pages(f"{self.list}/members", "members", fields, asked):
                # The next no of somebody who has opted in again since is another.
                key = f"{member['contact_id']}-{status}-{member.get('timestamp_opt') or ''}"
                is_reasoned = not (member.get("unsubscribe_reason") or "N/A").startswith("N/A")
                is_ours = (
                    status == "unsubscribed" and not is_reasoned and member["merge_fields"].get(suppressed)
                )
                if key in told or is_ours:
                    continue
                told.add(key)
                yield Refusal(
                    key, member["contact_id"], member["email_address"], kind, utc(member["last_changed"])
                )
        for report in self._pages(f"{self.list}/abuse-reports", "abuse_reports", "id,email_address,date"):
            if utc(report["date"]) >= since:
                # Its id of the member is the MD5 of the address, which is to be kept nowhere.
                key = f"complaint-{report['id']}"
                yield Refusal(key, key, report["email_address"], "complained", utc(report["date"]))

    def _know_list(self) -> None:
        """Without its list nobody would be found there, and every removal taken for done."""
        _prepared("its audience (MAILCHIMP_LIST_ID)", self._read_merge_fields)

    def _archived(self) -> frozenset[str]:
        """The MD5 of every archived member's address: thousands a call, once."""
        path, asked = f"{self.list}/members", {"status": "archived"}
        return frozenset(member["id"] for member in self._pages(path, "members", "id", asked))

    def _segment_id(self, audience: str) -> str:
        """A tag is a static segment."""
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
        """Merge fields of a member. Empty text clears one: null would be its default."""
        fields = {"customer_id": row.customer_id, **row.payload}
        return {self.tag(name): _text(value) for name, value in fields.items()}

    def _tag_of(self, field: str) -> str:
        return _prepared(f"the merge field {field}", partial(self.merge_field, field))

    def merge_field(self, field: str) -> str:
        """The tag of a field's merge field, which is made if there is none. An unknown tag would be dropped
        without a word."""
        name, path = f"Mailroom {field}", f"{self.list}/merge-fields"

        def find() -> str | None:
            return self.merge_fields.get(name)

        def make() -> str:
            told = {"name": name, "type": "text", "public": False}
            try:
                made = self.api.once("POST", path, told | {"tag": _short(field)})
            except RefusedError:  # the tag is taken, or is none: Mailchimp finds another
                made = self.api.once("POST", path, told)
            return str(made["tag"])

        find = reread_on_retry(find, self._read_merge_fields, bool(self.merge_fields))
        self.merge_fields[name] = self.api.get_or_create(find, make)
        return self.merge_fields[name]

    def _read_merge_fields(self) -> None:
        for found in self._pages(f"{self.list}/merge-fields", "merge_fields", "tag,name,type"):
            is_first_name = (found["tag"], found["type"]) == ("FNAME", "text")
            self.merge_fields["Mailroom first_name" if is_first_name else found["name"]] = found["tag"]

    def _pages(
        self, path: str, name: str, fields: str, asked: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """What a collection has, page after page. What changes meanwhile moves others to an earlier page, so
        pages overlap, and some come twice."""
        wanted = ",".join([f"{name}.{field}" for field in fields.split(",")] + ["total_items"])
        offset = 0
        while True:
            place: dict[str, str | int] = {"fields": wanted, "count": PAGE, "offset": offset}
            page = self.api.call("GET", path, params={**(asked or {}), **place})
            yield from page[name]
            if offset + PAGE >= page["total_items"]:
                return
            offset += PAGE - OVERLAP


def _prepared(what: str, ask: Callable[[], Found]) -> Found:
    """What is needed before any row can go."""
    try:
        return ask()
    except RefusedError as refused:
        raise StoppedError(
            f"mailchimp refuses {what}: status {refused.status}, {error_text(refused.body)}"
        ) from refused


def _why_not(operation: Operation, status: int, said: Any) -> tuple[str, str] | None:
    """Code and message of an operation that failed; None if all is as it should be."""
    title = said.get("title") if isinstance(said, dict) else None
    if status < 300:
        return None
    if operation == "suppress" and title == COMPLIANCE:
        return None  # gets no mail as it is
    return title or str(status), _message(said)


def _says_absent(said: Any) -> bool:
    """Whether a 404 is Mailchimp's word for "no such member", or for no such audience."""
    return isinstance(said, dict) and (said.get("title"), said.get("status")) == ("Resource Not Found", 404)


def _message(said: Any) -> str:
    """What an error says, field by field if it does."""
    if not isinstance(said, dict):
        return error_text(said)
    fields = [(error.get("field"), error.get("message")) for error in said.get("errors") or []]
    fields += [(said.get("field"), said.get("field_message"))]
    told = [f"{field}: {message}" for field, message in fields if field and message]
    return error_text("; ".join(told) or said)


def _read(response: Any) -> Any:
    """An answer in the results of a job: JSON in a text, empty where there was none."""
    try:
        return parsed(response, 200) if isinstance(response, str) and response else response
    except (ValueError, NotUnderstoodError):
        return response


def _unpacked(content: bytes) -> list[dict[str, Any]]:
    """The results in a .tar.gz of JSON files. Raises an error where it is cut off."""
    results: list[dict[str, Any]] = []
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content)), mode="r:") as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            results += parsed(file.read(), 200) if file else []
    return results


def _pointed(name: str, refused: RefusedError) -> dict[int, tuple[str, str]]:
    """The rows that a 400 points at, by fields such as members.item:3.email_address."""
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
    """What Mailchimp calls a member by."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _short(field: str) -> str:
    """A tag for a merge field: its name, or as much of each of its words as there is room for."""
    if len(field) <= LONGEST_TAG:
        return field.upper()
    parts = field.split("_")
    short = ["".join(part[:letters] for part in parts) for letters in range(1, LONGEST_TAG + 1)]
    return max(
        (tag for tag in short if len(tag) <= LONGEST_TAG), key=len, default=short[0][:LONGEST_TAG]
    ).upper()
