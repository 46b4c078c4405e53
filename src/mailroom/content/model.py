"""What the files of a content folder hold, once they are read, and what a rendering gives back."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "de")
CORE, ADAPTIVE, EXPERIMENTAL = TIERS = ("core", "adaptive", "experimental")
CLASSES = ("transactional", "onboarding", "lifecycle", "promotional")
TRANSACTIONAL = "transactional"
SUBJECT = "subject"  # subjects are chosen as blocks are: under this name instead of a slot's
ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a file. file: from the content folder on. line: from 1 on."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


class ContentError(ValueError):
    """Files, or a request to render, that are wrong. faults: all of them."""

    def __init__(self, *faults: Fault | str) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


@dataclass(frozen=True)
class Pair:
    """One text of a file, compiled twice: for the HTML part and for the plain text part."""

    html: Any
    text: Any


@dataclass(frozen=True)
class Block:
    """A block or a subject of one language.

    slot: where it goes, for a subject its message. needs: facts that must be filled. fallback: what is used
    instead. messages: those that may use it. body: the source with the file's own line numbers. pairs: the
    body, or subject and preheader.
    """

    slot: str
    name: str
    language: str
    file: str
    tier: str
    needs: tuple[str, ...]
    fallback: str | None
    messages: tuple[str, ...]
    expires_on: date | None
    min_confidence: float | None
    owner: str
    body: str
    pairs: tuple[Pair, ...]

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.expires_on is not None and self.expires_on < today


@dataclass(frozen=True)
class Template:
    """A message: its class, its slots in their order, and its body."""

    name: str
    file: str
    label: str
    message_class: str
    slots: tuple[str, ...]
    owner: str
    body: str
    pair: Pair


@dataclass(frozen=True)
class Fact:
    """An entry of facts.yml."""

    name: str
    kind: str
    description: str
    example: Any
    source: str
    purpose: str


@dataclass(frozen=True)
class Pattern:
    """A pattern of voice.yml. needs: the fact that makes a claim true, or never."""

    regex: Any
    why: str
    needs: str = ""


@dataclass(frozen=True)
class Voice:
    """What voice.yml forbids. banned_words and claims are errors wherever they stand, creepy too."""

    banned_words: tuple[str, ...] = ()
    claims: tuple[Pattern, ...] = ()
    creepy: tuple[Pattern, ...] = ()


@dataclass(frozen=True)
class Content:
    """All files of a content folder, checked and compiled.

    blocks: by slot, language and name. subjects: by message, language and name. brand: brand.yml without
    its words. words: by language. today: the day that the files were checked for. liquid: compiles texts.
    whole: messages as compiled with the blocks in their slots, so that a customer's message is one text.
    """

    folder: Path
    today: date
    brand: dict[str, Any]
    words: dict[str, dict[str, Any]]
    voice: Voice
    facts: dict[str, Fact]
    templates: dict[str, Template]
    parts: dict[str, str]
    blocks: dict[tuple[str, str, str], Block]
    subjects: dict[tuple[str, str, str], Block]
    candidates: dict[tuple[str, str, str], list[Block]] = field(default_factory=dict)
    liquid: Any = None
    whole: dict[tuple[str, ...], Pair | None] = field(default_factory=dict, repr=False)

    def offered(self, message: str, slot: str, language: str) -> list[Block]:
        """The blocks that a message may use in a slot, in the order of choice; its subjects for SUBJECT."""
        return self.candidates.get((message, slot, language), [])


@dataclass(frozen=True)
class Choice:
    """Which block stands in a slot. wanted: the one that was asked for or came first. why: it fell back."""

    slot: str
    block: str
    wanted: str
    why: str = ""


@dataclass(frozen=True)
class Rendered:
    """One finished message. size: bytes of the HTML part. mjml: what the HTML part was made of."""

    message: str
    language: str
    html: str
    text: str
    subject: str
    preheader: str
    headers: dict[str, str]
    choices: dict[str, Choice]
    mjml: str = field(repr=False, default="")

    @property
    def size(self) -> int:
        return len(self.html.encode())


@dataclass(frozen=True)
class Finding:
    """What lint found: in a file and line, or in the rendering of a message, language and case."""

    rule: str
    severity: str
    sentence: str
    file: str = ""
    line: int = 0
    message: str = ""
    language: str = ""
    case: str = ""

    @property
    def place(self) -> str:
        if self.file:
            return f"{self.file}:{self.line}"
        return ", ".join(part for part in (self.message, self.language, self.case) if part)
