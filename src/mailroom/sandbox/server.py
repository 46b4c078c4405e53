"""The sandbox server: all vendors' routes, faults, rate limits, and pages that show the profiles."""

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
    """Return the names of the vendors."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name not in NOT_VENDORS)


class Sandbox:
    """A WSGI application: each vendor's API below /<vendor>, pages for people below /.

    faults: injected into requests to a vendor. now: the clock, UTC without a zone. is_limited: whether the
    vendors' rate limits apply, in total and below some paths. requests: the number of requests by vendor,
    method and path.
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
        self._windows: dict[str, list[tuple[str, Window]]] = {}  # by the start of their paths
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
            head: list[Any] = []
            body = b"".join(self._answered(environ, lambda *start: head.extend(start[:2])))
            if fault == "lost_after":
                raise Dropped
            if "json" in dict(head[1]).get("Content-Type", ""):
                body = body[: len(body) // 2]  # only cut JSON is recognisable as cut
            return flask.Response(body, head[0], head[1])(environ, start_response)

    def _answered(self, environ: Any, start_response: Any) -> list[bytes]:
        return list(self._app(environ, start_response))

    def transport(self) -> httpx.BaseTransport:
        """Return a transport to it within this process."""
        return _InProcess(self)

    def save(self, path: Path) -> None:
        """Save the accounts to a file."""
        kept = {
            name: {k: v for k, v in vars(account).items() if k != "now"}
            for name, account in self.accounts.items()
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, lambda unfinished: unfinished.write_bytes(pickle.dumps(kept)))

    def load(self, path: Path) -> None:
        """Load the accounts from a file."""
        for name, saved in pickle.loads(path.read_bytes()).items():
            vars(self.accounts[name]).update(saved)


class _InProcess(httpx.WSGITransport):
    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(app=sandbox)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except Dropped as error:
            raise httpx.ReadTimeout("the connection was lost", request=request) from error


class _Handler(WSGIRequestHandler):
    """Keeps connections open, as the vendors do, and logs nothing, because a path may contain an address."""

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
    """Return a server. Its serve_forever() starts it."""
    return make_server(host, port, sandbox, threaded=True, request_handler=_Handler)


def run(port: int, kept: Path, faults: Faults, starts_at: datetime | None, is_limited: bool) -> int:
    """Serve until stopped, then save the accounts to a file."""
    started = datetime.now(UTC).replace(tzinfo=None)
    ahead = (starts_at or started) - started
    sandbox = Sandbox(faults, lambda: datetime.now(UTC).replace(tzinfo=None) + ahead, is_limited)
    if kept.exists():
        sandbox.load(kept)
    server = serve(sandbox, port)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"The sandbox runs at http://127.0.0.1:{server.port}. To use it, run:\n")
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
    """Return the pages for people: / for all vendors, /look/<vendor> for one, with a form to opt out there.
    /counts has the number of requests and bytes."""
    routes = flask.Blueprint("pages", __name__)

    @routes.get("/")
    def overview() -> str:
        return flask.render_template("sandbox.html", accounts=accounts, shown=None, reasons=REASONS[:3])

    @routes.get("/look/<vendor>")
    def look(vendor: str) -> str:
        shown = accounts.get(vendor) or flask.abort(404)
        return flask.render_template("sandbox.html", accounts=accounts, shown=shown, reasons=REASONS[:3])

    @routes.post("/look/<vendor>/no")
    def opt_out(vendor: str) -> werkzeug.Response:
        account = accounts.get(vendor) or flask.abort(404)
        reason, email = flask.request.form["reason"], flask.request.form["email"].strip()
        if reason not in REASONS[:3] or not account.find(email):
            flask.abort(400, "Unknown reason, or no profile has this address.")
        account.refuse(email, reason)
        return flask.redirect(flask.url_for("pages.look", vendor=vendor))

    @routes.get("/counts")
    def counts() -> Any:
        return {"requests": requests.total(), "bytes": n_bytes()}

    return routes
