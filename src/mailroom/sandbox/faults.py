"""Injected faults: on the way to the server, in it, and on the way back."""

import random
from collections.abc import Sequence
from typing import Literal

Fault = Literal["429", "500", "503", "lost", "lost_after", "garbled", "401"]
USUAL: tuple[Fault, ...] = ("429", "500", "503", "lost", "lost_after", "garbled")


class Dropped(BaseException):
    """The connection is lost. No code on the way to the server may catch it."""


class Faults:
    """Faults at a share of requests, drawn by a seed: rate limits, errors, a connection lost before or after
    the work, JSON that is cut off. `script`: the faults of the next requests instead, None for none."""

    def __init__(
        self,
        share: float = 0,
        seed: int = 0,
        kinds: Sequence[Fault] = USUAL,
        script: Sequence[Fault | None] = (),
    ) -> None:
        self.share, self.kinds, self.script = share, kinds, list(script)
        self.random = random.Random(seed)

    def next(self) -> Fault | None:
        """Return the fault of the next request, or None."""
        if self.script:
            return self.script.pop(0)
        return self.random.choice(self.kinds) if self.random.random() < self.share else None
