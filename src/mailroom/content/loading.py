"""Read and check a content folder: every fault of every file, all at once."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

from liquid.exceptions import LiquidError

from mailroom.content import mjml, templating
from mailroom.content.cases import examples
from mailroom.content.choose import order
from mailroom.content.facts import KINDS, READERS, https_url
from mailroom.content.model import (
    CLASSES,
    CORE,
    LANGUAGES,
    SUBJECT,
    TIERS,
    Block,
    Content,
    ContentError,
    Fact,
    Fault,
    Pair,
    Pattern,
    Template,
    Voice,
)
from mailroom.content.rendering import fragment, render
from mailroom.content.source import Settings, check_keys, did_you_mean, front_matter, settings

BRAND_NEEDS = ("postal_address", "utm_source", "links", "words")
FACT_KEYS = ("type", "description", "example", "source", "purpose")
TEMPLATE_KEYS = ("label", "message_class", "slots", "owner")
BLOCK_KEYS = ("tier", "needs", "owner")
BLOCK_OPTIONS = ("fallback", "expires_on", "min_confidence")
FILE_NAME = re.compile(rf"([a-z][a-z0-9_]*)\.({'|'.join(LANGUAGES)})")
NAME = re.compile(r"[a-z][a-z0-9_]*")


class Loader:
    """Reads a folder into `Content` and collects what is wrong in `faults`."""

    def __init__(self, folder: Path, today: date) -> None:
        self.folder, self.today = folder, today
        self.faults: list[Fault] = []
        self.facts: dict[str, Fact] = {}
        self.brand: dict[str, Any] = {}
        self.words: dict[str, dict[str, Any]] = {language: {} for language in LANGUAGES}
        self.parts: dict[str, str] = {}
        self.liquid = templating.Liquid({})
        self.settings: dict[str, Settings] = {}

    def fault(self, file: str, line: int, sentence: str) -> None:
        self.faults.append(Fault(file, line, sentence))

    def text(self, path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else "can't be read"
            self.fault(self.name(path), 1, f"This file {reason}.")
            return None

    def name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def load(self) -> Content:
        if not self.folder.is_dir():
            raise ContentError(f"There is no folder {self.folder}. Name it with --content.")
        self.read_facts()
        self.read_brand()
        voice = self.read_voice()
        self.read_parts()
        templates = self.read_templates()
        blocks = self.read_blocks(templates)
        subjects = self.read_subjects(templates)
        candidates = self.candidates(templates, blocks, subjects)
        self.check_chains(blocks)
        self.check_chains(subjects)
        content = Content(
            self.folder,
            self.today,
            self.brand,
            self.words,
            voice,
            self.facts,
            templates,
            self.parts,
            blocks,
            subjects,
            candidates,
            self.liquid,
        )
        if not self.faults:
            self.check_mjml(content)
        if self.faults:
            raise ContentError(*sorted(set(self.faults), key=lambda fault: (fault.file, fault.line)))
        return content

    # The three files of settings.

    def yaml(self, file: str) -> Settings:
        path = self.folder / file
        if not path.exists():
            self.fault(file, 1, "This file is missing.")
            return Settings({}, {})
        text = self.text(path)
        return (settings(text, file, self.faults) if text is not None else None) or Settings({}, {})

    def below(self, found: Settings, key: str, file: str) -> Settings:
        """The mapping under a key, with the lines of its own keys."""
        value = found.values.get(key)
        if not isinstance(value, dict):
            self.fault(file, found.line(key), f"{key} must be keys with values.")
            value = {}
        start = f"{key}."
        lines = {name[len(start) :]: line for name, line in found.lines.items() if name.startswith(start)}
        return Settings({str(name): one for name, one in value.items()}, lines, found.line(key))

    def read_facts(self) -> None:
        file = "facts.yml"
        found = self.yaml(file)
        for name in found.values:
            entry = self.below(found, name, file)
            if name in templating.GIVEN - {"receiving_because"}:
                self.fault(file, found.line(name), f"{name} is a name of Mailroom's own. Rename the fact.")
            if not check_keys(entry, FACT_KEYS, (), file, self.faults):
                continue
            kind = str(entry.values["type"])
            if kind not in KINDS:
                self.fault(file, entry.line("type"), f"There is no type {kind}.{did_you_mean(kind, KINDS)}")
                continue
            example = entry.values["example"]
            if READERS[kind](example) is None:
                self.fault(file, entry.line("example"), f"The example of {name} is not a usable {kind}.")
            text = {key: str(entry.values[key]) for key in ("description", "source", "purpose")}
            self.facts[name] = Fact(name, kind, text["description"], example, text["source"], text["purpose"])

    def read_brand(self) -> None:
        file = "brand.yml"
        found = self.yaml(file)
        if not found.values:
            return
        optional = [key for key in found.values if key not in BRAND_NEEDS]  # a shop's own, for its templates
        if not check_keys(found, BRAND_NEEDS, optional, file, self.faults):
            return
        links = self.below(found, "links", file)
        check_keys(links, templating.LINKS, [*links.values], file, self.faults)
        for name, link in links.values.items():
            if https_url(link) is None:
                self.fault(file, links.line(name), f"The link {name} is no absolute https link.")
        words = self.below(found, "words", file)
        check_keys(words, LANGUAGES, (), file, self.faults)
        for language in LANGUAGES:
            self.words[language] = dict(self.below(words, language, file).values) if words.values else {}
        for language, other in (LANGUAGES, reversed(LANGUAGES)):
            for key in self.words[language]:
                if key not in self.words[other]:
                    line = words.line(f"{language}.{key}")
                    self.fault(file, line, f"words.{language} has {key}, and words.{other} has not.")
        self.brand = {key: value for key, value in found.values.items() if key != "words"}

    def read_voice(self) -> Voice:
        file = "voice.yml"
        found = self.yaml(file)
        check_keys(found, (), ("tone", "banned_words", "claims", "creepy"), file, self.faults)
        banned = found.values.get("banned_words") or []
        if isinstance(banned, dict):  # a list per language
            banned = [word for words in banned.values() for word in words or []]
        claims = self.patterns(found, "claims", file)
        for at, claim in enumerate(claims):
            if claim.needs != "never" and claim.needs not in self.facts:
                line = found.line(f"claims.{at}")
                known = [*self.facts, "never"]
                sentence = (
                    f"needs names no fact: {claim.needs or 'nothing'}.{did_you_mean(claim.needs, known)}"
                )
                self.fault(file, line, sentence)
        return Voice(tuple(map(str, banned)), tuple(claims), tuple(self.patterns(found, "creepy", file)))

    def patterns(self, found: Settings, key: str, file: str) -> list[Pattern]:
        """Entries with one `pattern` or several `patterns`, and `why`."""
        patterns = []
        entries = found.values.get(key) or []
        if isinstance(entries, dict):  # one entry, or entries by name
            entries = [entries] if "why" in entries else list(entries.values())
        for at, entry in enumerate(entries):
            line = found.line(f"{key}.{at}")
            if isinstance(entry, str):
                entry = {"pattern": entry, "why": "voice.yml"}
            texts = entry.get("patterns") or [entry.get("pattern")] if isinstance(entry, dict) else []
            if not texts or not all(isinstance(text, str) for text in texts) or "why" not in entry:
                self.fault(file, line, f"An entry of {key} has pattern and why.")
                continue
            for text in texts:
                try:
                    regex = re.compile(text, re.IGNORECASE)
                except re.error as error:
                    self.fault(file, line, f"The pattern can't be read: {error}.")
                    continue
                patterns.append(Pattern(regex, str(entry["why"]), str(entry.get("needs", ""))))
        return patterns

    # Files with texts.

    def read_parts(self) -> None:
        for path in sorted((self.folder / "templates" / "parts").glob("*.mjml")):
            text = self.text(path)
            if text is not None:
                self.parts[f"parts/{path.stem}"] = text
        sources = dict(self.parts)
        for name, source in sources.items():
            file = f"templates/{name}.mjml"
            self.check_source(source, file)
            if self.includes_itself(name, name, set()):
                self.fault(file, next(templating.included(source))[1], "This part includes itself.")
                self.parts[name] = ""
        self.liquid = templating.Liquid(self.parts)
        given = templating.given_names(
            path.read_text(encoding="utf-8", errors="replace") for path in sorted(self.folder.rglob("*.mjml"))
        )
        for name, source in self.parts.items():
            if self.compiled(source, f"templates/{name}.mjml"):
                # Loops and arguments of the including files give a part names too.
                self.check_names(source, f"templates/{name}.mjml", True, given | {name.rpartition("/")[2]})

    def includes_itself(self, name: str, start: str, seen: set[str]) -> bool:
        for other, _ in templating.included(self.parts.get(name, "")):
            if other == start:
                return True
            if other not in seen and self.includes_itself(other, start, seen | {other}):
                return True
        return False

    def compiled(self, source: str, file: str) -> Pair | None:
        try:
            return self.liquid.pair(source, file)
        except LiquidError as error:
            self.faults.append(templating.syntax_fault(source, file, error))
            return None

    def check_source(self, source: str, file: str) -> None:
        """What can be said of a source without compiling it."""
        for line, sentence in templating.loose_marks(source):
            self.fault(file, line, sentence)
        for line, name in mjml.unknown_elements(source):
            sentence = f"There is no element {name}.{did_you_mean(name, mjml.ELEMENTS)}"
            self.fault(file, line, sentence)
        for name, line in templating.included(source):
            if name not in self.parts:
                sentence = f"There is no part {name or 'of a changing name'}.{did_you_mean(name, self.parts)}"
                self.fault(file, line, sentence)

    def check_names(self, source: str, file: str, placed: bool, given: frozenset[str] = frozenset()) -> None:
        """Each variable must be a fact, or a name that Mailroom gives."""
        for name, line in self.liquid.unknown_filters(source, file):
            self.fault(file, line, f"There is no filter {name}.{did_you_mean(name, self.liquid.filters)}")
        known = {*self.facts, *(templating.GIVEN if placed else templating.GIVEN - templating.PLACED)}
        for path, line in self.liquid.used(source, file):
            name, _, below = path.partition(".")
            if name in known:
                self.check_below(name, below, line, file)
            elif name not in given:
                self.fault(file, line, f"There is no fact {name}.{did_you_mean(name, known)}")

    def check_below(self, name: str, below: str, line: int, file: str) -> None:
        tables: dict[str, Iterable[str]] = {
            "brand": self.brand,
            "words": self.words[LANGUAGES[0]],
            "links": templating.LINKS,
        }
        if below and name in tables and tables[name] and below not in tables[name]:
            sentence = f"There is no {name}.{below}.{did_you_mean(below, tables[name])}"
            self.fault(file, line, sentence)

    def read_templates(self) -> dict[str, Template]:
        templates = {}
        for path in sorted((self.folder / "templates").glob("*.mjml")):
            file, text = self.name(path), self.text(path)
            split = front_matter(text, file, self.faults) if text is not None else None
            if split is None:
                continue
            found, body = split
            if not check_keys(found, TEMPLATE_KEYS, (), file, self.faults):
                continue
            slots, message_class = found.values["slots"], str(found.values["message_class"])
            if message_class not in CLASSES:
                sentence = f"There is no message_class {message_class}.{did_you_mean(message_class, CLASSES)}"
                self.fault(file, found.line("message_class"), sentence)
            if not isinstance(slots, list) or not all(isinstance(slot, str) for slot in slots):
                self.fault(file, found.line("slots"), "slots must be a list of names.")
                continue
            pair = self.checked(body, file, placed=True)
            if pair is None:
                continue
            self.check_slots(body, file, slots, found.line("slots"))
            templates[path.stem] = Template(
                path.stem,
                file,
                str(found.values["label"]),
                message_class,
                tuple(slots),
                str(found.values["owner"]),
                body,
                pair,
            )
        if not templates and not self.faults:
            self.fault("templates", 1, "There is no template.")
        return templates

    def check_slots(self, body: str, file: str, slots: list[str], line: int) -> None:
        sources = [body, *(self.parts[name] for name in self.all_parts(body))]
        placed = [
            (path.partition(".")[2], at)
            for source in sources
            for path, at in self.liquid.used(source, file)
            if path.startswith("slots.")
        ]
        for slot, at in placed:
            if slot not in slots:
                sentence = f"The slot {slot} is placed here, and is not in slots.{did_you_mean(slot, slots)}"
                self.fault(file, at, sentence)
        for slot in slots:
            if slot not in [name for name, _ in placed]:
                self.fault(file, line, f"The slot {slot} is placed nowhere. Write {{{{ slots.{slot} }}}}.")

    def all_parts(self, source: str) -> set[str]:
        found: set[str] = set()
        todo = [name for name, _ in templating.included(source)]
        while todo:
            name = todo.pop()
            if name in self.parts and name not in found:
                found.add(name)
                todo += [other for other, _ in templating.included(self.parts[name])]
        return found

    def checked(self, body: str, file: str, placed: bool) -> Pair | None:
        before = len(self.faults)
        self.check_source(body, file)
        pair = self.compiled(body, file)
        if pair is not None and all(name for name, _ in templating.included(body)):
            self.check_names(body, file, placed)
        return pair if len(self.faults) == before else None

    def read_blocks(self, templates: dict[str, Template]) -> dict[tuple[str, str, str], Block]:
        def bodies(body: str, file: str) -> tuple[Pair, ...] | None:
            pair = self.checked(body, file, placed=False)
            return None if pair is None else (pair,)

        return self.read_texts("blocks", "*.mjml", templates, bodies, ("for",))

    def read_subjects(self, templates: dict[str, Template]) -> dict[tuple[str, str, str], Block]:
        def lines(body: str, file: str) -> tuple[Pair, ...] | None:
            begin = len(body) - len(body.lstrip("\n"))
            given = [line for line in body.strip("\n").split("\n") if line.strip()]
            if len(given) != 2:
                self.fault(file, begin + 1, "After the front matter come two lines: subject and preheader.")
                return None
            found = []
            for at, line in enumerate(given):
                source = "\n" * (begin + at) + line
                before = len(self.faults)
                self.check_source(source, file)
                try:
                    compiled = self.liquid.line(source, file)
                except LiquidError as error:
                    self.faults.append(templating.syntax_fault(source, file, error))
                    continue
                self.check_names(source, file, placed=False)
                if len(self.faults) == before:
                    found.append(compiled)
            return tuple(found) if len(found) == 2 else None

        return self.read_texts("subjects", "*.txt", templates, lines, ())

    def read_texts(
        self,
        kind: str,
        pattern: str,
        templates: dict[str, Template],
        compiled: Callable[[str, str], tuple[Pair, ...] | None],
        more: tuple[str, ...],
    ) -> dict[tuple[str, str, str], Block]:
        """Read blocks or subjects: by slot or message, language and name."""
        found: dict[tuple[str, str, str], Block] = {}
        broken: set[tuple[str, str, str]] = set()
        for path in sorted((self.folder / kind).glob(f"*/{pattern}")):
            file, above = self.name(path), path.parent.name
            named = FILE_NAME.fullmatch(path.stem)
            if named is None:
                self.fault(
                    file,
                    1,
                    f"The file must be named NAME.LANGUAGE{path.suffix}, such as plain.en{path.suffix}.",
                )
                continue
            key = (above, named[2], named[1])
            text = self.text(path)
            block = self.read_text(text, file, key, templates, compiled, more) if text is not None else None
            if block is None:
                broken.add(key)
            else:
                found[key] = block
        for above, language, name in sorted([*found, *broken]):
            for other in LANGUAGES:
                if (above, other, name) not in found and (above, other, name) not in broken:
                    suffix = pattern[1:]
                    file = f"{kind}/{above}/{name}.{language}{suffix}"
                    self.fault(file, 1, f"There is no {name}.{other}{suffix}. Write it in each language.")
        return found

    def read_text(
        self,
        text: str,
        file: str,
        key: tuple[str, str, str],
        templates: dict[str, Template],
        compiled: Callable[[str, str], tuple[Pair, ...] | None],
        more: tuple[str, ...],
    ) -> Block | None:
        split = front_matter(text, file, self.faults)
        if split is None:
            return None
        found, body = split
        self.settings[file] = found
        before = len(self.faults)
        if not check_keys(found, (*BLOCK_KEYS, *more), BLOCK_OPTIONS, file, self.faults):
            return None
        needs, tier = found.values["needs"], str(found.values["tier"])
        messages = found.values.get("for", [key[0]])
        for name, value in (("needs", needs), ("for", messages)):
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                self.fault(file, found.line(name), f"{name} must be a list of names.")
                return None
        if tier not in TIERS:
            self.fault(file, found.line("tier"), f"There is no tier {tier}.{did_you_mean(tier, TIERS)}")
        for need in needs:
            if need not in self.facts:
                self.fault(
                    file, found.line("needs"), f"There is no fact {need}.{did_you_mean(need, self.facts)}"
                )
        for message in messages:
            if message not in templates and (self.folder / "templates" / f"{message}.mjml").exists():
                continue  # the template's own fault says why it is not read
            if message not in templates:
                line = found.line("for") if more else 1
                self.fault(file, line, f"There is no message {message}.{did_you_mean(message, templates)}")
            elif more and key[0] not in templates[message].slots:
                self.fault(file, found.line("for"), f"The message {message} has no slot {key[0]}.")
        confidence, expires = found.values.get("min_confidence"), found.values.get("expires_on")
        if confidence is not None and not (
            isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 1
        ):
            self.fault(file, found.line("min_confidence"), "min_confidence must be from 0 to 1.")
        if confidence is not None and "confidence" not in self.facts:
            line = found.line("min_confidence")
            self.fault(file, line, "min_confidence needs the fact confidence. Add it to facts.yml.")
        if expires is not None and type(expires) is not date:
            self.fault(file, found.line("expires_on"), "expires_on must be a day, such as 2027-12-31.")
        fallback = found.values.get("fallback")
        if fallback is None and (tier != CORE or needs or confidence is not None):
            line = found.line("needs" if needs else "tier")
            self.fault(file, line, "The key fallback is missing. Name the block that is used instead.")
        pairs = compiled(body, file)
        if pairs is None or len(self.faults) > before:
            return None
        return Block(
            key[0],
            key[2],
            key[1],
            file,
            tier,
            tuple(needs),
            str(fallback) if fallback is not None else None,
            tuple(messages),
            expires,
            confidence,
            str(found.values["owner"]),
            body,
            pairs,
        )

    # What only all files together show.

    def candidates(
        self,
        templates: dict[str, Template],
        blocks: dict[tuple[str, str, str], Block],
        subjects: dict[tuple[str, str, str], Block],
    ) -> dict[tuple[str, str, str], list[Block]]:
        found: dict[tuple[str, str, str], list[Block]] = {}
        for template in templates.values():
            for language in LANGUAGES:
                for slot in (*template.slots, SUBJECT):
                    above = template.name if slot == SUBJECT else slot
                    source = subjects if slot == SUBJECT else blocks
                    offered = [
                        block
                        for (place, spoken, _), block in source.items()
                        if (place, spoken) == (above, language) and template.name in block.messages
                    ]
                    found[template.name, slot, language] = sorted(offered, key=order)
                    if all(block.expired(self.today) for block in offered):
                        self.slot_fault(template, slot, language)
        return found

    def slot_fault(self, template: Template, slot: str, language: str) -> None:
        """A slot without a block, unless a block that could not be read is at fault."""
        above = f"subjects/{template.name}/" if slot == SUBJECT else f"blocks/{slot}/"
        if not any(fault.file.startswith(above) for fault in self.faults):
            what = "There is no subject" if slot == SUBJECT else f"The slot {slot} has no block"
            sentence = f"{what} for {template.name} in {language}, or each has expired."
            self.fault(template.file, 1, sentence)

    def check_chains(self, blocks: dict[tuple[str, str, str], Block]) -> None:
        for block in blocks.values():
            self.check_fallback(block, blocks)

    def check_fallback(self, block: Block, blocks: dict[tuple[str, str, str], Block]) -> None:
        line = self.settings[block.file].line("fallback")
        if block.fallback is None:
            return
        names = [
            name for above, language, name in blocks if (above, language) == (block.slot, block.language)
        ]
        following = blocks.get((block.slot, block.language, block.fallback))
        if following is None:
            path = self.folder / block.file
            sibling = path.with_name(f"{block.fallback}.{block.language}{path.suffix}")
            if not sibling.exists():
                sentence = f"There is no fallback {block.fallback}.{did_you_mean(block.fallback, names)}"
                self.fault(block.file, line, sentence)
            return
        if following.expired(self.today):
            sentence = f"The fallback {following.name} expired after {following.expires_on}."
            self.fault(block.file, line, sentence)
        lacking = [message for message in block.messages if message not in following.messages]
        if lacking:
            sentence = f"The fallback {following.name} is not for {', '.join(lacking)}."
            self.fault(block.file, line, sentence)
        seen, end = [block.name], following
        while end.name not in seen:
            seen.append(end.name)
            after = blocks.get((block.slot, block.language, end.fallback)) if end.fallback else None
            if after is None:
                break
            end = after
        else:
            self.fault(block.file, line, f"The fallbacks run in a circle: {' > '.join([*seen, end.name])}.")
            return
        if end.fallback is None and (end.needs or end.tier != CORE):
            self.fault(block.file, line, f"The fallbacks end in {end.name}, which is not core without needs.")

    def check_mjml(self, content: Content) -> None:
        """Render each block alone and each template with examples: what mrml rejects is a fault."""
        for block in content.blocks.values():
            self.check_fragment(content, block)
        if self.faults:
            return
        facts = examples(content)
        for template in content.templates.values():
            for language in LANGUAGES:
                try:
                    render(content, template.name, language, facts)
                except ContentError as error:
                    for fault in error.faults:
                        if (
                            isinstance(fault, Fault)
                            and fault.file == template.file
                            and "MJML" in fault.sentence
                        ):
                            self.template_fault(template, fault.sentence)

    def template_fault(self, template: Template, sentence: str) -> None:
        for name in sorted(self.all_parts(template.body)):
            place = mjml.broken_tag(self.parts[name])
            if place:
                self.fault(f"templates/{name}.mjml", place[0], f"{sentence} {place[1]}")
                return
        line, why = mjml.broken_tag(template.body) or (mjml.first_line(template.body), "")
        self.fault(template.file, line, f"{sentence} {why}".strip())

    def check_fragment(self, content: Content, block: Block) -> None:
        try:
            source = fragment(content, block, examples(content))
        except ContentError:
            return  # a fact that no example has; lint says it
        start, end = "<mjml><mj-body><mj-section><mj-column>", "</mj-column></mj-section></mj-body></mjml>"
        try:
            mjml.to_html(f"{start}{source}{end}")
        except mjml.MjmlError as error:
            line, why = mjml.broken_tag(block.body) or (mjml.first_line(block.body), "")
            self.fault(block.file, line, f"This is not MJML: {error}. {why}".strip())


def load(folder: Path, today: date | None = None) -> Content:
    """Read and check all files of a content folder. today: the day by which a block is expired.

    Raises:
        ContentError: files are wrong. It names file and line of each fault, all at once.
    """
    return Loader(folder, today or date.today()).load()
