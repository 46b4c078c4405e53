"""Which block stands in a slot: the order of choice and the chain of fallbacks."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from mailroom.content.model import ADAPTIVE, CORE, SUBJECT, Block, Choice, Content, ContentError
from mailroom.content.source import did_you_mean


def order(block: Block) -> tuple[bool, str]:
    """Adaptive blocks come before core ones, then by name."""
    return block.tier == CORE, block.name


def why_not(block: Block, facts: Mapping[str, Any], today: date) -> str:
    """Return why a block can't be used, or nothing."""
    if block.expired(today):
        return f"expired after {block.expires_on}"
    missing = [name for name in block.needs if name not in facts]
    if missing:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if block.min_confidence is not None:
        confidence = facts.get("confidence")
        if confidence is None:
            return "confidence is missing"
        if confidence < block.min_confidence:
            return f"confidence is under {block.min_confidence}"
    return ""


def choose(
    content: Content,
    message: str,
    slot: str,
    language: str,
    facts: Mapping[str, Any],
    wanted: str | None,
    today: date,
    only_core: bool = False,
) -> tuple[Block, Choice]:
    """Return the block of a slot, and why it is that one. wanted: the one that was asked for by name.

    Raises:
        ContentError: the message has no such block.
    """
    offered = content.offered(message, slot, language)
    if wanted is not None:
        return _requested(offered, message, slot, facts, wanted, today)
    tiers = (CORE,) if only_core else (ADAPTIVE, CORE)
    ordered = [block for block in offered if block.tier in tiers]
    reasons: list[str] = []
    for block in ordered:
        reason = why_not(block, facts, today)
        if not reason:
            return block, Choice(slot, block.name, ordered[0].name, "; ".join(reasons))
        reasons.append(f"{block.name}: {reason}")
    if not ordered:  # an experimental block alone: the end of its chain
        return _requested(offered, message, slot, facts, offered[0].name, today)
    raise ContentError(f"{message} has no block of {slot} in {language} without needs.")


def _requested(
    offered: list[Block], message: str, slot: str, facts: Mapping[str, Any], wanted: str, today: date
) -> tuple[Block, Choice]:
    by_name = {block.name: block for block in offered}
    if wanted not in by_name:
        kind = "subject" if slot == SUBJECT else f"block of {slot}"
        raise ContentError(f"{message} has no {kind} {wanted}.{did_you_mean(wanted, by_name)}")
    reasons: list[str] = []
    block = by_name[wanted]
    for _ in offered:
        reason = why_not(block, facts, today)
        if not reason:
            return block, Choice(slot, block.name, wanted, "; ".join(reasons))
        reasons.append(f"{block.name}: {reason}")
        if block.fallback not in by_name:
            break
        block = by_name[block.fallback]
    raise ContentError(f"{message} has no {slot} that {wanted} falls back on: {'; '.join(reasons)}.")
