"""Worlds of customers, ESPs and pushes, with a truth of their own about which ESP can mail which customer.

A world knows the truth: who said yes or no, when, for which address, and what became of the customer since.
It writes what the upstream models would say of that, runs the compiled models of activation on it, and pushes
to the sandbox over a network that loses requests, kills the push, and does jobs late. After each push the
truth is compared with what the ESPs hold. It is written from docs/activation.md and docs/consent.md.

What is excused, until it is over: a job that the ESP has not done, a row that it refused in this very push, a
destination that stopped, a push that was killed.
"""

import copy
import json
import os
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import duckdb
import httpx
import pyarrow as pa

from conftest import IN_MEMORY
from mailroom.activation import ledger
from mailroom.activation import pull as pull_module
from mailroom.activation import push as push_module
from mailroom.activation.api import Connection
from mailroom.activation.push import PushOptions, PushResult
from mailroom.sandbox import Account, Faults, Profile, Sandbox

START = datetime(2026, 12, 1, 8)
DESTINATIONS = ("klaviyo", "brevo", "mailchimp")
OWN = "klaviyo"  # the ESP of source esp, where people may have signed up
# Each audience goes to two of three ESPs, so that no ESP has all customers.
AUDIENCES = {"active_buyers": ("klaviyo", "brevo"), "win_back": ("brevo", "mailchimp")}
SUPPRESSION = "do_not_mail"
AS_OF = "2001-02-03 04:05:06"  # compiled into the models, and replaced by the moment of each build
MODELS = (
    "do_not_mail", "audience_decisions", "audience_payloads", "audience_members", "refused_mailboxes",
    "sync_receipts", "esp_profile_state", "refused_addresses", "profile_differences", "sync_outbox",
    "sync_guards",
)  # fmt: skip
GUARDS = (
    "unapproved", "vendor", "emptied", "shrank", "grew", "unfit_signals", "drift", "outdated", "failed_build",
)  # fmt: skip
NOES = ("withdrawn", "denied", "opted out")  # Mailroom does not know the last one
MOST_LATE = 20
SLOW, STUCK = 0, -40  # a job is done once its counter of reads reaches 2

# Whether a provider ignores dots and +part. Other domains distinguish +part, except for opt-outs.
PROVIDERS = {
    "gmail.com": ("gmail.com", True, True), "googlemail.com": ("gmail.com", True, True),
    "outlook.com": ("outlook.com", False, True), "web.de": ("web.de", False, False),
}  # fmt: skip
DOMAINS = ("gmail.com", "outlook.com", "web.de", "shop.example", "shop.example", "fails.example")
FIELDS = (
    "first_name", "language_code", "country_code", "lifecycle_stage", "n_orders", "last_ordered_on",
    "top_category", "churn_band", "value_band", "next_order_on", "refill_category", "refill_on", "send_hour",
    "send_weekday", "recommended_product_1", "recommended_name_1", "recommended_product_2",
    "recommended_name_2", "recommended_product_3", "recommended_name_3",
)  # fmt: skip
TABLES = {
    "audience_catalog": "destination, vendor, audience, purpose, also_with_consent_to, message_class, "
    "refresh, fingerprint, approved_by, is_suppression boolean, rests_on_scores boolean, "
    "max_shrink_share double, max_growth_share double",
    "wanted_candidates": "audience, customer_id, reason",
    "audience_changes": "audience, customer_id, is_member boolean, changed_at timestamp",
    "customers": "customer_id, email, last_seen_at timestamp",
    "contact_point_customers": "customer_id, contact_type, contact, widest_mailbox, is_current boolean",
    "contactability": "customer_id, message_class, channel, is_allowed boolean, blocked_by, reason, "
    "is_ai_personalisation_allowed boolean",
    "consents": "customer_id, channel, purpose, status, is_allowed boolean, reason, deciding_event_id",
    "consent_history": "consent_event_id, email, shop_customer_id, contact_id, profile_id, email_then, "
    "channel, purpose, consent_status, recorded_at timestamp",
    "consent_purposes": "channel, purpose",
    "consent_subjects": "identifier_type, identifier, subject",
    "subject_customers": "subject, customer_id",
    "suppressions": "customer_id, rule, rule_number integer, reason, until timestamp",
    "mailbox_domains": "email_domain, canonical_domain, ignores_dots boolean, ignores_plus_part boolean",
    "erasure_salt": "salt",
    "erased_identifiers": "identifier_hash",
    "stg_esp__profiles": "profile_id, email",
    "vendor_register": "vendor, purpose, may_receive boolean, reason",
    "signal_readiness": "model_name, column_name, may_carry_segment boolean, "
    "may_steer_time_critical boolean, staleness_days double, reason",
    "model_drift": "sentence, stops_activation boolean",
    "profile_fields": "customer_id, email, " + ", ".join(FIELDS),
    "base_privacy__consent_events": "consent_event_id",
    "base_esp__message_events": "event_id",
    "build_failures": "node, is_failing boolean, reported_at timestamp",
}
# The tables that a push reads.
READ = (
    "sync_outbox", "sync_guards", "audience_catalog", "mailbox_domains", "base_privacy__consent_events",
    "base_esp__message_events", "build_failures",
)  # fmt: skip
ARROW = {
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "double": pa.float64(),
    "integer": pa.int32(),
}


def exact(email: str) -> str:
    """The mailbox that an address certainly leads to."""
    local, _, domain = email.lower().partition("@")
    known, ignores_dots, ignores_plus = PROVIDERS.get(domain, (domain, False, False))
    local = local.partition("+")[0] if ignores_plus else local
    return f"{local.replace('.', '') if ignores_dots else local}@{known}"


