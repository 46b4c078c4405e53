"""Compile the project for a warehouse without a connection and check the SQL against its dialect.

Arguments: the target, a folder to work in. Prints what is wrong, a line each. Runs in the environment of
requirements-dialects.txt; test_dialects.py starts it.
"""

import csv
import json
import logging
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from agate import Table, Text
from dbt.adapters.contracts.connection import AdapterResponse, Connection, ConnectionState
from dbt.cli.main import dbtRunner
from sqlglot import Dialect, ErrorLevel, MappingSchema, exp, parse
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.tokens import TokenType

PROJECT = Path(__file__).resolve().parents[2]
TARGETS = {
    "snowflake": {
        "type": "snowflake", "account": "none", "user": "none", "password": "none",
        "database": "mailroom", "warehouse": "none", "schema": "mailroom",
    },
    "bigquery": {"type": "bigquery", "method": "oauth", "project": "mailroom", "dataset": "mailroom"},
}  # fmt: skip

# Seeds that the project reads during compilation, and their columns.
ASKED = {
    "source_words": ["source_name", "table_name", "column_name", "word", "value"],
    "blocked_identifiers": ["identifier_type", "identifier"],
}
WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("warehouse_words.toml").read_text())
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div)
ON_TEXT = (
    exp.Length, exp.Like, exp.Lower, exp.Pad, exp.RegexpExtract, exp.RegexpLike, exp.RegexpReplace,
    exp.Replace, exp.Split, exp.StrPosition, exp.Substring, exp.Translate, exp.Trim, exp.Upper,
)  # fmt: skip
ON_NUMBERS = (exp.Abs, exp.Avg, exp.Ceil, exp.Exp, exp.Floor, exp.Mod, exp.Pow, exp.Round, exp.Sqrt, exp.Sum)

Node = dict[str, Any]


