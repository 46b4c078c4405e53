"""What an ESP holds: profiles, lists or tags, jobs, and who has said no."""

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
    """A contact. fields: what it holds, by its own names. groups: ids of lists or tags it is in. refusals:
    reason (of REASONS) and when; while there is one, no mail goes there. status: the vendor's own word,
    where it has one. confirmed_at: when a double opt-in was."""

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
    fields: dict[str, Any] = field(default_factory=dict)  # what must be defined before it can be set
    jobs: dict[str, Any] = field(default_factory=dict)
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        """An id that nothing else has; the same requests get the same ids."""
        return str(next(self.ids))

    def find(self, email: str) -> Profile | None:
        """Whose address it is, in upper case or lower."""
        return self.profiles.get(email.lower())

    def upsert(self, email: str) -> Profile:
        """The profile of an address, made where there is none."""
        key = email.lower()
        if key not in self.profiles:
            made = hashlib.sha256(f"{self.vendor}/{key}".encode()).hexdigest()[:16]
            self.profiles[key] = Profile(made, email)
            self.addresses[made] = key
        profile = self.profiles[key]
        profile.changed_at = self.now()
        return profile

    def by_id(self, profile_id: str) -> Profile | None:
        """The profile with an id."""
        return self.profiles.get(self.addresses.get(profile_id, ""))

    def refuse(self, email: str, reason: str) -> Profile:
        """Somebody, or their mailbox, says no."""
        profile = self.upsert(email)
        profile.refusals.setdefault(reason, self.now())
        return profile

    def confirm(self, email: str) -> Profile:
        """Somebody subscribes, again maybe, by a form that they confirm: the no is over."""
        profile = self.upsert(email)
        profile.refusals.clear()
        profile.confirmed_at = self.now()
        return profile

    def members(self, group: str) -> list[Profile]:
        """Who is in the list or tag of this name."""
        ids = {found for found, name in self.groups.items() if name == group}
        return [profile for profile in self.profiles.values() if profile.groups & ids]


class Window:
    """At most so many requests in so many seconds."""

    def __init__(self, requests: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.requests, self.seconds, self.clock = requests, seconds, clock
        self.at: deque[float] = deque()

    def wait(self) -> float:
        """Seconds until the next request may come; 0 counts this one."""
        now = self.clock()
        while self.at and now - self.at[0] >= self.seconds:
            self.at.popleft()
        if len(self.at) >= self.requests:
            return self.at[0] + self.seconds - now
        self.at.append(now)
        return 0.0
