"""Probable pairs (var identity_probable_from): which records they join, and which they never do."""

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hazards import crm
from test_hazards import COLUMNS, HAZARDS
from test_scenarios import variables_for
from worlds import customer_ids, groups

from conftest import Warehouse, write_table
from mailroom import matching

pytestmark = pytest.mark.deep

needs_splink = pytest.mark.skipif(
    not matching.is_installed(), reason="Splink is not installed: pip install -r requirements-splink.txt"
)
GIVEN = [
    "Anna",
    "Bernd",
    "Carla",
    "Dieter",
    "Elke",
    "Frank",
    "Greta",
    "Heiko",
    "Ines",
    "Jonas",
    "Karin",
    "Lars",
]
FAMILY = ["Albers", "Brandt", "Claasen", "Dreher", "Engel", "Gerdes", "Hansen", "Jessen", "Kramer", "Lorenz"]
PLACE: dict[str, Any] = {"street": "Gartenweg 7", "postal_code": "50667", "city": "Köln"}
BORN = "1971-03-05"

# What a careful reviewer would keep apart, and what they would join.
APART = {
    "twins": [
        crm("twin1", "Jella", "Quandt", birth_date="1999-08-09", **PLACE),
        crm("twin2", "Thede", "Quandt", birth_date="1999-08-09", **PLACE),
    ],
    "father and son": [
        crm("father", "Enno", "Ravens", birth_date="1950-01-31", **PLACE),
        crm("son", "Enno", "Ravens", birth_date="1981-07-12", **PLACE),
    ],
    "a couple": [
        crm("he", "Onno", "Sievers", birth_date="1970-02-03", email="onno@sievers.de", **PLACE),
        crm("she", "Wiebke", "Sievers", birth_date="1971-04-05", email="wiebke@sievers.de", **PLACE),
    ],
    "one name and street, another birth date": [
        crm("cousin1", "Tomke", "Ubben", birth_date="1970-02-03", **PLACE),
        crm("cousin2", "Tomke", "Ubben", birth_date="1975-11-28", **PLACE),
    ],
    "one title and another": [
        crm("mr", "Herr Kim", "Voss", birth_date=BORN, **PLACE),
        crm("mrs", "Frau Kim", "Voss", birth_date=BORN, **PLACE),
    ],
    "no given name": [
        crm("whole", "Folkert", "Wessels", birth_date=BORN, **PLACE),
        crm("half", None, "Wessels", birth_date=BORN, **PLACE),
    ],
    "one name, and another number in the address": [
        crm("number1", "Jelto", "Ysker", email="jelto.ysker.1985@a.de"),
        crm("number2", "Jelto", "Ysker", email="jelto.ysker.1958@a.de"),
    ],
    "nothing but a name": [crm("name1", "Gesche", "Xanten"), crm("name2", "Gesche", "Xanten")],
    "a chain from one twin to the other": [
        crm("chain1", "Haukea", "Zwick", birth_date=BORN, **PLACE),
        crm("chain2", "Hauke", "Zwick", birth_date=BORN, **PLACE),
        crm("chain3", "Hauke Onno", "Zwick", birth_date=BORN, **PLACE),
        crm("chain4", "Hauke Eike", "Zwick", birth_date=BORN, **PLACE),
    ],
}
TOGETHER = {
    "typing errors": [
        crm("typed1", "Annegret", "Lindenthal", birth_date=BORN, **PLACE),
        crm("typed2", "Annegrat", "Lindenhtal", birth_date=BORN, **PLACE | {"street": "Gartenweg7"}),
    ],
    "names in each other's field": [
        crm("swap1", "Dietlind", "Oberhauser", birth_date=BORN, **PLACE),
        crm("swap2", "Oberhauser", "Dietlind", birth_date=BORN, **PLACE),
    ],
    "a new address, another number": [
        crm("new1", "Lambert", "Petersilie", birth_date=BORN, email="lape71@a.de", phone="030 7777123"),
        crm("new2", "Lambert", "Petersilie", birth_date=BORN, email="lape71@b.de", phone="030 7777988"),
    ],
    "a letter missing in the address": [
        crm("letter1", "Mareile", "Nonnweiler", email="mareile.nonnweiler.1985@a.de"),
        crm("letter2", "Mareile", "Nonnweiler", email="mareile.nonweiler.1985@a.de"),
    ],
    "a birth date with two digits in each other's place": [
        crm("date1", "Roswitha", "Kienzle", birth_date="1958-11-23", **PLACE),
        crm("date2", "Roswitha", "Kienzle", birth_date="1985-11-23", **PLACE),
    ],
}  # fmt: skip
CASES = APART | TOGETHER


