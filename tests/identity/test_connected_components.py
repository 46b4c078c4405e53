"""The connected_components materialisation against scipy, over many graphs at once."""

import random
from collections import defaultdict
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from conftest import Warehouse

pytestmark = pytest.mark.slow

Edge = tuple[int, int]
STEPS = "select table_name from information_schema.tables where contains(table_name, 'identity_clusters__')"


def graphs(chance: random.Random) -> list[Edge]:
    """Random graphs of every density, a chain of 2,000, a star, a cycle, doubled edges and self-bridges."""
    edges: list[Edge] = []
    n_nodes = 0

    def add(n: int, pairs: list[Edge]) -> None:
        nonlocal n_nodes
        edges.extend((n_nodes + a, n_nodes + b) for a, b in pairs)
        n_nodes += n

    add(2000, [(i, i + 1) for i in range(1999)])
    add(500, [(0, i) for i in range(1, 500)])
    add(300, [(i, (i + 1) % 300) for i in range(300)])
    add(2, [(0, 1), (1, 0), (0, 1), (0, 0)])
    add(1, [(0, 0)])
    for _ in range(200):
        n = chance.randint(2, 40)
        density = chance.choice([0.3, 1.0, 3.0]) * n
        add(n, [(chance.randrange(n), chance.randrange(n)) for _ in range(int(density))])
    spread = [chance.getrandbits(64) - 2**63 for _ in range(n_nodes)]
    chance.shuffle(edges)
    return [(spread[a], spread[b]) for a, b in edges]


def by_scipy(edges: list[Edge]) -> set[frozenset[int]]:
    nodes = sorted({node for edge in edges for node in edge})
    place = {node: i for i, node in enumerate(nodes)}
    left, right = np.array([[place[a], place[b]] for a, b in edges]).T
    _, labels = connected_components(coo_array((np.ones(len(edges)), (left, right)), shape=(len(nodes),) * 2))
    together: dict[int, set[int]] = defaultdict(set)
    for node, label in zip(nodes, labels, strict=True):
        together[label].add(node)
    return {frozenset(group) for group in together.values() if len(group) > 1}


def load(folder: Path, edges: list[Edge]) -> None:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create schema if not exists main_internal; use main_internal")
        connection.execute("create or replace table identity_edges (first_node_id bigint, node_id bigint)")
        left, right = zip(*edges, strict=True)
        connection.execute("insert into identity_edges select unnest(?), unnest(?)", [left, right])


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("closure"))


@settings(max_examples=2, phases=[Phase.generate], database=None)
@given(seed=st.integers(0, 2**32))
def test_components_equal_those_of_scipy(warehouse: Warehouse, seed: int) -> None:
    edges = graphs(random.Random(seed))
    load(warehouse.folder, edges)
    run = warehouse.dbt("run", "--select", "identity_clusters")
    assert run.ok, run.output
    rows = warehouse.rows("select node_id, component_id from identity_clusters")
    together: dict[int, set[int]] = defaultdict(set)
    for node, component in rows:
        together[component].add(node)
    assert len(rows) == len({node for node, _ in rows})
    assert {frozenset(group) for group in together.values()} == by_scipy(edges)
    assert all(component in group for component, group in together.items())
    assert warehouse.rows(STEPS) == []


@pytest.mark.deep
def test_too_few_rounds_stop_the_build_by_name_and_leave_the_last_result(warehouse: Warehouse) -> None:
    load(warehouse.folder, graphs(random.Random(1)))
    with duckdb.connect(str(warehouse.folder / "warehouse.duckdb")) as connection:
        connection.execute("use main_internal")
        connection.execute(
            "create or replace table identity_clusters as select 1 as node_id, 1 as component_id"
        )
    run = warehouse.dbt("run", "--select", "identity_clusters", identity_max_rounds=2)
    status, message = run.results["identity_clusters"]
    assert status == "error"
    assert "edges are left after 2 rounds. Raise var identity_max_rounds." in message
    assert warehouse.rows("select * from identity_clusters") == [(1, 1)]
    assert warehouse.rows(STEPS) == []
