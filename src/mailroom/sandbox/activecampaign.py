"""The part of ActiveCampaign's API that Mailroom uses: imports, contacts, tags, fields, list statuses."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import flask

from mailroom.sandbox.account import Account, Profile
from mailroom.sandbox.required import lacking

RATES = [(5, 1)]
# Addresses with this domain are accepted by an import and fail in its job.
FAILS_LATER = "@fails.example"
# Number of the first contact in a refusal of an import, which is not documented.
FIRST = 1
REQUIRED = {
    "POST /import/bulk_import": ("contacts[].email",),
    "POST /tags": ("tag.tag", "tag.tagType"),
    "POST /contactTags": ("contactTag.contact", "contactTag.tag"),
    "POST /contactLists": ("contactList.list", "contactList.contact", "contactList.status"),
    "POST /fields": ("field.type", "field.title"),
    "POST /fieldRels": ("fieldRel.field", "fieldRel.relid"),
    "POST /eventTrackingEvents": ("eventTrackingEvent.name",),
}
Record = dict[str, Any]


def routes(account: Account) -> flask.Blueprint:
    """Return ActiveCampaign's routes. An address without @ is refused at once, with its whole import.

    Contacts who complained look subscribed, and are on an exclusion list that no request shows.
    """
    api = flask.Blueprint("v3", __name__, url_prefix="/api/3")
    newsletter = account.new_id()
    account.groups[newsletter] = "Newsletter"

    @api.before_request
    def let_in() -> Any:
        if not flask.request.headers.get("Api-Token"):
            return {"message": "Forbidden"}, 403
        if name := lacking(REQUIRED, "/activecampaign/api/3"):
            error = {"title": f"{name} is required", "detail": "", "code": "field_missing"}
            return {"errors": [error]}, 422
        return None

    @api.post("/import/bulk_import")
    def imported() -> Any:
        contacts = body()["contacts"]
        if len(contacts) > 250 or (flask.request.content_length or 0) > 399_999:
            return not_imported(["Up to 250 contacts and 399,999 bytes may be imported."])
        if any(not is_field(field) for item in contacts for field in item.get("fields", [])):
            return not_imported(["A field that does not exist, or a value that is no text."])
        bad = [place for place, item in enumerate(contacts) if "@" not in item.get("email", "")]
        if bad:
            return not_imported(
                [
                    {"contact": place + FIRST, "failureReason": "Field 'email' incorrect format"}
                    for place in bad
                ]
            )
        job: Record = {"success": [], "failure": [], "n_asked": 0}
        for item in contacts:
            job["success" if applied(item) else "failure"].append(item["email"])
        name = f"{int(account.new_id()):08x}-0000-4000-8000-000000000000"
        account.jobs[name] = job
        return {
            "Success": 1, "queued_contacts": len(contacts), "batchId": name,
            "message": "Contact import queued",
        }  # fmt: skip

    def is_field(field: Record) -> bool:
        return str(field["id"]) in account.fields and isinstance(field["value"], str)

    def applied(item: Record) -> bool:
        """Return whether a contact is imported. An empty value leaves a field unchanged."""
        email = item["email"]
        lists = {
            name: [str(on["listid"]) for on in item.get(name, [])] for name in ("subscribe", "unsubscribe")
        }
        known = account.find(email)
        refusals = known.refusals.keys() if known else set()
        if email.endswith(FAILS_LATER) or refusals & {"bounced", "complained"}:
            return False
        if newsletter in lists["subscribe"] and refusals & {"unsubscribed", "suppressed"}:
            return False
        profile = account.upsert(email)
        if item.get("first_name"):
            profile.fields["first_name"] = item["first_name"]
        for field in item.get("fields", []):
            if field["value"]:
                profile.fields[account.fields[str(field["id"])]["perstag"].lower()] = field["value"]
        for name in item.get("tags", []):
            profile.groups.add(next(iter(tags(name)), None) or made_tag(name))
        if newsletter in lists["subscribe"]:
            profile.groups.add(newsletter)
        if newsletter in lists["unsubscribe"]:
            account.refuse(email, "suppressed")
        return True

    @api.get("/import/info")
    def import_status() -> Any:
        job = account.jobs.get(flask.request.args.get("batchId", ""))
        if job is None:
            return {"success": 0, "message": "'batchId' is a required field."}, 400
        job["n_asked"] += 1
        if job["n_asked"] < 3:  # too new for a status, then still running
            return {"status": False if job["n_asked"] == 1 else "active"}
        known = [account.find(email) for email in job["success"]]
        return {
            "status": "completed",
            "success": [contact_id(profile) for profile in known if profile],
            "failure": job["failure"],
        }

    @api.get("/contacts")
    def contacts() -> Any:
        args = flask.request.args
        if "email" in args:
            found = [profile for profile in [account.find(args["email"])] if profile]
        else:
            found = sorted(account.profiles.values(), key=lambda profile: int(profile.profile_id, 16))
        status = args.get("status", "-1")
        found = [
            profile
            for profile in found
            if int(profile.profile_id, 16) > int(args.get("id_greater", 0))
            and ("listid" not in args or on_lists(profile, args["listid"]))
            and (status == "-1" or any(on["status"] == status for on in on_lists(profile)))
            and ("tagid" not in args or args["tagid"] in profile.groups)
        ]
        shown = found[: min(int(args.get("limit", 20)), 100)]
        related = {
            name: [one for profile in shown for one in relations[name](profile)]
            for name in args.get("include", "").split(",")
            if name
        }
        return {"contacts": [contact(profile) for profile in shown], **related, "meta": total(found)}

    @api.get("/contacts/<key>/<any(contactTags, contactLists, fieldValues):name>")
    def of_contact(key: str, name: str) -> Any:
        profile = by_id(key)
        return {name: list(relations[name](profile))} if profile else no_result("Subscriber", key)

    @api.put("/contacts/<key>")
    def changed(key: str) -> Any:
        profile = by_id(key)
        if not profile:
            return no_result("Subscriber", key)
        profile.fields["first_name"] = body()["contact"]["firstName"]
        return {"contact": contact(profile)}

    @api.delete("/contacts/<key>")
    def deleted(key: str) -> Any:
        profile = by_id(key)
        if not profile:
            return no_result("Subscriber", key)
        del account.profiles[profile.email.lower()]
        return {}

    @api.delete("/fieldValues/<key>")
    def cleared(key: str) -> Any:
        profile, field = related_by(key)
        if not profile or not profile.fields.pop(account.fields[field]["perstag"].lower(), None):
            return no_result("SubscriberFieldValue", key)
        return {}

    @api.get("/tags")
    def listed_tags() -> Any:
        search = flask.request.args.get("search", "").lower()
        keys = [key for key, name in account.groups.items() if search in name.lower() and key != newsletter]
        return page("tags", [tag(key) for key in keys])

    @api.post("/tags")
    def tag_made() -> Any:
        return {"tag": tag(made_tag(body()["tag"]["tag"]))}, 201

    def tags(name: str) -> list[str]:
        """Return the ids of the tags of a name, in upper or lower case."""
        return [
            key
            for key, tag_name in account.groups.items()
            if tag_name.lower() == name.lower() and key != newsletter
        ]

    def made_tag(name: str) -> str:
        key = account.new_id()
        account.groups[key] = name
        return key

    def tag(key: str) -> Record:
        return {"id": key, "tag": account.groups[key], "tagType": "contact", "description": ""}

    @api.post("/contactTags")
    def tagged() -> Any:
        payload = body()["contactTag"]
        profile = by_id(payload["contact"])
        if not profile or str(payload["tag"]) not in account.groups:
            return no_result("Subscriber", payload["contact"])
        profile.groups.add(str(payload["tag"]))
        return {"contactTag": {"contact": payload["contact"], "tag": payload["tag"]}}, 201

    @api.delete("/contactTags/<key>")
    def untagged(key: str) -> Any:
        profile, group = related_by(key)
        if not profile or group not in profile.groups:
            return no_result("SubscriberTag", key)
        profile.groups.discard(group)
        return {}

    @api.get("/lists")
    def lists() -> Any:
        return page("lists", [{"id": newsletter, "name": account.groups[newsletter], "deletestamp": None}])

    @api.post("/contactLists")
    def put_on_list() -> Any:
        """Set a list status. Status 1 also subscribes unsubscribed contacts."""
        payload = body()["contactList"]
        profile = by_id(payload["contact"])
        if not profile or str(payload["list"]) != newsletter:
            return no_result("Subscriber", payload["contact"])
        if str(payload["status"]) == "2":
            account.refuse(profile.email, "suppressed")
        else:
            profile.groups.add(newsletter)
            for reason in ("unsubscribed", "suppressed", "bounced"):
                profile.refusals.pop(reason, None)
        return {"contactList": next(on_lists(profile), None)}

    @api.get("/fields")
    def fields() -> Any:
        return page("fields", [{"id": key, **field} for key, field in account.fields.items()])

    @api.post("/fields")
    def field_made() -> Any:
        payload = body()["field"]
        if any(field["title"] == payload["title"] for field in account.fields.values()):
            error = {"title": "There is already a field with this title", "detail": "", "code": "duplicate"}
            return {"errors": [error]}, 422
        key = account.new_id()
        account.fields[key] = {**payload, "relations": []}
        return {"fieldOptions": [], "field": {"id": key, **account.fields[key]}}, 201

    @api.get("/eventTrackingEvents")
    def event_names() -> Any:
        found = account.jobs.get("event_names", {})
        return {"eventTrackingEvents": [{"name": name} for name in found], "meta": {"total": len(found)}}

    @api.post("/eventTrackingEvents")
    def event_named() -> Any:
        event = body()["eventTrackingEvent"]
        account.jobs.setdefault("event_names", {})[event["name"]] = None
        return {"eventTrackingEvent": event}, 201

    @api.post("/fieldRels")
    def field_related() -> Any:
        payload = body()["fieldRel"]
        key = account.new_id()
        account.fields[str(payload["field"])]["relations"].append(key)
        return {"fieldRel": {"id": key, **payload}}, 201

    def by_id(key: str | int) -> Profile | None:
        return account.by_id(f"{int(key):016x}")

    def related_by(key: str) -> tuple[Profile | None, str]:
        """Return the contact of a relation, and the id of the related object."""
        contact, other = divmod(int(key), PLACES)
        return by_id(contact), str(other)

    def on_lists(profile: Profile, list_id: str = newsletter) -> Iterator[Record]:
        """Yield its status on the list: 1 active, 2 unsubscribed, 3 bounced."""
        reasons = [
            reason for reason in ("unsubscribed", "suppressed", "bounced") if reason in profile.refusals
        ]
        if list_id != newsletter or (newsletter not in profile.groups and not reasons):
            return
        yield {
            "id": related_id(profile, newsletter), "contact": contact_id(profile), "list": newsletter,
            "status": "1" if not reasons else "3" if reasons == ["bounced"] else "2",
            "udate": moment(profile.refusals[reasons[0]]) if reasons else None,
            "campaign": "7" if "unsubscribed" in reasons else None,
        }  # fmt: skip

    def on_tags(profile: Profile) -> Iterator[Record]:
        for group in sorted(profile.groups - {newsletter}):
            yield {"id": related_id(profile, group), "contact": contact_id(profile), "tag": group}

    def field_values(profile: Profile) -> Iterator[Record]:
        for key, field in account.fields.items():
            value = profile.fields.get(field["perstag"].lower())
            if value:
                known = {"id": related_id(profile, key), "contact": contact_id(profile)}
                yield {**known, "field": key, "value": value}

    relations: dict[str, Callable[[Profile], Iterator[Record]]] = {
        "contactLists": on_lists, "contactTags": on_tags, "fieldValues": field_values,
    }  # fmt: skip
    vendor = flask.Blueprint("activecampaign", __name__)
    vendor.register_blueprint(api)

    @vendor.post("/event")
    def tracked() -> Any:
        """Keep an event, by another host's form. There is no key, so each one counts."""
        form = flask.request.form
        visit = json.loads(form.get("visit") or "{}")
        if not form.get("actid"):
            return {"success": 0, "message": "An account ID must be provided."}
        if not form.get("key") or flask.request.headers.get("Api-Token"):
            return {"success": 0, "message": "An event key must be provided, and no other key."}
        if not 0 < len(form.get("event", "")) <= 32 or "@" not in visit.get("email", ""):
            return {"success": 0, "message": "An event of 32 characters and an address must be provided."}
        account.events[visit["email"].lower(), form["event"], account.new_id()] = json.loads(
            form.get("eventdata") or "{}"
        )
        return {"success": 1, "message": "Event spawned"}

    return vendor


