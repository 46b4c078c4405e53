"""Rows that are sent to a destination, and its answers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

Operation = Literal["add", "update", "remove", "suppress", "delete", "send"]
Status = Literal["accepted", "rejected", "pending", "sent"]
# Opt-outs come first, then removals, then additions, then messages.
OPERATIONS: tuple[Operation, ...] = ("delete", "suppress", "remove", "update", "add", "send")

# Code of a suppression of an address that the destination did not have: it holds nothing.
NOT_THERE = "not_there"
# Codes of rejected rows that may have arrived.
UNCLEAR = ("job_lost", "no_answer", "not_understood")


@dataclass(frozen=True)
class Row:
    """A row of sync_outbox. payload: the fields to set by name; None clears one. Of a message: the properties
    of its event, and audience is its flow. attempt: from 1."""

    outbox_id: str
    destination: str
    audience: str
    operation: Operation
    customer_id: str
    email: str
    payload: dict[str, Any]
    held: str | None
    decided_at: datetime
    attempt: int


@dataclass(frozen=True)
class Batch:
    """Rows of one destination, audience and operation that are sent together. The same rows have the same
    batch_id."""

    batch_id: str
    destination: str
    audience: str
    operation: Operation
    rows: Sequence[Row]


@dataclass(frozen=True)
class Answer:
    """A destination's answer about one row. code and message: why it was rejected. reference: the
    destination's own, such as a job. pending: settle() gives the result later, by reference. A push writes
    sent before there is an answer."""

    outbox_id: str
    status: Status
    code: str | None = None
    message: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Limits:
    """Limits of one batch: rows, bytes of all rows and bytes of one row, as size() counts them."""

    rows: int
    bytes: int | None = None
    row_bytes: int | None = None


Kind = Literal["unsubscribed", "bounced", "complained"]


@dataclass(frozen=True)
class Refusal:
    """An opt-out, complaint or hard bounce at the ESP. key: the ESP's own, stable for the same refusal.
    occurred_at: UTC, without a zone."""

    key: str
    profile_id: str
    email: str
    kind: Kind
    occurred_at: datetime


@dataclass(frozen=True)
class Resubscription:
    """An opt-in after an opt-out, confirmed from the mailbox (double opt-in). key: the ESP's own, stable for
    the same opt-in. form: where it was given. confirmed_at: UTC, without a zone."""

    key: str
    email: str
    form: str
    confirmed_at: datetime


class Destination(Protocol):
    """A destination of audiences. Each has a module in mailroom.activation.destinations, with a class that
    takes a folder of its own and an api.Connection. Its methods raise api.StoppedError if it can't be
    reached."""

    # Whether a message that is sent again arrives once, because its event has a key. If not, send() raises
    # api.UnansweredError for a message that may have arrived, and it is never sent again.
    repeats_sends: bool

    def limits(self, operation: Operation) -> Limits:
        """Return the limits of a batch of this operation."""

    def size(self, row: Row) -> int:
        """Return the bytes of a row in a request."""

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Send a batch and yield an answer for every row. Sending it again must change nothing, except
        messages without repeats_sends."""

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """Return the answers about rows that were pending under this reference, in their order; none while
        the job runs."""

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Yield every opt-out, complaint and hard bounce since then. The newest may appear late."""


@runtime_checkable
class TellsResubscriptions(Protocol):
    """A destination whose API proves that a person subscribed again, with a confirmed form."""

    def resubscriptions(self, emails: Sequence[str]) -> Iterator[Resubscription]:
        """Yield the addresses with an earlier opt-out that are subscribed there by a double opt-in."""


def name_too_long(batch: Batch, name: str, longest: int) -> list[Answer]:
    """Return the answers about messages whose event has too long a name for the destination."""
    words = f"The event {name} has {len(name)} characters, and {batch.destination} allows {longest}."
    return [Answer(row.outbox_id, "rejected", "name_too_long", words) for row in batch.rows]


def masked(email: str) -> str:
    """Return a masked address: a***@b***."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}***@{domain[:1]}***"
