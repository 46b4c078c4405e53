"""The floor: DuckDB reads each raw file once and groups it by its person key, and nothing else.

    python -m benchmarks.floor DATA narrow|whole

narrow reads two columns of each table: the key, and the time (count, min, max). whole reads every column
of the contract (max of each), as the models do. Two threads. Prints seconds per table as JSON, the best
of three rounds.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

ROUNDS = 3
KEYS = {  # person key (or what leads to the person) and time of each contract table
    "crm/contacts": ("contact_id", "created_at"),
    "crm/opportunities": ("contact_id", "created_at"),
    "shop/customers": ("customer_id", "created_at"),
    "shop/products": ("product_id", "created_at"),
    "shop/orders": ("customer_id", "ordered_at"),
    "shop/order_lines": ("order_id", None),
    "shop/refunds": ("order_id", "refunded_at"),
    "web/events": ("visitor_id", "occurred_at"),
    "support/tickets": ("requester_email", "created_at"),
    "esp/profiles": ("profile_id", "created_at"),
    "esp/campaigns": ("campaign_id", "sent_at"),
    "esp/message_events": ("profile_id", "occurred_at"),
    "privacy/consent_events": ("email", "occurred_at"),
    "privacy/requests": ("email", "received_at"),
}


def floor(data: Path, whole: bool) -> dict[str, float]:
    """Seconds per table of the fastest of ROUNDS rounds."""
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        seconds = {}
        for table, (key, at) in KEYS.items():
            with duckdb.connect(config={"threads": 2, "preserve_insertion_order": False}) as connection:
                files = f"read_parquet('{data}/{table}/*.parquet')"
                columns = [row[0] for row in connection.execute(f"describe select * from {files}").fetchall()]
                measures = ["count(*)", *([f"min({at})", f"max({at})"] if at else [])]
                if whole:
                    measures += [f"max({column})" for column in columns if column not in (key, at)]
                named = ", ".join(f"{measure} as m{number}" for number, measure in enumerate(measures))
                begun = time.monotonic()
                connection.execute(
                    f"create temp table floor as select {key}, {named} from {files} group by {key}"
                )
                seconds[table] = time.monotonic() - begun
        if not best or sum(seconds.values()) < sum(best.values()):
            best = seconds
    return best


if __name__ == "__main__":
    print(json.dumps(floor(Path(sys.argv[1]), sys.argv[2] == "whole")))