def compiled(target: str, folder: Path, is_built: bool) -> list[Node]:
    """Every node of the project, parents first, as compiled on a first run; is_built: the incremental ones as
    on a later run. Nothing but whether a table is there and how far it came may be asked of the warehouse:
    anything else fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outputs = {"mailroom": {"target": target, "outputs": {target: {**TARGETS[target], "threads": 1}}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(outputs))
    plugin = import_module(f"dbt.adapters.{target}").Plugin

    def connect(connection: Connection) -> Connection:
        connection.state, connection.handle = ConnectionState.OPEN, SimpleNamespace(close=lambda: None)
        return connection

    def get_relation(adapter: Any, database: str, schema: str, identifier: str) -> Any:
        there = adapter.Relation.create(database=database, schema=schema, identifier=identifier, type="table")
        return there if is_built else None

    def execute(adapter: Any, sql: str, **options: Any) -> tuple[AdapterResponse, Table]:
        for seed, columns in ASKED.items():
            if seed in sql:
                with (PROJECT / f"seeds/policy/{seed}.csv").open(encoding="utf-8", newline="") as file:
                    rows = [[row[column] for column in columns] for row in csv.DictReader(file)]
                return AdapterResponse("OK"), Table(rows, columns, [Text()] * len(columns))
        if sql.startswith("select max(case when"):  # the number format of a text column
            shown = sql.split(" from ")[0].count("max(case when")
            return AdapterResponse("OK"), Table([[0] * shown], [f"shown_{n}" for n in range(shown)])
        if "newest_on" not in sql:
            raise RuntimeError(f"there is no warehouse to ask: {sql}")
        return AdapterResponse("OK"), Table([["2026-06-24", True]], ["replaced_from", "is_forwards"])

    plugin.adapter.execute = execute
    plugin.adapter.ConnectionManager.open = staticmethod(connect)
    plugin.adapter.get_relation = get_relation
    options = ["--select", "config.materialized:incremental"] if is_built else []
    done = dbtRunner().invoke(
        [
            "--quiet", "--no-use-colors", "compile", "--no-populate-cache", *options,
            "--project-dir", str(PROJECT), "--profiles-dir", str(folder),
            "--target-path", str(folder / "target"), "--log-path", str(folder / "logs"),
        ]
    )  # fmt: skip
    if not done.success:
        sys.exit(f"{target}: {done.exception or 'dbt compile failed'}")
    return parents_first(json.loads((folder / "target" / "manifest.json").read_text())["nodes"])


def parents_first(nodes: dict[str, Node]) -> list[Node]:
    """The nodes of a manifest, each after its parents."""
    ordered: dict[str, Node] = {}

    def visit(unique_id: str) -> None:
        if unique_id in nodes and unique_id not in ordered:
            for parent in nodes[unique_id].get("depends_on", {}).get("nodes", []):
                visit(parent)
            ordered[unique_id] = nodes[unique_id]

    for unique_id in nodes:
        visit(unique_id)
    return list(ordered.values())


class Warehouse:
    """The known columns of a project's tables, collected from its SQL, parents first."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.schema = MappingSchema(dialect=target)
        self.unknown: set[str] = set()  # nodes with columns that are unknown before a Python model has run

    def problems(self, nodes: list[Node]) -> Iterator[str]:
        """Return what the warehouse would refuse, as `file (node): why`."""
        for node in nodes:
            if node["resource_type"] == "seed":
                self.add(node, node["config"]["column_types"])
            elif node.get("language") == "python":
                self.unknown.add(node["unique_id"])
            elif node["resource_type"] in ("model", "test", "analysis") and node.get("compiled_code"):
                try:
                    found = self.problems_of(node)
                except SqlglotError as error:
                    found = [str(error).split("\n")[0]]
                    self.unknown.add(node["unique_id"])
                yield from (
                    f"{node['original_file_path']} ({node['name']}): {why}" for why in dict.fromkeys(found)
                )

    def problems_of(self, node: Node) -> list[str]:
        """Yield the problems of one node. Its columns are known afterwards.

        Errors: sqlglot's, where it can't parse the SQL or find a column.
        """
        columns = {name: column["data_type"] for name, column in node["columns"].items()}
        found = [*token_problems(self.target, node["compiled_code"])]
        trees = parse(node["compiled_code"], read=self.target, error_level=ErrorLevel.RAISE)
        found += tree_problems(self.target, trees)
        if self.unknown.isdisjoint(node["depends_on"]["nodes"]):
            tree = qualify(trees[0], schema=self.schema, dialect=self.target, quote_identifiers=False)
            tree = annotate_types(tree, schema=self.schema, dialect=self.target)
            found += [*type_problems(tree)] if self.target == "bigquery" else []
            columns = {column.alias_or_name: column.type for column in tree.selects} | columns
        elif not node["config"].get("contract", {}).get("enforced"):
            self.unknown.add(node["unique_id"])
        if node["config"]["materialized"] == "connected_components":
            columns = {"node_id": "bigint", "component_id": "bigint"}
        self.add(node, columns)
        return found

    def add(self, node: Node, columns: dict[str, Any]) -> None:
        if node.get("relation_name") and columns:
            table = exp.to_table(node["relation_name"], dialect=self.target)
            self.schema.add_table(table, columns, dialect=self.target)


def token_problems(target: str, sql: str) -> Iterator[str]:
    """Functions and types that the warehouse lacks, and literals that it reads differently from DuckDB."""
    dialect = Dialect.get_or_raise(target)
    tokens = dialect.tokenize(sql)
    texts = (TokenType.STRING, TokenType.RAW_STRING)
    words = WORDS[target]
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        name = token.text.lower()
        is_cast = (
            before.token_type is TokenType.ALIAS and token.token_type in dialect.parser_class.TYPE_TOKENS
        )
        is_word = token.token_type not in texts and re.fullmatch("[a-z_][a-z_0-9]*", name)
        if is_cast and name not in words["types"]:
            yield f"{target} is not known to have the type {name}"
        is_call = (
            is_word and after.token_type is TokenType.L_PAREN and before.token_type is not TokenType.ALIAS
        )
        if is_call and name not in [*words["functions"], *words["types"], *WORDS["syntax"]]:
            yield f"{target} is not known to have {name}()"
        if token.token_type in texts and after.token_type in texts:
            yield f"{target} takes no doubled quote in a text: {token.text} {after.text}"
        if token.token_type is TokenType.STRING and re.search(r"\\(?![0-9])", token.text):
            yield f"{target} takes a backslash for itself: {token.text}"


