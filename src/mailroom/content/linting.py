"""Check a content folder: the words of its files, and every rendering for each awkward customer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from mailroom.content import page, prose
from mailroom.content.cases import INJECTED, LONGEST, NOTHING, ORDINARY, cases, needs_only
from mailroom.content.choose import why_not
from mailroom.content.creepy import over_the_line
from mailroom.content.model import (
    ERROR,
    LANGUAGES,
    SUBJECT,
    TRANSACTIONAL,
    WARNING,
    Block,
    Content,
    ContentError,
    Fault,
    Finding,
    Rendered,
)
from mailroom.content.rendering import fragment, render

# Gmail clips at about 100 × 1,000 bytes of what the ESP sends: 99,507 to 100,217 were measured
# (hteumeuleu/email-bugs#41). An ESP's tracking makes each link about this much longer: an estimate.
SIZE_WARNING, SIZE_ERROR, TRACKED_LINK = 85_000, 99_000, 120
# Mailroom's own limits: what phones show of an inbox row. No standard has them.
LONGEST_SUBJECT, LONGEST_PREHEADER = 60, 110
# SpamAssassin, 20_html_tests.cf: HTML_IMAGE_ONLY_04 hits images with at most 400 bytes of words.
FEWEST_BYTES_WITH_IMAGES = 400
# One call to action: of two, each takes clicks of the other. Mailroom's own rule.
MOST_BUTTONS = 1
# Over half of at least ten letters in capitals: Mailroom's own reading of Gmail's rule on honest subjects.
CAPITALS, FEWEST_LETTERS = 0.5, 10
SHORTENERS = frozenset(
    [
        "bit.ly",
        "tinyurl.com",
        "t.co",
        "goo.gl",
        "ow.ly",
        "is.gd",
        "buff.ly",
        "rebrand.ly",
        "cutt.ly",
        "t.ly",
        "rb.gy",
        "shorturl.at",
        "tiny.cc",
        "bl.ink",
        "lnkd.in",
        "v.gd",
        "s.id",
    ]
)
GREETING = r"(?:hi|hello|hey|dear|hallo|liebe|lieber|liebe/r|guten tag|guten morgen|moin|servus)"
BLANK_GREETING = re.compile(
    rf"(?:^|[.!?]\s)\s*{GREETING}(?:[ \u00a0]+[,!.]|\s*$)", re.IGNORECASE | re.MULTILINE
)
SPACE_BEFORE = re.compile(r"[ \u00a0][,.;:!?](?=\s|$)", re.MULTILINE)
LEFTOVER = re.compile(r"\{\{|\}\}|\{%|%\}|\[\[|\]\]|\*\||\|\*")
NO_VALUE = re.compile(r"\b(None|nan|NaN|null|undefined|NaT)\b")
# Gmail's sender guidelines forbid subjects that pretend, and hidden text.
REPLY = re.compile(r"^\s*(?:re|fwd?|aw|wg)\s*:", re.IGNORECASE)
PADDING = re.compile(r"(?:[\u200b-\u200d\u034f\u00a0\u00ad\ufeff\u2007]\s*){3,}")
# WCAG 2.2, 2.4.4: a link's text says where it leads.
SAYS_NOTHING = re.compile(
    r"(?:click |klicken sie |klick |klicke )?(?:here|hier)(?: klicken)?|link", re.IGNORECASE
)


def lint(content: Content, today: date | None = None) -> list[Finding]:
    """Return what is wrong with the content, errors first. today: by which blocks are expired."""
    today = today or content.today
    found = [*_words(content)]
    for message in content.templates:
        for language in LANGUAGES:
            found += _message(content, message, language, today)
    once: dict[tuple[str, ...], Finding] = {}
    for one in found:
        key = (one.file, str(one.line), one.message, one.language, one.rule, one.sentence)
        once.setdefault(key if not one.file else (*key[:2], *key[4:]), one)
    return sorted(
        once.values(), key=lambda one: (one.severity != ERROR, one.file, one.line, one.message, one.language)
    )


# The words of the files.


def _words(content: Content) -> Iterator[Finding]:
    for block in (*content.blocks.values(), *content.subjects.values()):
        yield from _prose(content, block.body, block.file, block.language, set(block.needs))
    for template in content.templates.values():
        for language in LANGUAGES:
            yield from _prose(content, template.body, template.file, language, set())
    for name, source in content.parts.items():
        for language in LANGUAGES:
            yield from _prose(content, source, f"templates/{name}.mjml", language, set())


def _prose(content: Content, source: str, file: str, language: str, needs: set[str]) -> Iterator[Finding]:
    def value(variable: str) -> str:
        """An example for a variable of Liquid."""
        name, _, below = variable.partition(".")
        if name == "words":
            return str(content.words[language].get(below, ""))
        fact = content.facts.get(name)
        if fact is None or isinstance(fact.example, list | dict):
            return "Name" if name != "brand" else str(content.brand.get(below, ""))
        return str(fact.example)

    words = prose.read(source, value)

    def finding(rule: str, at: int, sentence: str) -> Finding:
        return Finding(rule, ERROR, sentence, file, words.line(at))

    for word in content.voice.banned_words:
        for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", words.text, re.IGNORECASE):
            yield finding("banned word", found.start(), f'"{found[0]}" is a banned word of voice.yml.')
    for claim in content.voice.claims:
        for found in claim.regex.finditer(words.text):
            if claim.needs == "never":
                sentence = f'"{_short(found[0])}" is never claimed: {claim.why}'
            elif claim.needs in needs:
                continue
            else:
                sentence = (
                    f'"{_short(found[0])}" needs the fact {claim.needs}, and needs lacks it: {claim.why}'
                )
            yield finding("claim", found.start(), _sentence(sentence))
    for begin, end, why in over_the_line(words.text, content.voice.creepy):
        yield finding("creepy line", begin, _sentence(f'"{_short(words.text[begin:end])}" {why}'))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:60]}…"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


# The renderings.


def _message(content: Content, message: str, language: str, today: date) -> Iterator[Finding]:
    every = cases(content)
    heaviest = 0
    seen: set[tuple[str, ...]] = set()  # awkward facts that a message does not show give the same message

    def rendered(
        case: str, facts: Mapping[str, Any], blocks: Mapping[str, str], only_core: bool = False
    ) -> tuple[Rendered | None, list[Finding]]:
        nonlocal heaviest
        made, found = _try(content, message, language, case, facts, blocks, today, only_core)
        if made is None:
            return None, found
        key = (made.html, made.text, made.subject, made.preheader)
        if key not in seen:
            seen.add(key)
            checked, weight = _check(content, made, case)
            found += checked
            heaviest = max(heaviest, weight)
        return made, found

    for case, facts in every.items():
        yield from rendered(case, facts, {})[1]
    longest = every["most products, longest texts"]
    blocks = {}
    for slot in (*content.templates[message].slots, SUBJECT):
        offered = [block for block in content.offered(message, slot, language) if not block.expired(today)]
        for block in offered:
            for case, facts in _block_cases(content, block, slot, every):
                made, found = rendered(case, facts, {slot: block.name})
                yield from found
                if made and slot == SUBJECT and case.endswith(block.name):
                    yield from _inbox_row(made, block)
        if slot != SUBJECT:
            usable = [block for block in offered if not why_not(block, {**longest, "confidence": 1}, today)]
            blocks[slot] = max(usable or offered, key=lambda block: _length(content, block, longest)).name
    for case in (ORDINARY, NOTHING):
        yield from rendered(f"core only, {case}", every[case], {}, True)[1]
    yield from rendered("longest blocks", longest, blocks)[1]
    if heaviest >= SIZE_WARNING:
        limit = SIZE_ERROR if heaviest >= SIZE_ERROR else SIZE_WARNING
        sentence = (
            f"The longest rendering has {heaviest:,} bytes with tracked links. Keep it under {limit:,}."
        )
        severity = ERROR if heaviest >= SIZE_ERROR else WARNING
        yield Finding("size", severity, sentence, message=message, language=language, case="longest blocks")


def _block_cases(
    content: Content, block: Block, slot: str, every: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Cases of each block that a message may use, not only the chosen one: all facts, and its own only."""
    confident = {"confidence": 1} if "confidence" in content.facts else {}
    yield f"{slot} {block.name}", {**every[ORDINARY], **confident}
    yield f"{slot} {block.name}, {LONGEST}", {**every[LONGEST], **confident}
    yield f"{slot} {block.name}, only what it needs", needs_only(content, block)


