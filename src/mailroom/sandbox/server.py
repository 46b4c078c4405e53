"""The server of the sandbox: every vendor's routes, faults, limits, and a page that shows what is held."""

import importlib
import json
import pickle
import pkgutil
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask
import httpx
import werkzeug
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

import mailroom.sandbox as package
from mailroom.files import replace
from mailroom.sandbox.account import REASONS, Account, Window
from mailroom.sandbox.faults import Dropped, Faults

NOT_VENDORS = ("account", "faults", "required", "server")


def vendors() -> list[str]:
    """The vendors whose APIs it speaks."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name not in NOT_VENDORS)


class Sandbox:
    """A WSGI application: each vendor's API below /<vendor>, a page to look at below /.

    faults: what goes wrong with requests to a vendor. now: the clock, UTC without a zone. is_limited:
    whether the vendors' limits of requests a second hold, of all and of those below some paths. requests: how
    often each method and path was asked for, by vendor.
    """

    def __init__(
        self,
        faults: Faults | None = None,
        now: Callable[[], datetime] | None = None,
        is_limited: bool = False,
    ) -> None:
        self.faults = faults or Faults()
        self.now = now or (lambda: datetime.now(UTC).replace(tzinfo=None))
        self.accounts: dict[str, Account] = {}
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.n_bytes = 0
        self._windows: dict[str, list[tuple[str, Window]]] = {}  # each for paths that begin so
        self._lock = threading.Lock()
        self._app = flask.Flask(__name__)
        for vendor in vendors():
            module = importlib.import_module(f"{package.__name__}.{vendor}")
            self.accounts[vendor] = Account(vendor, lambda: self.now())
            self._app.register_blueprint(module.routes(self.accounts[vendor]), url_prefix=f"/{vendor}")
            rates = {"": module.RATES, **getattr(module, "RATES_BELOW", {})} if is_limited else {}
            self._windows[vendor] = [
                (below, Window(*rate)) for below, several in rates.items() for rate in several
            ]
        self._app.register_blueprint(pages(self.accounts, self.requests, lambda: self.n_bytes))

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer one request, or raise Dropped."""
        vendor, _, path = environ["PATH_INFO"].lstrip("/").partition("/")
        if vendor not in self.accounts:
            return self._answered(environ, start_response)
        with self._lock:
            self.requests[vendor, environ["REQUEST_METHOD"], f"/{path}"] += 1
            self.n_bytes += int(environ.get("CONTENT_LENGTH") or 0)
            windows = [window for below, window in self._windows[vendor] if f"/{path}".startswith(below)]
            wait = max((window.wait() for window in windows), default=0)
            fault = "429" if wait else self.faults.next()
            if fault == "lost":
                raise Dropped
            if fault in ("401", "429", "500", "503"):
                response = flask.Response(json.dumps({"errors": [{"detail": "On purpose."}]}), int(fault))
                if fault == "429":
                    response.headers["Retry-After"] = str(max(1, round(wait + 0.5)))
                return response(environ, start_response)
            if fault is None:
                return self._answered(environ, start_response)
            told: list[Any] = []
            body = b"".join(self._answered(environ, lambda *head: told.extend(head[:2])))
            if fault == "lost_after":
                raise Dropped
            if "json" in dict(told[1]).get("Content-Type", ""):
                body = body[: len(body) // 2]  # a text that is cut, nobody can tell
            return flask.Response(body, told[0], told[1])(environ, start_response)

    def _answered(self, environ: Any, start_response: Any) -> list[bytes]:
        return list(self._app(environ, start_response))

    def transport(self) -> httpx.BaseTransport:
        """A way to it from this process, without a network."""
        return _InProcess(self)

    def save(self, path: Path) -> None:
        """Keep what it holds in a file."""
        kept = {
            name: {k: v for k, v in vars(found).items() if k != "now"}
            for name, found in self.accounts.items()
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, lambda unfinished: unfinished.write_bytes(pickle.dumps(kept)))

    def load(self, path: Path) -> None:
        """Hold what was kept."""
        for name, found in pickle.loads(path.read_bytes()).items():
            vars(self.accounts[name]).update(found)


class _InProcess(httpx.WSGITransport):
    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(app=sandbox)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except Dropped as error:
            raise httpx.ReadTimeout("the connection was lost", request=request) from error


class _Handler(WSGIRequestHandler):
    """Connections that stay open, as the vendors' do, and no log: a path may have an address in it."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def run_wsgi(self) -> None:
        try:
            super().run_wsgi()
        except Dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def serve(sandbox: Sandbox, port: int, host: str = "127.0.0.1") -> BaseWSGIServer:
    """A server, to be started by its serve_forever()."""
    return make_server(host, port, sandbox, threaded=True, request_handler=_Handler)


def run(port: int, kept: Path, faults: Faults, starts_at: datetime | None, is_limited: bool) -> int:
    """Serve until somebody stops it, and keep in a file what the ESPs hold then."""
    started = datetime.now(UTC).replace(tzinfo=None)
    ahead = (starts_at or started) - started
    sandbox = Sandbox(faults, lambda: datetime.now(UTC).replace(tzinfo=None) + ahead, is_limited)
    if kept.exists():
        sandbox.load(kept)
    server = serve(sandbox, port)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"The ESPs are at http://127.0.0.1:{server.port} for whoever says\n")
    print(f"    export MAILROOM_SANDBOX=http://127.0.0.1:{server.port}\n", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        sandbox.save(kept)
    return 0


def pages(
    accounts: dict[str, Account], requests: Counter[tuple[str, str, str]], n_bytes: Callable[[], int]
) -> flask.Blueprint:
    """What is held, for a person: / for all vendors, /look/<vendor> for one, with a form to say no there.
    For a program, /counts has how many requests and bytes came."""
    routes = flask.Blueprint("pages", __name__)

    @routes.get("/")
    def overview() -> str:
        return flask.render_template("sandbox.html", accounts=accounts, shown=None, reasons=REASONS[:3])

    @routes.get("/look/<vendor>")
    def look(vendor: str) -> str:
        shown = accounts.get(vendor) or flask.abort(404)
        return flask.render_template("sandbox.html", accounts=accounts, shown=shown, reasons=REASONS[:3])

    @routes.post("/look/<vendor>/no")
    def say_no(vendor: str) -> werkzeug.Response:
        account = accounts.get(vendor) or flask.abort(404)
        reason, email = flask.request.form["reason"], flask.request.form["email"].strip()
        if reason not in REASONS[:3] or not account.find(email):
            flask.abort(400, "No such reason, or nobody has this address here.")
        account.refuse(email, reason)
        return flask.redirect(flask.url_for("pages.look", vendor=vendor))

    @routes.get("/counts")
    def counts() -> Any:
        return {"requests": requests.total(), "bytes": n_bytes()}

    return routes
