"""Tables of either engine in and out: data frames to learn from, batches to score, typed tables to return."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

BATCH = 100_000  # rows scored at a time
TYPES = {
    "string": pa.string(), "bigint": pa.int64(), "double": pa.float64(), "boolean": pa.bool_(),
    "date": pa.date32(),
}  # fmt: skip
Types = Mapping[str, str]  # column name to one of TYPES, which both engines know


def frame(relation: Any, order: list[str]) -> pd.DataFrame:
    """What dbt.ref() gave, as a data frame in a fixed order, so that two runs see the same rows in the same
    places. Takes a DuckDB relation, a Spark data frame or a pandas one."""
    if hasattr(relation, "df"):
        found: pd.DataFrame = relation.df()
    elif hasattr(relation, "toPandas"):
        found = relation.toPandas()
    else:
        found = relation
    return found.sort_values(order, kind="stable").reset_index(drop=True)


def table(session: Any, found: pd.DataFrame, types: Types) -> Any:
    """A data frame as what a Python model returns on the session's engine, with just these columns: their
    types hold where there is no row to tell them from."""
    if hasattr(session, "createDataFrame"):
        plain = found[list(types)].astype(object).where(found[list(types)].notna(), None)
        return session.createDataFrame(plain.to_dict("split")["data"], _ddl(types))
    return _arrow(found, types)


def by_batch(
    session: Any, relation: Any, answer: Callable[[pd.DataFrame], pd.DataFrame], types: Types, key: str
) -> Any:
    """What answer says of each row, a batch at a time: on Spark where the rows are, on DuckDB in the order
    of the key, because the last bits of a matrix product depend on where in a batch a row stands."""
    if hasattr(relation, "mapInPandas"):

        def answers(parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
            for part in parts:
                yield answer(part)[list(types)]

        return relation.mapInPandas(answers, _ddl(types))
    reader = relation.order(key).to_arrow_reader(BATCH)
    # The answers are narrow and are kept; written while the reader is open they would wait for each other.
    # Each is copied: an id that is still the batch's own would keep the whole batch with it.
    answered = [_arrow(answer(batch.to_pandas()), types).take(np.arange(len(batch))) for batch in reader]
    return pa.concat_tables([_arrow(pd.DataFrame(columns=list(types)), types), *answered])


def _arrow(found: pd.DataFrame, types: Types) -> pa.Table:
    schema = pa.schema([(name, TYPES[data_type]) for name, data_type in types.items()])
    return pa.Table.from_pandas(found[list(types)], schema=schema, preserve_index=False)


def _ddl(types: Types) -> str:
    return ", ".join(f"{name} {data_type}" for name, data_type in types.items())