def _length(content: Content, block: Block, facts: dict[str, Any]) -> int:
    try:
        return len(fragment(content, block, facts).encode())
    except ContentError:
        return 0


def _try(
    content: Content,
    message: str,
    language: str,
    case: str,
    facts: Mapping[str, Any],
    blocks: Mapping[str, str],
    today: date,
    only_core: bool = False,
) -> tuple[Rendered | None, list[Finding]]:
    try:
        return render(content, message, language, facts, blocks, today, only_core), []
    except ContentError as error:
        found = []
        for fault in error.faults:
            one = Finding("renders", ERROR, str(fault), message=message, language=language, case=case)
            if isinstance(fault, Fault):
                one = replace(
                    one, sentence=f"{fault.sentence} Case: {case}.", file=fault.file, line=fault.line
                )
            found.append(one)
        return None, found


def _inbox_row(made: Rendered, block: Block) -> Iterator[Finding]:
    """Subject and preheader of an ordinary customer."""

    def finding(rule: str, severity: str, sentence: str) -> Finding:
        return Finding(
            rule, severity, sentence, block.file, block.body.count("\n", 0, _begin(block.body)) + 1
        )

    subject, preheader = made.subject, made.preheader
    for name, text, most in (
        ("subject", subject, LONGEST_SUBJECT),
        ("preheader", preheader, LONGEST_PREHEADER),
    ):
        if len(text) > most:
            yield finding(name, ERROR, f"The {name} has {len(text)} characters. Keep it to {most}.")
    letters = [one for one in subject if one.isalpha()]
    capitals = sum(one.isupper() for one in letters)
    if len(letters) >= FEWEST_LETTERS and capitals > CAPITALS * len(letters):
        yield finding("spam-like subject", ERROR, "Over half of the subject is in capitals.")
    if re.search(r"[!?]\s*!|!.*!", subject):
        yield finding("spam-like subject", ERROR, "The subject repeats an exclamation mark.")
    if REPLY.search(subject):
        yield finding("spam-like subject", ERROR, "The subject pretends to be a reply or forwarded.")


