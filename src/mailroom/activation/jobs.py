"""Jobs that a vendor has under way: many are asked about in one request, so that asking takes fewer requests
than the work did."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from mailroom.activation.api import RefusedError

Job = dict[str, Any]


class Jobs:
    """What a vendor says of its jobs, by name.

    look: a request that tells of many, the one of this name mostly among them; ask: one that tells of this
    one, and raises RefusedError where there is none. What was heard of a job is given once: a second question
    about the same job wants to know how it is by then.
    """

    def __init__(self, look: Callable[[str], Mapping[str, Job]], ask: Callable[[str], Job]) -> None:
        self._look, self._ask = look, ask
        self._heard: dict[str, Job] = {}

    def latest(self, name: str) -> Job:
        """How a job is. Raises RefusedError, StoppedError."""
        if name not in self._heard:
            with suppress(RefusedError):  # then it is asked for alone
                self._heard |= self._look(name)
        return self._heard.pop(name) if name in self._heard else self._ask(name)
