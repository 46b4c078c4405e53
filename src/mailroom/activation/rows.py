"""What goes to a destination, and what it answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

Operation = Literal["add", "update", "remove", "suppress", "delete"]
Status = Literal["accepted", "rejected", "pending"]
# Who must hear no more comes first, then who leaves, then who comes.
OPERATIONS: tuple[Operation, ...] = ("delete", "suppress", "remove", "update", "add")


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
    a job."""

    outbox_id: str
    status: Status
    code: str | None = None
    message: str | None = None
    reference: str | None = None


class Destination(Protocol):
    """Where audiences go. One module each in mailroom.activation.destinations, with a class Destination."""

    max_rows: int  # of a batch

    def send(self, batch: Batch) -> Iterable[Answer]:
        """Make it so, and say for every row whether it is. Sending a batch again must change nothing."""


def masked(email: str) -> str:
    """An address that nobody can write to: a***@b***."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}***@{domain[:1]}***"
