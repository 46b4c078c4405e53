"""The part of Brevo's API that Mailroom uses: imports, lists, contacts, processes, statistics."""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import flask

from mailroom.sandbox.account import Account, Profile, Window
from mailroom.sandbox.required import lacking

RATES = [(10, 1), (36_000, 3_600)]
PROCESSES_AN_HOUR = 100
# Addresses with this domain are accepted by an import and fail in its process.
FAILS_LATER = "@fails.example"
DEFAULTS = ("FIRSTNAME", "LASTNAME", "SMS")
REQUIRED = {
    "POST /v3/contacts/attributes/normal/<name>": ("type",),
    "POST /v3/contacts/folders": ("name",),
    "POST /v3/contacts/lists": ("name", "folderId"),
    "POST /v3/contacts/lists/<key>/contacts/remove": ("emails",),
    "POST /v3/contacts/import": ("jsonBody[].email", "listIds"),
    "POST /v3/events/batch": ("events[].event_name", "events[].identifiers"),
}
EVENTS = {"bounced": "hardBounces", "complained": "complaints"}
BLOCKED = {"bounced": "hardBounce", "complained": "contactFlaggedAsSpam"}


def routes(account: Account) -> flask.Blueprint:
    """Return Brevo's routes. Addresses are stored in lower case. One without @ is left out of an import, and
    named in its report. account.fields: types of attributes, and folders."""
    api = flask.Blueprint("brevo", __name__)
    account.fields |= {"attributes": dict.fromkeys(DEFAULTS, "text"), "folders": {}}
    process_limit = Window(PROCESSES_AN_HOUR, 3_600, lambda: account.now().timestamp())

    @api.before_request
    def let_in() -> Any:
        if not flask.request.headers.get("api-key") and "/v3/" in flask.request.path:
            return refuse(401, "unauthorized", "Key not found")
        if name := lacking(REQUIRED, "/brevo"):
            return refuse(400, "missing_parameter", f"{name} is missing")
        return None

    @api.post("/v3/contacts/import")
    def imported() -> Any:
        payload = flask.request.get_json(force=True)
        contacts, groups = payload.get("jsonBody"), {str(group) for group in payload.get("listIds") or []}
        if (flask.request.content_length or 0) > 10_000_000:
            return refuse(400, "invalid_parameter", "jsonBody is more than 10 MB")
        if not contacts or not groups:
            return refuse(400, "missing_parameter", "jsonBody or listIds is missing")
        if groups - account.groups.keys():
            return refuse(400, "invalid_parameter", "List IDs are invalid")
        does_update = payload.get("updateExistingContacts", True)
        does_clear = does_update and payload.get("emptyContactsAttributes")
        # As in a table, a field that another contact has is empty.
        columns = {name for contact in contacts for name in contact.get("attributes") or {}}
        invalid = []
        for contact in contacts:
            email = contact.get("email") or ""
            if "@" not in email or email.endswith(FAILS_LATER):
                invalid.append(email)
                continue
            is_new = account.find(email) is None
            profile = account.upsert(email.lower())
            profile.groups |= groups
            if is_new or does_update:
                attributes = contact.get("attributes") or {}
                keep(profile, {name: value for name, value in attributes.items() if value not in (None, "")})
                empty = {name for name in columns if attributes.get(name) in (None, "")}
                keep(profile, dict.fromkeys(empty if does_clear else ()))
            if payload.get("emailBlacklist"):
                account.refuse(email, "suppressed")
        job = account.new_id()
        account.jobs[job] = {"invalid": invalid, "n_asked": 0}
        return {"processId": int(job)}, 202

    def keep(profile: Profile, attributes: dict[str, Any]) -> None:
        """Set attributes. Unknown ones, and values other than text, are silently dropped. Empty text
        clears."""
        for name, value in attributes.items():
            if name not in account.fields["attributes"]:
                continue
            if value in (None, "") and name in profile.fields:
                profile.fields[name] = ""
            elif value and isinstance(value, str):
                profile.fields[name] = value

    @api.post("/v3/events/batch")
    def events_made() -> Any:
        """Accept the valid events. There is no key, so each one counts."""
        events = flask.request.get_json(force=True)["events"]
        if not 0 < len(events) <= 200 or (flask.request.content_length or 0) > 512_000:
            return refuse(400, "invalid_parameter", "No event, more than 200 or more than 512 KB")
        reasons = [why_no_event(event) for event in events]
        for event, reason in zip(events, reasons, strict=True):
            if not reason:
                key = (event["identifiers"]["email_id"].lower(), event["event_name"], account.new_id())
                account.events[key] = event.get("event_properties", {})
        n_bad = sum(map(bool, reasons))
        if not n_bad:
            words = "Batch accepted. Valid events have been added to the processing queue."
            return {"message": words, "count": len(events)}, 202
        errors = [
            {"eventIndex": [place for place, why in enumerate(reasons) if why == reason], "message": reason}
            for reason in dict.fromkeys(filter(None, reasons))
        ]
        return {
            "status": "failed" if n_bad == len(events) else "partial", "total_events": len(events),
            "successful_events": len(events) - n_bad, "failed_events": n_bad, "errors": errors,
        }, 400 if n_bad == len(events) else 207  # fmt: skip

    def why_no_event(event: dict[str, Any]) -> str | None:
        name, properties = event["event_name"], event.get("event_properties", {})
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            return "event_name is invalid"
        if "@" not in event["identifiers"].get("email_id", ""):
            return "email_id is invalid"
        is_named = all(re.fullmatch(r"[A-Za-z0-9_-]{1,255}", key) for key in properties)
        if not is_named or None in properties.values() or len(json.dumps(properties)) > 50_000:
            return "event_properties are invalid"
        return None

    @api.get("/v3/processes")
    def processes() -> Any:
        if wait := process_limit.wait():
            return too_many(wait)
        args = flask.request.args
        limit, offset = int(args.get("limit", 10)), int(args.get("offset", 0))
        if limit > 50:
            return refuse(400, "out_of_range", "Limit exceeds max value")
        numbers = sorted((int(job) for job in account.jobs), reverse=args.get("sort", "desc") == "desc")
        shown = [shown_process(number) for number in numbers[offset : offset + limit]]
        return {"processes": shown, "count": len(numbers)}

    @api.get("/v3/processes/<int:number>")
    def process(number: int) -> Any:
        if wait := process_limit.wait():
            return too_many(wait)
        if str(number) not in account.jobs:
            return refuse(404, "document_not_found", "Process ID does not exist")
        return shown_process(number)

    def shown_process(number: int) -> dict[str, Any]:
        job = account.jobs[str(number)]
        job["n_asked"] += 1
        shown: dict[str, Any] = {"id": number, "name": "IMPORTUSER", "status": "in_process"}
        if job["n_asked"] > 1:  # still running at the first read
            report = f"{flask.request.url_root}brevo/reports/{number}.csv"
            reports = {"invalid_emails": report if job["invalid"] else None, "duplicate_email_id": None}
            shown |= {"status": "completed", "info": {"import": reports}}
        return shown

    @api.get("/reports/<int:number>.csv")
    def report(number: int) -> Any:
        lines = [
            '"EMAIL";"REASON"',
            *[f'"{email}";"invalid"' for email in account.jobs[str(number)]["invalid"]],
        ]
        return flask.Response("\n".join(lines) + "\n", content_type="text/csv")

    @api.get("/v3/contacts/attributes")
    def attributes() -> Any:
        found = [
            {"name": name, "category": "normal", "type": kind}
            for name, kind in account.fields["attributes"].items()
        ]
        return {"attributes": found}

    @api.post("/v3/contacts/attributes/normal/<name>")
    def attribute_made(name: str) -> Any:
        if name.upper() in account.fields["attributes"]:
            return refuse(400, "invalid_parameter", "Attribute name must be unique")
        account.fields["attributes"][name.upper()] = flask.request.get_json(force=True)["type"]
        return "", 201

    @api.get("/v3/contacts/folders")
    def folders() -> Any:
        found = [
            {"id": int(key), "name": name, **counts()} for key, name in account.fields["folders"].items()
        ]
        return page("folders", found, 50)

    def counts(group: str | None = None) -> dict[str, int]:
        """Return the counts of a list. Folders have none here."""
        members = [profile for profile in account.profiles.values() if group in profile.groups]
        n_blocked = sum(bool(profile.refusals) for profile in members)
        n_reached = len(members) - n_blocked
        return {
            "totalBlacklisted": n_blocked, "totalSubscribers": n_reached, "uniqueSubscribers": n_reached,
        }  # fmt: skip

    @api.post("/v3/contacts/folders")
    def folder_made() -> Any:
        key = account.new_id()
        account.fields["folders"][key] = flask.request.get_json(force=True)["name"]
        return {"id": int(key)}, 201

    @api.get("/v3/contacts/lists")
    def lists() -> Any:
        folder = int(next(iter(account.fields["folders"]), 1))
        found = [
            {"id": int(key), "name": name, "folderId": folder, **counts(key)}
            for key, name in account.groups.items()
        ]
        return page("lists", found, 50)

    @api.post("/v3/contacts/lists")
    def list_made() -> Any:
        payload = flask.request.get_json(force=True)
        if str(payload["folderId"]) not in account.fields["folders"]:
            return refuse(404, "document_not_found", "Folder ID does not exist")
        key = account.new_id()
        account.groups[key] = payload["name"]
        return {"id": int(key)}, 201

    @api.post("/v3/contacts/lists/<key>/contacts/remove")
    def removed(key: str) -> Any:
        emails = flask.request.get_json(force=True)["emails"]
        if key not in account.groups:
            return refuse(404, "document_not_found", "List ID does not exist")
        if len(emails) > 150:
            return refuse(400, "out_of_range", "More than 150 emails")
        if any("@" not in email for email in emails):
            return refuse(
                400, "invalid_parameter", "Contact email addresses are invalid/ not in valid format"
            )
        known = {email: account.profiles.get(email) for email in emails}  # case-sensitive
        members = [email for email, profile in known.items() if profile and key in profile.groups]
        if not members:
            return refuse(400, "invalid_parameter", "Contact already removed from list and/or does not exist")
        for email in members:
            account.profiles[email].groups.discard(key)
        return {
            "contacts": {"success": members, "failure": [email for email in emails if email not in members]}
        }, 201

    @api.post("/v3/contacts")
    def created() -> Any:
        payload = flask.request.get_json(force=True)
        if account.find(payload["email"]) and not payload.get("updateEnabled"):
            return refuse(400, "duplicate_parameter", "email is already associated with another Contact")
        return changed(account.upsert(payload["email"].lower()), payload)

    @api.put("/v3/contacts/<path:identifier>")
    def updated(identifier: str) -> Any:
        profile = found(identifier)
        if profile is None:
            return refuse(404, "document_not_found", "Contact does not exist")
        return changed(profile, flask.request.get_json(force=True))

    def changed(profile: Profile, payload: dict[str, Any]) -> Any:
        """Change a contact. emailBlacklisted false resubscribes, and so does a new address."""
        given = dict(payload.get("attributes") or {})
        email = given.pop("EMAIL", profile.email).lower()
        keep(profile, given)
        if payload.get("emailBlacklisted"):
            account.refuse(profile.email, "suppressed")
        elif "emailBlacklisted" in payload or email != profile.email:
            profile.refusals.clear()
        del account.profiles[profile.email.lower()]
        profile.email = email
        account.profiles[email] = profile
        profile.groups |= {str(group) for group in payload.get("listIds") or []}
        profile.groups -= {str(group) for group in payload.get("unlinkListIds") or []}
        return "", 204

    @api.delete("/v3/contacts/<path:identifier>")
    def deleted(identifier: str) -> Any:
        profile = found(identifier)
        if profile is None:
            return refuse(404, "document_not_found", "Contact does not exist")
        del account.profiles[profile.email.lower()]
        return "", 204

    def found(identifier: str) -> Profile | None:
        if flask.request.args.get("identifierType") != "email_id" and identifier.isdigit():
            return by_number(int(identifier))
        return account.find(identifier)

    def by_number(number: int) -> Profile | None:
        return next((profile for profile in account.profiles.values() if number_of(profile) == number), None)

    @api.get("/v3/contacts")
    def contacts() -> Any:
        since = flask.request.args.get("modifiedSince", "").rstrip("Z")
        shown = [
            {
                "id": number_of(profile), "email": profile.email, "attributes": profile.fields,
                "emailBlacklisted": bool(profile.refusals), "smsBlacklisted": False,
                "createdAt": moment(datetime(2026, 1, 1)), "modifiedAt": moment(profile.changed_at),
                "listIds": sorted(map(int, profile.groups)),
            }
            for profile in account.profiles.values()
            if not since or profile.changed_at >= datetime.fromisoformat(since)
        ]  # fmt: skip
        return page("contacts", shown, 1_000)

    @api.get("/v3/contacts/<int:number>/campaignStats")
    def campaign_statistics(number: int) -> Any:
        profile, args = by_number(number), flask.request.args
        if profile is None:
            return refuse(404, "document_not_found", "Contact does not exist")
        today = account.now().date()
        until = date.fromisoformat(args.get("endDate", today.isoformat()))
        start = date.fromisoformat(args.get("startDate", (until - timedelta(days=90)).isoformat()))
        if ("startDate" in args) != ("endDate" in args) or not start <= until <= today:
            return refuse(400, "invalid_parameter", "Invalid startDate or endDate")
        if (until - start).days > 90:
            return refuse(400, "out_of_range", "More than 90 days")
        events = {
            reason: {"campaignId": 1, "eventTime": moment(at)}
            for reason, at in profile.refusals.items()
            if start <= at.date() <= until
        }
        if not events:
            return {}
        statistics: dict[str, Any] = {
            name: [events[reason]] for reason, name in EVENTS.items() if reason in events
        }
        statistics["unsubscriptions"] = {
            "userUnsubscription": [events["unsubscribed"]] if "unsubscribed" in events else [],
            "adminUnsubscription": [events["suppressed"]] if "suppressed" in events else [],
        }
        return statistics

    @api.get("/v3/smtp/blockedContacts")
    def blocked() -> Any:
        """List contacts blocked from transactional mail: bounces and complaints."""
        shown = [
            {
                "email": profile.email,
                "senderEmail": "",
                "blockedAt": moment(at),
                "reason": {"code": BLOCKED[reason], "message": ""},
            }
            for profile in account.profiles.values()
            for reason, at in profile.refusals.items()
            if reason in BLOCKED
        ]
        return page("contacts", sorted(shown, key=lambda row: row["blockedAt"], reverse=True), 100)

    return api


def number_of(profile: Profile) -> int:
    """Return the id of a contact, a number."""
    return int(profile.profile_id[:12], 16)


def moment(at: datetime) -> str:
    """Return a moment as Brevo writes it."""
    return f"{at.isoformat(timespec='milliseconds')}Z"


def page(name: str, found: Sequence[dict[str, Any]], most: int) -> Any:
    """Return one page of a collection."""
    args = flask.request.args
    offset, limit = int(args.get("offset", 0)), int(args.get("limit", min(most, 50)))
    if limit > most:
        return refuse(400, "out_of_range", "Limit exceeds max value")
    return {name: list(found[offset : offset + limit]), "count": len(found)}


def refuse(status: int, code: str, message: str) -> Any:
    """Return a refusal of the whole request."""
    return {"code": code, "message": message}, status


def too_many(wait: float) -> Any:
    """Return a refusal for the rate limit, with Brevo's own header."""
    return (
        {"code": "too_many_requests", "message": "Too many requests"},
        429,
        {"x-sib-ratelimit-reset": str(round(wait + 0.5))},
    )