def _begin(text: str) -> int:
    return len(text) - len(text.lstrip("\n"))


def _check(content: Content, made: Rendered, case: str) -> tuple[list[Finding], int]:
    """Check one rendering. Returns findings, and its bytes once an ESP has rewritten its links."""
    shown = page.read(made.html)
    template = content.templates[made.message]
    found: list[Finding] = []

    def add(rule: str, sentence: str, severity: str = ERROR) -> None:
        found.append(
            Finding(rule, severity, sentence, message=made.message, language=made.language, case=case)
        )

    for name, text in (
        ("subject", made.subject),
        ("preheader", made.preheader),
        ("HTML part", shown.text),
        ("text part", made.text),
    ):
        if not text.strip():
            add("not empty", f"The {name} is empty.")
        if BLANK_GREETING.search(text):
            add("blank greeting", f"A greeting in the {name} has no name.")
        elif SPACE_BEFORE.search(text):
            add(
                "space before punctuation", f"A space stands before punctuation in the {name}: a blank value?"
            )
        if mark := LEFTOVER.search(text):
            add("leftover mark", f"{mark[0]} is left in the {name}.")
        for value in set(NO_VALUE.findall(text)) - _own_words(content, made):
            add("no value", f"{value} is shown in the {name}.")
        if PADDING.search(text):
            add("padding", f"Invisible characters pad the {name}.")
    if made.subject == made.preheader and made.subject:
        add("preheader", "Subject and preheader are the same.")
    if INJECTED in made.html:
        add("escapes", "HTML of a fact is in the HTML part unescaped.")
    found_links = [link.href for link in shown.links]
    for link in shown.links:
        _link(link, add)
    if shown.images_without_alt:
        add("alternative text", 'An image has no alt. Decoration has alt="" (WCAG 2.2, 1.1.1).')
    if shown.language != made.language:
        add(
            "language",
            f"lang of the HTML is {shown.language or 'missing'}, not {made.language} (WCAG 2.2, 3.1.1).",
        )
    if not shown.title.strip():
        add("title", "The HTML part has no title (WCAG 2.2, 2.4.2).")
    elif not _stems(shown.title) & _stems(made.subject) and _stems(made.subject):
        add("title", "No word of the title is in the subject (SpamAssassin, 20_html_tests.cf).", WARNING)
    if shown.n_h1 != 1:
        add("one h1", f"The HTML part has {shown.n_h1} h1 instead of one.")
    for text, background, ratio in sorted(shown.pale):
        add("contrast", f"{text} on {background} has {ratio}:1. WCAG 2.2, 1.4.3, asks for {page.AA}:1.")
    buttons = len(re.findall(r"<mj-button\b", made.mjml.partition("</mj-head>")[2]))
    if buttons > MOST_BUTTONS:
        add("one call to action", f"The message has {buttons} buttons instead of one.")
    if shown.n_images and len(shown.text.encode()) < FEWEST_BYTES_WITH_IMAGES:
        sentence = f"Images come with under {FEWEST_BYTES_WITH_IMAGES} bytes of words (SpamAssassin)."
        add("little text", sentence, WARNING)
    if template.message_class != TRANSACTIONAL:
        _leave(content, made, shown, add)
    return found, made.size + TRACKED_LINK * len(found_links)