def widest(email: str) -> str:
    """The mailbox that an address may lead to."""
    local, _, domain = exact(email).partition("@")
    return f"{local if domain in PROVIDERS else local.partition('+')[0]}@{domain}"


class KilledError(BaseException):
    """Simulates the end of the process: nothing is written or sent afterwards."""


# ------------------------------------------------------------------------------------------- the network


def named_in(request: httpx.Request) -> set[str]:
    """The addresses that an import adds or changes."""
    given = json.loads(request.content)
    if "data" in given:
        found = [p["attributes"]["email"] for p in given["data"]["attributes"]["profiles"]["data"]]
    else:
        found = [contact["email"] for contact in given["jsonBody"]]
    return {email.lower() for email in found}


@dataclass
class Job:
    """A pending import: since when, how often the wall clock was set since, and its id at the ESP, if it has
    arrived. It arrives within MOST_LATE hours; Mailroom allows a day."""

    request: httpx.Request
    since: datetime
    job: str | None = None
    n_clocks: int = 0


class Network(httpx.BaseTransport):
    """The network to the sandbox. Imports at Klaviyo and Brevo have no effect until they are done."""

    def __init__(self, sandbox: Sandbox, chance: random.Random) -> None:
        self.sandbox, self.chance = sandbox, chance
        self.inner, self.calm = sandbox.transport(), Faults()
        self.jobs: dict[str, list[Job]] = {name: [] for name in DESTINATIONS}
        self.late: dict[str, list[Job]] = {name: [] for name in DESTINATIONS}
        self.refused: dict[str, int] = dict.fromkeys(DESTINATIONS, 0)
        self.quiet()

    def quiet(self) -> None:
        """Stop all faults."""
        self.n_calls, self.kill_at, self.kills, self.is_dead = 0, 0, "before", False
        self.kills_imports = False
        self.down: set[str] = set()
        self.share_stuck, self.share_refused = 0.0, 0.0
        self.sandbox.faults = self.calm

    def step(self, is_import: bool = False) -> bool:
        """Count a moment at which the push may be killed. Return whether it is killed now."""
        if self.is_dead:
            raise KilledError
        self.n_calls += is_import or not self.kills_imports
        self.is_dead = self.n_calls == self.kill_at
        return self.is_dead

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[1]
        is_import = request.method == "POST" and (
            request.url.path.endswith(("/profile-bulk-import-jobs", "/contacts/import"))
        )
        if self.step(is_import):
            if self.kills == "after":
                self.forward(name, request, is_import)
            elif self.kills == "late" and is_import:
                self.late[name].append(Job(request, self.sandbox.now()))
            raise KilledError
        if name in self.down:
            if is_import and not self.late[name] and self.chance.random() < 0.5:
                self.late[name].append(Job(request, self.sandbox.now()))
            raise httpx.ReadTimeout("no answer", request=request)
        if self.is_no(request) and self.chance.random() < self.share_refused:
            self.refused[name] += 1
            return httpx.Response(
                400, json={"errors": [{"code": "no", "detail": "Not now."}]}, request=request
            )
        return self.forward(name, request, is_import)

    def is_no(self, request: httpx.Request) -> bool:
        """Whether a request suppresses a customer, or removes one from a list."""
        path = request.url.path
        return (
            ("suppression-bulk-create-jobs" in path and request.method == "POST")
            or path.endswith("/contacts/remove")
            or (request.method in ("PUT", "DELETE") and "/contacts/" in path)
            or (request.method == "DELETE" and "/relationships/" in path)
            or b"members_to_remove" in request.content
            or (path.endswith("/batches") and b"unsubscribed" in request.content)
        )

    def forward(self, name: str, request: httpx.Request, is_import: bool) -> httpx.Response:
        account = self.sandbox.accounts[name]
        if not is_import:
            response = self.inner.handle_request(request)
            response.read()
            for job in list(self.jobs[name]):
                if job.job and account.jobs[job.job]["n_asked"] > 1:
                    self.do(name, job)
            return response
        known = set(account.jobs)
        before = {email: copy.deepcopy(account.profiles.get(email)) for email in named_in(request)}
        response = self.inner.handle_request(request)
        response.read()
        try:
            json.loads(response.content)
        except json.JSONDecodeError:
            return response
        for job_id in account.jobs.keys() - known:
            for email, profile in before.items():
                if profile is None:
                    account.profiles.pop(email, None)
                else:
                    account.profiles[email] = profile
            is_stuck = self.chance.random() < self.share_stuck
            account.jobs[job_id]["n_asked"] = STUCK if is_stuck else SLOW
            self.jobs[name].append(Job(request, self.sandbox.now(), job_id))
        return response

    def do(self, name: str, job: Job) -> None:
        """Apply an import."""
        (self.jobs if job.job else self.late)[name].remove(job)
        self.arrive(name, job.request)
        if job.job:
            self.sandbox.accounts[name].jobs[job.job]["n_asked"] = 2

    def arrive(self, name: str, request: httpx.Request) -> None:
        """Apply a request and drop its answer."""
        account, faults = self.sandbox.accounts[name], self.sandbox.faults
        known = set(account.jobs)
        self.sandbox.faults = self.calm
        self.inner.handle_request(request).read()
        self.sandbox.faults = faults
        for job_id in account.jobs.keys() - known:
            del account.jobs[job_id]

    def waiting(self, name: str) -> set[str]:
        """The addresses of pending imports."""
        return {email for job in self.jobs[name] for email in named_in(job.request)}


class Inline:
    """A thread that runs synchronously, so that a seed always gives the same world."""

    def __init__(self, target: Callable[..., None], args: Sequence[Any] = (), daemon: bool = False) -> None:
        self.target, self.args = target, args

    def start(self) -> None:
        self.target(*self.args)

    def join(self) -> None:
        pass


