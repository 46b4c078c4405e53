"""The part of Mailchimp's API that Mailroom uses: one audience, its members, tags, merge fields, and jobs."""

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import flask

from mailroom.sandbox.account import Account, Profile
from mailroom.sandbox.required import lacking

# Mailchimp limits simultaneous connections, not the rate. The sandbox handles one at a time.
RATES: list[tuple[int, float]] = []
LIST = "sandbox"
REQUIRED = {
    "POST /lists/<list_id>/merge-fields": ("name", "type"),
    "POST /lists/<list_id>/segments": ("name",),
    "POST /lists/<list_id>": ("members[].email_address",),
    "POST /batches": ("operations[].method", "operations[].path"),
}
FAILS_LATER = "@fails.example"
MOST_MERGE_FIELDS, MOST_JOBS, LONGEST_TAG = 30, 500, 10
DONE_AFTER = timedelta(seconds=5)  # of a job
# The API can't subscribe members with these refusals, only members that it unsubscribed itself.
COMPLIANCE = {"unsubscribed", "bounced", "complained"}
WHY = {
    "unsubscribed": "None given", "complained": "Spam complaint", "suppressed": "N/A (Unsubscribed by admin)",
}  # fmt: skip
BLOCKED = "is in a compliance state due to unsubscribe, bounce, or compliance review"
GONE = "was permanently deleted and cannot be re-imported"
JsonAnswer = tuple[dict[str, Any] | None, int]


