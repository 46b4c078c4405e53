"""Run replace_rows() of Spark on Delta and Iceberg tables, with Sail, which has both built in.

Tables go to the working directory. Prints what is wrong, a line each. Runs in the environment of
requirements-dialects.txt; test_lakehouse.py starts it.
"""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

MACROS = Path(__file__).resolve().parents[2] / "macros" / "engine" / "increments.sql"
COLUMNS = ["key", "on_day", "value"]
Rows = list[tuple[str | None, str | None, str]]
OLD: Rows = [
    ("a", "2026-01-01", "kept"), ("b", "2026-01-02", "gone"), ("b", "2026-01-09", "gone"),
    ("c", "2026-01-09", "kept by key"), (None, "2026-01-03", "without a key"), ("d", None, "without a day"),
]  # fmt: skip
NEW: Rows = [("b", "2026-01-09", "new"), ("e", "2026-01-10", "new"), ("e", "2026-01-10", "twice")]
# Conditions as in macros/incremental_strategies.sql, and the old rows that stay.
CONDITIONS: dict[str, tuple[str, Callable[[str | None, str | None], bool]]] = {
    "replace_newest": (
        "(on_day is null or on_day >= cast('2026-01-09' as date))",
        lambda key, on_day: on_day is not None and on_day < "2026-01-09",
    ),
    "replace_newest by key": (
        "((on_day is null or on_day >= cast('2026-01-09' as date)) or (key) in (select key from new_rows))",
        lambda key, on_day: on_day is not None and on_day < "2026-01-09" and key not in {"b", "e"},
    ),
    "replace_customers": (
        "((on_day is null or on_day >= cast('2026-01-09' as date)) or key in (select key from changed))",
        lambda key, on_day: on_day is not None and on_day < "2026-01-09" and key != "a",
    ),
}


class Relation(SimpleNamespace):
    """A table by its name, as dbt passes it to a macro."""

    def incorporate(self, path: dict[str, str]) -> "Relation":
        return Relation(identifier=path["identifier"])

    def __str__(self) -> str:
        return str(self.identifier)


def replace(session: SparkSession, file_format: str, condition: str) -> None:
    """Run spark__replace_rows() for a model of that format."""
    environment = Environment(extensions=["jinja2.ext.do"])
    environment.globals |= {
        "config": {"file_format": file_format},
        "adapter": SimpleNamespace(
            get_columns_in_relation=lambda relation: [SimpleNamespace(name=name) for name in COLUMNS]
        ),
        "run_query": session.sql,
    }
    module: Any = environment.from_string(MACROS.read_text()).module
    history, new_rows = Relation(identifier="history"), Relation(identifier="new_rows")
    session.sql(str(module.spark__replace_rows(history, new_rows, condition)).strip())


def values(rows: Rows) -> str:
    def literal(text: str | None) -> str:
        return "null" if text is None else f"'{text}'"

    listed = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    return f"select key, cast(on_day as date) as on_day, value from values {listed} as v(key, on_day, value)"


def main() -> None:
    server = SparkConnectServer(port=0)
    server.start(background=True)
    session = SparkSession.builder.remote(f"sc://localhost:{server.listening_address[1]}").getOrCreate()
    session.sql(f"create database lake location '{Path.cwd()}'")
    session.sql("use schema lake")
    session.sql("create temporary view changed as select 'a' as key")
    session.sql(f"create temporary view new_rows as {values(NEW)}")
    for file_format in ("delta", "iceberg"):
        for strategy, (condition, stays) in CONDITIONS.items():
            session.sql(f"create or replace table history using {file_format} as {values(OLD)}")
            replace(session, file_format, condition)
            found = session.sql("select key, cast(on_day as string) as on_day, value from history").collect()
            expected = [row for row in OLD if stays(row[0], row[1])] + NEW
            if sorted(map(str, map(tuple, found))) != sorted(map(str, expected)):
                print(f"{file_format}, {strategy}: {sorted(map(str, map(tuple, found)))}")
    session.stop()
    server.stop()


if __name__ == "__main__":
    main()
