"""One vendor's API over HTTP: authentication, rate limits and retries."""

import json as json_module
import logging
import math
import os
import random
import re
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import httpx
import tenacity
from pyrate_limiter import Limiter, Rate

from mailroom.activation.rows import Answer, Row
from mailroom.activation.scrub import Scrubber, error_text

# httpx logs URLs, which may contain an address.
logging.getLogger("httpx").setLevel(logging.WARNING)

# Statuses after which a retry may succeed: HTTP's, Cloudflare's and HubSpot's.
RETRYABLE = frozenset({408, 423, 425, 429, 477, 500, 502, 503, 504, 521, 522, 523, 524})
UNAUTHORIZED = frozenset({401, 402, 403})
# Errors from reading an answer with an undocumented shape.
OTHER_SHAPE = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)
# Errors before a request left.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
ADDRESS = re.compile(r"[^/]+(@|%40)[^/]+")  # in a path
UNREADABLE = 5  # unreadable refusals of one request, after which it counts as refused
LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
Result = TypeVar("Result")


class RefusedError(Exception):
    """The vendor refused a request. body: the answer, JSON or text."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"refused with status {status}")
        self.status, self.body = status, body


class StoppedError(RuntimeError):
    """A destination denies access, or does not answer after all retries. The message is scrubbed of personal
    data."""

    def __init__(self, reason: str) -> None:
        super().__init__(Scrubber().message(reason))


class UnansweredError(StoppedError):
    """A request that must not arrive twice may have arrived: nothing proves that it did, or did not."""


class NotUnderstoodError(Exception):
    """A complete answer is unreadable, and a retry would not help: the result of the rows is unknown. status:
    the HTTP status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"The answer with status {status} can't be read: {why}.")
        self.status = status


class TryAgainError(Exception):
    """No usable answer yet. status: the HTTP status, if there was an answer. after: the seconds to wait that
    the server asks for. refused: the error to raise if it stays like that."""

    def __init__(
        self,
        reason: str,
        status: int | None = None,
        after: float | None = None,
        refused: RefusedError | None = None,
    ) -> None:
        super().__init__(reason)
        self.status, self.after, self.refused = status, after, refused


@dataclass(frozen=True)
class Connection:
    """How destinations are reached. sandbox: address of `mailroom sandbox`, used instead of the vendors.
    deadline: seconds after which a request is aborted, even within its answer. attempts, seconds: tries of
    one request, and its time limit including waits. The others are for tests."""

    sandbox: str = field(default_factory=lambda: os.environ.get("MAILROOM_SANDBOX", "").rstrip("/"))
    deadline: float = 60
    attempts: int = 10
    seconds: float = 600
    transport: httpx.BaseTransport | None = None
    is_paced: bool = True
    sleep: Callable[[float], None] = time.sleep


