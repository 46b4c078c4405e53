"""One vendor's API over HTTP: its key, its pace, and how long a push is patient with it."""

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

# An address may stand in a URL, and httpx logs URLs.
logging.getLogger("httpx").setLevel(logging.WARNING)

# Later, the same request may be answered otherwise: HTTP's, Cloudflare's and HubSpot's.
RETRYABLE = frozenset({408, 423, 425, 429, 477, 500, 502, 503, 504, 521, 522, 523, 524})
UNAUTHORIZED = frozenset({401, 402, 403})
# What reading an answer of another shape than the documented one raises.
OTHER_SHAPE = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)
ADDRESS = re.compile(r"[^/]+(@|%40)[^/]+")  # in a path
UNREADABLE = 5  # answers to one request, after which a refusal counts as one though nothing says why
LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
Result = TypeVar("Result")


class RefusedError(Exception):
    """A request was understood and refused. body: what was answered, JSON or text."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"refused with status {status}")
        self.status, self.body = status, body


class StoppedError(RuntimeError):
    """A destination does not let us in, or does not answer however patient we are. Says no more than that:
    what it repeats of a person is taken out."""

    def __init__(self, reason: str) -> None:
        super().__init__(Scrubber().message(reason))


class NotUnderstoodError(Exception):
    """An answer came whole, and can't be read however often it is asked for: what it says of the rows is not
    known. status: what it was."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"The answer, with status {status}, can't be read: {why}.")
        self.status = status


class TryAgainError(Exception):
    """No answer to count on, now. status: what it was, where there was any answer. after: seconds that the
    server asks to wait. refused: what it means if it stays like that."""

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
    """How destinations are reached. sandbox: address of `mailroom sandbox`, instead of the vendors' own.
    deadline: seconds after which one request is given up, whatever has arrived of its answer. attempts,
    seconds: how often one request is tried, and how long it may take with the waits in between. The others
    are for tests."""

    sandbox: str = field(default_factory=lambda: os.environ.get("MAILROOM_SANDBOX", "").rstrip("/"))
    deadline: float = 60
    attempts: int = 10
    seconds: float = 600
    transport: httpx.BaseTransport | None = None
    is_paced: bool = True
    sleep: Callable[[float], None] = time.sleep


class Api:
    """The API of one vendor.

    url: where it is, without a path. secret: the environment variable that has the key. headers: made of the
    key. rates: the vendor's limits, waited for before a request. Requests are tried again after a time-out, a
    lost connection, a status of RETRYABLE or an answer that can't be read, once the time of Retry-After or of
    an exponential back-off with jitter has passed: so every request must be safe to send twice.
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
            # A dash or a quote that a text program put in.
            raise StoppedError(f"{secret} has a character that no key has: copy it again")
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
        """What a request is answered: its JSON, None where there is no body. also: statuses above 299 that
        are answers here. yes: the only status below 300 that is one, where the vendor documents an answer
        without words: another one may be of a gateway.

        Raises RefusedError (it will not be otherwise), NotUnderstoodError, StoppedError.
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
    ) -> Any:
        """As call(), tried once: for what must not arrive twice, inside get_or_create(). Raises TryAgainError
        too."""
        if self._limiter:
            self._limiter.try_acquire(self.vendor)
        asked = f"{method} {ADDRESS.sub('(an address)', path)}"
        try:
            response = within(
                self._connection.deadline,
                partial(self._client.request, method, path, json=json, params=params),
            )
        except TimeoutError as error:
            self._client.close()
            self._client = self._new_client()
            raise TryAgainError(f"no whole answer at {asked}") from error
        except httpx.RequestError as error:
            raise TryAgainError(f"{type(error).__name__} at {asked}") from error
        except httpx.InvalidURL as error:  # made with an id that the vendor gave
            raise StoppedError(f"{self.vendor} gives an id that no address can have, at {asked}") from error
        status = response.status_code
        if status in UNAUTHORIZED and status not in also:
            raise StoppedError(
                f"{self.vendor} does not let us in: status {status} at {asked}; look at its key"
            )
        if status in RETRYABLE:
            raise TryAgainError(f"status {status} at {asked}", status, retry_after(response.headers))
        content = response.content
        if self._key:
            content = content.replace(self._key.encode(), b"(the key)")
        try:
            body = parsed(content, status) if content else None
        except json_module.JSONDecodeError as error:
            body = content.decode("utf-8", "replace")
            # A refusal may be a page for people; one that calls itself JSON was cut on the way.
            if status < 300 or "json" in response.headers.get("Content-Type", ""):
                refused = None if status < 300 else RefusedError(status, body)
                raise TryAgainError(f"an answer that is no JSON at {asked}", status, None, refused) from error
        if (status >= 300 and status not in also) or (status < 300 and yes not in (None, status)):
            raise RefusedError(status, body)
        return body

    def with_retries(self, ask: Callable[[], Result]) -> Result:
        """What ask() returns in the end, asked again whenever it raises TryAgainError. Raises StoppedError
        once patience has run out; RefusedError where it was refused UNREADABLE times without words."""
        unreadable = 0

        def asked() -> Result:
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
            return retrying(asked)
        except TryAgainError as error:
            raise StoppedError(f"{self.vendor} does not answer: {error}") from error

    def _is_enough(self, state: tenacity.RetryCallState) -> bool:
        passed = max(state.idle_for, state.seconds_since_start or 0)
        waited = passed + state.upcoming_sleep
        return state.attempt_number >= self._connection.attempts or waited > self._connection.seconds

    def get_or_create(self, find: Callable[[], Result | None], make: Callable[[], Result]) -> Result:
        """What find() finds, or else make() makes. A request of make() that got no answer may have arrived:
        what it makes is looked for again before it is sent again. make() uses once()."""

        def either() -> Result:
            found = find()
            return found if found is not None else make()

        return self.with_retries(either)


