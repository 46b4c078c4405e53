"""Klaviyo: bulk imports, lists, suppressions, by its API of revision 2026-07-15.

KLAVIYO_API_KEY: a private key with lists:read, lists:write, profiles:read, profiles:write,
subscriptions:read, subscriptions:write, events:write and data-privacy:write. A message is an event of the
metric `Mailroom <flow>`, which starts a flow there. Its unique_id is the row's outbox_id, so that the same
event does not count twice. An audience is the list `Mailroom <audience>`;
fields are custom properties of the same names, except first_name. Mailroom subscribes no profile, which would
lift a suppression, and unsubscribes none, which would hold for every list.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pyrate_limiter import Duration, Rate

from mailroom.activation.api import (
    Api,
    Connection,
    RefusedError,
    StoppedError,
    json_bytes,
    send_without_bad_rows,
    utc,
    was_found,
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
    Resubscription,
    Row,
)
from mailroom.activation.scrub import error_text
from mailroom.mailbox import spelled

IMPORTS, SUPPRESSIONS = "/api/profile-bulk-import-jobs", "/api/profile-suppression-bulk-create-jobs"
DELETIONS = "/api/data-privacy-deletion-jobs"
EVENTS, EVENT = "/api/event-bulk-create-jobs", "/api/events"
AROUND = 130  # bytes around a profile in an import
PAGES_OF_JOBS = 5
LOOKED_UP_AT_ONCE = 50  # addresses in a URL
Query = Mapping[str, str | int]
REFUSALS: dict[str, Kind] = {
    "UNSUBSCRIBE": "unsubscribed", "SPAM_COMPLAINT": "complained", "HARD_BOUNCE": "bounced",
    "INVALID_EMAIL": "bounced",
}  # fmt: skip


class KlaviyoDestination:
    """Imports and suppressions are jobs, whose rows are pending until settle() finds them done."""

    repeats_sends = True

    def __init__(self, folder: Path, connection: Connection) -> None:
        def api(*rates: Rate) -> Api:
            return Api(
                "klaviyo",
                "https://a.klaviyo.com",
                "KLAVIYO_API_KEY",
                lambda key: {
                    "Authorization": f"Klaviyo-API-Key {key}",
                    "revision": "2026-07-15",
                    "Content-Type": "application/vnd.api+json",
                    "Accept": "application/vnd.api+json",
                },
                rates,
                connection,
            )

        # Each endpoint has its documented rate limit: erasures the lowest; then imports, lists and
        # results of imports. All others allow more.
        self.deletions = api(Rate(3, Duration.SECOND), Rate(60, Duration.MINUTE))
        self.api = api(Rate(10, Duration.SECOND), Rate(150, Duration.MINUTE))
        self.events = api(Rate(350, Duration.SECOND), Rate(3_500, Duration.MINUTE))
        self.jobs = api(Rate(10, Duration.SECOND), Rate(150, Duration.MINUTE))
        self.known_jobs = Jobs(self._list_jobs, self._get_job)
        self.list_id = cache(self._list_id)

    def limits(self, operation: Operation) -> Limits:
        """10,000 profiles or 5 MB per import, 100 KB per profile; 1,000 removals from a list; 100
        suppressions; 1,000 events or 5 MB."""
        if operation in ("add", "update"):
            return Limits(10_000, 5_000_000 - 1_000, 100_000)
        if operation == "send":
            return Limits(1_000, 5_000_000 - 1_000)
        return Limits({"remove": 1_000, "suppress": 100}.get(operation, 1))

    def size(self, row: Row) -> int:
        """Bytes of a profile in an import, or of an event, at most."""
        if row.operation == "send":
            return json_bytes(_event(row))
        return AROUND + json_bytes({"email": row.email, "customer_id": row.customer_id, **row.payload})

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Send a batch in one request, or two: a list is created first, and members are looked up for a
        removal."""
        if batch.operation in ("add", "update"):
            lists = [self.list_id(batch.audience)] if batch.operation == "add" else []
            return send_without_bad_rows(batch.rows, lambda rows: self._import(rows, lists), _pointed)
        if batch.operation == "remove":
            try:
                return self._remove(batch)
            except RefusedError as refused:
                return _all(batch, "rejected", str(refused.status), error_text(refused.body))
        if batch.operation == "suppress":
            return send_without_bad_rows(batch.rows, self._suppress, _pointed)
        if batch.operation == "send":
            return self._send_events(batch)
        return [self._delete(row) for row in batch.rows]

    def _import(self, rows: Sequence[Row], lists: Sequence[str]) -> list[Answer]:
        data: dict[str, Any] = {
            "type": "profile-bulk-import-job",
            "attributes": {"profiles": {"data": [_profile(row) for row in rows]}},
        }
        if lists:
            data["relationships"] = {"lists": {"data": [{"type": "list", "id": name} for name in lists]}}
        job = self.api.call("POST", IMPORTS, {"data": data})["data"]["id"]
        return [Answer(row.outbox_id, "pending", reference=f"{IMPORTS}/{job}") for row in rows]

    def _suppress(self, rows: Sequence[Row]) -> list[Answer]:
        profiles = [{"type": "profile", "attributes": {"email": row.email}} for row in rows]
        data = {
            "type": "profile-suppression-bulk-create-job",
            "attributes": {"profiles": {"data": profiles}},
        }
        job = self.api.call("POST", SUPPRESSIONS, {"data": data})["data"]["id"]
        return [Answer(row.outbox_id, "pending", reference=f"{SUPPRESSIONS}/{job}") for row in rows]

    def _send_events(self, batch: Batch) -> Iterable[Answer]:
        """Send all events in one request. If it is refused, send each alone: one repeated unique_id fails the
        whole request."""
        events = [{"type": "event-bulk-create", "attributes": _event(row)} for row in batch.rows]
        attributes = {"events-bulk-create": {"data": events}}
        try:
            data = {"type": "event-bulk-create-job", "attributes": attributes}
            self.api.call("POST", EVENTS, {"data": data}, yes=202)
        except RefusedError:
            return (self._send_event(row) for row in batch.rows)
        return _all(batch, "accepted", None, None)

    def _send_event(self, row: Row) -> Answer:
        entry = _event(row)
        (event,) = entry["events"]["data"]
        attributes = {**event["attributes"], "profile": entry["profile"]}
        try:
            self.events.call("POST", EVENT, {"data": {"type": "event", "attributes": attributes}}, yes=202)
        except RefusedError as refused:
            if _is_repeated(refused.body):
                return Answer(row.outbox_id, "accepted")
            return Answer(row.outbox_id, "rejected", str(refused.status), error_text(refused.body))
        return Answer(row.outbox_id, "accepted")

    def _remove(self, batch: Batch) -> list[Answer]:
        """Remove profiles from a list. Unknown addresses count as removed. Profiles of other addresses
        stay."""
        emails = [row.email for row in batch.rows]
        wanted = {spelled(email) for email in emails}
        ids = []
        for first in range(0, len(emails), LOOKED_UP_AT_ONCE):
            some = json.dumps(emails[first : first + LOOKED_UP_AT_ONCE], ensure_ascii=False)
            query: Query = {"filter": f"any(email,{some})", "fields[profile]": "email", "page[size]": 100}
            for profile in self._pages("/api/profiles", query):
                if spelled(profile["attributes"]["email"] or "") in wanted:
                    ids.append(profile["id"])
        path = f"/api/lists/{self.list_id(batch.audience)}/relationships/profiles"
        if ids:
            members = {"data": [{"type": "profile", "id": profile_id} for profile_id in ids]}
            self.api.call("DELETE", path, members, yes=204)
        return [Answer(row.outbox_id, "accepted", reference=path) for row in batch.rows]

    def _delete(self, row: Row) -> Answer:
        profile = {"data": {"type": "profile", "attributes": {"email": row.email}}}
        data = {"type": "data-privacy-deletion-job", "attributes": {"profile": profile}}

        def ask() -> None:
            self.deletions.call("POST", DELETIONS, {"data": data}, yes=202)

        try:
            is_known = was_found(ask, _is_not_found)
        except RefusedError as refused:
            return Answer(row.outbox_id, "rejected", str(refused.status), error_text(refused.body))
        return Answer(row.outbox_id, "accepted", None if is_known else NOT_THERE)

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """Return the answers of a job once it is done. An error names a failed profile by address or by
        place. If one has neither, all rows are rejected."""
        try:
            job = self.known_jobs.latest(reference)
        except RefusedError as refused:
            return _all(batch, "rejected", "job_lost", error_text(refused.body))
        if job["status"] in ("queued", "processing"):
            return []
        if job["status"] != "complete":
            return _all(batch, "rejected", job["status"], f"The job was {job['status']}.")
        n_failed = job.get("failed_count") or 0
        bad: dict[str, tuple[str, str]] = {}
        if n_failed:
            outbox_ids = {spelled(row.email): row.outbox_id for row in batch.rows}
            for error in self._pages(f"{reference}/import-errors", {"page[size]": 100}):
                attributes = error["attributes"]
                outbox_id = outbox_ids.get(_email_in(attributes.get("original_payload")))
                place = _place(attributes["source"].get("pointer", ""))
                if outbox_id is None and place is not None and place < len(batch.rows):
                    outbox_id = batch.rows[place].outbox_id
                if outbox_id is not None:
                    bad[outbox_id] = (attributes["code"], attributes["detail"])
        if len(bad) < n_failed:
            return _all(
                batch, "rejected", "job_failed", f"{n_failed} profiles failed, and it is unclear which."
            )
        return [
            Answer(row.outbox_id, "rejected", *bad[row.outbox_id], reference)
            if row.outbox_id in bad
            else Answer(row.outbox_id, "accepted", reference=reference)
            for row in batch.rows
        ]

    def _list_jobs(self, reference: str) -> dict[str, Job]:
        """Return the newest jobs of this kind, back to this one, at most PAGES_OF_JOBS pages."""
        path = reference.rpartition("/")[0]
        params: Query = (
            {"sort": "-created_at", "page[size]": 100} if path == IMPORTS else {"sort": "-created"}
        )
        jobs: dict[str, Job] = {}
        for page in islice(self._whole_pages(self.jobs, path, params), PAGES_OF_JOBS):
            jobs |= {f"{path}/{job['id']}": job["attributes"] for job in page}
            if reference in jobs:
                break
        return jobs

    def _get_job(self, reference: str) -> Job:
        job: Job = self.jobs.call("GET", reference)["data"]["attributes"]
        return job

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Yield suppressions except our own (reason USER_SUPPRESSED). Unsubscribes from a single list are not
        among them; Klaviyo applies those itself."""
        when = "subscriptions.email.marketing.suppression.timestamp"
        profiles = self._pages(
            "/api/profiles",
            {
                "additional-fields[profile]": "subscriptions",
                "fields[profile]": "email,subscriptions",
                "filter": f"greater-or-equal({when},{since.isoformat()}Z)",
                "sort": when,
                "page[size]": 100,
            },
        )
        for profile in profiles:
            attributes = profile["attributes"]
            marketing = (attributes["subscriptions"].get("email") or {}).get("marketing") or {}
            for suppression in marketing.get("suppression") or []:
                if attributes["email"] and suppression["reason"] in REFUSALS:
                    yield Refusal(
                        f"{profile['id']}-{suppression['reason']}-{suppression['timestamp']}",
                        profile["id"],
                        attributes["email"],
                        REFUSALS[suppression["reason"]],
                        utc(suppression["timestamp"]),
                    )

    def resubscriptions(self, emails: Sequence[str]) -> Iterator[Resubscription]:
        """Yield addresses that are SUBSCRIBED with double_optin and not suppressed. consent_timestamp is when
        the consent was recorded, which is the confirmation of a double opt-in. 50 addresses per request."""
        wanted = {spelled(email) for email in emails}
        for first in range(0, len(emails), LOOKED_UP_AT_ONCE):
            some = json.dumps(emails[first : first + LOOKED_UP_AT_ONCE], ensure_ascii=False)
            query: Query = {
                "filter": f"any(email,{some})",
                "additional-fields[profile]": "subscriptions",
                "fields[profile]": "email,subscriptions",
                "page[size]": 100,
            }
            for profile in self._pages("/api/profiles", query):
                attributes = profile["attributes"]
                marketing = (attributes["subscriptions"].get("email") or {}).get("marketing") or {}
                moment = marketing.get("consent_timestamp")
                is_confirmed = (
                    marketing.get("consent") == "SUBSCRIBED"
                    and marketing.get("double_optin") is True
                    and marketing.get("can_receive_email_marketing") is True
                )
                if is_confirmed and moment and spelled(attributes["email"] or "") in wanted:
                    form = [marketing.get("method"), marketing.get("method_detail")]
                    yield Resubscription(
                        f"{profile['id']}-SUBSCRIBED-{moment}",
                        attributes["email"],
                        " ".join(part for part in form if part),
                        utc(moment),
                    )

    def _list_id(self, audience: str) -> str:
        name = f"Mailroom {audience}"

        def find() -> str | None:
            for found in self._pages("/api/lists", {"filter": f"equals(name,{json.dumps(name)})"}):
                return str(found["id"])
            return None

        def make() -> str:
            data = {"type": "list", "attributes": {"name": name}}
            return str(self.api.once("POST", "/api/lists", {"data": data})["data"]["id"])

        return self.api.get_or_create(find, make)

    def _pages(self, path: str, params: Query) -> Iterator[dict[str, Any]]:
        """Yield the items of a collection."""
        for page in self._whole_pages(self.api, path, params):
            yield from page

    def _whole_pages(self, api: Api, path: str, params: Query) -> Iterator[list[dict[str, Any]]]:
        """Yield a collection, page by page. Each of Klaviyo's pages links to itself; another answer does not
        prove that a profile is missing."""
        cursor: Query = {}
        while True:
            page = api.call("GET", path, params={**params, **cursor})
            if "self" not in page["links"]:
                raise StoppedError("an answer is not one of Klaviyo's")
            yield page["data"]
            following = page["links"].get("next")
            if not following:
                return
            cursor = {"page[cursor]": parse_qs(urlsplit(following).query)["page[cursor]"][0]}


def _profile(row: Row) -> dict[str, Any]:
    """Return a profile for an import. A custom property is cleared by removing it from the profile."""
    attributes: dict[str, Any] = {"email": row.email, "properties": {"customer_id": row.customer_id}}
    unset = []
    for name, value in row.payload.items():
        if name == "first_name":
            attributes[name] = value
        elif value is None:
            unset.append(name)
        else:
            attributes["properties"][name] = value
    profile: dict[str, Any] = {"type": "profile", "attributes": attributes}
    if unset:
        profile["meta"] = {"patch_properties": {"unset": unset}}
    return profile


def _event(row: Row) -> dict[str, Any]:
    """Return a message as an entry of a bulk request: the profile and its one event."""
    event = {
        "properties": row.payload,
        "time": f"{row.decided_at.isoformat(timespec='seconds')}Z",
        "unique_id": row.outbox_id,
        "metric": {"data": {"type": "metric", "attributes": {"name": f"Mailroom {row.audience}"}}},
    }
    return {
        "profile": {"data": {"type": "profile", "attributes": {"email": row.email}}},
        "events": {"data": [{"type": "event", "attributes": event}]},
    }


def _is_repeated(body: Any) -> bool:
    """Return whether a refusal is about a unique_id that Klaviyo has. Its code is not documented."""
    errors = body.get("errors", []) if isinstance(body, dict) else []
    return any("unique_id" in json.dumps(error) or error.get("code") == "duplicate" for error in errors)


def _is_not_found(body: Any) -> bool:
    """Return whether a 404 is Klaviyo's for "no such profile", by its code and its detail about a profile.
    Lists, jobs and paths have not_found, too."""
    errors = body["errors"]
    return bool(errors) and all(
        error["code"] == "not_found" and re.search(r"\bprofile\b.*\bnot\b", error["detail"], re.IGNORECASE)
        for error in errors
    )


def _all(batch: Batch, status: Any, code: str | None, message: str | None) -> list[Answer]:
    return [Answer(row.outbox_id, status, code, message) for row in batch.rows]


def _pointed(refused: RefusedError) -> dict[int, tuple[str, str]]:
    """Return the profiles that a 400 names, by place."""
    bad = {}
    if isinstance(refused.body, dict):
        for error in refused.body.get("errors", []):
            place = _place((error.get("source") or {}).get("pointer") or "")
            if place is not None:
                bad[place] = (str(error.get("code")), error_text(error))
    return bad


def _place(pointer: str) -> int | None:
    """Return the place of a profile in a JSON pointer such as
    /data/attributes/profiles/data/3/attributes/email."""
    match = re.search(r"/profiles/data/([0-9]{1,9})(?:/|$)", pointer)
    return int(match[1]) if match else None


def _email_in(payload: Any) -> str:
    """Return the spelled() address in a profile that was sent, at either level."""
    if not isinstance(payload, dict):
        return ""
    return spelled(str(payload.get("email") or (payload.get("attributes") or {}).get("email") or ""))