def _link(link: page.Link, add: Any) -> None:
    href = link.href
    try:
        parts = urlsplit(href)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        add("link", "A link can't be read.")
        return
    if href in ("", "#"):
        add("link", f'The link "{_short(link.text)}" is empty.')
    elif parts.scheme == "mailto":
        pass
    elif parts.scheme != "https" or not host:
        add("link", f'The link "{_short(link.text)}" is no absolute https link.')
    elif host in SHORTENERS:
        add("link", f"{host} is a shortener: receivers can't see where it leads.")
    text = link.text.strip()
    if not text and href:
        add("link text", f"A link to {host or 'a page'} shows no text (WCAG 2.2, 2.4.4).")
    elif SAYS_NOTHING.fullmatch(text):
        add("link text", f'The link text "{text}" does not say where it leads (WCAG 2.2, 2.4.4).')


def _leave(content: Content, made: Rendered, shown: page.Page, add: Any) -> None:
    """A way out (RFC 8058 and a visible link) and a postal address (CAN-SPAM), in both parts."""
    unsubscribe = content.brand["links"]["unsubscribe"]
    if unsubscribe not in [link.href for link in shown.links]:
        add("unsubscribe", "The HTML part has no link to unsubscribe.")
    if unsubscribe not in made.text:
        add("unsubscribe", "The text part has no link to unsubscribe.")
    if "List-Unsubscribe" not in made.headers:
        add("unsubscribe", "The header List-Unsubscribe is missing (RFC 8058).")
    address = content.brand["postal_address"]
    lines = address if isinstance(address, list) else str(address).split("\n")
    for name, text in (("HTML part", shown.text), ("text part", made.text)):
        squeezed = re.sub(r"\s+", "", text)
        if any(re.sub(r"\s+", "", str(line)) not in squeezed for line in lines):
            add("postal address", f"The {name} lacks the postal address (CAN-SPAM).")


def _stems(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"\w{2,}", text)}


def _own_words(content: Content, made: Rendered) -> set[str]:
    """Words that look like a missing value, and are written so in a file."""
    sources = [content.templates[made.message].body, *content.parts.values()]
    sources += [str(value) for value in content.words[made.language].values()]
    for slot, choice in made.choices.items():
        table = content.subjects if slot == SUBJECT else content.blocks
        sources.append(table[made.message if slot == SUBJECT else slot, made.language, choice.block].body)
    return set(NO_VALUE.findall("\n".join(sources)))
