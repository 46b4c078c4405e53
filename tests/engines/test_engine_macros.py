"""Each macro that differs between engines gives the same values on both, for the same difficult inputs."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import needs_spark
import pyarrow as pa
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import PROJECT

pytestmark = needs_spark.marks

# An expression over column t, as a model would write it.
TEXT_EXPRESSIONS = {
    "parse boolean": "parse('t', 'boolean')",
    "parse integer": "parse('t', 'integer')",
    "parse bigint": "parse('t', 'bigint')",
    "parse decimal": "parse('t', 'decimal(18,2)')",
    "parse double": "parse('t', 'double')",
    "parse timestamp": "parse('t', 'timestamp')",
    "parse date": "parse('t', 'date')",
    "replace_pattern": "replace_pattern('t', '[^a-z0-9]+', '_')",
    "replace_pattern at the end": "replace_pattern('t', '[ .]*$')",
    "matches_pattern": "matches_pattern('t', '^[a-z].*[0-9]$')",
    "matches_pattern of a dot": "matches_pattern('t', '^.+$')",
    "extract_pattern": "extract_pattern('t', '([0-9]+)')",
    "extract_pattern without the group": "extract_pattern('t', 'a(b)?')",
    "normalise_email": "normalise_email('t')",
    "clean_name": "clean_name('t')",
    "language_code": "language_code('t')",
    "category_key": "category_key('t')",
    "normalise_phone": "normalise_phone('t', \"'49'\", \"'0'\")",
    "plain_name": "plain_name('t')",
    "edit_distance": "edit_distance(replace_pattern('lower(t)', '[^a-z]') | trim, \"'annaberg'\")",
    "sorted_letters": "sorted_letters(replace_pattern('lower(t)', '[^a-z]') | trim)",
    "mint_customer_id": "mint_customer_id('t')",
    "sha256_text": "sha256_text('t')",
    "known_time_zone": "known_time_zone('t')",
    "text_as_json": "text_as_json('t')",
    "joined": "joined('/', ['t', \"nullif(substr(t, 1, 1), '1')\", \"'x'\"])",
}
# Over timestamps a and b and a whole number n.
DATE_EXPRESSIONS = {
    **{
        f"datediff {part}": f"date_diff('a', 'b', '{part}')"
        for part in ("second", "minute", "hour", "day", "month", "year")
    },
    **{
        f"dateadd {part}": f"date_add('{part}', 'n', 'a')"
        for part in ("second", "hour", "day", "week", "month", "year")
    },
    **{
        f"date_trunc {part}": f"'cast(' ~ dbt.date_trunc('{part}', 'a') ~ ' as timestamp)'"
        for part in ("hour", "day", "week", "month", "year")
    },
    "seconds_between": "seconds_between('a', 'b')",
    **{
        f"{macro} in {zone}": f"{macro}('a', \"'{zone}'\")"
        for macro in ("local_time", "utc_time")
        for zone in ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")
    },
}
# Over value v and order o.
AGGREGATES = {
    "value_at_max": "value_at_max('v', 'o')",
    "value_at_min": "value_at_min('v', 'o')",
    "value_at_max of the order": "value_at_max('o', 'v')",
    "median": "median('o')",
}
ALL_EXPRESSIONS = TEXT_EXPRESSIONS | DATE_EXPRESSIONS | AGGREGATES

TEXTS: list[str] = json.loads(Path(__file__).with_name("awkward_texts.json").read_text())

near_misses = st.text(alphabet="0123456789-+:.TZUC eE", max_size=28)
near_timestamps = st.from_regex(
    r"[ ]?(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9]([.][0-9]{0,9})?)?"
    r"[ ]?(Z|UTC|[+-][0-1][0-9](:?[0-6][0-9])?)?)?[ ]?",
    fullmatch=True,
)
near_numbers = st.from_regex(r"[ ]?[+-]?[0-9]{0,19}[.]?[0-9]{0,4}([eE][+-]?[0-9]{1,2})?[ ]?", fullmatch=True)
near_addresses = st.text(alphabet="aB1.@ <>;:,+-_é", max_size=20)
# The engines convert the case of a few letters (ß, İ, a final Σ) differently; see docs/engines.md.
letters = st.characters(exclude_characters="\0Σ", exclude_categories=["Cs", "Cn"]).filter(
    lambda letter: len(letter.lower()) == len(letter.upper()) == 1
)
any_texts = st.text(alphabet=letters, max_size=20)
texts = st.lists(
    st.one_of(near_misses, near_timestamps, near_numbers, near_addresses, any_texts),
    min_size=50,
    max_size=400,
)

# Each example is one query per engine, so there are few large ones without shrinking.
generated = partial(
    settings,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

Values = list[tuple[Any, ...]]
Run = Callable[[dict[str, str], pa.Table, str], tuple[Values, Values]]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Spark session with the settings of the `spark` target, and a catalog in memory."""
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    profiles = jinja2.Template((PROJECT / "profiles.yml").read_text()).render(
        env_var=lambda name, default: str(folder) if name == "MAILROOM_SPARK_DIR" else default
    )
    builder = SparkSession.builder
    target = yaml.safe_load(profiles)["mailroom"]["outputs"]["spark"]
    for name, value in target["server_side_parameters"].items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Every expression as SQL, by target and name."""
    folder = tmp_path_factory.mktemp("rendered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILROOM_DUCKDB_PATH", str(folder / "mailroom.duckdb"))
        patch.setenv("MAILROOM_SPARK_DIR", str(folder))
        patch.chdir(PROJECT)
        return {target: render(target, folder) for target in ("dev", "spark")}


def render(target: str, folder: Path) -> dict[str, str]:
    """The SQL of every expression on one target, by name. Touches no database."""
    from dbt.cli.main import dbtRunner

    sql_by_name = ", ".join(f"{json.dumps(name)}: ({code}) | trim" for name, code in ALL_EXPRESSIONS.items())
    options = ["--target", target, "--profiles-dir", ".", "--target-path", str(folder / target)]
    options += ["--quiet", "--no-populate-cache", "--no-introspect", "--log-path", str(folder)]
    done = dbtRunner().invoke(["compile", "--inline", "{{ tojson({" + sql_by_name + "}) }}", *options])
    assert done.success, done.exception
    result: Any = done.result
    sql: dict[str, str] = json.loads(result.results[0].node.compiled_code)
    return sql


@pytest.fixture(scope="module", params=["true", "false"], ids=["ansi", "not ansi"])
def run(request: pytest.FixtureRequest, spark: Any, rendered: dict[str, dict[str, str]]) -> Run:
    """Runs expressions over a table on both engines; dbt-spark turns ANSI mode off, Databricks on."""
    spark.conf.set("spark.sql.ansi.enabled", request.param)
    lake = duckdb.connect()
    lake.execute("set TimeZone = 'UTC'")

    def both(expressions: dict[str, str], table: pa.Table, group_by: str = "") -> tuple[Values, Values]:
        lake.register("inputs", table)
        spark.createDataFrame(table).createOrReplaceTempView("inputs")
        rows = []
        for target, text_type in (("dev", "varchar"), ("spark", "string")):
            selected = [
                f"cast({rendered[target][name]} as {text_type})" if is_time(name) else rendered[target][name]
                for name in expressions
            ]
            end = f" group by {group_by} order by {group_by}" if group_by else " order by row_number"
            query = f"select {', '.join(selected)} from inputs{end}"
            rows.append(lake.sql(query).fetchall() if target == "dev" else spark.sql(query).collect())
        return rows[0], rows[1]

    return both


def is_time(name: str) -> bool:
    """Whether an expression is a timestamp, which Python reads in the machine's time zone."""
    return name.startswith(("parse timestamp", "dateadd", "date_trunc"))