class Threads:
    """The part of module threading that a push uses."""

    Thread = Inline


# --------------------------------------------------------------------------------------------- the truth


@dataclass
class Customer:
    """A customer: the current address, all earlier ones, their audiences, and their fields."""

    customer_id: str
    email: str | None
    ever: set[str]
    audiences: set[str]
    version: int = 0


@dataclass
class Answer:
    """An opt-in, an opt-out, or an unconfirmed opt-in (`pending`). about: the mailboxes that it opens or
    closes."""

    event_id: str
    at: datetime
    status: str
    about: frozenset[str]
    email: str | None = None
    account: str | None = None
    email_then: str | None = None
    recorded_at: datetime | None = None


@dataclass
class Truth:
    """The truth as of a build: refused mailboxes, mailboxes of reachable customers, members of audiences, and
    erased addresses."""

    as_of: datetime
    refused: set[str] = field(default_factory=set)
    allowed: set[str] = field(default_factory=set)
    members: dict[str, set[str]] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    pulled: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)

    def is_refused(self, email: str) -> bool:
        return widest(email) in self.refused and exact(email) not in self.allowed


class Found(NamedTuple):
    """A breach of the promise: its part, the ESP and the address."""

    promise: str
    destination: str
    email: str
    at: str


def noes_of(who: Customer, last: Mapping[str, Answer]) -> list[Answer]:
    """The opt-outs that close a customer's mail, among the last answers by mailbox, the newest last."""
    found = [last[box] for box in sorted({widest(address) for address in who.ever}) if box in last]
    return sorted(filter(is_no, found), key=lambda answer: answer.at)


def is_no(answer: Answer) -> bool:
    return answer.status not in ("granted", "pending")


class Models:
    """The compiled models, with mutations if wanted."""

    def __init__(self, compiled: Mapping[str, str]) -> None:
        self.compiled = {
            name: re.sub(r'"[a-z0-9_]+"\."[a-z_]+"\."([a-z_]+)"', r"\1", sql)
            for name, sql in compiled.items()
        }

    def sql(self, name: str, as_of: datetime, folder: Path) -> str:
        sql = self.compiled[name].replace(AS_OF, f"{as_of}")
        if name == "sync_receipts":
            receipts = f"from {ledger.scan(folder, 'receipts')}"
            sql, n = re.subn(r"from \(select cast\(null.*?where 1 = 0\)", lambda _: receipts, sql, flags=re.S)
            assert n == 1, "the model reads the ledger once"
        return sql


