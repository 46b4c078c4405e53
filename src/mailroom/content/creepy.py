"""The creepy line: a message may help with what a customer did, and never recites how they were watched.

English and German. Over the line: how often or how long they looked, at what time of day, from which device,
and what they did not do. Not over it: "you left this in your cart", "back in stock", an order of theirs.
"""

import re
from collections.abc import Iterable

from mailroom.content.model import Pattern


def _any(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


ANY = r"[^.!?\n]*"  # of the same sentence
N, N_DE = r"(?:\d+|two|three|four|five|six|seven|ten|several|many|a few)", r"(?:\d+|zwei|drei|vier|fünf|zehn)"
NOT = r"(?:did|have)(?:n['\u2019]t| not)"
PEOPLE = _any("you", "we", "you've", "we've", "you\u2019ve", "we\u2019ve")
PEOPLE_DE = _any("sie", "du", "ihr", "wir", "haben", "hast")
LOOKED = (
    _any("look", "view", "brows", "visit", "watch", "check", "click", "search", "hover", "scroll") + r"\w*"
)
LOOKED_DE = (
    _any("angeseh", "angeschaut", "angeklickt", "besucht", "betrachtet", "gesucht", "geöffnet", "gestöbert")
    + r"\w*"
)
LEFT = _any(LOOKED, "left", "added", "were", "came")
LEFT_DE = _any(LOOKED_DE, "gelegt", "verlassen", "zurückgelassen", "unterwegs", "vorbeigeschaut")
TIMES = _any("once", "twice", rf"{N}\s+(?:separate\s+)?times")
TIMES_DE = _any(
    "zweimal", "dreimal", "viermal", "fünfmal", "mehrmals", "mehrfach", r"\d+[- ]?mal", rf"{N_DE}\s+mal"
)
SPAN = _any(rf"{N}\s+(?:seconds?|minutes?|hours?)", "a (?:long )?while", "so long", "ages", "some time")
SPAN_DE = _any(rf"(?:{N_DE}|mehrere|ein paar)\s+(?:sekunden?|minuten?|stunden?)", "lange", "viel zeit")
CLOCK = _any(
    r"(?:at|around|until)\s+\d{1,2}(?::\d\d)?\s*(?:am|pm|a\.m|p\.m|o'clock)",
    r"(?:at|around|until)\s+(?:\d{1,2}:\d\d|night|midnight)",
    "last night",
    "(?:this|yesterday) (?:morning|afternoon|evening)",
)
CLOCK_DE = _any(
    r"(?:um|gegen|bis)\s+\d{1,2}(?:[:.]\d\d)?\s*uhr",
    "gestern (?:abend|nacht|morgen)",
    "heute (?:früh|nacht)",
    "nachts",
)
DONE = _any(
    "buy", "bought", "purchased?", "ordered", "order", r"complete\w*", r"finish\w*", r"open\w*", r"click\w*"
)
DONE_DE = _any("gekauft", "bestellt", "abgeschlossen", "geöffnet", "geklickt", "zugegriffen")
NOT_DE = r"(?:nicht|nichts|nie)\s+(?:\w+\s+)?"
SEEN, SEEN_DE = (
    "(?:saw|noticed|watch(?:ed|ing)|track(?:ed|ing)|observ(?:ed|ing)|seen)",
    r"(?:gesehen|bemerkt|beobacht\w+|verfolg\w+)",
)
DEVICE = "(?:phone|laptop|tablet|home|office|desk|computer|device)"
DEVICE_DE = "(?:handy|laptop|tablet|rechner|computer|gerät|schreibtisch|sofa)"
ORDINAL = r"(?:\d+(?:st|nd|rd|th)|second|third|fourth|fifth|last|latest)"
ORDINAL_DE = r"(?:zweite|dritte|vierte|fünfte|letzte|\d+\.)[nrsm]?"

COUNTS, TIME, DWELL = (
    "says how often they looked",
    "says at what time of day they looked",
    "says how long they looked",
)
UNDONE, WATCHED = "says what they did not do", "says that they are watched"
PLACE = "says which device they used"
RULES = (
    (COUNTS, rf"\b{PEOPLE}\b{ANY}\b{LOOKED}{ANY}\b{TIMES}\b"),
    (COUNTS, rf"\b{PEOPLE}\b{ANY}\b{TIMES}\b{ANY}\b{LOOKED}"),
    (COUNTS, rf"\byour\s+{ORDINAL}\s+(?:visit|look|view)s?\b"),
    (COUNTS, rf"\b{PEOPLE_DE}\b{ANY}\b{TIMES_DE}\b{ANY}\b{LOOKED_DE}"),
    (COUNTS, rf"\b(?:ihr|dein)(?:e[mnrs])?\s+{ORDINAL_DE}\s+besuch"),
    (TIME, rf"\b{PEOPLE}\b{ANY}\b{LEFT}\b{ANY}\b{CLOCK}\b"),
    (TIME, rf"\b{CLOCK}\b{ANY}\b{PEOPLE}\b{ANY}\b{LEFT}\b"),
    (TIME, rf"\b{PEOPLE_DE}\b{ANY}\b{CLOCK_DE}\b{ANY}\b{LEFT_DE}\b"),
    (TIME, rf"\b{CLOCK_DE}\b{ANY}\b{PEOPLE_DE}\b{ANY}\b{LEFT_DE}\b"),
    (DWELL, rf"\b{PEOPLE}\b{ANY}\b(?:spent|stayed|lingered)\b{ANY}\b{SPAN}\b"),
    (DWELL, rf"\b{PEOPLE}\b{ANY}\b{LOOKED}{ANY}\bfor\s+{SPAN}\b"),
    (DWELL, rf"\b{PEOPLE_DE}\b{ANY}\b{SPAN_DE}\b{ANY}\b(?:{LOOKED_DE}|verbracht|verweilt|geblieben)"),
    (UNDONE, rf"\byou\s+(?:still\s+|never\s+)?{NOT}\s+(?:yet\s+)?{DONE}\b"),
    (UNDONE, r"\byou\s+(?:left|went away)\s+without\s+(?:buying|ordering)\b"),
    (UNDONE, rf"\b(?:haben|hast)\s+(?:\w+\s+){{0,5}}?{NOT_DE}{DONE_DE}\b"),
    (WATCHED, rf"\bwe(?:\s+have|'ve|\u2019ve)?\s+(?:been\s+)?{SEEN}\b{ANY}\b(?:you|your)\b"),
    (WATCHED, rf"\bwir\s+(?:haben\s+)?(?:{ANY}\b)?{SEEN_DE}\b"),
    (WATCHED, rf"\b(?:uns ist|es ist uns)\b{ANY}\baufgefallen\b"),
    (PLACE, rf"\b{PEOPLE}\b{ANY}\b{LOOKED}{ANY}\b(?:from|on) your {DEVICE}\b"),
    (PLACE, rf"\b{PEOPLE_DE}\b{ANY}\b(?:von|auf|an) (?:ihrem|deinem) {DEVICE_DE}\b{ANY}\b{LOOKED_DE}"),
)
BUILT_IN = tuple(Pattern(re.compile(regex, re.IGNORECASE), why) for why, regex in RULES)


def over_the_line(text: str, more: Iterable[Pattern] = ()) -> list[tuple[int, int, str]]:
    """Return begin, end and reason of each passage that is over the line. more: patterns of voice.yml."""
    return [
        (found.start(), found.end(), pattern.why)
        for pattern in (*BUILT_IN, *more)
        for found in pattern.regex.finditer(text)
    ]
