"""A segment's YAML entry matches its SQL."""

import re
from typing import Any

import pytest

from conftest import Warehouse

Node = dict[str, Any]


@pytest.fixture(scope="module")
def nodes(parsed: Warehouse) -> dict[str, Node]:
    nodes: dict[str, Node] = parsed.manifest()["nodes"]
    return nodes


@pytest.fixture(scope="module")
def segments(nodes: dict[str, Node]) -> list[Node]:
    return [
        node
        for node in nodes.values()
        if node["fqn"][1] == "segments"
        and len(node["fqn"]) == 4
        and node["fqn"][2] not in ("membership", "renamed")
    ]


def sql_of(segment: Node) -> str:
    """Return the segment's SQL without comments, string literals and names of vars."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", re.sub(r"--.*", "", segment["raw_code"]))


def test_a_segment_names_every_field_that_it_reads(nodes: dict[str, Node], segments: list[Node]) -> None:
    """Covers fields of public tables in models/customers, which signal_readiness measures."""
    assert len(segments) > 20
    for segment in segments:
        read = [nodes[key] for key in segment["depends_on"]["nodes"] if nodes[key]["fqn"][1] == "customers"]
        named = set(segment["config"]["meta"]["fields"])
        words = set(re.findall(r"\w+", sql_of(segment)))
        for column in {column for model in read for column in model["columns"]} & words - {"customer_id"}:
            candidates = {f"{model['name']}.{column}" for model in read if column in model["columns"]}
            assert named & candidates, f"{segment['name']} reads {candidates} but does not list it"


def test_has_band_is_true_exactly_for_segments_with_a_band(segments: list[Node]) -> None:
    for segment in segments:
        has_band = segment["config"]["meta"].get("has_band", False)
        assert has_band == ("as may_enter" in sql_of(segment)), segment["name"]
