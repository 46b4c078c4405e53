"""What goes to a destination, and what it answers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

Operation = Literal["add", "update", "remove", "suppress", "delete"]
Status = Literal["accepted", "rejected", "pending", "sent"]
# Who must hear no more comes first, then who leaves, then who comes.
OPERATIONS: tuple[Operation, ...] = ("delete", "suppress", "remove", "update", "add")


# Code of a suppression of somebody whom the destination did not know: it holds nothing of it.
NOT_THERE = "not_there"


@dataclass(frozen=True)
class Row:
    """A row of sync_outbox. payload: the fields to set by name; None clears one. attempt: from 1."""

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
    """Rows that go out together: of one destination, audience and operation. The same rows have the same
    batch_id."""

    batch_id: str
    destination: str
    audience: str
    operation: Operation
    rows: Sequence[Row]


@dataclass(frozen=True)
class Answer:
    """What a destination said about one row. code and message: why not; reference: what it calls it, such as
    a job. pending: it will say later, asked by that reference. sent is what a push writes down before there
    is an answer."""

    outbox_id: str
    status: Status
    code: str | None = None
    message: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Limits:
    """What one batch may have: rows, bytes of all rows and of one, as size() counts them."""

    rows: int
    bytes: int | None = None
    row_bytes: int | None = None


Kind = Literal["unsubscribed", "bounced", "complained"]


@dataclass(frozen=True)
class Refusal:
    """A no that a person gave, or their mailbox, at the ESP. key: the ESP's own, for the same refusal always
    the same. occurred_at: UTC, without a zone."""

    key: str
    profile_id: str
    email: str
    kind: Kind
    occurred_at: datetime


@dataclass(frozen=True)
class Resubscription:
    """A yes of somebody who had said no, which they confirmed from their mailbox (double opt-in). key: the
    ESP's own, for the same yes always the same. form: where they gave it. confirmed_at: UTC, without a
    zone."""

    key: str
    email: str
    form: str
    confirmed_at: datetime


class Destination(Protocol):
    """Where audiences go. One module each in mailroom.activation.destinations, with a class Destination that
    takes a folder of its own and an api.Connection. Its methods raise api.StoppedError where it can't be
    reached."""

    def limits(self, operation: Operation) -> Limits:
        """What a batch of this operation may have."""

    def size(self, row: Row) -> int:
        """Bytes of a row in a request."""

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Make it so, and say for every row whether it is. Sending a batch again must change nothing."""

    def settle(self, batch: Batch, reference: str) -> Iterable[Answer]:
        """What became of rows that were pending under this reference, in the order in which they were sent;
        nothing while it is not known."""

    def refusals(self, since: datetime) -> Iterator[Refusal]:
        """Every no since then, the newest may be missing a moment."""


@runtime_checkable
class TellsResubscriptions(Protocol):
    """A destination whose API proves that somebody has subscribed again, by a form that they confirmed."""

    def resubscriptions(self, emails: Sequence[str]) -> Iterator[Resubscription]:
        """Who of these addresses, which have said no, is subscribed there by a double opt-in."""


def masked(email: str) -> str:
    """An address that nobody can write to: a***@b***."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}***@{domain[:1]}***"
