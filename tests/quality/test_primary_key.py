"""The primary_key test finds each kind of fault, and names the key and what is wrong."""

import pytest

from conftest import Rows, Warehouse

# Faulty rows of the seed, by kind of fault, and the text that the test must give for their key.
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
    """The stored failures (store_failures) by seed, after every fault is planted."""
    for rows, _ in FAULTS.values():
        for row in rows:
            seeded.rows(
                f"insert into main_policy.jurisdictions select * replace ({row})"
                " from main_policy.jurisdictions limit 1"
            )
    # Each column of a composite key may repeat.
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
    rows, text = FAULTS[fault]
    assert [
        found for _, n_rows, found in failures["jurisdictions"] if found == text and n_rows == len(rows)
    ] == [text]


def test_nothing_else_is_found(failures: dict[str, Rows]) -> None:
    assert len(failures["jurisdictions"]) == len(FAULTS)


def test_a_key_of_two_columns_is_the_pair(failures: dict[str, Rows]) -> None:
    assert sorted(failures["legal_holds"], key=str) == [
        ("email", "b", 2, "2 rows have this key"),
        ("phone", None, 1, "identifier is empty"),
    ]