class World:
    """Customers, ESPs and pushes, all from one seed."""

    def __init__(self, models: Models, folder: Path, seed: int, n_people: int = 60) -> None:
        self.models, self.folder, self.seed = models, folder, seed
        self.chance = random.Random(seed)
        random.seed(seed)  # for the jitter of waits between requests
        self.warehouse, self.activation = folder / "warehouse.duckdb", folder / "activation"
        self.now, self.skew = START, timedelta()
        self.database = duckdb.connect(config=IN_MEMORY)
        self.sandbox = Sandbox(now=lambda: self.now)
        self.network = Network(self.sandbox, self.chance)
        self.customers: dict[str, Customer] = {}
        self.answers: list[Answer] = []
        self.erased: set[str] = set()
        self.own: dict[str, str] = {}  # profile ids by address
        self.ids = iter(range(10**9))
        self.story: list[str] = []  # the events, to investigate a breach
        self.sent: dict[str, set[str]] = {name: set() for name in DESTINATIONS}
        self.said_there: dict[str, set[str]] = {name: set() for name in DESTINATIONS}
        self.pulled: set[str] = set()  # mailboxes with a pulled opt-out
        self.reopened: dict[
            str, datetime | None
        ] = {}  # opt-ins at the ESPs, and the build that knows of them
        # Addresses that a push removed before it died without recording it: the one known fault.
        self.unwritten: dict[str, set[str]] = {name: set() for name in DESTINATIONS}
        # Addresses added since the build by a request without an answer, or a job that counts as lost.
        self.strays: dict[str, set[str]] = {name: set() for name in DESTINATIONS}
        self.late_on: dict[str, datetime] = {}
        self.truth = Truth(START)
        self.underway: dict[str, set[str]] = {}  # addresses in jobs of earlier pushes, by ESP
        self.n_people = self.n_pushes = self.n_noes = 0
        self.guards: set[str] = set()  # those that stopped something
        for _ in range(n_people):
            self.joins()

    # ------------------------------------------------------------------------------- what customers do

    def new_address(self, spell: bool = True) -> str:
        domain = self.chance.choice(DOMAINS)
        local = f"a.{next(self.ids)}"
        return (
            f"{local}+{self.chance.choice('xyz')}@{domain}"
            if self.chance.random() < 0.3
            else f"{local}@{domain}"
        )

    def spelled(self, email: str) -> str:
        """Another spelling of the same widest mailbox."""
        local, _, domain = email.partition("@")
        if domain == "gmail.com":
            return f"{local.replace('.', '').partition('+')[0]}+{self.chance.choice('pq')}@googlemail.com"
        return (
            email if domain == "web.de" else f"{local.partition('+')[0]}+{self.chance.choice('pq')}@{domain}"
        )

    def joins(self) -> None:
        self.takes(self.new_address())

    def often(self, what: Callable[[], None], times: int = 30) -> None:
        """Repeat an event for many customers."""
        for _ in range(times):
            what()

    def takes_over(self) -> None:
        """A new customer gets an address that another customer had."""
        current = {who.email for who in self.customers.values()}
        old = sorted(set().union(*(who.ever for who in self.customers.values())) - current)
        if old:
            self.takes(self.chance.choice(old))

    def takes(self, email: str) -> None:
        key = f"c{next(self.ids)}"
        chosen = {name for name in AUDIENCES if self.chance.random() < 0.6}
        self.customers[key] = Customer(key, email, {email}, chosen)
        self.n_people += 1
        if self.chance.random() < 0.9:
            self.answer(self.customers[key], "granted")

    def some(self) -> Customer:
        return self.chance.choice(list(self.customers.values()))

    def answer(self, who: Customer, status: str, email: str | None = None, by_account: bool = False) -> None:
        self.now += timedelta(seconds=1)
        event = f"e{next(self.ids)}"
        self.story.append(f"{self.now} {who.customer_id} {who.email} says {status} {email} {by_account}")
        if by_account:
            about = frozenset(widest(address) for address in who.ever)
            self.answers.append(
                Answer(event, self.now, status, about, account=who.customer_id, email_then=who.email)
            )
        else:
            given = email or who.email
            assert given
            self.answers.append(Answer(event, self.now, status, frozenset({widest(given)}), email=given))

    def says_no(self) -> None:
        who = self.some()
        if who.email is None:
            return
        self.n_noes += 1
        address = self.chance.choice(sorted(who.ever))
        kind = self.chance.choice(("plain", "plain", "spelled", "account"))
        if kind == "spelled":
            address = self.spelled(address)
        self.answer(who, self.chance.choice(NOES), address, by_account=kind == "account")

    def waits(self) -> None:
        """An opt-in that must be confirmed."""
        who = self.some()
        if who.email is not None:
            self.answer(who, "pending")

    def says_yes_again(self) -> None:
        """Opt in again for each address with an opt-out; at the ESPs, too, with a form of their own."""
        last = self.last_answers(self.now)
        closed = [who for who in self.customers.values() if who.email and noes_of(who, last)]
        if not closed:
            return
        who = self.chance.choice(closed)
        for address in sorted(who.ever):
            self.answer(who, "granted", address)
        self.answer(who, "granted")
        if self.chance.random() < 0.5:
            for name in DESTINATIONS:
                for address in who.ever:
                    if profile := self.account(name).find(address):
                        profile.refusals.clear()
                        self.reopened[address] = None
            self.story.append(f"{self.now} {who.customer_id} opens the mail of each ESP again")

    def moves(self) -> None:
        who = self.some()
        who.email = self.new_address()
        who.ever.add(who.email)
        self.story.append(f"{self.now} {who.customer_id} moves to {who.email}")
        if self.chance.random() < 0.8:
            self.answer(who, "granted")

    def merge(self) -> None:
        one, other = self.some(), self.some()
        if one is not other:
            self.story.append(f"{self.now} {other.customer_id} {other.email} becomes {one.customer_id}")
            one.ever |= other.ever
            one.audiences |= other.audiences
            del self.customers[other.customer_id]

    def leaves(self) -> None:
        """The account is deleted; its opt-outs stay."""
        who = self.some()
        self.story.append(f"{self.now} {who.customer_id} {who.email} is deleted")
        if self.chance.random() < 0.3 and who.email:
            self.answer(who, "withdrawn", by_account=self.chance.random() < 0.5)
        del self.customers[who.customer_id]

    def asks_to_be_erased(self) -> None:
        who = self.some()
        self.story.append(f"{self.now} {who.customer_id} {who.email} is erased")
        others = [other.ever for other in self.customers.values() if other is not who]
        mine = {address for address in who.ever if not any(address in ever for ever in others)}
        self.erased |= mine
        gone = {widest(address) for address in mine}
        self.answers = [answer for answer in self.answers if not answer.about & gone]
        self.pulled -= gone
        for address in mine:
            if address in self.own:
                del self.own[address]
                self.account(OWN).profiles.pop(address, None)
        del self.customers[who.customer_id]

    def changes(self) -> None:
        who = self.some()
        who.version += 1
        if self.chance.random() < 0.4:
            who.audiences ^= {self.chance.choice(list(AUDIENCES))}

    def signs_up_there(self) -> None:
        """A customer signs up at the source ESP, in another spelling."""
        who = self.some()
        if who.email:
            email = self.spelled(who.email)
            if email not in self.own and not self.account(OWN).find(email):
                self.own[email] = self.account(OWN).upsert(email).profile_id
                self.story.append(f"{self.now} {who.customer_id} {email} signs up at {OWN}")

    def says_no_there(self) -> None:
        """Opt out at one ESP, which a pull brings."""
        name = self.chance.choice(DESTINATIONS)
        profiles = [
            profile
            for profile in self.account(name).profiles.values()
            if not profile.refusals and profile.email.lower() not in self.said_there[name]
            and profile.email.lower() not in self.erased
        ]  # fmt: skip
        if profiles:
            self.now += timedelta(seconds=5)
            profile = self.chance.choice(profiles)
            self.n_noes += 1
            self.said_there[name].add(profile.email.lower())
            self.account(name).refuse(profile.email, self.chance.choice(("unsubscribed", "complained")))
            self.account(name).upsert(profile.email)
            self.story.append(f"{self.now} {profile.email} says no at {name}")

    EVENTS = (
        ("joins", 6), ("takes_over", 1), ("says_no", 10), ("says_yes_again", 4), ("moves", 4), ("merge", 1),
        ("leaves", 2), ("asks_to_be_erased", 1), ("changes", 4), ("signs_up_there", 2), ("says_no_there", 4),
        ("waits", 2),
    )  # fmt: skip

    def lives(self, n_events: int) -> None:
        names, weights = zip(*self.EVENTS, strict=True)
        for name in self.chance.choices(names, weights, k=n_events):
            if len(self.customers) > 5 or name == "joins":
                getattr(self, name)()

    def account(self, name: str) -> Account:
        return self.sandbox.accounts[name]

    # ------------------------------------------------------------------------------------ the truth

    def last_answers(self, as_of: datetime) -> dict[str, Answer]:
        """The last answers by mailbox, recorded by then."""
        found: dict[str, Answer] = {}
        for answer in sorted(self.answers, key=lambda answer: answer.at):
            if answer.recorded_at is None or answer.recorded_at <= as_of:
                found |= dict.fromkeys(answer.about, answer)
        return found

    def decide(self, as_of: datetime) -> tuple[Truth, dict[str, tuple[str, Answer | None]]]:
        """The truth as of a moment, and each customer's consent: status and deciding answer."""
        truth, decided = Truth(as_of), {}
        last = self.last_answers(as_of)
        of_customers: set[str] = set()
        for who in self.customers.values():
            boxes = {widest(address) for address in who.ever}
            of_customers |= boxes
            noes = noes_of(who, last)
            own = last.get(widest(who.email)) if who.email else None
            status, deciding = "unknown", None
            if noes:
                deciding = noes[-1]
                status = "withdrawn" if deciding.status == "withdrawn" else "denied"
            elif own:
                status, deciding = own.status, own
            decided[who.customer_id] = (status, deciding)
            if status in ("withdrawn", "denied", "pending"):
                truth.refused |= boxes
            elif status == "granted" and who.email:
                truth.allowed.add(exact(who.email))
                for audience in who.audiences:
                    truth.members.setdefault(audience, set()).add(who.email)
        for box, answer in last.items():
            # After an account is deleted, its opt-out is for the address that it named or had.
            named = answer.email or answer.email_then
            if box not in of_customers and is_no(answer):
                truth.refused |= {box} & {widest(named or "")}
        current = {who.email for who in self.customers.values()}
        truth.erased = {email for email in self.erased if email not in current}
        return truth, decided

    # ------------------------------------------------------------------------------------ the build

    def read_pulled(self) -> tuple[list[str], list[str], list[tuple[str, str]]]:
        """The pulled rows that raw() reads. New opt-outs become answers."""
        with self.database.cursor() as connection:

            def rows(name: str, columns: str) -> list[Any]:
                return connection.execute(
                    f"select {columns} from {ledger.scan(self.activation, name)}"
                ).fetchall()

            noes = rows("privacy_consent_events", "consent_event_id, email, occurred_at")
            events = [key for (key,) in rows("esp_message_events", "event_id")]
            profiles = rows("esp_profiles", "profile_id, email")
        known = {answer.event_id for answer in self.answers}
        erased = {widest(email) for email in self.erased}
        for key, email, occurred_at in noes:
            box = widest(email)
            if key not in known and box not in erased:
                at = datetime.fromisoformat(occurred_at)
                self.answers.append(Answer(key, at, "withdrawn", frozenset({box}), email=email.lower()))
        return [key for key, *_ in noes], events, [(key, email.lower()) for key, email in profiles]

    def build(self, guard: str | None = None) -> None:
        """Do what dbt does: read the sources, record answers, decide, compare with the ESPs' state."""
        self.now += timedelta(seconds=1)
        noes_read, events_read, profiles = self.read_pulled()
        as_of = self.now
        if guard == "outdated":
            as_of = max(self.truth.as_of - timedelta(hours=1), START)
        for answer in self.answers:
            answer.recorded_at = answer.recorded_at or self.now
        self.reopened = {email: at or self.now for email, at in self.reopened.items()}
        truth, decided = self.decide(as_of)
        truth.pulled = set(self.pulled)
        self.strays = {name: set() for name in DESTINATIONS}
        truth.own = set(self.own)
        self.truth = truth
        rows = self.upstream(decided, guard)
        rows["stg_esp__profiles"] = [*profiles, *((key, email) for email, key in self.own.items())]
        rows["base_privacy__consent_events"] = [(key,) for key in noes_read]
        rows["base_esp__message_events"] = [(key,) for key in events_read]
        for name in DESTINATIONS:
            for audience, destinations in AUDIENCES.items():
                if name in destinations:
                    self.sent[name] |= truth.members.get(audience, set())
        self.warehouse.unlink(missing_ok=True)
        with duckdb.connect(config=IN_MEMORY) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for table, columns in TABLES.items():
                fill(connection, table, columns, rows.get(table, []))
            self.run_models(connection, as_of)
            connection.execute(f"attach '{self.warehouse}' as built")
            for table in READ:
                connection.execute(f"create table built.{table} as from memory.{table}")
        self.story.append(f"{self.now} build as of {as_of}, guard {guard}")

    def run_models(self, connection: duckdb.DuckDBPyConnection, as_of: datetime) -> None:
        for name in MODELS:
            connection.execute(f"create table {name} as {self.models.sql(name, as_of, self.activation)}")
            if name == SUPPRESSION:
                connection.execute(
                    "create view audience_candidates as from wanted_candidates union all "
                    f"select '{SUPPRESSION}', customer_id, reason from {SUPPRESSION}"
                )

    def upstream(
        self, decided: Mapping[str, tuple[str, Answer | None]], guard: str | None
    ) -> dict[str, list[tuple[Any, ...]]]:
        """The input tables of activation, by name."""
        stopped = "win_back" if guard else ""
        catalog: list[tuple[Any, ...]] = []
        for audience, destinations in {**AUDIENCES, SUPPRESSION: DESTINATIONS}.items():
            mine = guard if audience == stopped else None
            for name in destinations:
                shrink, grow = (-1.0 if mine == kind else 1e6 for kind in ("shrank", "grew"))
                catalog.append(
                    (
                        name, "esp", audience, "marketing_email", None, "promotional", "daily", "f",
                        None if mine == "unapproved" else "ann", audience == SUPPRESSION, True,
                        shrink, grow,
                    )
                )  # fmt: skip
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
        rows["audience_catalog"] = catalog
        rows["consent_purposes"] = [("email", "marketing_email"), ("sms", "marketing_email")]
        rows["mailbox_domains"] = [(domain, *given) for domain, given in PROVIDERS.items()]
        rows["erasure_salt"] = [("salt",)]
        rows["erased_identifiers"] = [
            (sha256(f"salt/email/{email}".encode()).hexdigest(),) for email in sorted(self.erased)
        ]
        rows["vendor_register"] = [("esp", "marketing_email", guard != "vendor", "No contract.")]
        rows["model_drift"] = [("Scores moved.", True)] if guard == "drift" else []
        rows["build_failures"] = [("a_test", True, self.now)] if guard == "failed_build" else []
        for column in ("last_ordered_at", "n_orders"):
            fit = guard != "unfit_signals"
            rows["signal_readiness"].append(("customers", column, fit, fit, 0.0, "Too old."))
        for answer in self.answers:
            rows["consent_history"].append(
                (
                    answer.event_id, answer.email, answer.account, None, None, answer.email_then, "email",
                    "marketing_email", answer.status, answer.recorded_at,
                )
            )  # fmt: skip
        for who in self.customers.values():
            key = who.customer_id
            status, deciding = decided[key]
            is_allowed = status == "granted"
            rows["customers"].append((key, who.email, self.now))
            rows["consents"].append(
                (
                    key,
                    "email",
                    "marketing_email",
                    status,
                    is_allowed,
                    "Said so.",
                    deciding and deciding.event_id,
                )
            )
            rows["contactability"].append((key, "promotional", "email", is_allowed, None, "Said so.", False))
            for address in sorted(who.ever):
                box = widest(address)
                rows["contact_point_customers"].append((key, "email", address, box, address == who.email))
                rows["subject_customers"].append((f"mailbox:{box}", key))
                rows["consent_subjects"].append(("shop_customer_id", key, f"mailbox:{box}"))
            given = {"first_name": f"Name {who.version}", "language_code": "de", "country_code": "DE"}
            rows["profile_fields"].append((key, who.email, *(given.get(name) for name in FIELDS)))
            for audience in who.audiences:
                if not (guard == "emptied" and audience == stopped):
                    rows["wanted_candidates"].append((audience, key, "Buys."))
        return rows

    # ------------------------------------------------------------------------------- pull and push

    @contextmanager
    def clocks(self) -> Iterator[None]:
        """Set the wall clock and DuckDB's. Each completed file is a step."""
        replace = os.replace

        def connected(folder: Path, warehouse: Path | None = None) -> duckdb.DuckDBPyConnection:
            # A database in an existing connection, which is much faster than a new one.
            connection = self.database.cursor()
            name = f"d{next(self.ids)}"
            connection.execute(
                f"attach '{warehouse or ':memory:'}' as {name} {'(read_only)' if warehouse else ''}"
            )
            connection.execute(f"use {name}; set TimeZone = 'UTC'")
            connection.execute(f"create temp macro now() as timestamptz '{self.wall()}+00'")
            opened.append(name)
            return connection

        def replaced(source: Path, target: Path) -> None:
            if self.network.step():
                if self.network.kills == "after":
                    replace(source, target)
                raise KilledError
            replace(source, target)

        opened: list[str] = []
        with ExitStack() as stack:
            for target, instead in {
                "mailroom.activation.ledger.now": self.wall,
                "mailroom.activation.push.now": self.wall,
                "mailroom.activation.ledger.connect": connected,
                "mailroom.activation.ledger.os.replace": replaced,
                "mailroom.activation.ledger.os.fsync": lambda _: None,
                "mailroom.activation.ledger.MOST_FILES": 12,
                "mailroom.activation.push.threading": Threads,
            }.items():
                stack.enter_context(patch(target, instead))
            yield
        for name in opened:
            self.database.execute(f"detach {name}")

    def wall(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now + self.skew

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def connection(self) -> Connection:
        return Connection(sandbox="", transport=self.network, sleep=self.sleep)

    def pull(self) -> None:
        with self.clocks():
            done = pull_module.pull(self.warehouse, self.activation, DESTINATIONS, self.connection())
        assert not done.stopped, done.stopped
        for name in DESTINATIONS:
            for profile in self.account(name).profiles.values():
                if profile.refusals.keys() & {"unsubscribed", "complained"}:
                    self.pulled.add(widest(profile.email))
        self.story.append(f"{self.now} pull: {done.new}")

    def push(self, wait: float = 60) -> list[Found]:
        """Push, and return the breaches after it."""
        self.n_pushes += 1
        before = {name: self.snapshot(name) for name in DESTINATIONS}
        self.underway = {name: self.network.waiting(name) for name in DESTINATIONS}
        self.network.refused = dict.fromkeys(DESTINATIONS, 0)
        self.network.n_calls, self.network.is_dead = 0, False
        pushed: PushResult | None = None
        with self.clocks():
            try:
                pushed = push_module.push(
                    self.warehouse, self.activation, PushOptions(wait=wait), self.connection()
                )
            except KilledError:
                self.story.append(f"{self.now} push killed at step {self.network.n_calls}")
                self.orphans()
        self.network.kill_at, self.network.is_dead = 0, False
        if pushed:
            faults = [reason for reason in pushed.stopped.values() if "has a fault" in reason]
            assert not faults, faults
            self.story.append(f"{self.now} push {pushed.push_id}: stopped {pushed.stopped}")
            self.guards |= {guard for held in pushed.held for guard in held.guards}
        found = []
        for name in DESTINATIONS:
            found += self.never(name, before[name])
            if not pushed or name in pushed.stopped:
                now_there = self.account(name).profiles
                self.unwritten[name] |= {
                    email
                    for email, was in before[name].items()
                    if email not in now_there or was.groups - now_there[email].groups
                }
            else:
                found += self.after(name, before[name], pushed)
            # A job of an earlier push may finish in this one, after its deletion.
            back = self.underway[name] & self.truth.erased & self.account(name).profiles.keys()
            self.late_on |= dict.fromkeys(back, self.now)
        return found

    def orphans(self) -> None:
        """Jobs that a killed push did not record: they finish now, or arrive as late as a request."""
        known = self.references("true")
        for name in DESTINATIONS:
            for job in list(self.network.jobs[name]):
                if (name, job.job) not in known:
                    self.network.jobs[name].remove(job)
                    self.network.late[name].append(Job(job.request, job.since))
                    if self.network.kills != "late" and self.chance.random() < 0.7:
                        self.finish(name, self.network.late[name][-1])

    def snapshot(self, name: str) -> dict[str, Profile]:
        return {
            email: Profile(p.profile_id, p.email, dict(p.fields), set(p.groups), dict(p.refusals))
            for email, p in self.account(name).profiles.items()
        }

    # ---------------------------------------------------------------------------------- the promise

    def never(self, name: str, before: Mapping[str, Profile]) -> list[Found]:
        """Breaches that no push may cause, with any fault."""
        found = []
        for email, profile in self.account(name).profiles.items():
            if email not in before and email not in self.sent[name] and email not in self.own:
                found.append(
                    Found("an ESP holds an address that was not sent there to be added", name, email, "")
                )
            was = before.get(email)
            is_new = "suppressed" in profile.refusals and not (was and "suppressed" in was.refusals)
            if is_new and exact(email) in self.truth.allowed:
                found.append(Found("a customer who may be mailed was suppressed", name, email, ""))
        return self.dated(found)

    def after(self, name: str, before: Mapping[str, Profile], pushed: PushResult) -> list[Found]:
        """Breaches after a push that could reach an ESP."""
        found, truth = [], self.truth
        account, excused = self.account(name), self.network.waiting(name) | self.strays[name]
        for email, profile in account.profiles.items():
            if email in excused:
                continue
            groups = {account.groups[group] for group in profile.groups if group in account.groups}
            is_known = email in self.sent[name] or (name == OWN and email in truth.own)
            if is_known and truth.is_refused(email):
                if groups:
                    found.append(Found("a customer who opted out is in a list", name, email, ""))
                # Addresses that an ESP gets by a job of an earlier push are suppressed by the next push.
                is_new = email not in before and email in self.underway[name]
                if not profile.refusals and not is_new and not self.is_open_again(email):
                    found.append(Found("a customer who opted out can be mailed", name, email, ""))
            is_late = self.is_late(email) or email in self.underway[name]
            if email in truth.erased and email in self.sent[name] and not is_late:
                found.append(Found("a customer who was erased is held", name, email, ""))
            is_news = widest(email) in self.pulled - truth.pulled
            was = before.get(email)
            if (
                is_news
                and email not in self.underway[name]
                and profile.groups - (was.groups if was else set())
            ):
                found.append(Found("a customer whose opt-out was pulled was added", name, email, ""))
        if found:
            excused = self.rejected(pushed.push_id, name, "code = 'job_lost'")
            if self.network.refused[name]:
                excused |= self.rejected(
                    pushed.push_id, name, "operation in ('remove', 'suppress', 'delete')"
                )
        return self.dated([one for one in found if one.email not in excused])

    def is_open_again(self, email: str) -> bool:
        """Whether a customer opted in again at the ESP, unknown to the build."""
        known_at = self.reopened.get(email, START)
        return known_at is None or known_at > self.truth.as_of

    def is_late(self, email: str) -> bool:
        """Whether an address arrived after its deletion, and is deleted again the next day."""
        return email in self.late_on and self.truth.as_of.date() <= self.late_on[email].date()

    def rejected(self, push_id: str, name: str, which: str) -> set[str]:
        """The addresses of rejected rows of a push."""
        with self.database.cursor() as connection:
            found = connection.execute(
                f"""
                select distinct email from {ledger.scan(self.activation, "receipts")}
                where push_id = ? and destination = ? and status = 'rejected' and email is not null
                and {which}
                """,
                [push_id, name],
            ).fetchall()
        return {email for (email,) in found}

    def dated(self, found: list[Found]) -> list[Found]:
        return [one._replace(at=f"seed {self.seed}, push {self.n_pushes}") for one in found]

    # ------------------------------------------------------------------------------------- a history

    def goes_on(self, hours: float) -> None:
        """Let time pass: some late requests arrive, some jobs finish."""
        self.passes(hours, 0.4)

    def passes(self, hours: float, share: float) -> None:
        """Let time pass; late requests arrive, and a share of jobs finish."""
        then = self.now + timedelta(hours=hours)
        for name in DESTINATIONS:
            for job in [*self.network.late[name], *self.network.jobs[name]]:
                if self.chance.random() < share or then - job.since > timedelta(hours=MOST_LATE):
                    self.finish(name, job)
            for job in self.network.jobs[name]:
                if job.job and self.chance.random() < 1.5 * share:
                    self.account(name).jobs[job.job]["n_asked"] = self.chance.choice((-2, -1, 0))
        self.now += timedelta(hours=hours)

    def finish(self, name: str, job: Job) -> None:
        """A late request arrives, or a job finishes."""
        emails = named_in(job.request)
        self.story.append(f"{self.now} late at {name}, job {job.job}: {sorted(emails)}")
        self.network.do(name, job)
        self.late_on |= dict.fromkeys(emails, self.now)
        if job.job is None or (name, job.job) in self.references("code = 'job_lost'"):
            self.strays[name] |= emails

    def references(self, which: str) -> set[tuple[str, str]]:
        """The jobs in receipts, by ESP and number."""
        with self.database.cursor() as connection:
            found = connection.execute(
                f"""
                select distinct destination, unnest(string_split(string_split(reference, '/')[-1], ','))
                from {ledger.scan(self.activation, "receipts")} where {which} and reference is not null
                """
            ).fetchall()
        return {(name, number) for name, number in found}

    def sets_clock(self) -> None:
        """Finish pending jobs before the second setting of the clock, and requests without an answer before
        the first, because Mailroom can't know how long ago those were."""
        for name in DESTINATIONS:
            for job in [*self.network.late[name], *self.network.jobs[name]]:
                if job.job is None or job.n_clocks:
                    self.finish(name, job)
                job.n_clocks += 1
        self.skew = timedelta(hours=self.chance.choice((-72, -30, -2, 2, 30, 72, 0)))
        self.story.append(f"{self.now} the wall clock is {self.skew} ahead")

    def sets_out(self) -> None:
        """Draw the faults of the next push."""
        network, chance = self.network, self.chance
        network.quiet()
        network.share_stuck = chance.choice((0, 0, 0.3))
        network.share_refused = chance.choice((0, 0, 0.3))
        self.sandbox.faults = Faults(chance.choice((0, 0, 0.1)), chance.randrange(10**6))
        if chance.random() < 0.15:
            network.down = {chance.choice(DESTINATIONS)}
        if chance.random() < 0.35:
            network.kills_imports = chance.random() < 0.5
            network.kill_at = chance.randrange(1, 5 if network.kills_imports else 60)
            network.kills = chance.choice(("before", "after", "late", "late"))
        if chance.random() < 0.2:
            self.sets_clock()

    def round(self) -> list[Found]:
        """Run some days: events, perhaps a pull, perhaps a build, and one or two pushes."""
        chance = self.chance
        self.lives(self.n_people // 5)
        self.network.quiet()
        if chance.random() < 0.5:
            self.pull()
        if chance.random() < 0.85 or not self.warehouse.exists():
            self.build(chance.choice((None, None, None, *GUARDS)))
        if chance.random() < 0.3:
            self.lives(3)
            self.network.quiet()
            self.pull()
        self.sets_out()
        found = self.push(chance.choice((60, 60, 5)))
        if chance.random() < 0.3:
            self.sets_out()
            found += self.push()
        self.goes_on(chance.choice((0.3, 1, 5, 12, 30)) * chance.uniform(0.5, 1.5))
        return found

    def day(self, guard: str | None = None, wait: float = 60, hours: float = 24, **wrong: Any) -> list[Found]:
        """Run events, a build and a push. wrong: the network's faults at the push."""
        self.lives(self.n_people // 5)
        self.network.quiet()
        self.build(guard)
        vars(self.network).update(wrong)
        found = self.push(wait)
        self.network.quiet()
        self.passes(hours, 0)
        return found

    def story_of(self, email: str) -> list[str]:
        """The events of an address, to investigate a breach."""
        keys = {f" {who.customer_id} " for who in self.customers.values() if email in who.ever}
        keys |= {"build", "push", "clock", widest(email).partition("@")[0]}
        return [line for line in self.story if any(key in line for key in keys)]

    def history(self, n_rounds: int) -> list[Found]:
        """Run rounds and the end. Return the first breaches."""
        for _ in range(n_rounds):
            if found := self.round():
                return found
        return self.ends()

    def ends(self) -> list[Found]:
        """Without faults, each ESP holds exactly the members in the end."""
        self.network.quiet()
        self.goes_on(240)
        self.skew = timedelta()
        found: list[Found] = []
        for _ in range(3):
            self.pull()
            self.build()
            found += self.push()
            self.now += timedelta(days=9)
        for name in DESTINATIONS:
            for audience, destinations in AUDIENCES.items():
                if name not in destinations:
                    continue
                held = {
                    profile.email.lower() for profile in self.account(name).members(f"Mailroom {audience}")
                }
                wanted = self.truth.members.get(audience, set())
                can_be = {email for email in wanted if not self.can_not_be(name, email)}
                found += [Found("a member is missing in the end", name, e, "") for e in sorted(can_be - held)]
                found += [
                    Found("a customer is in a list in the end", name, e, "") for e in sorted(held - wanted)
                ]
        return self.dated(found)

    def can_not_be(self, name: str, email: str) -> bool:
        """Whether an ESP refuses an address for a reason of its own."""
        is_known = email in self.unwritten[name]
        return is_known or email.endswith("@fails.example") or (name == "mailchimp" and email in self.erased)


def fill(
    connection: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Sequence[Sequence[Any]]
) -> None:
    """Create a table with these columns, each `name` or `name type`, and rows."""
    named = [column.split() for column in columns.split(", ")]
    types = [ARROW[kind[0]] if kind else pa.string() for _, *kind in named]
    arrays = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(types)]
    connection.register("filled", pa.Table.from_arrays(arrays, [name for name, *_ in named]))
    connection.execute(f"create or replace table {table} as from filled")
    connection.unregister("filled")
