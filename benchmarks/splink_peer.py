"""The peer of identity: Splink 5, deterministic rules and its own clustering, on the same records.

    python -m benchmarks.splink_peer WAREHOUSE guarded|raw OUT.parquet

guarded gives Splink what Mailroom's guards let through (where names were compared, beside the identifier
the first record that the record was found to be one with), raw the normalised identifiers as they are.
One row per record: record_key, email, phone, shop_customer_id; one rule for each identifier. DuckDB, two
threads. Only Splink is timed, not the making of its input.
Prints JSON.
"""

import json
import logging
import sys
import time
from pathlib import Path

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

INPUT = """
create table identity_input as
select
    records.record_key,
    max(case when identifiers.identifier_type = 'email' then identifiers.value end) as email,
    max(case when identifiers.identifier_type = 'phone' then identifiers.value end) as phone,
    max(
        case when identifiers.identifier_type = 'shop_customer_id' then identifiers.value end
    ) as shop_customer_id
from warehouse.main.identity_records as records
left join (
    select held.record_key, held.identifier_type, {value} as value
    from warehouse.main.person_identifiers as held
    left join (
        select record_key, identifier_type, min(other_record_key) as first_record_key
        from (
            select record_key, identifier_type, other_record_key, verdict from warehouse.main.compared_records
            union all
            select other_record_key, identifier_type, record_key, verdict from warehouse.main.compared_records
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
}


def link(warehouse: Path, form: str, out: Path) -> dict[str, float]:
    """Link and cluster; writes (record_key, cluster_id) to `out`. Returns seconds of each step and counts."""
    value, condition = INPUTS[form]
    connection = duckdb.connect(
        config={"threads": 2, "preserve_insertion_order": False, "memory_limit": "12GB"}
    )
    connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
    connection.execute(INPUT.format(value=value, condition=condition))
    connection.execute("detach warehouse")
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
    connection.execute(
        f"copy (select record_key, cluster_id from {clusters.physical_name}) to '{out}' (format parquet)"
    )
    return {"records": records, "pairs": n_pairs, "link": linked - begun, "cluster": clustered - linked}


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    print(json.dumps(link(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))))
