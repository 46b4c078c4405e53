"""The data of an ESP account: profiles, lists or tags, jobs and refusals."""

import hashlib
import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

REASONS = ("unsubscribed", "bounced", "complained", "suppressed")


@dataclass
class Profile:
    """A contact. fields: values by the vendor's names. groups: ids of its lists or tags. refusals: moment by
    reason (of REASONS); with one, it gets no mail. status: the vendor's own, if it has one. confirmed_at: the
    moment of a double opt-in."""

    profile_id: str
    email: str
    fields: dict[str, Any] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    refusals: dict[str, datetime] = field(default_factory=dict)
    status: str = "subscribed"
    changed_at: datetime = datetime(2000, 1, 1)
    confirmed_at: datetime | None = None


@dataclass
class Account:
    """An account at one vendor. now: its clock, UTC without a zone."""

    vendor: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC).replace(tzinfo=None)
    profiles: dict[str, Profile] = field(default_factory=dict)  # by address, in lower case
    addresses: dict[str, str] = field(default_factory=dict)  # of profiles, by their ids
    groups: dict[str, str] = field(default_factory=dict)  # names by id
    fields: dict[str, Any] = field(default_factory=dict)  # fields that must be defined before they can be set
    jobs: dict[str, Any] = field(default_factory=dict)
    # Properties of events that start messages, by address in lower case, name and key. A vendor without keys
    # gives each event an id.
    events: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        """Return a unique id. The same requests get the same ids."""
        return str(next(self.ids))

    def find(self, email: str) -> Profile | None:
        """Return the profile of an address, in upper or lower case."""
        return self.profiles.get(email.lower())

    def upsert(self, email: str) -> Profile:
        """Return the profile of an address, created if missing."""
        key = email.lower()
        if key not in self.profiles:
            made = hashlib.sha256(f"{self.vendor}/{key}".encode()).hexdigest()[:16]
            self.profiles[key] = Profile(made, email)
            self.addresses[made] = key
        profile = self.profiles[key]
        profile.changed_at = self.now()
        return profile

    def by_id(self, profile_id: str) -> Profile | None:
        """Return the profile with an id."""
        return self.profiles.get(self.addresses.get(profile_id, ""))

    def refuse(self, email: str, reason: str) -> Profile:
        """Record an opt-out, a complaint or a bounce."""
        profile = self.upsert(email)
        profile.refusals.setdefault(reason, self.now())
        return profile

    def confirm(self, email: str) -> Profile:
        """Record a subscription with a confirmed form, which ends earlier refusals."""
        profile = self.upsert(email)
        profile.refusals.clear()
        profile.confirmed_at = self.now()
        return profile

    def members(self, group: str) -> list[Profile]:
        """Return the profiles in the list or tag of this name."""
        ids = {key for key, name in self.groups.items() if name == group}
        return [profile for profile in self.profiles.values() if profile.groups & ids]


class Window:
    """A rate limit: at most `requests` in `seconds`."""

    def __init__(self, requests: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.requests, self.seconds, self.clock = requests, seconds, clock
        self.at: deque[float] = deque()

    def wait(self) -> float:
        """Return the seconds until the next request is allowed. 0 counts this one."""
        now = self.clock()
        while self.at and now - self.at[0] >= self.seconds:
            self.at.popleft()
        if len(self.at) >= self.requests:
            return self.at[0] + self.seconds - now
        self.at.append(now)
        return 0.0
