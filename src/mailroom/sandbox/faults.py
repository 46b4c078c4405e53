"""What goes wrong on purpose: on the way to the server, in it, on the way back."""

import random
from collections.abc import Sequence
from typing import Literal

Fault = Literal["429", "500", "503", "lost", "lost_after", "garbled", "401"]
USUAL: tuple[Fault, ...] = ("429", "500", "503", "lost", "lost_after", "garbled")


class Dropped(BaseException):
    """The connection is gone: no answer will come, and nothing on the way to the server may catch that."""


class Faults:
    """Goes wrong at this share of requests, in ways drawn by a seed: too many requests, errors, a
    connection lost before or after the work was done, JSON that is cut off. `script`: the faults of the
    next requests instead, None for none."""

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
        """What goes wrong with the next request."""
        if self.script:
            return self.script.pop(0)
        return self.random.choice(self.kinds) if self.random.random() < self.share else None
