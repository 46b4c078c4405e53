"""The `mailroom` command line.

One function per command adds its arguments and returns its run function. Imports are inside, so that
`mailroom --help` is quick.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

# A command adds its arguments to its parser and returns its run function, which returns the exit code.
Run = Callable[[argparse.Namespace], int]
COMMANDS: dict[str, Callable[[argparse.ArgumentParser], Run]] = {}


def command(register: Callable[[argparse.ArgumentParser], Run]) -> Callable[[argparse.ArgumentParser], Run]:
    """Register a function as a subcommand of its name, with its docstring as help."""
    COMMANDS[register.__name__.replace("_", "-")] = register
    return register


@command
def demo(parser: argparse.ArgumentParser) -> Run:
    """Write a synthetic shop in the format of the source contract."""
    from datetime import date
    from pathlib import Path

    from mailroom.demo import UNTIL

    parser.add_argument("--customers", type=int, default=1_000, metavar="N", help="people in the shop")
    parser.add_argument("--days", type=int, default=540, metavar="D", help="length of the window in days")
    parser.add_argument("--seed", type=int, default=7, metavar="S", help="the same seed gives the same bytes")
    parser.add_argument("--to", type=Path, required=True, metavar="PATH", help="folder to write to")
    parser.add_argument("--format", choices=("parquet", "seeds"), default="parquet")
    parser.add_argument("--until", type=date.fromisoformat, default=UNTIL, help="end of the window, UTC")
    parser.add_argument("--orders-per-customer", type=float, metavar="X", help="over 540 days")
    parser.add_argument("--web-events-per-order", type=float, metavar="X")
    parser.add_argument("--message-events-per-customer", type=float, metavar="X", help="over 540 days")
    parser.add_argument(
        "--holdout-share", type=float, default=0.0, metavar="SHARE", help="people without newsletters"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes; the output stays the same"
    )

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.demo import generate

        options: dict[str, Any] = {
            name: value for name, value in vars(arguments).items() if name != "command"
        }
        rows = generate(form=options.pop("format"), **options)
        for table, count in sorted(rows.items()):
            print(f"{count:>12,}  {table}")
        return 0

    return run


@command
def show(parser: argparse.ArgumentParser) -> Run:
    """Print a summary of the last build and the next steps, or the first rows of one table."""
    parser.add_argument("table", nargs="?", help="a table of the build")
    parser.add_argument("--rows", type=int, default=10, help="rows to print (default 10)")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.show import first_rows, show
        from mailroom.warehouse import database_path

        path = database_path()
        print(first_rows(path, arguments.table, arguments.rows) if arguments.table else show(path))
        return 0

    return run


@command
def card(parser: argparse.ArgumentParser) -> Run:
    """Draw one customer: records, consent, scores, segments, audiences, each with its reason (SVG)."""
    from pathlib import Path

    parser.add_argument("customer_id", nargs="?", help="default: the customer with the most records")
    parser.add_argument("--to", type=Path, default=Path("customer.svg"), metavar="FILE")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.card import write
        from mailroom.warehouse import database_path

        write(database_path(), arguments.to, arguments.customer_id)
        print(f"{arguments.to} shows one customer. It holds personal data.")
        return 0

    return run


@command
def explain(parser: argparse.ArgumentParser) -> Run:
    """Print all that is known of one customer, with every reason: records, consent, scores, segments, flows,
    decisions, and what each ESP holds."""
    parser.add_argument("who", metavar="ADDRESS|CUSTOMER_ID", help="an e-mail address or a customer_id")
    parser.add_argument("--json", action="store_true", help="print JSON for a tool")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.explain import as_json, as_text, customer
        from mailroom.warehouse import database_path

        person = customer(database_path(), arguments.who)
        print(as_json(person) if arguments.json else as_text(person))
        return 0

    return run


@command
def sql(parser: argparse.ArgumentParser) -> Run:
    """Query the warehouse in SQL, read-only."""
    parser.add_argument("query", help='such as "select * from customers limit 3"')
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.show import answer
        from mailroom.warehouse import database_path

        print(answer(database_path(), arguments.query, arguments.format))
        return 0

    return run


@command
def thresholds(parser: argparse.ArgumentParser) -> Run:
    """Propose thresholds that fit the shop, with the customers that each selects now and would select.
    Changes nothing."""

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.thresholds import thresholds
        from mailroom.warehouse import database_path

        print(thresholds(database_path()))
        return 0

    return run


@command
def validate(parser: argparse.ArgumentParser) -> Run:
    """Check the public tables against the field dictionary. Exit code 1: a field failed."""
    from pathlib import Path

    parser.add_argument("--output", type=Path, default=Path("gx"), help="folder to write to (default gx)")
    parser.add_argument("--rows", type=int, default=100_000, help="maximum rows to check per table")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.validate import summary, validate
        from mailroom.warehouse import database_path

        checked = validate(database_path(), arguments.output, arguments.rows)
        print(summary(checked))
        print(f"{arguments.output}/result.json, {arguments.output}/data_docs/index.html")
        return 1 if any(suite.failed for suite in checked) else 0

    return run


@command
def push(parser: argparse.ArgumentParser) -> Run:
    """Send the outbox to the ESPs. Exit code 1: a row was rejected; 3: another push runs; 4: a guard held
    back an audience; 5: a destination did not answer or denied access."""
    from datetime import datetime

    parser.add_argument("--destination", action="append", default=[], help="only this one; repeatable")
    parser.add_argument("--audience", action="append", default=[], help="only this one; repeatable")
    parser.add_argument(
        "--override", action="append", default=[], metavar="AUDIENCE",
        help="send this audience although a guard stops it; repeatable",
    )  # fmt: skip
    parser.add_argument("--because", default="", help="reason of the override, which is recorded")
    parser.add_argument("--dry-run", action="store_true", help="show masked requests and send nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument(
        "--wait", type=float, default=600, metavar="SECONDS", help="maximum wait for jobs at an ESP"
    )
    parser.add_argument(
        "--as-of", type=datetime.fromisoformat, metavar="MOMENT",
        help="moment in UTC by which a message is too old to send (default: now)",
    )  # fmt: skip

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.activation.ledger import AnotherPushError, activation_folder
        from mailroom.activation.push import PushOptions, as_json, as_text, push
        from mailroom.warehouse import database_path

        options = PushOptions(
            arguments.destination,
            arguments.audience,
            arguments.override,
            arguments.because,
            arguments.dry_run,
            not arguments.json,
            arguments.wait,
            arguments.as_of,
        )
        try:
            pushed = push(database_path(), activation_folder(database_path()), options)
        except AnotherPushError as error:
            print(f"mailroom push: {error}", file=sys.stderr)
            return 3
        print(as_json(pushed) if arguments.json else as_text(pushed, arguments.dry_run))
        return pushed.exit_code

    return run


@command
def pull(parser: argparse.ArgumentParser) -> Run:
    """Pull opt-outs, complaints and bounces from the ESPs for the next build. Exit code 3: a push or pull
    runs; 5: a destination did not answer or denied access."""
    parser.add_argument("--destination", action="append", default=[], help="only this one; repeatable")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.activation.ledger import AnotherPushError, activation_folder
        from mailroom.activation.pull import as_text, pull
        from mailroom.warehouse import database_path

        try:
            pulled = pull(database_path(), activation_folder(database_path()), arguments.destination)
        except AnotherPushError as error:
            print(f"mailroom pull: {error}", file=sys.stderr)
            return 3
        print(as_text(pulled))
        return pulled.exit_code

    return run


@command
def experiment(parser: argparse.ArgumentParser) -> Run:
    """Plan an experiment: the customers and weeks that it needs, by the shop's own last weeks."""
    parser.add_argument("action", choices=("plan",))
    parser.add_argument("--measure", default="net_revenue", help="net_revenue, ordered or clicked")
    parser.add_argument("--lift", type=float, default=0.05, help="relative lift to find (default 0.05)")
    parser.add_argument(
        "--control-share", type=float, default=0.1, metavar="SHARE",
        help="share of the customers in the control arm (default 0.1)",
    )  # fmt: skip
    parser.add_argument("--population", default="contactable", help="contactable or everyone")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.measurement.plan import as_text, plan
        from mailroom.warehouse import database_path

        found = plan(
            database_path(),
            arguments.measure,
            arguments.lift,
            arguments.control_share,
            arguments.population,
        )
        print(as_text(found, arguments.measure, arguments.lift))
        return 0

    return run