class Api:
    """The API of one vendor.

    url: the base, without a path. secret: the environment variable with the key. headers: computed from the
    key. rates: the vendor's rate limits, enforced before a request. A time-out, a lost connection, a
    RETRYABLE status or an unreadable answer is retried after the Retry-After time, or an exponential back-off
    with jitter. So every request must be safe to send twice.
    """

    def __init__(
        self,
        vendor: str,
        url: str,
        secret: str,
        headers: Callable[[str], Mapping[str, str]],
        rates: Sequence[Rate],
        connection: Connection,
    ) -> None:
        self.vendor, self.rates = vendor, list(rates)
        self._connection = connection
        is_real = not (connection.sandbox or connection.transport)
        key = setting(secret) if is_real else "sandbox"
        self._key = key if is_real else None
        if not (key.isascii() and key.isprintable()):
            # For instance a typographic dash or quote from a word processor.
            raise StoppedError(f"{secret} has a character that no key has: copy the key again")
        self._new_client = partial(
            httpx.Client,
            base_url=f"{connection.sandbox}/{vendor}"
            if connection.sandbox
            else f"http://sandbox/{vendor}" if connection.transport else url,
            headers={"User-Agent": "mailroom", **headers(key)},
            timeout=httpx.Timeout(connection.deadline, connect=10),
            transport=connection.transport,
        )  # fmt: skip
        self._client = self._new_client()
        self._limiter = Limiter(self.rates) if connection.is_paced and not connection.transport else None

    def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
        also: Collection[int] = (),
        yes: int | None = None,
    ) -> Any:
        """Return the JSON of the answer, None without a body. also: statuses above 299 that are answers here.
        yes: the only success status, for endpoints that answer without a body: another one may come from a
        gateway.

        Raises RefusedError (permanent), NotUnderstoodError, StoppedError.
        """
        return self.with_retries(lambda: self.once(method, path, json, params, also, yes))

    def once(
        self,
        method: str,
        path: str,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
        also: Collection[int] = (),
        yes: int | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Any:
        """Like call(), but without retries: for requests inside get_or_create() and at_most_once(), which
        must not arrive twice. It may raise TryAgainError, too. form: sent instead of JSON."""
        if self._limiter:
            self._limiter.try_acquire(self.vendor)
        request = f"{method} {ADDRESS.sub('(an address)', path)}"
        try:
            response = within(
                self._connection.deadline,
                partial(self._client.request, method, path, json=json, params=params, data=form),
            )
        except TimeoutError as error:
            self._client.close()
            self._client = self._new_client()
            raise TryAgainError(f"no complete answer at {request}") from error
        except httpx.RequestError as error:
            raise TryAgainError(f"{type(error).__name__} at {request}") from error
        except httpx.InvalidURL as error:  # made with an id that the vendor gave
            raise StoppedError(f"{self.vendor} gave an id that is invalid in a URL, at {request}") from error
        status = response.status_code
        if status in UNAUTHORIZED and status not in also:
            raise StoppedError(f"{self.vendor} denies access: status {status} at {request}. Check its key.")
        if status in RETRYABLE:
            raise TryAgainError(f"status {status} at {request}", status, retry_after(response.headers))
        content = response.content
        if self._key:
            content = content.replace(self._key.encode(), b"(the key)")
        try:
            body = parsed(content, status) if content else None
        except json_module.JSONDecodeError as error:
            body = content.decode("utf-8", "replace")
            # A refusal may be an HTML page. One with a JSON content type was cut off.
            if status < 300 or "json" in response.headers.get("Content-Type", ""):
                refused = None if status < 300 else RefusedError(status, body)
                raise TryAgainError(
                    f"an answer that is not JSON at {request}", status, None, refused
                ) from error
        if (status >= 300 and status not in also) or (status < 300 and yes not in (None, status)):
            raise RefusedError(status, body)
        return body

    def with_retries(self, ask: Callable[[], Result]) -> Result:
        """Return ask(), called again whenever it raises TryAgainError. Raises StoppedError after the last
        retry, and RefusedError after UNREADABLE refusals with an unreadable body."""
        unreadable = 0

        def attempt() -> Result:
            nonlocal unreadable
            try:
                return ask()
            except TryAgainError as error:
                unreadable += error.refused is not None
                if error.refused and unreadable >= UNREADABLE:
                    raise error.refused from error
                raise

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TryAgainError),
            wait=_wait,
            stop=self._is_enough,
            sleep=self._connection.sleep,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except TryAgainError as error:
            raise StoppedError(f"{self.vendor} does not answer: {error}") from error

    def at_most_once(self, ask: Callable[[], Result]) -> Result:
        """Return ask(), whose one request must not arrive twice. It is made again only if it did not arrive,
        or was refused for now. Raises UnansweredError if it may have arrived, and StoppedError or
        RefusedError if it did not."""

        def attempt() -> Result:
            try:
                return ask()
            except TryAgainError as error:
                status = error.refused.status if error.refused else error.status
                if isinstance(error.__cause__, NOT_SENT) or (status and 300 <= status < 500):
                    raise
                raise UnansweredError(f"{self.vendor} does not answer: {error}") from error
            except (*OTHER_SHAPE, RecursionError, NotUnderstoodError) as error:
                raise UnansweredError(
                    f"an answer of {self.vendor} can't be read ({type(error).__name__})"
                ) from error

        return self.with_retries(attempt)

    def _is_enough(self, state: tenacity.RetryCallState) -> bool:
        passed = max(state.idle_for, state.seconds_since_start or 0)
        waited = passed + state.upcoming_sleep
        return state.attempt_number >= self._connection.attempts or waited > self._connection.seconds

    def get_or_create(self, find: Callable[[], Result | None], make: Callable[[], Result]) -> Result:
        """Return find(), or make() if it finds None. A request of make() without an answer may have arrived,
        so find() runs again before a retry. make() uses once()."""

        def either() -> Result:
            found = find()
            return found if found is not None else make()

        return self.with_retries(either)


