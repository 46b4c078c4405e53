"""The part of HubSpot's API that Mailroom uses: contacts, properties, lists, communication preferences, and
the timeline of subscriptions.

account.jobs has HubSpot's data beside contacts: first addresses by `further` ones, addresses that are
`blocked` or `opted_out`, `changes` of properties, properties of custom events by name (`defined_events`), and
whether the key is `without_batches` of communication preferences.
"""

import json
import re
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import flask

from mailroom.sandbox.account import Account, Profile
from mailroom.sandbox.required import lacking

RATES = [(190, 10)]
OPTED_OUT, BOUNCED = "hs_email_optout", "hs_email_hard_bounce_reason_enum"
OWN = ("email", "firstname", "lastname")  # writable without a definition
# Addresses with this domain are bad rows, and the others of their request are accepted.
FAILS_ALONE = "@fails.example"
CONTACTS, LISTS = "/crm/objects/2026-03/contacts", "/crm/lists/2026-03"
PROPERTIES, STATUSES = "/crm/properties/2026-03/contacts", "/communication-preferences/2026-03/statuses"
MESSAGES, DEFINITIONS = "/events/2026-03/send", "/events/2026-03/event-definitions"
HUB = "1234567"

REQUIRED = {
    f"POST {CONTACTS}/batch/create": ("inputs[].associations", "inputs[].properties"),
    f"POST {CONTACTS}/batch/update": ("inputs[].id", "inputs[].properties"),
    f"POST {CONTACTS}/batch/upsert": ("inputs[].id", "inputs[].properties"),
    f"POST {CONTACTS}/batch/read": ("inputs[].id", "properties", "propertiesWithHistory"),
    f"POST {CONTACTS}/gdpr-delete": ("objectId",),
    f"POST {CONTACTS}/search": (
        "after", "limit", "properties", "sorts", "filterGroups[].filters[].operator",
        "filterGroups[].filters[].propertyName",
    ),
    f"POST {PROPERTIES}/batch/create": tuple(
        f"inputs[].{name}" for name in ("fieldType", "groupName", "label", "name", "type")
    ),
    f"POST {PROPERTIES}/groups": ("label", "name"),
    f"POST {LISTS}": ("name", "objectTypeId", "processingType"),
    f"PUT {LISTS}/<key>/memberships/add-and-remove": ("recordIdsToAdd", "recordIdsToRemove"),
    f"POST {STATUSES}/batch/unsubscribe-all": ("inputs",),
    f"POST {DEFINITIONS}": ("includeDefaultProperties", "label", "propertyDefinitions[].type"),
    f"POST {DEFINITIONS}/<name>/property": ("label", "type"),
    f"POST {MESSAGES}": ("eventName", "properties"),
    f"POST {MESSAGES}/batch": ("inputs[].eventName", "inputs[].properties"),
}  # fmt: skip


