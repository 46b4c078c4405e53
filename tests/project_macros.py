"""Macros of the project as Python functions, without dbt: to call them with entries that stop a build."""

import re
from collections.abc import Callable
from typing import Any

import jinja2

from conftest import PROJECT


class _ReturnedError(Exception):
    """dbt's return() ends a macro with a value that is no text."""


def macros(file: str, **context: Any) -> dict[str, Callable[..., Any]]:
    """Return the macros of a file in macros/, with these names beside them."""

    def returned(value: Any) -> None:
        raise _ReturnedError(value)

    text = (PROJECT / "macros" / file).read_text()
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    names: dict[str, Any] = {"return": returned, **context}
    for source, name in re.findall(r"(\{% macro (\w+)\(.*?\{%-? endmacro %\})", text, re.DOTALL):
        template = environment.from_string(source)

        def call(*arguments: Any, name: str = name, template: jinja2.Template = template) -> Any:
            try:
                return getattr(template.make_module(names), name)(*arguments)
            except _ReturnedError as ended:
                return ended.args[0]

        names[name] = call
    return names
