"""What a check found: one row with a state and a sentence."""

from dataclasses import dataclass

OK, WARNING, FAILS, UNKNOWN = "ok", "warning", "fails", "unknown"
STATES = (FAILS, WARNING, UNKNOWN, OK)
LONGEST = 80  # characters of a record or header that a sentence quotes
GMAIL, YAHOO, MICROSOFT = "Gmail", "Yahoo", "Microsoft"
BULK_SENDERS = f"{GMAIL}, {YAHOO}, {MICROSOFT}"


@dataclass(frozen=True)
class Finding:
    """One check.

    check: its name. subject: the domain, selector or header that it looked at. state: ok, warning, fails or
    unknown. sentence: what was found and, if it is not ok, what to do. rule: whose rule it is.
    unanswered: it is unknown because DNS did not answer.
    """

    check: str
    subject: str
    state: str
    sentence: str
    rule: str
    unanswered: bool = False


def finding(check: str, subject: str, state: str, sentence: str, rule: str) -> Finding:
    """Return a finding whose texts can be printed: records and headers come from strangers."""
    return Finding(check, printable(subject), state, printable(sentence), rule)


def unanswered(check: str, subject: str, name: str, rule: str) -> Finding:
    """Return the finding that DNS did not answer. That is not the same as no record."""
    sentence = (
        f"DNS gave no answer about {name}, so nothing is known. Try again later, or another --nameserver."
    )
    return Finding(check, printable(subject), UNKNOWN, printable(sentence), rule, unanswered=True)


def printable(text: str) -> str:
    """Return the text with a question mark for each character that steers a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def quoted(text: str) -> str:
    """Return the begin of a foreign text, printable and in quotes."""
    shown = printable(text.strip())
    return f'"{shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"}"'


def counted(n: int, noun: str) -> str:
    """Return a number with its noun: 1 record, 2 records."""
    return f"{n} {noun}{'' if n == 1 else 's'}"
