"""HubSpot, as far as Mailroom speaks to it: contacts, properties, lists, communication preferences, and the
timeline of subscriptions.

account.jobs has what HubSpot knows beside contacts: first addresses by `further` ones, addresses that are
`blocked` or `opted_out`, `changes` of properties, and whether the key is `without_batches` of communication
preferences.
"""

import json
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import flask

from mailroom.sandbox.account import Account, Profile
from mailroom.sandbox.required import lacking

RATES = [(190, 10)]
OPTED_OUT, BOUNCED = "hs_email_optout", "hs_email_hard_bounce_reason_enum"
OWN = ("email", "firstname", "lastname")  # what can be written and needs no definition
# An address here is one bad row: the others of its request are taken.
FAILS_ALONE = "@fails.example"
CONTACTS, LISTS = "/crm/objects/2026-03/contacts", "/crm/lists/2026-03"
PROPERTIES, STATUSES = "/crm/properties/2026-03/contacts", "/communication-preferences/2026-03/statuses"


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
}  # fmt: skip


def routes(account: Account) -> flask.Blueprint:
    """What HubSpot answers. An address without @ is refused with all others of its request."""
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
        """Whose address it is, the first one or a further one."""
        return account.find(account.jobs.get("further", {}).get(email.lower(), email))

    def why_not(email: str | None, properties: dict[str, Any]) -> tuple[str, str] | None:
        """What is wrong with a contact by itself: category and message."""
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
        """Change what is named; an empty text clears."""
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

    def checked(told: list[Any]) -> Any:
        """A refusal of all, if there is one."""
        if len(told) > 100:
            return refuse(400, "VALIDATION_ERROR", "The maximum number of inputs supported is 100.")
        emails = [one.get("properties", {}).get("email") for one in told]
        if bad := [email for email in emails if email is not None and "@" not in email]:
            return invalid_emails(bad)
        return None

    def answered(answers: list[tuple[Profile, Any] | dict[str, Any]], status: int) -> Any:
        """What became of each: contacts and errors."""
        errors = [answer for answer in answers if isinstance(answer, dict)]
        results = [told_contact(*answer) for answer in answers if not isinstance(answer, dict)]
        body: dict[str, Any] = {"status": "COMPLETE", "results": results, **times()}
        if errors:
            return {**body, "numErrors": len(errors), "errors": errors}, 207
        return body, status

    def told_contact(profile: Profile, names: Any) -> dict[str, Any]:
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
        body, told = flask.request.get_json(force=True), inputs()
        if len(told) > 100:
            return refuse(400, "VALIDATION_ERROR", "The maximum number of inputs supported is 100.")
        histories = body.get("propertiesWithHistory") or []
        if histories and len(told) > 50:
            return refuse(400, "VALIDATION_ERROR", "The maximum for property histories is 50.")
        by = find if body.get("idProperty") == "email" else account.by_id
        found = {one["id"]: by(one["id"]) for one in told}
        unique = {profile.profile_id: profile for profile in found.values() if profile}
        results = []
        for profile in unique.values():
            results.append(told_contact(profile, [*body["properties"], *histories]))
            if histories:
                results[-1]["propertiesWithHistory"] = {name: history(profile, name) for name in histories}
        answer: dict[str, Any] = {"status": "COMPLETE", "results": results, **times()}
        if missing := [key for key, profile in found.items() if not profile]:
            error = not_found(missing)
            return {**answer, "numErrors": 1, "errors": [error]}, 207
        return answer

    def history(profile: Profile, name: str) -> list[dict[str, Any]]:
        """The newest first."""
        changes = list(account.jobs.get("changes", {}).get((profile.profile_id, name), []))
        if name == OPTED_OUT and value_of(profile, name):
            # It changed when the first of them came.
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
        told = inputs()
        if refusal := checked(told):
            return refusal
        is_traced = all(one.get("objectWriteTraceId") for one in told)
        wrong = [why_not(one["properties"].get("email"), one["properties"]) for one in told]
        known = [find(one["properties"].get("email", "")) for one in told]
        if not is_traced:
            if any(known):
                return refuse(409, "CONFLICT", "Contact already exists")
            if first := next(filter(None, wrong), None):
                return refuse(400, *first)
        answers: list[Any] = []
        for one, why, profile in zip(told, wrong, known, strict=True):
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
        told = inputs()
        if refusal := checked(told):
            return refusal
        if any(one.get("idProperty") == "email" for one in told):
            return refuse(
                400, "VALIDATION_ERROR", "Unable to perform update/upsert by non-unique 0-1 property"
            )
        ids = [one["id"] for one in told]
        if len(set(ids)) < len(ids):
            twice = ", ".join(sorted({key for key in ids if ids.count(key) > 1}))
            return refuse(
                400, "VALIDATION_ERROR", f"Duplicate IDs found in batch input: [{twice}]. IDs must be unique"
            )
        is_traced = all(one.get("objectWriteTraceId") for one in told)
        wrong = [why_not(None, one["properties"]) for one in told]
        if not is_traced and (first := next(filter(None, wrong), None)):
            return refuse(400, *first)
        answers: list[Any] = []
        for one, why in zip(told, wrong, strict=True):
            profile = account.by_id(one["id"])
            if "@" in one["id"]:
                continue  # HubSpot does nothing and says nothing
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
        """What must never be asked for by address with some properties only: the others may be gone."""
        told = inputs()
        if refusal := checked([{"properties": {"email": one["id"]}} for one in told]):
            return refusal
        answers: list[Any] = []
        for one in told:
            profile = find(one["id"]) or made(one["id"])
            write(profile, {**dict.fromkeys(profile.fields, ""), **one["properties"]})
            answers.append((profile, one["properties"]))
        return answered(answers, 200)

    @api.post(f"{CONTACTS}/gdpr-delete")
    def deleted() -> Any:
        told = flask.request.get_json(force=True)
        if told.get("idProperty") == "email":
            profile = find(told["objectId"])
            if not profile:
                account.jobs.setdefault("blocked", set()).add(told["objectId"].lower())
                return "", 204
        else:
            profile = account.by_id(told["objectId"])
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
            told_contact(profile, body.get("properties", [])) for profile in found[after : after + limit]
        ]
        answer: dict[str, Any] = {"total": len(found), "results": results}
        if after + limit < len(found):
            answer["paging"] = {"next": {"after": str(after + limit)}}
        return answer

    def matches(profile: Profile, told: dict[str, Any]) -> bool:
        name, operator = told["propertyName"], told["operator"]
        if name == "lastmodifieddate":
            return operator == "GTE" and milliseconds(profile.changed_at) >= int(told["value"])
        if name == "hs_object_id":
            return operator == "GT" and number(profile.profile_id) > number(told["value"])
        value = value_of(profile, name)
        return value is not None and (operator == "HAS_PROPERTY" or value == told["value"])

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
        told = inputs()
        for one in told:
            if one["groupName"] not in account.jobs.get("property_groups", ()):
                return refuse(400, "VALIDATION_ERROR", "There is no such group.")
            if one["name"] in account.fields:
                return refuse(409, "OBJECT_ALREADY_EXISTS", "A property of this name already exists.")
        account.fields |= {one["name"]: one["type"] for one in told}
        made = [property_of(one["name"], one["type"]) for one in told]
        return {"status": "COMPLETE", "results": made, **times()}, 201

    @api.get(f"{PROPERTIES}/groups/<name>")
    def group(name: str) -> Any:
        if name not in account.jobs.get("property_groups", ()):
            return refuse(404, "OBJECT_NOT_FOUND", "There is no such group.")
        return {"name": name, "label": name, "displayOrder": -1, "archived": False}

    @api.post(f"{PROPERTIES}/groups")
    def group_made() -> Any:
        told = flask.request.get_json(force=True)
        if told["name"] in account.jobs.get("property_groups", ()):
            return refuse(409, "OBJECT_ALREADY_EXISTS", "A group of this name already exists.")
        account.jobs.setdefault("property_groups", set()).add(told["name"])
        return {"displayOrder": -1, **told, "archived": False}, 201

    @api.get(f"{LISTS}/object-type-id/0-1/name/<name>")
    def list_found(name: str) -> Any:
        for key, group in account.groups.items():
            if group == name:
                return {"list": told_list(key)}
        return refuse(404, "NOT_FOUND", "List does not exist.")

    @api.post(LISTS)
    def list_made() -> Any:
        told = flask.request.get_json(force=True)
        if told["name"] in account.groups.values():
            return refuse(400, "VALIDATION_ERROR", "A list of this name already exists.")
        key = account.new_id()
        account.groups[key] = told["name"]
        account.jobs[f"list-{key}"] = told["processingType"]
        return {"list": told_list(key)}

    def told_list(key: str) -> dict[str, Any]:
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
        told = flask.request.get_json(force=True)
        done: dict[str, list[str]] = {"recordsIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": []}
        for contact_id in told["recordIdsToAdd"]:
            profile = account.by_id(contact_id)
            if profile:
                profile.groups.add(key)
            done["recordsIdsAdded" if profile else "recordIdsMissing"].append(contact_id)
        for contact_id in told["recordIdsToRemove"]:
            profile = account.by_id(contact_id)
            if profile:
                profile.groups.discard(key)
            done["recordIdsRemoved" if profile else "recordIdsMissing"].append(contact_id)
        return {name: ids for name, ids in done.items() if ids}  # HubSpot leaves out what is empty

    @api.delete(f"{LISTS}/<key>/memberships")
    def list_emptied(key: str) -> Any:
        """What a removal must never ask for."""
        for profile in account.profiles.values():
            profile.groups.discard(key)
        return "", 204

    @api.post(f"{STATUSES}/batch/unsubscribe-all")
    def unsubscribed_all() -> Any:
        told = inputs()
        if account.jobs.get("without_batches"):
            return refuse(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes.")
        if flask.request.args.get("channel") != "EMAIL" or len(told) > 100:
            return refuse(400, "VALIDATION_ERROR", "No channel, or more than 100 addresses.")
        if bad := [email for email in told if "@" not in email]:
            return invalid_emails(bad)
        for email in told:
            opt_out(email)
        is_verbose = flask.request.args.get("verbose") == "true"
        results = [{"subscriberIdString": email, "statuses": []} for email in told] if is_verbose else []
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
        """It holds for the address, whoever has it or will."""
        account.jobs.setdefault("opted_out", {}).setdefault(email.lower(), account.now())
        if account.find(email):
            account.refuse(email, "suppressed")

    @api.post(f"{STATUSES}/<email>")
    def subscribed(email: str) -> Any:
        """What must never be asked for: it lifts an opt-out."""
        if flask.request.get_json(force=True)["statusState"] == "SUBSCRIBED":
            account.jobs.get("opted_out", {}).pop(email.lower(), None)
            if profile := account.find(email):
                for reason in ("unsubscribed", "suppressed"):
                    profile.refusals.pop(reason, None)
        return {"status": "COMPLETE", "results": [], **times()}

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
    """A moment as HubSpot tells it."""
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def milliseconds(moment: datetime) -> int:
    """A moment since 1970."""
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def number(contact_id: str) -> int:
    """The order of ids, which are hexadecimal here and decimal at HubSpot."""
    return int(contact_id, 16)


def times() -> dict[str, str]:
    """When a batch was worked on, which nobody looks at."""
    return {"startedAt": "2026-07-01T12:00:00Z", "completedAt": "2026-07-01T12:00:00Z"}


def refuse(status: int, category: str, message: str) -> Any:
    """A refusal of the whole request."""
    return {"status": "error", "message": message, "category": category, "correlationId": "1"}, status


def invalid_emails(emails: list[str]) -> Any:
    """A refusal that names addresses, and no place."""
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


def failed(told: dict[str, Any], category: str, message: str, **context: list[str]) -> dict[str, Any]:
    """An error of one contact of a batch."""
    named = {"objectWriteTraceId": [told["objectWriteTraceId"]], **context}
    return standard_error(category, message, named)


def standard_error(category: str, message: str, context: dict[str, list[str]]) -> dict[str, Any]:
    """An error within an answer, with all that the document requires of one."""
    return {
        "status": "error", "category": category, "message": message, "context": context, "errors": [],
        "links": {},
    }  # fmt: skip


def not_found(ids: list[str]) -> dict[str, Any]:
    """An error about contacts that are not there, by their ids."""
    message = (
        "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    )
    return standard_error("OBJECT_NOT_FOUND", message, {"ids": ids})