PLACES = 1_000_000  # more than there are tags, lists and fields


def body() -> Any:
    """Return the body of the request."""
    return json.loads(flask.request.get_data())


def contact_id(profile: Profile) -> str:
    """Return the id of a contact, a number."""
    return str(int(profile.profile_id, 16))


def related_id(profile: Profile, key: str) -> str:
    """Return the id of a contact's relation to an object."""
    return str(int(profile.profile_id, 16) * PLACES + int(key))


def contact(profile: Profile) -> Record:
    """Return a contact as the API shows it."""
    return {
        "id": contact_id(profile),
        "email": profile.email,
        "firstName": profile.fields.get("first_name", ""),
        "bounced_hard": str(int("bounced" in profile.refusals)),
    }


def moment(at: datetime) -> str:
    """Return a moment in the account's time zone, to the second."""
    return f"{(at - timedelta(hours=5)).isoformat(timespec='seconds')}-05:00"


def total(found: list[Any]) -> Record:
    """Return the total, as text."""
    return {"total": str(len(found))}


def page(name: str, found: list[Record]) -> Record:
    """Return one page of a collection."""
    args = flask.request.args
    first, size = int(args.get("offset", 0)), min(int(args.get("limit", 20)), 100)
    return {name: found[first : first + size], "meta": total(found)}


def not_imported(reasons: list[Any]) -> Any:
    """Return a refusal of a whole import."""
    message = "JSON payload did not pass validation. The import was not queued for processing."
    return {"success": 0, "message": message, "failureReasons": reasons}, 400


def no_result(kind: str, key: str | int) -> Any:
    """Return the 404 of a missing object."""
    return {"message": f"No Result found for {kind} with id {key}"}, 404