def assert_same(expressions: dict[str, str], inputs: list[Any], on_duckdb: Values, on_spark: Values) -> None:
    """Fail with a line per value that differs and its input. Doubles may differ in the last digits."""
    lines = []
    for given_value, duckdb_row, spark_row in zip(inputs, on_duckdb, on_spark, strict=True):
        for name, left, right in zip(expressions, duckdb_row, spark_row, strict=True):
            close = isinstance(left, float) and left == pytest.approx(right, rel=1e-12, nan_ok=True)
            if not (left == right or close):
                lines.append(f"{name} of {given_value!r}: DuckDB {left!r}, Spark {right!r}")
    assert not lines, "\n".join(lines[:20])


def text_table(values: list[str | None]) -> pa.Table:
    """A table of one text column t, in order."""
    return pa.table({"row_number": range(len(values)), "t": pa.array(values, pa.string())})


def test_texts(run: Run) -> None:
    values = [*TEXTS, None]
    on_duckdb, on_spark = run(TEXT_EXPRESSIONS, text_table(values), "")
    assert_same(TEXT_EXPRESSIONS, values, on_duckdb, on_spark)


@generated(max_examples=6)
@given(values=texts)
def test_generated_texts(run: Run, values: list[str]) -> None:
    on_duckdb, on_spark = run(TEXT_EXPRESSIONS, text_table(list(values)), "")
    assert_same(TEXT_EXPRESSIONS, values, on_duckdb, on_spark)


