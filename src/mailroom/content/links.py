"""Links: which are the shop's own, and their UTM parameters."""

import html
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

HREF = re.compile(r"""(?<=\shref=)(?:"(https://[^"]*)"|'(https://[^']*)')""")


def tagger(shop: str, left_out: tuple[str, ...], source: str, campaign: str) -> Callable[[str], str]:
    """Return a function that adds UTM parameters to a link to the shop's host.

    A parameter that is there stays as it is. left_out: links that get none, such as that to unsubscribe.
    """
    host = urlsplit(shop).netloc.lower()
    wanted = {"utm_source": source, "utm_medium": "email", "utm_campaign": campaign}
    untouched = [urlsplit(link) for link in left_out]

    @lru_cache(maxsize=10_000)
    def tagged(link: str) -> str:
        try:
            parts = urlsplit(link)
        except ValueError:
            return link
        if parts.scheme != "https" or parts.netloc.lower() != host:
            return link
        if any(_is_same(parts, other) for other in untouched):
            return link
        there = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        added = "&".join(f"{name}={quote(value)}" for name, value in wanted.items() if name not in there)
        return parts._replace(query="&".join(filter(None, (parts.query.rstrip("&"), added)))).geturl()

    return tagged


def _is_same(link: SplitResult, other: SplitResult) -> bool:
    """Whether a link leads to the page of another one, whatever is added to its query."""
    if (link.netloc.lower(), link.path.rstrip("/")) != (other.netloc.lower(), other.path.rstrip("/")):
        return False
    return set(parse_qsl(other.query)) <= set(parse_qsl(link.query))


def tag_html(page: str, tagged: Callable[[str], str]) -> str:
    """Return the page with each link as `tagged` makes it."""

    def replaced(found: re.Match[str]) -> str:
        link = found[1] if found[1] is not None else found[2]
        return f'"{html.escape(tagged(html.unescape(link)))}"'

    return HREF.sub(replaced, page)
