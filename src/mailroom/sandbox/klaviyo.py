"""The part of Klaviyo's API that Mailroom and similar clients use: imports, lists, suppressions, deletions,
profiles."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import flask

from mailroom.sandbox.account import Account, Profile
from mailroom.sandbox.required import lacking

RATES = [(10, 1), (150, 60)]
RATES_BELOW = {
    "/api/data-privacy-deletion-jobs": [(3, 1), (60, 60)], "/api/events": [(350, 1), (3_500, 60)],
}  # fmt: skip
REASON = {
    "unsubscribed": "UNSUBSCRIBE", "bounced": "HARD_BOUNCE", "complained": "SPAM_COMPLAINT",
    "suppressed": "USER_SUPPRESSED",
}  # fmt: skip
PROFILES = "data.attributes.profiles.data[]"
EVENTS = "data.attributes.events-bulk-create.data[]"
REQUIRED = {
    "POST /api/profile-bulk-import-jobs": ("data.type", f"{PROFILES}.type", f"{PROFILES}.attributes"),
    "POST /api/profile-suppression-bulk-create-jobs": (
        "data.type", f"{PROFILES}.type", f"{PROFILES}.attributes.email",
    ),
    "POST /api/event-bulk-create-jobs": (
        "data.type", f"{EVENTS}.type", f"{EVENTS}.attributes.profile.data.attributes.email",
        f"{EVENTS}.attributes.events.data[].type", f"{EVENTS}.attributes.events.data[].attributes.properties",
        f"{EVENTS}.attributes.events.data[].attributes.metric.data.attributes.name",
    ),
    "POST /api/events": (
        "data.type", "data.attributes.properties", "data.attributes.metric.data.attributes.name",
        "data.attributes.profile.data.attributes.email",
    ),
    "POST /api/lists": ("data.type", "data.attributes.name"),
    "DELETE /api/lists/<key>/relationships/profiles": ("data[].type", "data[].id"),
    "POST /api/lists/<key>/relationships/profiles": ("data[].type", "data[].id"),
    "POST /api/profiles": ("data.type", "data.attributes"),
    "PATCH /api/profiles/<key>": ("data.type", "data.id", "data.attributes"),
    "POST /api/data-privacy-deletion-jobs": (
        "data.type", "data.attributes.profile.data.type", "data.attributes.profile.data.attributes",
    ),
    "POST /api/profile-subscription-bulk-create-jobs": ("data.type", f"{PROFILES}.type"),
}  # fmt: skip
# Addresses with this domain are accepted by an import and fail in its job.
FAILS_LATER = "@fails.example"


def routes(account: Account) -> flask.Blueprint:
    """Return Klaviyo's routes. An address without @ is refused at once, with its whole request."""
    api = flask.Blueprint("klaviyo", __name__)

    @api.before_request
    def let_in() -> Any:
        request = flask.request
        if not request.headers.get("Authorization", "").startswith("Klaviyo-API-Key "):
            return refuse(401, "not_authenticated", "Missing or invalid private key.")
        if not request.headers.get("revision"):
            return refuse(400, "invalid", "Missing revision.")
        if name := lacking(REQUIRED, "/klaviyo"):
            return refuse(400, "required", f"{name} is a required field for this resource.")
        return None

    @api.post("/api/profile-bulk-import-jobs")
    def imported() -> Any:
        data = flask.request.get_json(force=True)["data"]
        profiles = data["attributes"]["profiles"]["data"]
        if len(profiles) > 10_000 or (flask.request.content_length or 0) > 5_000_000:
            return refuse(400, "invalid", "More than 10,000 profiles or 5 MB.")
        bad = [
            place
            for place, profile in enumerate(profiles)
            if "@" not in (profile["attributes"].get("email") or "")
            or len(profile["attributes"]["email"]) > 254
            or len(json.dumps(profile)) > 100_000
        ]
        if bad:
            return pointed("invalid", "Invalid email address.", bad)
        groups = {group["id"] for group in data.get("relationships", {}).get("lists", {}).get("data", [])}
        if groups - account.groups.keys():
            return refuse(404, "not_found", "No such list.")
        failed = []
        for place, item in enumerate(profiles):
            attributes = dict(item["attributes"])
            email = attributes.pop("email")
            if email.endswith(FAILS_LATER):
                failed.append((place, email))
                continue
            profile = changed(account.upsert(email), attributes)
            for name in item.get("meta", {}).get("patch_properties", {}).get("unset", []):
                profile.fields.pop(name, None)
            profile.groups |= groups
        return started("profile-bulk-import-job", len(profiles), failed)

    @api.post("/api/profile-suppression-bulk-create-jobs")
    def suppressed() -> Any:
        profiles = flask.request.get_json(force=True)["data"]["attributes"]["profiles"]["data"]
        if len(profiles) > 100:
            return refuse(400, "invalid", "More than 100 addresses.")
        bad = [place for place, item in enumerate(profiles) if "@" not in item["attributes"]["email"]]
        if bad:
            return pointed("invalid", "Invalid email address.", bad)
        for item in profiles:
            account.refuse(item["attributes"]["email"], "suppressed")
        return started("profile-suppression-bulk-create-job", len(profiles), [])

    @api.post("/api/event-bulk-create-jobs")
    def events_made() -> Any:
        """Accept all events or, if one has a known unique_id, none."""
        entries = flask.request.get_json(force=True)["data"]["attributes"]["events-bulk-create"]["data"]
        if len(entries) > 1_000 or (flask.request.content_length or 0) > 5_000_000:
            return refuse(400, "invalid", "More than 1,000 events or 5 MB.")
        found = [
            (entry["attributes"]["profile"], event["attributes"])
            for entry in entries for event in entry["attributes"]["events"]["data"]
        ]  # fmt: skip
        return recorded(found)

    @api.post("/api/events")
    def event_made() -> Any:
        attributes = flask.request.get_json(force=True)["data"]["attributes"]
        return recorded([(attributes["profile"], attributes)])

    def recorded(found: list[tuple[dict[str, Any], dict[str, Any]]]) -> Any:
        made = {}
        for profile, event in found:
            email, name = (
                profile["data"]["attributes"]["email"],
                event["metric"]["data"]["attributes"]["name"],
            )
            moment = datetime.fromisoformat(event.get("time") or account.now().isoformat())
            is_dated = moment.year > 1990 and moment.replace(tzinfo=None) < account.now() + timedelta(
                days=365
            )
            if "@" not in email or len(name) >= 128 or len(event["properties"]) > 400 or not is_dated:
                return refuse(400, "invalid", "Invalid email address, metric, properties or time.")
            key = (email.lower(), name, event.get("unique_id") or account.now().isoformat())
            if key in account.events or key in made:
                return refuse(409, "duplicate", "An event with this unique_id exists.")
            made[key] = event["properties"]
        for email, _, _ in made:
            account.upsert(email)
        account.events |= made
        return "", 202

    def started(kind: str, n_all: int, failed: list[tuple[int, str]]) -> Any:
        job = account.new_id()
        account.jobs[job] = {"kind": kind, "n_all": n_all, "failed": failed, "n_asked": 0}
        return shown_job(job), 202

    @api.get("/api/profile-bulk-import-jobs/<job>")
    @api.get("/api/profile-suppression-bulk-create-jobs/<job>")
    def job_status(job: str) -> Any:
        if job not in account.jobs:
            return refuse(404, "not_found", "No such job.")
        account.jobs[job]["n_asked"] += 1
        return shown_job(job)

    @api.get("/api/profile-bulk-import-jobs")
    @api.get("/api/profile-suppression-bulk-create-jobs")
    def all_jobs() -> Any:
        """List jobs, the newest first."""
        kind = flask.request.path.rpartition("/")[2].removesuffix("s")
        found = [key for key, job in account.jobs.items() if job["kind"] == kind]
        shown = page(found[::-1])
        for key in shown["data"]:
            account.jobs[key]["n_asked"] += 1
        return {**shown, "data": [shown_job(key)["data"] for key in shown["data"]]}

    def shown_job(job: str) -> dict[str, Any]:
        found = account.jobs[job]
        is_done = found["n_asked"] > 1  # still running at the first read
        attributes = {
            "status": "complete" if is_done else "processing",
            "created_at": f"{account.now().isoformat()}+00:00",
            "total_count": found["n_all"],
            "completed_count": found["n_all"] - len(found["failed"]) if is_done else 0,
        }
        if found["kind"] == "profile-bulk-import-job":
            attributes["failed_count"] = len(found["failed"]) if is_done else 0
        link = f"{flask.request.url_root}klaviyo/api/{found['kind']}s/{job}"
        return {"data": {"type": found["kind"], "id": job, "attributes": attributes, "links": {"self": link}}}

    @api.get("/api/profile-bulk-import-jobs/<job>/import-errors")
    def errors(job: str) -> Any:
        found = [
            {
                "type": "import-error", "id": f"{job}-{place}",
                "attributes": {
                    "code": "invalid", "title": "Invalid input.", "detail": f"{email} can not be imported.",
                    "source": {"pointer": f"/data/attributes/profiles/data/{place}/attributes/email"},
                    "original_payload": {"email": email},
                },
            }
            for place, email in account.jobs[job]["failed"]
        ]  # fmt: skip
        return page(found)

    @api.get("/api/lists")
    def lists() -> Any:
        found = re.fullmatch(r"equals\(name,(.*)\)", flask.request.args.get("filter", ""))
        if not found:
            return refuse(400, "invalid", "Only equals(name,…) is known here.")
        name = json.loads(found[1])
        return page([shown_list(key) for key, group in account.groups.items() if group == name])

    @api.post("/api/lists")
    def list_made() -> Any:
        key = f"L{account.new_id()}"
        account.groups[key] = flask.request.get_json(force=True)["data"]["attributes"]["name"]
        return {"data": shown_list(key)}, 201

    def shown_list(key: str) -> dict[str, Any]:
        link = f"{flask.request.url_root}klaviyo/api/lists/{key}"
        return {
            "type": "list", "id": key, "attributes": {"name": account.groups[key]}, "links": {"self": link},
        }  # fmt: skip

    @api.delete("/api/lists/<key>/relationships/profiles")
    def removed(key: str) -> Any:
        items = flask.request.get_json(force=True)["data"]
        if len(items) > 1_000:
            return refuse(400, "invalid", "More than 1,000 profiles.")
        for profile in filter(None, (account.by_id(profile["id"]) for profile in items)):
            profile.groups.discard(key)
        return "", 204

    @api.post("/api/lists/<key>/relationships/profiles")
    @api.post("/api/lists/<key>/relationships/profiles/")
    def added(key: str) -> Any:
        for item in flask.request.get_json(force=True)["data"]:
            if profile := account.by_id(item["id"]):
                profile.groups.add(key)
        return "", 204

    @api.post("/api/profiles")
    @api.post("/api/profiles/")
    def profile_made() -> Any:
        attributes = dict(flask.request.get_json(force=True)["data"]["attributes"])
        email = attributes.pop("email")
        if "@" not in email:
            return refuse(400, "invalid", "Invalid email address.")
        if known := account.find(email):
            answer, _ = refuse(409, "duplicate_profile", "A profile already exists with this address.")
            answer["errors"][0]["meta"] = {"duplicate_profile_id": known.profile_id}
            return answer, 409
        return {"data": shown_profile(changed(account.upsert(email), attributes))}, 201

    @api.patch("/api/profiles/<key>")
    @api.patch("/api/profiles/<key>/")
    def profile_changed(key: str) -> Any:
        profile = account.by_id(key)
        if profile is None:
            return refuse(404, "not_found", "No such profile.")
        attributes = dict(flask.request.get_json(force=True)["data"]["attributes"])
        attributes.pop("email", None)
        return {"data": shown_profile(changed(profile, attributes))}

    def changed(profile: Profile, attributes: dict[str, Any]) -> Profile:
        profile.fields.update(attributes.pop("properties", None) or {})
        profile.fields.update(attributes)
        return profile

    @api.get("/api/profiles")
    def profiles() -> Any:
        wanted = flask.request.args.get("filter", "")
        if found := re.fullmatch(r"any\(email,(.*)\)", wanted):
            known = [account.find(email) for email in json.loads(found[1])]
            return page([shown_profile(profile) for profile in known if profile])
        if found := re.fullmatch(r"greater-or-equal\(subscriptions[a-z._]*timestamp,(.*)Z\)", wanted):
            since = found[1]
            return page(
                [
                    shown_profile(profile)
                    for profile in account.profiles.values()
                    if any(at.isoformat() >= since for at in profile.refusals.values())
                ]
            )
        return refuse(400, "invalid", "This filter is not known here.")

    def shown_profile(profile: Profile) -> dict[str, Any]:
        suppression = [
            {"reason": REASON[reason], "timestamp": f"{at.isoformat()}+00:00"}
            for reason, at in profile.refusals.items()
        ]
        consent = "SUBSCRIBED" if profile.confirmed_at else "NEVER_SUBSCRIBED"
        marketing = {
            "can_receive_email_marketing": not suppression,
            "consent": "UNSUBSCRIBED" if "unsubscribed" in profile.refusals else consent,
            "suppression": suppression,
        }
        if profile.confirmed_at:
            marketing |= {
                "consent_timestamp": f"{profile.confirmed_at.isoformat()}+00:00",
                "double_optin": True, "method": "FORM", "method_detail": "shop.example/news",
            }  # fmt: skip
        return {
            "type": "profile", "id": profile.profile_id,
            "attributes": {"email": profile.email, "subscriptions": {"email": {"marketing": marketing}}},
            "links": {"self": f"{flask.request.url_root}klaviyo/api/profiles/{profile.profile_id}"},
        }  # fmt: skip

    @api.post("/api/data-privacy-deletion-jobs")
    def deleted() -> Any:
        attributes = flask.request.get_json(force=True)["data"]["attributes"]["profile"]["data"]["attributes"]
        account.profiles.pop(attributes["email"].lower(), None)
        return "", 202

    @api.post("/api/profile-subscription-bulk-create-jobs")
    def subscribed() -> Any:
        """A request that Mailroom must never make: it lifts every suppression."""
        profiles = flask.request.get_json(force=True)["data"]["attributes"]["profiles"]["data"]
        for profile in profiles:
            account.upsert(profile["attributes"]["email"]).refusals.clear()
        return "", 202

    return api


def page(found: list[Any]) -> dict[str, Any]:
    """Return one page of a collection."""
    args = flask.request.args
    first, size = int(args.get("page[cursor]", 0)), int(args.get("page[size]", 20))
    links = {"self": flask.request.url}
    if first + size < len(found):
        links["next"] = f"{flask.request.base_url}?page%5Bcursor%5D={first + size}"
    return {"data": found[first : first + size], "links": links}


def refuse(status: int, code: str, detail: str) -> Any:
    """Return a refusal of the whole request."""
    return {"errors": [{"id": "1", "code": code, "title": detail, "detail": detail}]}, status


def pointed(code: str, detail: str, places: list[int]) -> Any:
    """Return a refusal that names these profiles."""
    return {
        "errors": [
            {
                "id": str(place), "code": code, "title": detail, "detail": detail,
                "source": {"pointer": f"/data/attributes/profiles/data/{place}/attributes/email"},
            }
            for place in places
        ]
    }, 400  # fmt: skip