def routes(account: Account) -> flask.Blueprint:
    """Return Mailchimp's routes. An address without @, or one at fails.example, is an error within the answer
    to its batch."""
    api = flask.Blueprint("mailchimp", __name__)
    for tag, name in (("FNAME", "First Name"), ("LNAME", "Last Name"), ("PHONE", "Phone Number")):
        account.fields.setdefault(tag, {"tag": tag, "name": name, "type": "text"})
    emails: dict[str, str] = {}  # by their MD5
    hashed: set[str] = set()

    def find(key: str) -> Profile | None:
        """Return the profile with this MD5."""
        if emails.get(key) not in account.profiles:
            for email in account.profiles.keys() - hashed:
                hashed.add(email)
                emails[md5(email)] = email
        return account.profiles.get(emails.get(key, ""))

    @api.before_request
    def let_in() -> Any:
        is_let_in = flask.request.headers.get("Authorization", "").startswith(("Basic ", "Bearer "))
        if flask.request.endpoint == "mailchimp.results":
            # The results' host accepts a signature in the URL as the only key.
            return problem(400, "InvalidArgument", "Two keys.") if is_let_in else None
        if not is_let_in:
            return problem(401, "API Key Invalid", "Your API key may be invalid.")
        is_known = (flask.request.view_args or {}).get("list_id", LIST) == LIST
        if is_known and (name := lacking(REQUIRED, "/mailchimp")):
            return problem(400, "Invalid Resource", f"{name}: Required field missing.")
        return None if is_known else not_found()

    @api.get("/lists/<list_id>")
    def the_list(list_id: str) -> Any:
        return {"id": LIST, "name": "Sandbox"}

    @api.get("/lists/<list_id>/merge-fields")
    def merge_fields(list_id: str) -> Any:
        return page("merge_fields", list(account.fields.values()))

    @api.post("/lists/<list_id>/merge-fields")
    def merge_field_made(list_id: str) -> Any:
        payload = flask.request.get_json(force=True)
        tag = payload.get("tag") or f"MMERGE{len(account.fields) + 1}"
        if len(account.fields) >= MOST_MERGE_FIELDS:
            return problem(400, "Invalid Resource", "There are as many merge fields as there may be.")
        if tag in account.fields or not re.fullmatch(rf"[A-Z0-9_]{{1,{LONGEST_TAG}}}", tag):
            return problem(400, "Invalid Resource", "This tag is taken, or is none.")
        account.fields[tag] = {"tag": tag, "name": payload["name"], "type": payload["type"]}
        return account.fields[tag]

    @api.get("/lists/<list_id>/segments")
    def segments(list_id: str) -> Any:
        return page("segments", [{"id": int(key), "name": name} for key, name in account.groups.items()])

    @api.post("/lists/<list_id>/segments")
    def segment_made(list_id: str) -> Any:
        key = account.new_id()
        account.groups[key] = flask.request.get_json(force=True)["name"]
        return {"id": int(key), "name": account.groups[key], "type": "static"}

    @api.post("/lists/<list_id>/segments/<key>")
    def segment_changed(list_id: str, key: str) -> Any:
        """Change subscribed members, and answer about no others. Mailchimp's behaviour for others, and for
        unchanged members, is not documented."""
        payload = flask.request.get_json(force=True)
        adds, removes = payload.get("members_to_add", []), payload.get("members_to_remove", [])
        if key not in account.groups:
            return not_found()
        if max(len(adds), len(removes)) > 500:
            return problem(400, "Invalid Resource", "More than 500 addresses.")
        added = [profile for profile in subscribed_of(adds) if key not in profile.groups]
        for profile in added:
            profile.groups.add(key)
        removed = [profile for profile in subscribed_of(removes) if key in profile.groups]
        for profile in removed:
            profile.groups.discard(key)
        return {
            "members_added": [briefly(profile) for profile in added],
            "members_removed": [briefly(profile) for profile in removed],
            "errors": [], "total_added": len(added), "total_removed": len(removed), "error_count": 0,
        }  # fmt: skip

    def subscribed_of(addresses: list[str]) -> list[Profile]:
        known = [profile for email in addresses if (profile := account.find(email))]
        return [profile for profile in known if status_of(profile) == "subscribed"]

    @api.post("/lists/<list_id>")
    def members_added(list_id: str) -> Any:
        """Add members. With update_existing, also change the fields and status of existing ones."""
        payload = flask.request.get_json(force=True)
        if len(payload["members"]) > 500:
            return problem(400, "Invalid Resource", "More than 500 members.")
        created: list[Any] = []
        updated: list[Any] = []
        errors = []
        for member in payload["members"]:
            email = member["email_address"]
            known = account.find(email)
            is_there = known is not None and status_of(known) != "archived"
            code, why = "ERROR_GENERIC", refused(email, known, member.get("status"))
            if is_there and not payload.get("update_existing"):
                code, why = "ERROR_CONTACT_EXISTS", "is already a list member, do you want to update?"
            if why:
                errors.append({"email_address": email, "error": f"{email} {why}", "error_code": code})
                continue
            profile = account.upsert(email)
            if payload.get("sync_tags"):
                profile.groups.clear()
            change(profile, member)
            (updated if is_there else created).append(briefly(profile))
        return {
            "new_members": created, "updated_members": updated, "errors": errors,
            "total_created": len(created), "total_updated": len(updated), "error_count": len(errors),
        }  # fmt: skip

    def refused(email: str, known: Profile | None, status: str | None) -> str | None:
        """Return why an address can't be a member, or can't have a status; None if it can."""
        if "@" not in email:
            return "is no valid email address."
        if email.endswith(FAILS_LATER):
            return "looks fake or invalid, please enter a real email address."
        if md5(email.lower()) in account.jobs.get("forgotten", ()):
            return f"{GONE}. The contact must re-subscribe to get back on the list."
        if known is None:
            return None if status else "needs a status."
        is_no = known.refusals.keys() & COMPLIANCE and status_of(known) != "archived"
        return f"{BLOCKED} and cannot be subscribed." if is_no and status == "subscribed" else None

    def change(profile: Profile, member: dict[str, Any]) -> None:
        """Change the named fields, and the status if there is one. An archived member gets the status,
        whatever they had before."""
        for tag, value in member.get("merge_fields", {}).items():
            if tag in account.fields:  # all others are silently dropped
                profile.fields.pop(field_name(tag), None)
                if value != "":
                    profile.fields[field_name(tag)] = value
        status = member.get("status")
        if status in ("subscribed", "pending", "transactional"):
            profile.status = status
            profile.refusals.clear()
        elif status == "unsubscribed":
            profile.status = "subscribed"
            if not profile.refusals:
                profile.refusals["suppressed"] = account.now()
        elif status == "cleaned":
            profile.refusals.setdefault("bounced", account.now())

    def field_name(tag: str) -> str:
        name = str(account.fields[tag]["name"])
        return name.removeprefix("Mailroom ").lower().replace(" ", "_")

    @api.get("/lists/<list_id>/members")
    def members(list_id: str) -> Any:
        args = flask.request.args
        since, wanted = args.get("since_last_changed", "")[:19], args.get("status")
        found = [
            profile
            for profile in account.profiles.values()
            if (status_of(profile) == wanted if wanted else status_of(profile) != "archived")
            and profile.changed_at.isoformat(timespec="seconds") >= since
        ]
        if args.get("sort_field") == "last_changed":
            found.sort(key=lambda profile: profile.changed_at, reverse=args.get("sort_dir") == "DESC")
        return page("members", found, shown_member)

    def shown_member(profile: Profile) -> dict[str, Any]:
        return briefly(profile) | {
            "unsubscribe_reason": next((WHY[reason] for reason in WHY if reason in profile.refusals), ""),
            "merge_fields": {tag: profile.fields.get(field_name(tag), "") for tag in account.fields},
            "timestamp_opt": "2020-01-01T00:00:00+00:00",
            "last_changed": f"{profile.changed_at.isoformat(timespec='seconds')}+00:00",
        }

    @api.get("/lists/<list_id>/abuse-reports")
    def abuse_reports(list_id: str) -> Any:
        found = [
            briefly(profile) | {
                "id": int(profile.profile_id[:8], 16),
                "date": f"{profile.refusals['complained'].isoformat(timespec='seconds')}+00:00",
            }
            for profile in account.profiles.values() if "complained" in profile.refusals
        ]  # fmt: skip
        return page("abuse_reports", found)

    @api.route("/lists/<list_id>/members/<path:rest>", methods=["POST", "PUT", "PATCH", "DELETE"])
    def member_changed(list_id: str, rest: str) -> Any:
        """Change one member. Mailroom makes such requests in jobs only."""
        path = f"/lists/{list_id}/members/{rest}"
        answer, status = operated(flask.request.method, path, flask.request.get_data(as_text=True))
        return answer or "", status

    @api.post("/batches")
    def job_made() -> Any:
        """Do the work at once, and report it done after DONE_AFTER."""
        running = [job for key, job in account.jobs.items() if key != "forgotten" and not is_done(job)]
        if len(running) >= MOST_JOBS:
            return problem(429, "Too Many Requests", "There are 500 jobs already.")
        results = []
        for operation in flask.request.get_json(force=True)["operations"]:
            answer, status = operated(operation["method"], operation["path"], operation.get("body", ""))
            results.append(
                {
                    "status_code": status, "operation_id": operation.get("operation_id"),
                    "response": json.dumps(answer) if answer else "",
                }
            )  # fmt: skip
        n_bad = sum(result["status_code"] >= 400 for result in results)
        job = {"started_at": account.now(), "n_all": len(results), "n_bad": n_bad, "file": packed(results)}
        key = account.new_id()
        account.jobs[key] = job
        return shown_job(key)

    def is_done(job: dict[str, Any]) -> bool:
        return bool(account.now() - job["started_at"] >= DONE_AFTER)

    def shown_job(key: str) -> dict[str, Any]:
        job = account.jobs[key]
        shown = {"id": key, "status": "pending", "total_operations": job["n_all"], "response_body_url": ""}
        if not is_done(job):
            return shown | {"finished_operations": 0, "errored_operations": 0}
        return shown | {
            "status": "finished", "finished_operations": job["n_all"], "errored_operations": job["n_bad"],
            "response_body_url": f"{flask.request.url_root}mailchimp/results/{key}.tar.gz",
        }  # fmt: skip

    @api.get("/batches")
    def all_jobs() -> Any:
        return page("batches", [key for key in account.jobs if key != "forgotten"], shown_job)

    @api.get("/batches/<key>")
    def job(key: str) -> Any:
        return shown_job(key) if key in account.jobs else not_found()

    @api.get("/results/<key>.tar.gz")
    def results(key: str) -> Any:
        return flask.Response(account.jobs[key]["file"], content_type="application/gzip")

    def operated(method: str, path: str, text: str) -> JsonAnswer:
        """Run one operation on one member."""
        match = re.fullmatch(rf"/?lists/{LIST}/members/([0-9a-f]{{32}})((?:/[a-z/-]+)?)(?:\?.*)?", path)
        if not match:
            return not_found()
        key, action = match.groups()
        body = json.loads(text) if text else {}
        profile = find(key)
        if (method, action) == ("PUT", ""):
            return patched(profile, body) if profile else put(key, body)
        if profile is None:
            return not_found()
        if (method, action) == ("PATCH", ""):
            return patched(profile, body)
        if (method, action) == ("POST", "/tags"):
            return tagged(profile, body["tags"])
        if (method, action) == ("POST", "/events"):
            return happened(profile, body)
        if (method, action) == ("POST", "/actions/delete-permanent"):
            del account.profiles[profile.email.lower()]
            account.jobs.setdefault("forgotten", set()).add(key)
            return None, 204
        if (method, action) == ("DELETE", "") and status_of(profile) not in (
            "archived",
            "cleaned",
            "pending",
        ):
            profile.status = "archived"
            profile.groups.clear()
            return None, 204
        return problem(405, "Method Not Allowed", "This list member cannot be removed.")

    def put(key: str, body: dict[str, Any]) -> JsonAnswer:
        """Add a missing member, with status_if_new."""
        email = body.get("email_address", "")
        status = body.get("status") or body.get("status_if_new")
        why = "is another address." if md5(email.lower()) != key else refused(email, None, status)
        if why:
            return problem(400, "Invalid Resource", f"{email} {why}")
        profile = account.upsert(email)
        change(profile, body | {"status": status})
        return briefly(profile), 200

    def patched(profile: Profile, body: dict[str, Any]) -> JsonAnswer:
        status = body.get("status")
        why = refused(profile.email, profile, status)
        if "bounced" in profile.refusals and status == "unsubscribed":
            why = f"{BLOCKED} and stays there."
        if why:
            title = "Member In Compliance State" if why.startswith(BLOCKED) else "Invalid Resource"
            return problem(400, title, f"{profile.email} {why}")
        change(account.upsert(profile.email), body)
        return briefly(profile), 200

    def happened(profile: Profile, event: dict[str, Any]) -> JsonAnswer:
        """Keep an event. There is no key, so each one counts."""
        name, properties = event.get("name", ""), event.get("properties", {})
        if not re.fullmatch(r"[A-Za-z0-9_-]{2,30}", name):
            return problem(400, "Invalid Resource", "The name of an event has 2 to 30 letters and digits.")
        if not all(isinstance(value, str) for value in properties.values()):
            return problem(400, "Invalid Resource", "The properties of an event are text.")
        account.events[profile.email.lower(), name, account.new_id()] = properties
        return None, 204

    def tagged(profile: Profile, tags: Iterable[dict[str, str]]) -> JsonAnswer:
        for tag in tags:
            ids = {key for key, name in account.groups.items() if name == tag["name"]}
            if tag["status"] == "active":
                if not ids:
                    ids = {account.new_id()}
                    account.groups |= dict.fromkeys(ids, tag["name"])
                profile.groups |= ids
            else:
                profile.groups -= ids
        return None, 204

    return api


