"""Tables of either engine as pandas data frames."""

from typing import Any

import pandas as pd


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
