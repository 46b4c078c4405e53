"""The peer of identity: Splink 5 on the same records, by exact rules or by a model that it trains.

    python -m benchmarks.splink_peer WAREHOUSE guarded|raw|usable|model OUT.parquet

guarded, raw and usable are exact rules, one for each identifier. guarded gives Splink what Mailroom's guards
let through (where names were compared, beside the identifier the first record that the record was found to be
one with), raw the normalised identifiers as they are, usable those that are not known to be no person's.
model is what Splink's documentation builds up to: its own comparisons of names, birth dates, streets, postal
codes and usable identifiers, trained on the records. Its comparison of addresses much alike was tried:
made-up ones are too much alike for it, and to ask for the same one did better. Clusters are written for each
of THRESHOLDS, to OUT-<threshold>.parquet. One row per record. DuckDB, two threads. Only Splink is timed, not
the making of its input. Prints JSON.
"""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.accuracy import USABLE

INPUT = """
create table identity_input as
select
    records.record_key,
    max(case when identifiers.identifier_type = 'email' then identifiers.value end) as email,
    max(case when identifiers.identifier_type = 'phone' then identifiers.value end) as phone,
    max(
        case when identifiers.identifier_type = 'shop_customer_id' then identifiers.value end
    ) as shop_customer_id
from warehouse.main_internal.identity_records as records
left join (
    select held.record_key, held.identifier_type, {value} as value
    from warehouse.main_internal.person_identifiers as held
    left join (
        select record_key, identifier_type, min(other_record_key) as first_record_key
        from (
            select record_key, identifier_type, other_record_key, verdict
            from warehouse.main_internal.compared_records
            union all
            select other_record_key, identifier_type, record_key, verdict
            from warehouse.main_internal.compared_records
        ) as both_ways
        where verdict in ('same', 'fits')
        group by record_key, identifier_type
    ) as same on held.record_key = same.record_key and held.identifier_type = same.identifier_type
    where {condition}
) as identifiers on records.record_key = identifiers.record_key
group by records.record_key
"""
INPUTS = {
    "guarded": (
        "held.identifier || case when held.is_compared"
        " then '|' || least(held.record_key, same.first_record_key) else '' end",
        "held.why_not is null",
    ),
    "raw": ("held.identifier", "true"),
    "usable": ("held.identifier", USABLE.replace("why_not", "held.why_not")),
}
# A careful user's own cleaning, besides that of the identifiers.
ABOUT = """
create table about as
select
    identity_input.*,
    nullif(lower(strip_accents(trim(records.first_name))), '') as first_name,
    nullif(lower(strip_accents(trim(records.last_name))), '') as last_name,
    lower(strip_accents(trim(records.first_name) || ' ' || trim(records.last_name))) as full_name,
    cast(records.birth_date as varchar) as birth_date,
    nullif(lower(strip_accents(trim(records.street))), '') as street,
    records.postal_code
from identity_input
inner join warehouse.main_internal.identity_records as records
    on identity_input.record_key = records.record_key
"""
THRESHOLDS = (0.9, 0.99, 0.999)  # least probabilities of the pairs that cluster
SEED = 7
RECALL = 0.8  # assumed share of one person's pairs that CERTAIN finds
MAX_PAIRS = 2e6  # in a step of the training
CERTAIN = [
    block_on("email", "first_name"),
    block_on("first_name", "last_name", "birth_date"),
    block_on("shop_customer_id"),
]


def connected(warehouse: Path, form: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory with identity_input, and for a model about."""
    value, condition = INPUTS["usable" if form == "model" else form]
    connection = duckdb.connect(
        config={"threads": 2, "preserve_insertion_order": False, "memory_limit": "12GB"}
    )
    connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
    connection.execute(INPUT.format(value=value, condition=condition))
    if form == "model":
        connection.execute(ABOUT)
    connection.execute("detach warehouse")
    return connection


def link(warehouse: Path, form: str, out: Path) -> dict[str, float]:
    """Link and cluster; writes (record_key, cluster_id) to `out`. Returns seconds of each step and counts."""
    connection = connected(warehouse, form)
    (records,) = connection.execute("select count(*) from identity_input").fetchall()[0]

    begun = time.monotonic()
    api = DuckDBAPI(connection=connection)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_key",
        blocking_rules_to_generate_predictions=[
            block_on("email"),
            block_on("phone"),
            block_on("shop_customer_id"),
        ],
    )
    table = api.register(connection.table("identity_input"), dataset_display_name="linked_records")
    linker = Linker(table, settings)
    pairs = linker.inference.deterministic_link()
    linked = time.monotonic()
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs)
    clustered = time.monotonic()

    (n_pairs,) = connection.execute(f"select count(*) from {pairs.physical_name}").fetchall()[0]
    _write(connection, clusters.physical_name, out)
    return {"records": records, "pairs": n_pairs, "link": linked - begun, "cluster": clustered - linked}


def trained(warehouse: Path, out: Path) -> dict[str, Any]:
    """Train, predict and cluster; writes (record_key, cluster_id) for each of THRESHOLDS.

    Returns seconds of each step, counts, and where the clusters of each threshold are.
    """
    connection = connected(warehouse, "model")
    (records,) = connection.execute("select count(*) from about").fetchall()[0]

    begun = time.monotonic()
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_key",
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name", "last_name", forename_surname_concat_col_name="full_name"
            ),
            cl.DateOfBirthComparison("birth_date", input_is_string=True),
            cl.LevenshteinAtThresholds("street", 2),
            cl.ExactMatch("postal_code").configure(term_frequency_adjustments=True),
            cl.ExactMatch("email"),
            cl.ExactMatch("phone"),
            cl.ExactMatch("shop_customer_id"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("email"),
            block_on("phone"),
            block_on("shop_customer_id"),
            block_on("first_name", "birth_date"),
            block_on("last_name", "birth_date"),
            block_on("first_name", "last_name", "postal_code"),
            block_on("first_name", "street", "postal_code"),
            block_on("last_name", "street", "postal_code"),
        ],
        max_iterations=20,
    )
    linker = Linker(
        DuckDBAPI(connection=connection).register(
            connection.table("about"), dataset_display_name="compared_records"
        ),
        settings,
    )
    training = linker.training
    training.estimate_probability_two_random_records_match(CERTAIN, recall=RECALL)
    training.estimate_u_using_random_sampling(max_pairs=MAX_PAIRS, seed=SEED)
    for rule in (block_on("email"), block_on("first_name", "last_name"), block_on("birth_date")):
        training.estimate_parameters_using_expectation_maximisation(
            rule, max_pairs=MAX_PAIRS, record_sample_proportion=1.0
        )
    learnt = time.monotonic()
    pairs = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    predicted = time.monotonic()
    written = {}
    for threshold in THRESHOLDS:
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold)
        path = out.with_name(f"{out.stem}-{threshold}.parquet")
        _write(connection, clusters.physical_name, path)
        written[str(threshold)] = str(path)
    clustered = time.monotonic()
    (n_pairs,) = connection.execute(f"select count(*) from {pairs.physical_name}").fetchall()[0]
    return {
        "records": records,
        "pairs": n_pairs,
        "learn": learnt - begun,
        "link": predicted - learnt,
        "cluster": clustered - predicted,
        "clusters": written,
    }


def _write(connection: duckdb.DuckDBPyConnection, clusters: str, out: Path) -> None:
    connection.execute(f"copy (select record_key, cluster_id from {clusters}) to '{out}' (format parquet)")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warehouse, form, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    print(json.dumps(trained(warehouse, out) if form == "model" else link(warehouse, form, out)))