def within(seconds: float, ask: Callable[[], Result]) -> Result:
    """Return ask(), or raise TimeoutError. httpx limits the time between two bytes, not the total: a slow
    answer is left to a thread, which ends with its connection."""
    answers: SimpleQueue[Result | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except BaseException as error:  # raised below, in the calling thread
            answers.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty as error:
        raise TimeoutError from error
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _wait(state: tenacity.RetryCallState) -> float:
    """Return the seconds to wait: the server's value, else 1, 2, 4, … up to 60, plus up to 50% jitter."""
    error = state.outcome.exception() if state.outcome else None
    after = error.after if isinstance(error, TryAgainError) else None
    wait = after or min(2.0 ** (state.attempt_number - 1), 60)
    return wait * random.uniform(1, 1.5)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header, a number or a date (RFC 9110, 10.2.3), or of Brevo's own
    header; None without a readable one. A past date is 0."""
    value = headers.get("Retry-After") or headers.get("x-sib-ratelimit-reset", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
            seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - time.time()
        except (ValueError, TypeError, LookupError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def parsed(content: bytes | str, status: int) -> Any:
    """Return the JSON of an answer with this status. Invalid bytes become question marks, so that a broken
    name does not lose the rest of an error.

    Raises json.JSONDecodeError if it is not JSON or cut off, and NotUnderstoodError if a retry would not make
    it readable.
    """
    if isinstance(content, bytes):
        content = content.decode(json_module.detect_encoding(content), "replace")

    def reject_constant(name: str) -> Any:
        raise NotUnderstoodError(status, f"{name} is not a number")

    try:
        body = json_module.loads(content, parse_constant=reject_constant)
        if LONE_SURROGATE.search(content):
            body = json_module.loads(
                json_module.dumps(body, ensure_ascii=False).encode("utf-8", "replace").decode()
            )
    except RecursionError as error:
        raise NotUnderstoodError(status, "it is nested too deeply") from error
    except json_module.JSONDecodeError:
        raise
    except ValueError as error:
        raise NotUnderstoodError(status, "a number has thousands of digits") from error
    return body


def with_refresh(
    find: Callable[[], Result | None], refresh: Callable[[], object], is_fresh: bool
) -> Callable[[], Result | None]:
    """Return a find() for get_or_create() that searches a list in memory, which refresh() reads. It refreshes
    unless the list is fresh, and on every retry, because a lost request may have created the thing."""

    def refreshed_find() -> Result | None:
        nonlocal is_fresh
        if not is_fresh:
            refresh()
        is_fresh = False
        return find()

    return refreshed_find


def setting(name: str) -> str:
    """Return an environment variable. Raises StoppedError with its name if it is not set."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise StoppedError(f"the environment variable {name} is not set")
    return value


def send_without_bad_rows(
    rows: Sequence[Row],
    send: Callable[[Sequence[Row]], Iterable[Answer]],
    pointed: Callable[[RefusedError], Mapping[int, tuple[str, str]]],
    calls: int = 40,
) -> Iterator[Answer]:
    """Send rows to an API that refuses all of them for one bad row, and yield their answers.

    send: makes one request with these rows and returns its answers. pointed: returns the rows (by place, from
    0) that a refusal names, with code and message. They are rejected and the others sent again. A refusal
    that names none is bisected, with `calls` requests at most. The remaining rows are rejected with its
    message.
    """
    waiting = [list(rows)]
    while waiting:
        some = waiting.pop()
        if not some:
            continue
        try:
            calls -= 1
            yield from send(some)
        except RefusedError as refused:
            try:
                places = pointed(refused)
            except OTHER_SHAPE:
                places = {}
            bad = {place: why for place, why in places.items() if 0 <= place < len(some)}
            if not bad and len(some) > 1 and calls > 0:
                half = len(some) // 2
                waiting += [some[half:], some[:half]]
                continue
            if not bad or calls <= 0:
                bad = dict.fromkeys(range(len(some)), (str(refused.status), error_text(refused.body))) | bad
            for place, (code, message) in bad.items():
                yield Answer(some[place].outbox_id, "rejected", code, message)
            waiting.append([row for place, row in enumerate(some) if place not in bad])


def was_found(request: Callable[[], object], is_not_found: Callable[[Any], bool]) -> bool:
    """Make a request about one person. Return whether the vendor has them.

    is_not_found: whether the body of a 404 is the vendor's for "no such person". Any other 404 is raised, as
    every other RefusedError: a gateway may give it for a path, an API for a list.
    """
    try:
        request()
    except RefusedError as refused:
        try:
            is_absent = refused.status == 404 and is_not_found(refused.body)
        except OTHER_SHAPE:
            is_absent = False
        if not is_absent:
            raise
        return False
    return True


def validated_answers(ask: Callable[[], Iterable[Result]]) -> Iterator[Result]:
    """Yield a destination's answers. Raises NotUnderstoodError, and StoppedError for an answer of an unknown
    shape, without its content."""
    try:
        yield from ask()
    except RefusedError as refused:
        raise StoppedError(f"a request was refused: status {refused.status}") from refused
    except (*OTHER_SHAPE, RecursionError) as error:
        raise StoppedError(f"an answer has an unknown shape ({type(error).__name__})") from error


def why(error: Exception) -> str:
    """Return why a destination stopped. Messages of foreign errors are left out, because they may contain
    personal data."""
    if isinstance(error, StoppedError | NotUnderstoodError):
        return str(error)
    if isinstance(error, OSError):
        return f"a local file can't be read or written: {error.strerror or type(error).__name__}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rpartition('/')[2]}, line {place.lineno}"
    return f"internal error: {type(error).__name__} in {where}"


def json_bytes(fields: Mapping[str, Any]) -> int:
    """Return the bytes of fields in the JSON of a request, at most: names, values and separators, without the
    envelope and name prefixes. A value may be quoted as text there.

    Most values are plain text, whose length is counted without encoding them.
    """
    return sum(_name_bytes(name) + _value_bytes(value) for name, value in fields.items())


@cache
def _name_bytes(name: str) -> int:
    return _encoded_bytes(name) + 2  # a colon before the value and a comma after it


def _value_bytes(value: Any) -> int:
    if type(value) is str:
        is_plain = value.isascii() and value.isprintable() and '"' not in value and "\\" not in value
        return len(value) + 2 if is_plain else _encoded_bytes(value)
    if isinstance(value, int | float) or value is None:
        return len(str(value)) + 2
    return _encoded_bytes(json_module.dumps(value))


def _encoded_bytes(text: str) -> int:
    return len(json_module.dumps(text, ensure_ascii=False).encode())


def utc(text: str) -> datetime:
    """Return an API's moment as UTC without a zone. A moment without a zone counts as UTC."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