def tree_problems(target: str, trees: list[exp.Expression | None]) -> Iterator[str]:
    """SQL that sqlglot parses but the warehouse does not."""
    reserved = set(WORDS[target]["reserved"])
    if len(trees) != 1:
        yield f"{len(trees)} statements"
    for node in (node for tree in trees if tree for node in tree.walk()):
        if isinstance(node, exp.Command):
            yield f"sqlglot can't parse: {node.sql(target)}"
        if isinstance(node, exp.Filter):
            yield f"no filter (where …): {node.sql(target)}"
        if isinstance(node, exp.Identifier) and not node.quoted and node.name.lower() in reserved:
            yield f"a name that is a reserved word: {node.name}"
        if target != "bigquery":
            continue
        if isinstance(node, exp.DataType) and node.is_type("decimal") and node.expressions:
            precision, scale = (int(number.name) for number in node.expressions)
            if scale > 9 or precision - scale > 29:
                yield f"a decimal has 9 digits after the point and 29 before it at most: {node.sql(target)}"
        if isinstance(node, exp.Select) and node.args.get("where") and not node.args.get("from_"):
            yield "where needs a from"
        if isinstance(node, exp.In) and isinstance(node.this, exp.Tuple) and node.args.get("query"):
            yield f"no (a, b) in (select …): {node.sql(target)}"
        if isinstance(node, exp.Escape):
            yield f"no escape: {node.sql(target)}"
        if isinstance(node, exp.Join) and node.side and not node.args.get("using"):
            on = node.args["on"]
            parts = list(on.flatten()) if isinstance(on, exp.And) else [on]
            equal = [
                {column.table for column in part.find_all(exp.Column)}
                for part in parts
                if isinstance(part, exp.EQ)
            ]
            if on.find(exp.Column) and not any(len(tables) > 1 for tables in equal):
                yield f"an outer join needs an equality of both sides: on {on.sql(target)}"


def type_problems(tree: exp.Expression) -> Iterator[str]:
    """Incompatible types in BigQuery, which does not convert types implicitly."""
    for node in tree.walk():
        together: list[exp.Expression | None] = []
        if isinstance(node, (*COMPARISONS, *ARITHMETIC, exp.DPipe)):
            together = [node.left, node.right]
        elif isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least, exp.In)):
            together = [node.this, *node.expressions]
        elif isinstance(node, exp.Case):
            together = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
        elif isinstance(node, exp.Between):
            together = [node.this, node.args["low"], node.args["high"]]
        elif isinstance(node, exp.SetOperation):
            for left, right in zip(node.left.selects, node.right.selects, strict=True):
                if len(families([left, right])) > 1:
                    yield f"types don't go together: {left.sql('bigquery')} and {right.sql('bigquery')}"
        found = families(together)
        wanted = (
            {"text"}
            if isinstance(node, (*ON_TEXT, exp.DPipe))
            else {"number"}
            if isinstance(node, ON_NUMBERS)
            else None
        )
        if wanted and not isinstance(node, exp.DPipe):
            found = families([node.this])
        if len(found) > 1 or (wanted and found - wanted):
            yield f"types {' and '.join(sorted(found))} don't go together: {node.sql('bigquery')[:160]}"


def families(nodes: list[exp.Expression | None]) -> set[str]:
    """Kinds of types that BigQuery does not convert into each other. Unknown types are left out."""
    found = set()
    for node in nodes:
        if node is None or isinstance(node, exp.Null) or node.type is None:
            continue
        kind = node.type.this
        if kind in exp.DataType.NUMERIC_TYPES:
            found.add("number")
        elif kind in exp.DataType.TEXT_TYPES:
            found.add("text")
        elif kind not in (exp.DataType.Type.UNKNOWN, exp.DataType.Type.NULL):
            found.add(kind.value.lower())
    return found


def main(target: str, folder: Path) -> int:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    warehouse = Warehouse(target)
    for is_built in (False, True):
        nodes = compiled(target, folder / ("later" if is_built else "first"), is_built)
        for problem in warehouse.problems(nodes):
            print(problem)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
