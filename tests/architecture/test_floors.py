"""The floors are kept, raw data has one door, and every SQL file is under the conventions."""

import re
from pathlib import Path
from typing import Any

import pytest

from conftest import PROJECT, Warehouse

# python_models stands between what is known and what people read of it: nothing there reads a score.
FLOORS = [
    "staging", "identity", "customers", "quality", "trust", "features", "python_models", "scores", "segments",
    "measurement", "flows", "activation",
]  # fmt: skip
# Those that read its rows, and the one that says which of its columns are there.
THROUGH_THE_DOOR = re.compile(r"base_[a-z]+__[a-z_]+|source_reconciliation|field_dictionary|unread_columns")
SQL_FILES = sorted(
    path
    for folder in ("models", "macros", "tests", "analyses")
    for path in PROJECT.glob(f"{folder}/**/*.sql")
)
PORTABLE_FILES = [path for path in SQL_FILES if "engine" not in path.parts]
ENGINE_ONLY = re.compile(
    r"\b(arg_max|arg_min|max_by|min_by|regexp_\w+|rlike|strftime|date_format|epoch|read_csv|read_parquet|list_\w+"
    r"|array_\w+|struct_\w+|unnest|explode|json_\w+|xxhash64|md5_number\w*|qualify|unix_timestamp|from_unixtime"
    r"|hugeint|current_timestamp|current_date|now|getdate) *\(|::|\b(qualify|pivot|hugeint|interval) "
)
# A file of these folders has at most 120 lines, or a comment that begins "Longer than 120 lines because".
SHORT_FILES_IN = ("macros", "models", "python_models")
KINDS = ("lifecycle", "value", "intent", "engagement", "stated", "negative")
KEYLESS = {
    "rejected_rows": "a repeated raw row stands in it as often as it comes",
    "base_shop__rated_orders": "it has the rows of base_shop__orders, those with a repeated key too",
    "certain_clusters": "record_clusters has each of its rows, under the same key",
    "customer_values": "rfm_scores has each of its rows, under the same key",
    "sent_messages": "two messages to a customer may leave at one moment",
    "segment_transitions": "lifecycle_transitions has each of its rows, under the same key",
    "stg_shop__products": "products has each of its rows, under the same key",
}
Node = dict[str, Any]


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def without_comments(path: Path) -> str:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"--.*", "", text)


@pytest.fixture(scope="module")
def nodes(parsed: Warehouse) -> dict[str, Node]:
    manifest = parsed.manifest()
    return {**manifest["nodes"], **manifest["sources"]}


@pytest.fixture(scope="module")
def models(nodes: dict[str, Node]) -> list[Node]:
    return [node for node in nodes.values() if node["resource_type"] == "model"]


def floor(node: Node) -> int:
    top, folder = str(node["original_file_path"]).split("/")[:2]
    # Python models of measurement read what stands above the scores.
    place = top if top == "python_models" and folder != "measurement" else folder
    assert place in FLOORS, f"{node['original_file_path']} is on no floor of {FLOORS}"
    return FLOORS.index(place)


def test_no_floor_refers_to_one_above_it(nodes: dict[str, Node], models: list[Node]) -> None:
    upwards = [
        f"{model['name']} ({FLOORS[floor(model)]}) refers to {parent['name']} ({FLOORS[floor(parent)]})"
        for model in models
        for parent in (nodes[key] for key in model["depends_on"]["nodes"])
        if parent["resource_type"] == "model" and floor(parent) > floor(model)
    ]
    assert upwards == []


def test_what_people_read_stands_at_the_top_of_its_floor_and_in_the_public_schema(models: list[Node]) -> None:
    public_schema = {model["schema"] for model in models if model["name"] == "customers"}
    for model in models:
        depth = len(Path(model["original_file_path"]).parts)
        is_public = model["config"]["access"] == "public"
        if model["original_file_path"].startswith("models/segments/renamed/"):
            continue  # public tables under their former names
        assert (depth == 3 and model["original_file_path"].startswith("models/")) == is_public, (
            f"{model['original_file_path']} is {'public' if is_public else 'not public'}"
        )
        assert ({model["schema"]} == public_schema) == is_public, f"{model['name']} is in {model['schema']}"


def test_raw_data_has_one_door(nodes: dict[str, Node], models: list[Node]) -> None:
    past_the_door = [
        f"{model['name']} reads {key}"
        for model in models
        for key in model["depends_on"]["nodes"]
        if key.startswith(("source.", "seed.mailroom.demo_"))
        and not THROUGH_THE_DOOR.fullmatch(model["name"])
    ]
    assert past_the_door == []
    by_hand = [
        name_of(path)
        for path in SQL_FILES
        if name_of(path) != "macros/staging/raw.sql"
        and re.search(r"\bsource\(|ref\('demo_(?!truth)", without_comments(path))
    ]
    assert by_hand == []