def routes(account: Account) -> flask.Blueprint:
    """Return HubSpot's routes. An address without @ is refused with its whole request."""
    api = flask.Blueprint("hubspot", __name__)

    @api.before_request
    def let_in() -> Any:
        if not flask.request.headers.get("Authorization", "").startswith("Bearer "):
            return refuse(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        if name := lacking(REQUIRED, "/hubspot"):
            return refuse(
                400, "VALIDATION_ERROR", f"Invalid input JSON: some required fields were not set: {name}"
            )
        return None

    def find(email: str) -> Profile | None:
        """Return the contact of an address, the first one or a further one."""
        return account.find(account.jobs.get("further", {}).get(email.lower(), email))

    def why_not(email: str | None, properties: dict[str, Any]) -> tuple[str, str] | None:
        """Return category and message of an invalid contact, else None."""
        if unknown := [name for name in properties if name not in OWN and name not in account.fields]:
            error = {
                "isValid": False, "message": f'Property "{unknown[0]}" does not exist',
                "error": "PROPERTY_DOESNT_EXIST", "name": unknown[0],
            }  # fmt: skip
            return "VALIDATION_ERROR", f"Property values were not valid: [{json.dumps(error)}]"
        for name, value in properties.items():
            if account.fields.get(name) == "number" and value and not value.lstrip("-").isdigit():
                return "VALIDATION_ERROR", f"{value} was not a valid number."
        if email and email.endswith(FAILS_ALONE):
            return "VALIDATION_ERROR", f"Property values were not valid: {email}"
        return None

    def write(profile: Profile, properties: dict[str, Any]) -> None:
        """Change the named properties. Empty text clears."""
        for name, value in properties.items():
            if name != "email" and (profile.fields.get(name) or "") != value:
                changes = account.jobs.setdefault("changes", {}).setdefault((profile.profile_id, name), [])
                changes.append((account.now(), value))
                profile.fields[name] = value
        profile.changed_at = account.now()

    def made(email: str) -> Profile:
        profile = account.upsert(email)
        if at := account.jobs.get("opted_out", {}).get(email.lower()):
            profile.refusals["suppressed"] = at
        return profile

    def inputs() -> Any:
        return flask.request.get_json(force=True).get("inputs", [])

    def checked(items: list[Any]) -> Any:
        """Return a refusal of the whole request, if it is invalid."""
        if len(items) > 100:
            return refuse(400, "VALIDATION_ERROR", "The maximum number of inputs supported is 100.")
        emails = [one.get("properties", {}).get("email") for one in items]
        if bad := [email for email in emails if email is not None and "@" not in email]:
            return invalid_emails(bad)
        return None

    def answered(answers: list[tuple[Profile, Any] | dict[str, Any]], status: int) -> Any:
        """Return the results of a batch: contacts and errors."""
        errors = [answer for answer in answers if isinstance(answer, dict)]
        results = [shown_contact(*answer) for answer in answers if not isinstance(answer, dict)]
        body: dict[str, Any] = {"status": "COMPLETE", "results": results, **times()}
        if errors:
            return {**body, "numErrors": len(errors), "errors": errors}, 207
        return body, status

    def shown_contact(profile: Profile, names: Any) -> dict[str, Any]:
        values = {name: value_of(profile, name) for name in names}
        at = iso(profile.changed_at)
        return {
            "id": profile.profile_id, "properties": values, "createdAt": at, "updatedAt": at,
            "archived": False,
        }  # fmt: skip

    def value_of(profile: Profile, name: str) -> str | None:
        if name == "email":
            return profile.email.lower()
        if name == "hs_additional_emails":
            further = account.jobs.get("further", {}).items()
            return ";".join(email for email, first in further if first == profile.email.lower())
        if name == OPTED_OUT:
            return "true" if profile.refusals.keys() & {"unsubscribed", "suppressed"} else None
        if name == BOUNCED:
            return "UNKNOWN_USER" if "bounced" in profile.refusals else None
        return profile.fields.get(name)

    @api.post(f"{CONTACTS}/batch/read")
    def read() -> Any:
        body, items = flask.request.get_json(force=True), inputs()
        if len(items) > 100:
            return refuse(400, "VALIDATION_ERROR", "The maximum number of inputs supported is 100.")
        histories = body.get("propertiesWithHistory") or []
        if histories and len(items) > 50:
            return refuse(400, "VALIDATION_ERROR", "The maximum for property histories is 50.")
        by = find if body.get("idProperty") == "email" else account.by_id
        found = {one["id"]: by(one["id"]) for one in items}
        unique = {profile.profile_id: profile for profile in found.values() if profile}
        results = []
        for profile in unique.values():
            results.append(shown_contact(profile, [*body["properties"], *histories]))
            if histories:
                results[-1]["propertiesWithHistory"] = {name: history(profile, name) for name in histories}
        answer: dict[str, Any] = {"status": "COMPLETE", "results": results, **times()}
        if missing := [key for key, profile in found.items() if not profile]:
            error = not_found(missing)
            return {**answer, "numErrors": 1, "errors": [error]}, 207
        return answer

    def history(profile: Profile, name: str) -> list[dict[str, Any]]:
        """Return the history of a property, the newest first."""
        changes = list(account.jobs.get("changes", {}).get((profile.profile_id, name), []))
        if name == OPTED_OUT and value_of(profile, name):
            # It changed with the first of them.
            reasons = profile.refusals.keys() & {"unsubscribed", "suppressed"}
            changes.append((min(profile.refusals[reason] for reason in reasons), "true"))
        if name == BOUNCED and "bounced" in profile.refusals:
            changes.append((profile.refusals["bounced"], "UNKNOWN_USER"))
        return [
            {"value": value, "timestamp": iso(at), "sourceType": "API", "sourceId": "1"}
            for at, value in sorted(changes, reverse=True)
        ]

    @api.post(f"{CONTACTS}/batch/create")
    def create() -> Any:
        items = inputs()
        if refusal := checked(items):
            return refusal
        is_traced = all(one.get("objectWriteTraceId") for one in items)
        wrong = [why_not(one["properties"].get("email"), one["properties"]) for one in items]
        known = [find(one["properties"].get("email", "")) for one in items]
        if not is_traced:
            if any(known):
                return refuse(409, "CONFLICT", "Contact already exists")
            if first := next(filter(None, wrong), None):
                return refuse(400, *first)
        answers: list[Any] = []
        for one, why, profile in zip(items, wrong, known, strict=True):
            email = one["properties"]["email"]
            if profile:
                answers.append(
                    failed(
                        one, "CONFLICT", f"Contact already exists. Existing ID: {profile.profile_id}",
                        existingId=[profile.profile_id],
                    )
                )  # fmt: skip
            elif email.lower() in account.jobs.get("blocked", ()):
                answers.append(failed(one, "VALIDATION_ERROR", "This address was permanently deleted."))
            elif why:
                answers.append(failed(one, *why))
            else:
                profile = made(email)
                write(profile, one["properties"])
                answers.append((profile, one["properties"]))
        return answered(answers, 201)

    @api.post(f"{CONTACTS}/batch/update")
    def update() -> Any:
        items = inputs()
        if refusal := checked(items):
            return refusal
        if any(one.get("idProperty") == "email" for one in items):
            return refuse(
                400, "VALIDATION_ERROR", "Unable to perform update/upsert by non-unique 0-1 property"
            )
        ids = [one["id"] for one in items]
        if len(set(ids)) < len(ids):
            twice = ", ".join(sorted({key for key in ids if ids.count(key) > 1}))
            return refuse(
                400, "VALIDATION_ERROR", f"Duplicate IDs found in batch input: [{twice}]. IDs must be unique"
            )
        is_traced = all(one.get("objectWriteTraceId") for one in items)
        wrong = [why_not(None, one["properties"]) for one in items]
        if not is_traced and (first := next(filter(None, wrong), None)):
            return refuse(400, *first)
        answers: list[Any] = []
        for one, why in zip(items, wrong, strict=True):
            profile = account.by_id(one["id"])
            if "@" in one["id"]:
                continue  # HubSpot silently ignores it
            if not profile:
                answers.append(not_found([one["id"]]))
            elif why:
                answers.append(failed(one, *why))
            else:
                write(profile, one["properties"])
                answers.append((profile, one["properties"]))
        return answered(answers, 200)

    @api.post(f"{CONTACTS}/batch/upsert")
    def upsert() -> Any:
        """A request that Mailroom must never make by address with some properties only: it may clear the
        others."""
        items = inputs()
        if refusal := checked([{"properties": {"email": one["id"]}} for one in items]):
            return refusal
        answers: list[Any] = []
        for one in items:
            profile = find(one["id"]) or made(one["id"])
            write(profile, {**dict.fromkeys(profile.fields, ""), **one["properties"]})
            answers.append((profile, one["properties"]))
        return answered(answers, 200)

    @api.post(f"{CONTACTS}/gdpr-delete")
    def deleted() -> Any:
        payload = flask.request.get_json(force=True)
        if payload.get("idProperty") == "email":
            profile = find(payload["objectId"])
            if not profile:
                account.jobs.setdefault("blocked", set()).add(payload["objectId"].lower())
                return "", 204
        else:
            profile = account.by_id(payload["objectId"])
        if not profile:
            return refuse(404, "OBJECT_NOT_FOUND", "Object not found.")
        del account.profiles[profile.email.lower()]
        changes = account.jobs.get("changes", {})
        for key in [key for key in changes if key[0] == profile.profile_id]:
            del changes[key]
        return "", 204

    @api.post(f"{CONTACTS}/search")
    def searched() -> Any:
        body = flask.request.get_json(force=True)
        groups, limit, after = body["filterGroups"], body.get("limit", 10), int(body.get("after") or 0)
        if limit > 200 or after + limit > 10_000 or len(groups) > 5:
            return refuse(
                400, "VALIDATION_ERROR", "More than 200 a page, 10,000 in all or 5 groups of filters."
            )
        found = sorted(
            (
                profile
                for profile in account.profiles.values()
                if any(all(matches(profile, one) for one in group["filters"]) for group in groups)
            ),
            key=lambda profile: number(profile.profile_id),
        )
        results = [
            shown_contact(profile, body.get("properties", [])) for profile in found[after : after + limit]
        ]
        answer: dict[str, Any] = {"total": len(found), "results": results}
        if after + limit < len(found):
            answer["paging"] = {"next": {"after": str(after + limit)}}
        return answer

    def matches(profile: Profile, condition: dict[str, Any]) -> bool:
        name, operator = condition["propertyName"], condition["operator"]
        if name == "lastmodifieddate":
            return operator == "GTE" and milliseconds(profile.changed_at) >= int(condition["value"])
        if name == "hs_object_id":
            return operator == "GT" and number(profile.profile_id) > number(condition["value"])
        value = value_of(profile, name)
        return value is not None and (operator == "HAS_PROPERTY" or value == condition["value"])

    @api.get(PROPERTIES)
    def properties() -> Any:
        own = dict.fromkeys((*OWN, "hs_additional_emails", OPTED_OUT, BOUNCED), "string")
        return {"results": [property_of(name, type_) for name, type_ in (own | account.fields).items()]}

    def property_of(name: str, type_: str) -> dict[str, Any]:
        return {
            "name": name, "type": type_, "label": name, "description": "", "options": [],
            "groupName": "contactinformation" if name in OWN else "mailroom",
            "fieldType": "number" if type_ == "number" else "text",
        }  # fmt: skip

    @api.post(f"{PROPERTIES}/batch/create")
    def properties_made() -> Any:
        items = inputs()
        for one in items:
            if one["groupName"] not in account.jobs.get("property_groups", ()):
                return refuse(400, "VALIDATION_ERROR", "There is no such group.")
            if one["name"] in account.fields:
                return refuse(409, "OBJECT_ALREADY_EXISTS", "A property of this name already exists.")
        account.fields |= {one["name"]: one["type"] for one in items}
        made = [property_of(one["name"], one["type"]) for one in items]
        return {"status": "COMPLETE", "results": made, **times()}, 201

    @api.get(f"{PROPERTIES}/groups/<name>")
    def group(name: str) -> Any:
        if name not in account.jobs.get("property_groups", ()):
            return refuse(404, "OBJECT_NOT_FOUND", "There is no such group.")
        return {"name": name, "label": name, "displayOrder": -1, "archived": False}

    @api.post(f"{PROPERTIES}/groups")
    def group_made() -> Any:
        payload = flask.request.get_json(force=True)
        if payload["name"] in account.jobs.get("property_groups", ()):
            return refuse(409, "OBJECT_ALREADY_EXISTS", "A group of this name already exists.")
        account.jobs.setdefault("property_groups", set()).add(payload["name"])
        return {"displayOrder": -1, **payload, "archived": False}, 201

    @api.get(f"{LISTS}/object-type-id/0-1/name/<name>")
    def list_found(name: str) -> Any:
        for key, group in account.groups.items():
            if group == name:
                return {"list": shown_list(key)}
        return refuse(404, "NOT_FOUND", "List does not exist.")

    @api.post(LISTS)
    def list_made() -> Any:
        payload = flask.request.get_json(force=True)
        if payload["name"] in account.groups.values():
            return refuse(400, "VALIDATION_ERROR", "A list of this name already exists.")
        key = account.new_id()
        account.groups[key] = payload["name"]
        account.jobs[f"list-{key}"] = payload["processingType"]
        return {"list": shown_list(key)}

    def shown_list(key: str) -> dict[str, Any]:
        return {
            "listId": key, "listVersion": 1, "name": account.groups[key], "objectTypeId": "0-1",
            "processingType": account.jobs[f"list-{key}"], "processingStatus": "COMPLETE",
        }  # fmt: skip

    @api.put(f"{LISTS}/<key>/memberships/add-and-remove")
    def members_changed(key: str) -> Any:
        if key not in account.groups:
            return refuse(404, "NOT_FOUND", "List does not exist.")
        if account.jobs[f"list-{key}"] == "DYNAMIC":
            return refuse(400, "VALIDATION_ERROR", "The list is not a manual one.")
        payload = flask.request.get_json(force=True)
        done: dict[str, list[str]] = {"recordsIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": []}
        for contact_id in payload["recordIdsToAdd"]:
            profile = account.by_id(contact_id)
            if profile:
                profile.groups.add(key)
            done["recordsIdsAdded" if profile else "recordIdsMissing"].append(contact_id)
        for contact_id in payload["recordIdsToRemove"]:
            profile = account.by_id(contact_id)
            if profile:
                profile.groups.discard(key)
            done["recordIdsRemoved" if profile else "recordIdsMissing"].append(contact_id)
        return {name: ids for name, ids in done.items() if ids}  # HubSpot leaves out empty lists

    @api.delete(f"{LISTS}/<key>/memberships")
    def list_emptied(key: str) -> Any:
        """A request that Mailroom must never make: it empties the list."""
        for profile in account.profiles.values():
            profile.groups.discard(key)
        return "", 204

    @api.post(f"{STATUSES}/batch/unsubscribe-all")
    def unsubscribed_all() -> Any:
        items = inputs()
        if account.jobs.get("without_batches"):
            return refuse(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes.")
        if flask.request.args.get("channel") != "EMAIL" or len(items) > 100:
            return refuse(400, "VALIDATION_ERROR", "No channel, or more than 100 addresses.")
        if bad := [email for email in items if "@" not in email]:
            return invalid_emails(bad)
        for email in items:
            opt_out(email)
        is_verbose = flask.request.args.get("verbose") == "true"
        results = [{"subscriberIdString": email, "statuses": []} for email in items] if is_verbose else []
        return {"status": "COMPLETE", "results": results, **times()}

    @api.post(f"{STATUSES}/<email>/unsubscribe-all")
    def unsubscribed(email: str) -> Any:
        if flask.request.args.get("channel") != "EMAIL":
            return refuse(400, "VALIDATION_ERROR", "No channel.")
        if "@" not in email:
            return invalid_emails([email])
        opt_out(email)
        return {"status": "COMPLETE", "results": [], **times()}

    def opt_out(email: str) -> None:
        """Opt out an address, for its present and future contacts."""
        account.jobs.setdefault("opted_out", {}).setdefault(email.lower(), account.now())
        if account.find(email):
            account.refuse(email, "suppressed")

    @api.post(f"{STATUSES}/<email>")
    def subscribed(email: str) -> Any:
        """A request that Mailroom must never make: it lifts an opt-out."""
        if flask.request.get_json(force=True)["statusState"] == "SUBSCRIBED":
            account.jobs.get("opted_out", {}).pop(email.lower(), None)
            if profile := account.find(email):
                for reason in ("unsubscribed", "suppressed"):
                    profile.refusals.pop(reason, None)
        return {"status": "COMPLETE", "results": [], **times()}

    @api.get(f"{DEFINITIONS}/<name>")
    def definition(name: str) -> Any:
        found = account.jobs.get("defined_events", {}).get(name)
        return refuse(404, "OBJECT_NOT_FOUND", "Not found.") if found is None else shown_definition(name)

    @api.post(DEFINITIONS)
    def event_defined() -> Any:
        payload = flask.request.get_json(force=True)
        defined = account.jobs.setdefault("defined_events", {})
        if payload["name"] in defined or len(defined) >= 500:
            return refuse(409, "OBJECT_ALREADY_EXISTS", "This event exists, or there are 500.")
        defined[payload["name"]] = {one["name"] for one in payload["propertyDefinitions"]}
        return shown_definition(payload["name"]), 201

    @api.post(f"{DEFINITIONS}/<name>/property")
    def event_property_made(name: str) -> Any:
        payload = flask.request.get_json(force=True)
        known = account.jobs.get("defined_events", {}).get(name)
        if known is None:
            return refuse(404, "OBJECT_NOT_FOUND", "Not found.")
        if payload["name"] in known or not re.fullmatch("[a-z][a-z0-9_]{0,49}", payload["name"]):
            return refuse(409, "OBJECT_ALREADY_EXISTS", "This property exists, or its name is invalid.")
        known.add(payload["name"])
        return {"name": payload["name"], "label": payload["label"], "type": payload["type"]}, 201

    def shown_definition(name: str) -> dict[str, Any]:
        properties = account.jobs["defined_events"][name]
        return {
            "id": f"6-{name}", "objectTypeId": f"6-{name}", "name": name, "archived": False,
            "fullyQualifiedName": f"pe{HUB}_{name}", "labels": {}, "associations": [],
            "properties": [property_of(one, "string") for one in sorted(properties)],
        }  # fmt: skip

    @api.post(MESSAGES)
    def event_sent() -> Any:
        return occurred([flask.request.get_json(force=True)])

    @api.post(f"{MESSAGES}/batch")
    def events_sent() -> Any:
        return occurred(inputs())

    def occurred(events: list[dict[str, Any]]) -> Any:
        """Keep all occurrences or, if one is invalid or repeated, none. HubSpot does not document that."""
        made = {}
        if len(events) > 500:
            return refuse(400, "VALIDATION_ERROR", "More than 500 events.")
        for event in events:
            name = event["eventName"].removeprefix(f"pe{HUB}_")
            known = account.jobs.get("defined_events", {}).get(name)
            properties, profile = event["properties"], account.by_id(event.get("objectId", ""))
            profile = profile or find(event.get("email", ""))
            if known is None or not event["eventName"].startswith(f"pe{HUB}_"):
                return refuse(400, "VALIDATION_ERROR", "There is no such event.")
            if not properties.keys() <= known or len(properties) > 50:
                return refuse(400, "VALIDATION_ERROR", "The event has no such property, or more than 50.")
            if any(not isinstance(value, str) or len(value) > 256 for value in properties.values()):
                return refuse(400, "VALIDATION_ERROR", "A value is no text, or has more than 256 characters.")
            if profile is None:
                return refuse(400, "VALIDATION_ERROR", "There is no such contact.")
            key = (profile.email.lower(), name, event.get("uuid") or account.new_id())
            if key in account.events or key in made:
                return refuse(409, "OBJECT_ALREADY_EXISTS", "An event with this uuid exists.")
            made[key] = properties
        account.events |= made
        return "", 204

    @api.get("/email/public/v1/subscriptions/timeline")
    def timeline() -> Any:
        args = flask.request.args
        since = int(args.get("startTimestamp", 0))
        items = sorted(
            (
                {
                    "timestamp": milliseconds(profile.refusals[reason]),
                    "recipient": profile.email,
                    "changes": [change],
                }
                for profile in account.profiles.values()
                for reason, change in CHANGES.items()
                if reason in profile.refusals
                and milliseconds(profile.refusals[reason]) >= since
                and args.get("changeType", change["changeType"]) == change["changeType"]
            ),
            key=itemgetter("timestamp"),
            reverse=True,
        )
        first, limit = int(args.get("offset", 0)), int(args.get("limit", 10))
        return {
            "timeline": items[first : first + limit], "hasMore": first + limit < len(items),
            "offset": str(first + limit),
        }  # fmt: skip

    return api


CHANGES = {
    "unsubscribed": {"change": "UNSUBSCRIBED", "source": "SOURCE_RECIPIENT", "changeType": "PORTAL_STATUS"},
    "bounced": {"change": "BOUNCED", "source": "SOURCE_NON_DELIVERY_REPORT", "changeType": "PORTAL_BOUNCE"},
    "complained": {
        "change": "REPORTED_SPAM",
        "source": "SOURCE_RECIPIENT",
        "changeType": "PORTAL_SPAM_REPORT",
    },
}


def iso(moment: datetime) -> str:
    """Return a moment as HubSpot writes it."""
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def milliseconds(moment: datetime) -> int:
    """Return a moment in milliseconds since 1970."""
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def number(contact_id: str) -> int:
    """Return an id as a number. Ids are hexadecimal here and decimal at HubSpot."""
    return int(contact_id, 16)


def times() -> dict[str, str]:
    """Return the times of a batch, which Mailroom does not read."""
    return {"startedAt": "2026-07-01T12:00:00Z", "completedAt": "2026-07-01T12:00:00Z"}


def refuse(status: int, category: str, message: str) -> Any:
    """Return a refusal of the whole request."""
    return {"status": "error", "message": message, "category": category, "correlationId": "1"}, status


def invalid_emails(emails: list[str]) -> Any:
    """Return a refusal that names addresses, but no place."""
    errors = [
        {
            "isValid": False,
            "message": f"Email address {email} is invalid",
            "error": "INVALID_EMAIL",
            "name": "email",
        }
        for email in emails
    ]
    return refuse(400, "VALIDATION_ERROR", f"Property values were not valid: {json.dumps(errors)}")


def failed(item: dict[str, Any], category: str, message: str, **context: list[str]) -> dict[str, Any]:
    """Return an error of one contact of a batch."""
    full_context = {"objectWriteTraceId": [item["objectWriteTraceId"]], **context}
    return standard_error(category, message, full_context)


def standard_error(category: str, message: str, context: dict[str, list[str]]) -> dict[str, Any]:
    """Return an error within an answer, with all members that the specification requires."""
    return {
        "status": "error", "category": category, "message": message, "context": context, "errors": [],
        "links": {},
    }  # fmt: skip


def not_found(ids: list[str]) -> dict[str, Any]:
    """Return an error about missing contacts, by their ids."""
    message = (
        "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    )
    return standard_error("OBJECT_NOT_FOUND", message, {"ids": ids})