def test_parsed_values(rendered: dict[str, dict[str, str]]) -> None:
    """Examples of the rules in parse()."""
    examples: dict[str, dict[str, str | None]] = {
        "parse boolean": {
            " Yes ": "true",
            "0": "false",
            "on": "true",
            "nein": "false",
            "soon": None,
            "": None,
        },
        "parse integer": {"3.0": "3", "+7": "7", "3.5": None, "1e3": None, "2147483648": None},
        "parse decimal": {
            "1e5": "100000.00",
            "2.675": "2.68",
            "1_000": None,
            "1,5": "1.50",
            "1,500": None,
            "NaN": None,
        },
        "parse timestamp": {
            "2026-07-01": "2026-07-01 00:00:00",
            "2026-07-01T09:30": "2026-07-01 09:30:00",
            "2026-07-01 09:30:00 +0200": "2026-07-01 07:30:00",
            "2026-07-01T09:30:00.5Z": "2026-07-01 09:30:00.5",
            "01.07.2026 09:30": "2026-07-01 09:30:00",
            "1782892800": "2026-07-01 08:00:00",
            "09:30": None,
            "now": None,
            "2026-06-31": None,
        },
        "parse date": {
            "2026-07-01T01:00:00+02:00": "2026-07-01",
            "01.07.1985": "1985-07-01",
            "19850701": "1985-07-01",
            "1985-02-30": None,
        },
    }
    lake = duckdb.connect()
    lake.execute("set TimeZone = 'UTC'")
    for name, expected in examples.items():
        for text, value in expected.items():
            sql = f"select cast({rendered['dev'][name]} as varchar) from (select ? as t)"
            assert (name, text, lake.execute(sql, [text]).fetchall()) == (name, text, [(value,)])


moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1))


@generated(max_examples=4)
@given(rows=st.lists(st.tuples(moments, moments, st.integers(-400, 400)), min_size=20, max_size=200))
def test_dates(run: Run, rows: list[tuple[Any, Any, int]]) -> None:
    table = pa.table(
        {
            "row_number": range(len(rows)),
            "a": pa.array([row[0] for row in rows], pa.timestamp("us")),
            "b": pa.array([row[1] for row in rows], pa.timestamp("us")),
            "n": pa.array([row[2] for row in rows], pa.int32()),
        }
    )
    on_duckdb, on_spark = run(DATE_EXPRESSIONS, table, "")
    assert_same(DATE_EXPRESSIONS, rows, on_duckdb, on_spark)


groups = st.integers(0, 9)
orders = st.one_of(st.none(), st.integers(-2, 2))
aggregated = st.one_of(st.none(), st.sampled_from(["", "a", "b", "ä", "B", "aa"]))


@generated(max_examples=4)
@given(rows=st.lists(st.tuples(groups, orders, aggregated), min_size=20, max_size=200))
def test_aggregates(run: Run, rows: list[tuple[int, int | None, str | None]]) -> None:
    table = pa.table(
        {
            "g": pa.array([row[0] for row in rows], pa.int32()),
            "o": pa.array([row[1] for row in rows], pa.int32()),
            "v": pa.array([row[2] for row in rows], pa.string()),
        }
    )
    on_duckdb, on_spark = run(AGGREGATES, table, "g")
    members = [[row[1:] for row in rows if row[0] == group] for group in sorted({row[0] for row in rows})]
    assert_same(AGGREGATES, members, on_duckdb, on_spark)
