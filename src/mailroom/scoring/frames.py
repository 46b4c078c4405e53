"""Tables of DuckDB and Spark: data frames to learn from, batches to score, typed tables to return."""

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
    """Return what dbt.ref() gave as a data frame in a fixed order, so that two runs see the same rows in the
    same places. Takes a DuckDB relation, a Spark data frame or a pandas data frame."""
    if hasattr(relation, "df"):
        rows: pd.DataFrame = relation.df()
    elif hasattr(relation, "toPandas"):
        rows = relation.toPandas()
    else:
        rows = relation
    return rows.sort_values(order, kind="stable").reset_index(drop=True)


def table(session: Any, rows: pd.DataFrame, types: Types) -> Any:
    """Return a data frame as a Python model of the session's engine does, with only the columns of `types`.
    The types hold even without a row."""
    if hasattr(session, "createDataFrame"):
        plain = rows[list(types)].astype(object).where(rows[list(types)].notna(), None)
        return session.createDataFrame(plain.to_dict("split")["data"], _ddl(types))
    return _arrow(rows, types)


def by_batch(
    session: Any, relation: Any, answer: Callable[[pd.DataFrame], pd.DataFrame], types: Types, key: str
) -> Any:
    """Return answer() of every row, one batch at a time: on Spark where the rows are, on DuckDB ordered by
    key, because the last bits of a matrix product depend on a row's place in its batch."""
    if hasattr(relation, "mapInPandas"):

        def answers(parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
            for part in parts:
                yield answer(part)[list(types)]

        return relation.mapInPandas(answers, _ddl(types))
    reader = relation.order(key).to_arrow_reader(BATCH)
    # The answers are collected first: writing while the reader is open would deadlock. Each is copied,
    # because a column that refers to its batch would keep the whole batch in memory.
    answered = [_arrow(answer(batch.to_pandas()), types).take(np.arange(len(batch))) for batch in reader]
    return pa.concat_tables([_arrow(pd.DataFrame(columns=list(types)), types), *answered])


def _arrow(rows: pd.DataFrame, types: Types) -> pa.Table:
    schema = pa.schema([(name, TYPES[data_type]) for name, data_type in types.items()])
    return pa.Table.from_pandas(rows[list(types)], schema=schema, preserve_index=False)


def _ddl(types: Types) -> str:
    return ", ".join(f"{name} {data_type}" for name, data_type in types.items())