@command
def domain(parser: argparse.ArgumentParser) -> Run:
    """Check in DNS what mail from a domain needs: SPF, DKIM, DMARC, MX and others; with --message
    its one-click unsubscribe. Exit code 1: a check fails; 2: an input is wrong; 5: DNS did not answer."""
    from pathlib import Path

    parser.add_argument("action", choices=("check",))
    parser.add_argument("domain", help="the domain of From, such as example.org")
    parser.add_argument(
        "--sender", action="append", default=[], metavar="DOMAIN",
        help="domain that your ESP sends by, as Return-Path or to sign (d=); repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--selector", action="append", default=[], metavar="NAME",
        help="DKIM selector (s= of a signature); repeatable (default: those of five ESPs are tried)",
    )  # fmt: skip
    parser.add_argument(
        "--message", type=Path, metavar="FILE", help="message of a seed list (.eml): check its headers"
    )
    parser.add_argument(
        "--transactional", action="store_true", help="the message is transactional: no unsubscribe needed"
    )
    parser.add_argument(
        "--ip", action="append", default=[], metavar="ADDRESS", help="server that sends: check its name"
    )
    parser.add_argument("--nameserver", metavar="HOST:PORT", help="ask this one (default: the system's)")
    parser.add_argument(
        "--timeout", type=float, default=5.0, metavar="SECONDS", help="per question (default 5)"
    )
    parser.add_argument(
        "--fetch", action="store_true", help="read the MTA-STS policy and the BIMI logo on the web, too"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.domain import BAD_INPUT, Options, as_json, as_text, check

        options = Options(
            arguments.sender,
            arguments.selector,
            arguments.ip,
            arguments.message,
            arguments.transactional,
            arguments.nameserver,
            arguments.timeout,
            arguments.fetch,
        )
        try:
            checked = check(arguments.domain, options)
        except ValueError as error:
            print(f"mailroom domain: {error}", file=sys.stderr)
            return BAD_INPUT
        print(as_json(checked) if arguments.json else as_text(checked))
        return checked.exit_code

    return run


@command
def render(parser: argparse.ArgumentParser) -> Run:
    """Make one finished message of the content files and a JSON file of facts. Nothing is sent."""
    from pathlib import Path

    parser.add_argument("message", help="name of a template, such as cart_1")
    parser.add_argument(
        "--facts", type=Path, required=True, metavar="FILE", help="facts of a customer (JSON)"
    )
    parser.add_argument("--language", default="en", help="en or de (default en)")
    parser.add_argument(
        "--block", action="append", default=[], metavar="SLOT=NAME", help="use this block; repeatable"
    )
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="write message.html and message.txt (default: nothing)"
    )
    parser.add_argument("--content", type=Path, default=Path("content"), metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print the message as JSON")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.content import load, read_facts, render, rendered_json, rendered_text, write

        blocks = {}
        for text in arguments.block:
            slot, equals, name = text.partition("=")
            if not (slot and equals and name) or slot in blocks:
                raise ValueError(f"--block is SLOT=NAME, once per slot, not {text!r}.")
            blocks[slot] = name
        content = load(arguments.content)
        made = render(content, arguments.message, arguments.language, read_facts(arguments.facts), blocks)
        files = write(made, arguments.to) if arguments.to else []
        print(rendered_json(made) if arguments.json else rendered_text(made))
        if files and not arguments.json:
            print(f"{' and '.join(map(str, files))} show one customer's message.")
        return 0

    return run


@command
def lint(parser: argparse.ArgumentParser) -> Run:
    """Check the content files: their words, and every message for awkward customers. Exit code 1: there is
    an error."""
    from pathlib import Path

    parser.add_argument("--content", type=Path, default=Path("content"), metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.content import exit_code, findings_json, findings_text, lint, load

        found = lint(load(arguments.content))
        print(findings_json(found) if arguments.json else findings_text(found))
        return exit_code(found)

    return run


@command
def sandbox(parser: argparse.ArgumentParser) -> Run:
    """Run a sandbox of the ESPs on this machine: their APIs, and a page that shows their profiles."""
    from datetime import datetime
    from pathlib import Path

    parser.add_argument("--port", type=int, default=8025)
    parser.add_argument(
        "--faults", type=float, default=0, metavar="SHARE", help="share of requests that fail"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the faults")
    parser.add_argument("--no-limits", action="store_true", help="no rate limits")
    parser.add_argument(
        "--now", type=datetime.fromisoformat, metavar="MOMENT", help="start time of its clock, UTC"
    )
    parser.add_argument(
        "--keep", type=Path, default=Path("warehouse/sandbox.state"), metavar="FILE",
        help="file with the ESPs' profiles (default warehouse/sandbox.state)",
    )  # fmt: skip

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.sandbox import Faults, run

        faults = Faults(arguments.faults, arguments.seed)
        return run(arguments.port, arguments.keep, faults, arguments.now, not arguments.no_limits)

    return run


@command
def publish(parser: argparse.ArgumentParser) -> Run:
    """Publish a new copy of the public tables for BI, replaced as a whole. Exit code 3: another publish
    runs."""
    from pathlib import Path

    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="folder to publish in (default <warehouse>-published)"
    )
    parser.add_argument(
        "--without-personal-data", action="store_true", help="leave out columns of personal data"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.publish import AnotherPublishError, as_json, as_text, publish, published_folder
        from mailroom.warehouse import database_path

        path = database_path()
        try:
            published = publish(path, arguments.to or published_folder(path), arguments.without_personal_data)
        except AnotherPublishError as error:
            print(f"mailroom publish: {error}", file=sys.stderr)
            return 3
        print(as_json(published) if arguments.json else as_text(published))
        return 0

    return run


@command
def compact(parser: argparse.ArgumentParser) -> Run:
    """Copy the warehouse into a new file without the bytes of deleted data. Exit code 3: a push or pull
    runs."""

    def run(arguments: argparse.Namespace) -> int:
        from mailroom.activation.ledger import AnotherPushError, activation_folder
        from mailroom.compact import as_text, compact
        from mailroom.warehouse import database_path

        try:
            compacted = compact(database_path(), activation_folder(database_path()))
        except AnotherPushError as error:
            print(f"mailroom compact: {error}", file=sys.stderr)
            return 3
        print(as_text(compacted))
        return 0

    return run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code. A ValueError is 1, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="mailroom", description="Mailroom's command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    runs = {}
    for name, register in COMMANDS.items():
        runs[name] = register(commands.add_parser(name, help=register.__doc__, description=register.__doc__))
    chosen = parser.parse_args(arguments)
    try:
        code = runs[chosen.command](chosen)
        sys.stdout.flush()
        return code
    except ValueError as error:
        print(f"mailroom {chosen.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as head, has closed the pipe; avoid Python's error at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