def within(seconds: float, ask: Callable[[], Result]) -> Result:
    """What ask() returns. httpx limits the time between two bytes, not the time of them all: an answer that
    drips is left to a thread of its own, which ends with its connection. Raises TimeoutError."""
    answers: SimpleQueue[Result | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except BaseException as error:  # raised below, where there is somebody to hear it
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
    """Seconds: what the server asked for, else a second, two, four, … up to a minute; up to half as much
    again, so that not all come back at once."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, TryAgainError) else None
    wait = asked or min(2.0 ** (state.attempt_number - 1), 60)
    return wait * random.uniform(1, 1.5)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a Retry-After header asks to wait, as a number or a date (RFC 9110, 10.2.3), or Brevo's
    own; None without one that can be read. What is over already is 0."""
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
    """The JSON of an answer with this status. A question mark stands for bytes that are no letters: a broken
    name in an error is no reason to lose the rest of it.

    Raises json.JSONDecodeError where it is none, or was cut; NotUnderstoodError where it is JSON that can't
    be read, and will not be another time.
    """
    if isinstance(content, bytes):
        content = content.decode(json_module.detect_encoding(content), "replace")

    def no_number(name: str) -> Any:
        raise NotUnderstoodError(status, f"{name} is no number")

    try:
        body = json_module.loads(content, parse_constant=no_number)
        if LONE_SURROGATE.search(content):
            body = json_module.loads(
                json_module.dumps(body, ensure_ascii=False).encode("utf-8", "replace").decode()
            )
    except RecursionError as error:
        raise NotUnderstoodError(status, "it is nested too deep") from error
    except json_module.JSONDecodeError:
        raise
    except ValueError as error:
        raise NotUnderstoodError(status, "it has a number of thousands of digits") from error
    return body


def reread_on_retry(
    find: Callable[[], Result | None], look: Callable[[], object], was_looked_at: bool
) -> Callable[[], Result | None]:
    """A find() for get_or_create() among things that look() reads all of. What was read before is read again
    only where find() is called again: what was to be made may be there."""

    def found() -> Result | None:
        nonlocal was_looked_at
        if not was_looked_at:
            look()
        was_looked_at = False
        return find()

    return found


def setting(name: str) -> str:
    """An environment variable that must be there. Raises StoppedError with its name."""
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
    """Answers about rows sent to an API that refuses all of them for one bad one.

    send: one request with these rows, and what it was answered. pointed: the rows (by place, from 0) that a
    refusal points at, with code and message: they are refused, the rest is sent again. A refusal that points
    at none is narrowed down by halves, with so many requests at most; then all that is left is refused with
    its words.
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


def was_there(ask: Callable[[], object], says_absent: Callable[[Any], bool]) -> bool:
    """Ask for something to be done to one person; whether they were there for it.

    says_absent: whether the body of a 404 is the vendor's word for "no such person". Any other 404 proves
    nothing: a gateway says it of a path, an API of a list. It is raised, as every other RefusedError.
    """
    try:
        ask()
    except RefusedError as refused:
        try:
            is_absent = refused.status == 404 and says_absent(refused.body)
        except OTHER_SHAPE:
            is_absent = False
        if not is_absent:
            raise
        return False
    return True


def validated_answers(ask: Callable[[], Iterable[Result]]) -> Iterator[Result]:
    """What a destination answers. Raises NotUnderstoodError; StoppedError where an answer has a shape that
    its module does not know, without what was in it."""
    try:
        yield from ask()
    except RefusedError as refused:
        raise StoppedError(f"a request was refused: status {refused.status}") from refused
    except (*OTHER_SHAPE, RecursionError) as error:
        raise StoppedError(f"an answer has another shape than is known ({type(error).__name__})") from error


def why(error: Exception) -> str:
    """Why a destination stops, whatever was raised, without the words of an error that is not ours: they may
    repeat a person."""
    if isinstance(error, StoppedError | NotUnderstoodError):
        return str(error)
    if isinstance(error, OSError):
        return f"this machine can't read or write: {error.strerror or type(error).__name__}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rpartition('/')[2]}, line {place.lineno}"
    return f"Mailroom has a fault: {type(error).__name__} in {where}"


def json_bytes(fields: Mapping[str, Any]) -> int:
    """Bytes of fields in the JSON of a request, at most: their names and values, with what parts them, but
    without what a request has around them or puts before a name. A value may be put into a text there.

    Most values are plain: they are counted, not encoded, which the request does once.
    """
    return sum(_name_bytes(name) + _value_bytes(value) for name, value in fields.items())


@cache
def _name_bytes(name: str) -> int:
    return _encoded_bytes(name) + 2  # a colon before its value and a comma after it


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
    """A moment that an API gives, as UTC without a zone; one without a zone is taken for UTC."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
