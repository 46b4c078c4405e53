"""The one test of a table's rules finds each kind of fault, and says which row has it and what is wrong."""

import pytest

from conftest import Rows, Warehouse

# Rows of the seed, each with what is wrong with it, and what the test must say of their key.
FAULTS = {
    "a key that two rows share": (["'XA' as country_code", "'XA' as country_code"], "2 rows have this key"),
    "an empty key": (["null as country_code"], "country_code is empty"),
    "an empty column": (["'XC' as country_code, null as source"], "source is empty"),
    "a value that is not accepted": (
        ["'XD' as country_code, 'perhaps' as lawful_default"],
        "lawful_default is perhaps",
    ),
    "several faults": (
        [
            "'XE' as country_code, null as stated_on",
            "'XE' as country_code, 'week' as request_term_unit, null as lawful_default",
        ],
        "2 rows have this key; lawful_default is empty; stated_on is empty; request_term_unit is week",
    ),
}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(tmp_path_factory.mktemp("keys"))
    run = warehouse.dbt("build", "--select", "jurisdictions", "legal_holds")
    assert run.ok, run.output
    assert sum(status == "pass" for status, _ in run.results.values()) == 2, "a test for each of the two"
    return warehouse


@pytest.fixture(scope="module")
def failures(seeded: Warehouse) -> dict[str, Rows]:
    """What is kept of the failures (store_failures), by seed, once every fault is planted."""
    for rows, _ in FAULTS.values():
        for row in rows:
            seeded.rows(
                f"insert into main_policy.jurisdictions select * replace ({row})"
                " from main_policy.jurisdictions limit 1"
            )
    # Of a key of two columns each alone may stand in several rows.
    seeded.rows("""
        insert into main_policy.legal_holds (identifier_type, identifier, why, held_since)
        select kind, identifier, 'a claim', '2026-01-01' from (
            values ('email', 'a'), ('email', 'b'), ('phone', 'a'), ('email', 'b'), ('phone', null)
        ) as holds (kind, identifier)
    """)
    run = seeded.dbt("test", "--store-failures", "--select", "jurisdictions", "legal_holds")
    assert sum(status == "fail" for status, _ in run.results.values()) == 2, run.output
    kept = seeded.rows(
        "select table_name from information_schema.tables where table_schema like '%dbt_test__audit'"
    )
    return {
        seed: seeded.rows(f"select * from main_dbt_test__audit.{table}")
        for (table,) in kept
        for seed in ("jurisdictions", "legal_holds")
        if seed in table
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_named_with_its_key(failures: dict[str, Rows], fault: str) -> None:
    rows, said = FAULTS[fault]
    assert [
        found for _, n_rows, found in failures["jurisdictions"] if found == said and n_rows == len(rows)
    ] == [said]


def test_nothing_else_is_found(failures: dict[str, Rows]) -> None:
    assert len(failures["jurisdictions"]) == len(FAULTS)


def test_a_key_of_two_columns_is_the_pair(failures: dict[str, Rows]) -> None:
    assert sorted(failures["legal_holds"], key=str) == [
        ("email", "b", 2, "2 rows have this key"),
        ("phone", None, 1, "identifier is empty"),
    ]
