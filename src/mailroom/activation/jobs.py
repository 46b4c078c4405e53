"""Running jobs of a vendor. One request reads the status of many, so that polling takes fewer requests than
the work."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from mailroom.activation.api import RefusedError

Job = dict[str, Any]


class Jobs:
    """Statuses of a vendor's jobs, by name.

    list_jobs: reads many jobs, usually with the one of this name; get_job: reads this one, and raises
    RefusedError if there is none. Each status is returned once, so a second call reads it again.
    """

    def __init__(self, list_jobs: Callable[[str], Mapping[str, Job]], get_job: Callable[[str], Job]) -> None:
        self._list_jobs, self._get_job = list_jobs, get_job
        self._statuses: dict[str, Job] = {}

    def latest(self, name: str) -> Job:
        """Return the status of a job. Raises RefusedError, StoppedError."""
        if name not in self._statuses:
            with suppress(RefusedError):  # then it is read alone
                self._statuses |= self._list_jobs(name)
        return self._statuses.pop(name) if name in self._statuses else self._get_job(name)
