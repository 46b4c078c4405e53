"""drt-core pushing rows to Klaviyo, or to what stands in for it, as a process of its own.

    python -m benchmarks.drt_peer URL ROWS LIST

ROWS is a Parquet file with email and payload (a JSON object of properties), LIST the list that they go on.
Requests a second are not limited, as for Mailroom in the same run. Printed: seconds, rows that went and
that failed.
"""

import json
import sys
import time

import pyarrow.parquet as pq
from drt.config.models import KlaviyoDestinationConfig, RateLimitConfig, SyncOptions
from drt.destinations import klaviyo


def main(url: str, rows: str, list_id: str) -> None:
    klaviyo._BASE = f"{url}/klaviyo/api"
    records = [
        {"email": row["email"], **json.loads(row["payload"])}
        for row in pq.read_table(rows, columns=["email", "payload"]).to_pylist()
    ]
    config = KlaviyoDestinationConfig(type="klaviyo", api_key="sandbox", list_id=list_id)
    options = SyncOptions(rate_limit=RateLimitConfig(requests_per_second=1e9))
    begun = time.monotonic()
    result = klaviyo.KlaviyoDestination().load(records, config, options)
    took = time.monotonic() - begun
    print(json.dumps({"seconds": took, "accepted": result.success, "failed": result.failed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