def problem(status: int, title: str, detail: str) -> JsonAnswer:
    """Return a refusal."""
    return {"title": title, "status": status, "detail": detail, "instance": "1"}, status


def not_found() -> JsonAnswer:
    """Return the 404 of a missing object."""
    return problem(404, "Resource Not Found", "The requested resource could not be found.")


def status_of(profile: Profile) -> str:
    """Return Mailchimp's status of a member."""
    if profile.status == "archived":
        return "archived"
    if profile.refusals:
        return "cleaned" if "bounced" in profile.refusals else "unsubscribed"
    return profile.status


def md5(email: str) -> str:
    """Return the id of a member."""
    return hashlib.md5(email.encode(), usedforsecurity=False).hexdigest()


def briefly(profile: Profile) -> dict[str, Any]:
    """Return a member, with fewer fields than Mailchimp shows."""
    return {
        "id": md5(profile.email.lower()), "contact_id": profile.profile_id,
        "email_address": profile.email, "status": status_of(profile),
    }  # fmt: skip


def packed(results: list[dict[str, Any]]) -> bytes:
    """Return the file with the answers of a job's operations."""
    content, file = json.dumps(results).encode(), io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        folder = tarfile.TarInfo("job")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        entry = tarfile.TarInfo("job/results.json")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(file.getvalue(), 1, mtime=0)


def page(name: str, found: list[Any], show: Callable[[Any], dict[str, Any]] = dict) -> Any:
    """Return one page of a collection, with the requested fields."""
    args = flask.request.args
    count, offset = int(args.get("count", 10)), int(args.get("offset", 0))
    if count > 1_000:
        return problem(400, "Invalid Resource", "A page has 1,000 at most.")
    records = [show(record) for record in found[offset : offset + count]]
    if wanted := args.get("fields"):
        kept = {field.removeprefix(f"{name}.") for field in wanted.split(",")}
        records = [{key: value for key, value in record.items() if key in kept} for record in records]
    return {name: records, "total_items": len(found)}