def shop(n: int) -> list[Any]:
    """Records of random people. Every third is there twice, with a typing error."""
    chance = random.Random(5)
    found = []
    for i in range(n):
        given, family = (
            chance.choice(GIVEN),
            chance.choice(FAMILY) + chance.choice(["", "mann", "sen", "berg"]),
        )
        born = f"{chance.randint(1940, 2005)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        where = {
            "street": f"{chance.choice(FAMILY)}weg {chance.randint(1, 90)}",
            "postal_code": f"{chance.randint(20000, 29999)}",
            "city": chance.choice(FAMILY) + "hausen",
        }
        found.append(crm(f"shop{i}", given, family, birth_date=born, **where))
        if i % 3 == 0:
            at = chance.randrange(1, len(family))
            found.append(crm(f"shop{i}b", given, family[:at] + family[at + 1 :], birth_date=born, **where))
    return found


def build(
    folder: Path, records: list[Any], *tests: str, upto: tuple[str, ...] = (), **variables: Any
) -> Warehouse:
    for table, columns in COLUMNS.items():
        rows = [record.row for record in records if record.table == table]
        more = ["has_marketing_consent", "marketing_consent_at"] if upto and table == "crm/contacts" else []
        write_table(folder / f"{table}.parquet", rows, [*columns.split(), *more])
    warehouse = Warehouse(folder)
    models = ("+customer_keys", "+identity_evaluation", *upto)
    selected = ["--select", *models, "--indirect-selection", "cautious"]
    excluded = ["--exclude-resource-type", "unit_test", *tests]
    run = warehouse.dbt("build", *selected, *excluded, **variables_for(folder), **variables)
    assert run.ok, run.output
    return warehouse


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The cases in a shop that Splink learns from."""
    records = [*shop(1200), *(record for case in CASES.values() for record in case)]
    return build(tmp_path_factory.mktemp("on"), records, identity_probable_from=0.99)


@needs_splink
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_careful_reviewer_would_decide_the_same(on: Warehouse, name: str) -> None:
    ids = customer_ids(on)
    labels = {record.label for record in CASES[name]}
    found = [group for group in groups(ids) if group & labels]
    if name == "a chain from one twin to the other":
        assert not [group for group in found if {"crm:chain3", "crm:chain4"} <= group]
    else:
        assert sorted(map(sorted, found)) == sorted(
            [sorted(labels)] if name in TOGETHER else [[label] for label in labels]
        )


@needs_splink
@pytest.mark.slow
def test_every_customer_of_several_clusters_has_a_sentence_for_each_join(on: Warehouse) -> None:
    joined = on.rows(
        "select count(distinct certain_cluster_id) from record_customers group by customer_id"
        " having count(distinct certain_cluster_id) > 1"
    )
    assert len(joined) > 300
    sentences = on.rows("select evidence, probability from probable_edges")
    assert len(sentences) >= sum(n - 1 for (n,) in joined)
    for sentence, probability in sentences:
        assert sentence.startswith(("same ", "nearly the same ")) and probability >= 0.99
    (sentence,) = on.rows(
        "select evidence from probable_edges"
        " where record_key = 'crm_contact:typed1' and other_record_key = 'crm_contact:typed2'"
    )[0]
    assert "same birth date" in sentence and "nearly the same" in sentence


@needs_splink
@pytest.mark.slow
def test_the_unit_tests_of_what_is_off_by_default(on: Warehouse) -> None:
    """make build skips them, as it does their models."""
    variables = {**variables_for(on.folder), "identity_probable_from": 0.99}
    run = on.dbt("test", "--select", "probable_edges,test_type:unit", **variables)
    assert run.ok and run.results, run.output


@needs_splink
@pytest.mark.slow
def test_what_the_probable_edges_add_is_measured(on: Warehouse) -> None:
    measures: dict[str, float] = dict(on.rows("select measure, value from identity_evaluation"))
    assert measures["pairs gained by probable edges"] == measures["pairs of one customer"] > 300
    assert (
        0
        < measures["gained pairs that are probably wrong"]
        < 0.01 * measures["pairs gained by probable edges"]
    )


@needs_splink
@pytest.mark.slow
def test_no_stranger_among_the_hazards_is_joined(tmp_path: Path) -> None:
    """In a shop that Splink learns from. Anna Berg of one hazard may be Anna Berg of another."""
    hazards = [record for hazard in HAZARDS.values() for record in hazard.all_records]
    none = ["test"]
    warehouse = build(tmp_path, [*shop(1200), *hazards], *none, identity_probable_from=0.99)
    several = {
        customer_id
        for (customer_id,) in warehouse.rows(
            "select customer_id from record_customers"
            " group by customer_id having count(distinct certain_cluster_id) > 1"
        )
    }
    assert several
    ids = customer_ids(warehouse)
    for name, hazard in HAZARDS.items():
        owners = [{ids[label] for label in group} & several for group in hazard.all_groups]
        assert sum(map(len, owners)) == len(set().union(*owners)), (name, hazard.why)


@pytest.mark.slow
def test_by_default_no_edge_is_probable_and_nothing_of_it_is_built(tmp_path: Path) -> None:
    records = [record for case in CASES.values() for record in case]
    warehouse = build(tmp_path, records)
    assert warehouse.rows("select count(distinct customer_id) = count(*) from record_customers") == [(True,)]
    assert (
        warehouse.rows(
            "select table_name from information_schema.tables"
            " where table_name like 'probable%' or table_name in ('matching_records', 'certain_clusters')"
        )
        == []
    )
    measures: dict[str, float] = dict(warehouse.rows("select measure, value from identity_evaluation"))
    assert measures["records"] == len(records)
    assert measures["pairs gained by probable edges"] == 0


def records_of(n: int) -> pd.DataFrame:
    """matching_records of random people, without dbt."""
    chance = random.Random(8)
    rows: list[dict[str, Any]] = []
    for i in range(n):
        row = dict.fromkeys([*matching.COLUMNS, *(f"key_{place}" for place in range(1, matching.N_KEYS + 1))])
        row |= {
            "record_key": f"r{i:05}",
            "given": chance.choice(GIVEN).lower(),
            "family": chance.choice(FAMILY).lower() + chance.choice(["", "mann", "sen"]),
            "birth_date": f"{chance.randint(1940, 2005)}-0{chance.randint(1, 9)}-{chance.randint(10, 28)}",
            "street": f"{chance.choice(FAMILY).lower()}weg{chance.randint(1, 90)}",
            "postal_code": f"{chance.randint(20000, 20999)}",
        }
        rows.append(row)
        if i % 3 == 0:
            rows.append(row | {"record_key": f"r{i:05}b", "street": None, "postal_code": None})
    for row in rows:
        row |= {f"{name}_letters": "".join(sorted(row[name])) for name in ("given", "family")}
        row |= {"key_1": f"{row['given']}|{row['family']}", "key_12": row["birth_date"]}
    return pd.DataFrame(rows)


@needs_splink
def test_the_same_records_give_the_same_pairs() -> None:
    records = records_of(1200)
    first = matching.pairs(records)
    again = matching.pairs(records.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(first, again)
    twice = {f"r{i:05}b" for i in range(0, 1200, 3)}
    right = first["other_record_key"].isin(twice) & (first["other_record_key"] == first["record_key"] + "b")
    assert right.sum() > 0.9 * len(twice)
    assert right[first["probability"] >= 0.998].mean() > 0.99


@needs_splink
def test_a_handful_of_records_is_matched_by_the_default_probabilities() -> None:
    records = records_of(9)
    found = matching.pairs(records)
    assert set(zip(found["record_key"], found["other_record_key"], strict=True)) == {
        ("r00000", "r00000b"), ("r00003", "r00003b"), ("r00006", "r00006b"),
    }  # fmt: skip
    assert matching.pairs(records[:1]).empty and matching.pairs(records[:0]).empty


def test_without_splink_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install -r requirements-splink\.txt"):
        matching.pairs(records_of(9))


def joined(
    edges: list[tuple[int, int, float]],
    strangers: list[tuple[int, int]] | None = None,
    sizes: dict[int, int] | None = None,
    max_records: int = 5,
) -> set[frozenset[int]]:
    """The groups that matching.joined() makes. Every node is in one component."""
    sizes = sizes or {}
    found = matching.joined(
        pd.DataFrame(
            [
                {
                    "first_cluster_id": one, "cluster_id": other, "probability": probability,
                    "first_n_records": sizes.get(one, 1), "n_records": sizes.get(other, 1),
                    "record_key": f"r{one}", "other_record_key": f"r{other}",
                }
                for one, other, probability in edges
            ]
        ),
        pd.DataFrame({"node_id": sorted({node for edge in edges for node in edge[:2]}), "component_id": 1}),
        pd.DataFrame(strangers or [], columns=["first_cluster_id", "cluster_id"], dtype=np.int64),
        max_records,
    )  # fmt: skip
    together: dict[int, set[int]] = {}
    for node, cluster in zip(found["certain_cluster_id"], found["cluster_id"], strict=True):
        together.setdefault(cluster, set()).add(node)
    return {frozenset(group) for group in together.values()}


def test_the_most_probable_edges_join_and_no_two_strangers_meet() -> None:
    chain = [(1, 2, 0.99), (2, 3, 0.999), (3, 4, 0.992)]
    assert joined(chain) == {frozenset({1, 2, 3, 4})}
    assert joined(chain, [(1, 3)]) == {frozenset({1}), frozenset({2, 3, 4})}
    assert joined(chain, [(1, 4)]) == {frozenset({1}), frozenset({2, 3, 4})}
    assert joined(chain, [(2, 4), (1, 3)]) == {frozenset({1}), frozenset({2, 3}), frozenset({4})}
    assert joined(list(reversed(chain)), [(1, 4)]) == joined(chain, [(1, 4)])


def test_no_customer_grows_beyond_what_is_allowed() -> None:
    assert joined([(1, 2, 0.99), (2, 3, 0.999)], sizes={1: 3, 2: 2}) == {frozenset({1}), frozenset({2, 3})}
    long = [(node, node + 1, 0.99) for node in range(9)]
    assert max(map(len, joined(long))) == 2


@needs_splink
@pytest.mark.slow
def test_an_opt_out_crosses_a_probable_edge_and_an_opt_in_does_not(tmp_path: Path) -> None:
    """One record of each pair has an answer, for its own address. Mail may go to either address."""
    records = shop(1200)
    pairs = {name: n % 2 == 0 for n, name in enumerate(GIVEN)}
    for n, (name, says) in enumerate(pairs.items()):
        place = {"street": f"Uferweg {n + 1}", "postal_code": f"2{n:04}", "city": "Leer"}
        born = f"19{60 + n}-0{n % 9 + 1}-1{n % 8}"
        for number, answer in ((1, says), (2, None)):
            record = crm(
                f"{name}{number}", name, "Osterkamp", birth_date=born, email=f"t{n}.{number}@x.de", **place
            )
            record.row["has_marketing_consent"] = None if answer is None else str(answer).lower()
            record.row["marketing_consent_at"] = "2024-05-06"
            records.append(record)
    warehouse = build(tmp_path, records, identity_probable_from=0.99, upto=("+consents",))
    found = warehouse.rows(
        """
        select contacts.contact_id, contacts.email = customers.email, consents.is_allowed, consents.status
        from main_staging.stg_crm__contacts as contacts
        inner join customer_keys on customer_keys.record_key = 'crm_contact:' || contacts.contact_id
        inner join customers on customer_keys.customer_id = customers.customer_id
        inner join consents on customers.customer_id = consents.customer_id
        where contacts.last_name = 'Osterkamp' and contacts.has_marketing_consent is not null
            and customers.n_records = 2 and consents.channel = 'email'
            and consents.purpose = 'marketing_email'
        """
    )
    assert len(found) >= 10
    for contact_id, is_written_to, is_allowed, status in found:
        assert is_allowed == (pairs[contact_id[:-1]] and is_written_to), (contact_id, status)
        assert pairs[contact_id[:-1]] or status == "denied"