def test_every_model_is_described_and_has_a_primary_key(nodes: dict[str, Node], models: list[Node]) -> None:
    keyed = {
        node["attached_node"]
        for node in nodes.values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "primary_key"
    }
    nameless = [model["name"] for model in models if not model["description"].startswith("One row per ")]
    assert nameless == [], "the description opens with the grain: One row per …"
    # A base model has the rows of its raw table, those with a repeated key too. Segments, audiences,
    # suppression rules and triggers are held to theirs all at once, where they are united:
    # segment_candidates, audience_candidates, suppressions, trigger_events.
    keyless = [
        model["name"]
        for model in models
        if model["unique_id"] not in keyed
        and model["name"] not in KEYLESS
        and "raw_table(" not in model["raw_code"]
        and model["fqn"][1:3] != ["activation", "audiences"]
        and not (model["fqn"][1] == "segments" and model["fqn"][2] in KINDS)
        and model["fqn"][1:3] not in (["trust", "suppression_rules"], ["flows", "triggers"])
    ]
    assert keyless == []


def test_public_models_have_a_contract_and_a_group_and_name_every_column(models: list[Node]) -> None:
    for model in models:
        if model["config"]["access"] == "public":
            assert model["config"]["contract"]["enforced"] and model["config"]["group"], model["name"]
            for column in model["columns"].values():
                assert column["description"] and column["data_type"], f"{model['name']}.{column['name']}"


def test_models_are_named_by_the_conventions(models: list[Node]) -> None:
    for model in models:
        source = model["original_file_path"].split("/")[2] if floor(model) == 0 else None
        if source:
            assert re.fullmatch(rf"(stg|base)_{source}__[a-z_]+", model["name"]), model["name"]
        else:
            assert not re.match(r"(dim|fct|fact|int|stg|base|tmp|final)_", model["name"]), model["name"]
            assert not re.search(r"_(v\d+|final|new|old|tmp)$", model["name"]), model["name"]


def test_what_differs_between_engines_is_in_the_engine_folder() -> None:
    found = []
    for path in PORTABLE_FILES:
        text = without_comments(path)
        found += [
            f"{name_of(path)} asks which engine it is on" for _ in re.findall(r"(target|adapter)\.type", text)
        ]
        text = text.replace("run_started_at.strftime(", "")  # Python's, in Jinja
        sql = re.sub(r"\{[{%].*?[}%]\}", "", text, flags=re.DOTALL) if "macros" not in path.parts else text
        found += [
            f"{name_of(path)}: {match[0]!r} belongs into macros/engine" for match in ENGINE_ONLY.finditer(sql)
        ]
    assert found == []


def test_sql_files_name_no_place_of_a_machine_and_no_work_that_is_left() -> None:
    left = re.compile(r"\b(TODO|FIXME|XXX)\b|(?:^|[\s('\"=])/(?:home|work|tmp|Users|root)/", re.MULTILINE)
    assert [f"{name_of(path)}: {m[0]}" for path in SQL_FILES for m in left.finditer(path.read_text())] == []


def test_sql_files_have_lower_case_keywords_and_no_space_at_the_end_of_lines() -> None:
    keyword = re.compile(r"\b(SELECT|FROM|WHERE|JOIN|GROUP BY|ORDER BY|CASE|WHEN|AND|OR)\b")
    found = []
    for path in SQL_FILES:  # sqlfluff does not read macros
        text = path.read_text()
        code = re.sub(r"'[^']*'", "", without_comments(path))
        found += [f"{name_of(path)}: {match[0]}" for match in keyword.finditer(code)]
        found += [f"{name_of(path)}: a tab, or space at the end of a line"] * bool(
            re.search(r"[ \t]+$|\t", text, re.M)
        )
        found += [f"{name_of(path)}: not one line end at the end"] * (not re.search(r"[^\n]\n\Z", text))
    assert found == []


def test_a_file_over_120_lines_says_why() -> None:
    paths = [
        path
        for folder in SHORT_FILES_IN
        for path in PROJECT.glob(f"{folder}/**/*.*")
        if path.suffix in {".sql", ".py"}
    ]
    long = {name_of(path): text for path in paths if (text := path.read_text()).count("\n") > 120}
    assert [name for name, text in long.items() if "Longer than 120 lines because" not in text] == []


def test_a_singular_test_opens_with_its_invariant_and_is_named_as_it() -> None:
    for path in SQL_FILES:
        if path.parts[len(PROJECT.parts)] == "tests":
            assert path.read_text().startswith("-- "), f"{path.name} opens with its invariant as a sentence"
            assert re.fullmatch(r"[a-z0-9_]+_[a-z0-9_]+_[a-z0-9_]+", path.stem), f"{path.name} is named as it"
