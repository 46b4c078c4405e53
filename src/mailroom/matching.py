"""Probable pairs: records that are probably one person's, without a shared address or number. Splink 5, after
Fellegi and Sunter, "A Theory for Record Linkage" (JASA 1969), trained on the shop's own records.

Both engines pass their records to a DuckDB in memory, so that both find the same pairs. The levels use only
functions that Splink's Spark backend also has.
"""

import logging
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, NamedTuple

import duckdb
import pandas as pd

from mailroom.scoring.frames import frame, table
from mailroom.sql import SETTINGS

TYPES = {"record_key": "string", "other_record_key": "string", "probability": "double", "evidence": "string"}
MISSING = (
    "var identity_probable_from needs Splink, which is not installed: pip install -r requirements-splink.txt"
)
COLUMNS = [
    "record_key", "given", "family", *(f"full_{place}" for place in range(1, 7)), "given_letters",
    "family_letters", "birth_date", "street", "postal_code", "city", "mailbox", "local_part", "phone",
]  # fmt: skip
SEED = 20261130
LEAST = 0.9  # pairs with a smaller chance are left out
N_KEYS = 12
MIN_RECORDS = 1000  # with fewer, the chances written below are used, …
MIN_KNOWN = 500  # … also for a comparison with fewer known records
MIN_PAIRS = 200  # minimum for a step of the training
MAX_PAIRS = 2e6  # maximum pairs in a step of the training
RECALL = 0.6  # assumed share of one person's pairs that CERTAIN finds
CERTAIN = [
    "l.given = r.given and l.family = r.family and l.birth_date = r.birth_date",
    "l.given = r.given and l.family = r.family and l.street = r.street and l.postal_code = r.postal_code",
    "l.given = r.given and l.mailbox = r.mailbox",
    "l.given = r.given and l.phone = r.phone",
]
# A step can't estimate the comparisons that it fixes. Two of the three leave each comparison free.
LEARNT_FROM = [
    "l.birth_date = r.birth_date",
    "l.given = r.given and l.family = r.family",
    "l.street = r.street and l.postal_code = r.postal_code",
]


class Level(NamedTuple):
    """One way in which two records may agree: how and in what, the condition, and its chances among pairs of
    one person (m) and of two (u), used if the shop's own records are too few."""

    how: str
    what: str
    condition: str
    m: float
    u: float


def _within(one: str, other: str, share: float) -> str:
    return f"levenshtein({one}, {other}) <= {share} * greatest(length({one}), length({other}))"


def _is_slip(column: str) -> str:
    """Return the condition of a typing error, as macro is_typo_of has it."""
    one, other = f"{column}_l", f"{column}_r"
    longest = f"greatest(length({one}), length({other}))"
    return (
        f"({column}_letters_l = {column}_letters_r or levenshtein({one}, {other})"
        f" <= case when {longest} <= 3 then 0 when {longest} <= 6 then 1 else 2 end)"
    )


def _has_letters(column: str) -> str:
    """Return the condition of letters in another order, or a few different ones."""
    letters = f"{column}_letters"
    return f"({_within(f'{column}_l', f'{column}_r', 0.4)} or {_within(f'{letters}_l', f'{letters}_r', 0.2)})"


def _digits(column: str) -> str:
    """Return the digits of a local part, which distinguish namesakes: anna.berg85 is not anna.berg58."""
    return f"translate({column}, 'abcdefghijklmnopqrstuvwxyz._-+', '')"


def _is_missing(*columns: str) -> str:
    return " or ".join(f"({' and '.join(f'{column}_{side} is null' for column in columns)})" for side in "lr")


FORMS_L, FORMS_R = (", ".join(f"full_{place}_{side}" for place in range(1, 7)) for side in "lr")
ARE_SWAPPED = (
    f"(given_l <> given_r and {_within('given_l', 'family_r', 0.25)}"
    f" and {_within('family_l', 'given_r', 0.25)})"
)
DAY_AND_MONTH_SWAPPED = (
    "(substr(birth_date_l, 1, 4) = substr(birth_date_r, 1, 4)"
    " and substr(birth_date_l, 6, 2) = substr(birth_date_r, 9, 2)"
    " and substr(birth_date_l, 9, 2) = substr(birth_date_r, 6, 2))"
)
SAME_TOWN = f"(postal_code_l = postal_code_r or {_within('city_l', 'city_r', 0.2)})"
SAME, NEAR, OTHER = "same", "nearly the same", "other"
# By name of the comparison: the condition of unknown values, and its levels.
COMPARISONS: dict[str, tuple[str, list[Level]]] = {
    "given": (
        _is_missing("given"),
        [
            Level(SAME, "given name", "given_l = given_r", 0.78, 0.008),
            Level(SAME, "given name", f"given_l in ({FORMS_R}) or given_r in ({FORMS_L})", 0.02, 0.001),
            Level(NEAR, "given name", ARE_SWAPPED, 0.03, 0.00005),
            Level(NEAR, "given name", _is_slip("given"), 0.13, 0.004),
            Level(NEAR, "given name", _has_letters("given"), 0.02, 0.02),
            Level(OTHER, "given name", "ELSE", 0.02, 0.96695),
        ],
    ),
    # Swapped names count once, for the given name.
    "family": (
        f"{_is_missing('family')} or {ARE_SWAPPED}",
        [
            Level(SAME, "family name", "family_l = family_r", 0.8, 0.003),
            Level(NEAR, "family name", _is_slip("family"), 0.12, 0.002),
            Level(NEAR, "family name", _has_letters("family"), 0.02, 0.02),
            Level(OTHER, "family name", "ELSE", 0.06, 0.975),
        ],
    ),
    "birth": (
        _is_missing("birth_date"),
        [
            Level(SAME, "birth date", "birth_date_l = birth_date_r", 0.85, 0.00005),
            Level(
                NEAR,
                "birth date",
                f"levenshtein(birth_date_l, birth_date_r) <= 1 or {DAY_AND_MONTH_SWAPPED}",
                0.08,
                0.002,
            ),
            Level(
                NEAR,
                "birth date",
                "levenshtein(birth_date_l, birth_date_r) <= 2 or days_apart <= 45",
                0.04,
                0.02,
            ),
            Level(OTHER, "birth date", "ELSE", 0.03, 0.97795),
        ],
    ),
    "place": (
        _is_missing("street", "postal_code", "city"),
        [
            Level(SAME, "street", f"street_l = street_r and {SAME_TOWN}", 0.5, 0.00005),
            Level(NEAR, "street", f"{_within('street_l', 'street_r', 0.34)} and {SAME_TOWN}", 0.2, 0.0002),
            Level(SAME, "street name", "street_l = street_r", 0.02, 0.0002),
            Level(SAME, "town", SAME_TOWN, 0.13, 0.01),
            Level(OTHER, "place", "ELSE", 0.15, 0.98955),
        ],
    ),
    "mailbox": (
        _is_missing("mailbox"),
        [
            Level(SAME, "e-mail address", "mailbox_l = mailbox_r", 0.6, 0.00002),
            Level(
                NEAR,
                "e-mail address",
                f"local_part_l = local_part_r or ({_within('local_part_l', 'local_part_r', 0.15)}"
                f" and {_digits('local_part_l')} = {_digits('local_part_r')})",
                0.15,
                0.0001,
            ),
            Level(OTHER, "e-mail address", "ELSE", 0.25, 0.99988),
        ],
    ),
    "phone": (
        _is_missing("phone"),
        [
            Level(SAME, "phone number", "phone_l = phone_r", 0.6, 0.00002),
            Level(NEAR, "phone number", "levenshtein(phone_l, phone_r) <= 1", 0.05, 0.0001),
            Level(OTHER, "phone number", "ELSE", 0.35, 0.99988),
        ],
    ),
}
KNOWN_BY = {
    "given": "given",
    "family": "family",
    "birth": "birth_date",
    "place": "coalesce(street, postal_code, city)",
    "mailbox": "mailbox",
    "phone": "phone",
}
RARE_NAMES = {"given": "given", "family": "family"}  # equality counts more for rarer names


def probable_pairs(session: Any, records: Any) -> Any:
    """Return pairs() of matching_records, as a Python model of the session's engine does."""
    return table(session, pairs(frame(records, ["record_key"])), TYPES)


def is_installed() -> bool:
    """Return whether Splink is installed, without importing it."""
    try:
        return find_spec("splink") is not None
    except ValueError:  # a test made it missing
        return False


def pairs(records: pd.DataFrame, least: float = LEAST) -> pd.DataFrame:
    """Return one row per pair of records that are one person's with at least this probability (columns
    TYPES).

    records: matching_records. The same records give the same pairs: the sample is drawn by the hash of a
    record's key, and learned values are rounded to two digits, so that the order of summing does not matter.
    Raises ModuleNotFoundError with the install command if Splink is missing.
    """
    if not is_installed():
        raise ModuleNotFoundError(MISSING)
    if len(records) < 2:
        return pd.DataFrame(columns=list(TYPES))
    with duckdb.connect(config=SETTINGS) as connection:
        connection.execute("create table matching_records as select * from records")
        chances = learn(connection) if len(records) >= MIN_RECORDS else None
        return _predict(connection, chances, len(records), least)


def _settings(chances: dict[str, Any] | None, n_records: int) -> dict[str, Any]:
    """Return Splink's settings, with learned chances or those written above."""
    comparisons = []
    for name, (is_unknown, levels) in COMPARISONS.items():
        level_settings: list[dict[str, Any]] = [
            {"sql_condition": is_unknown, "label_for_charts": "unknown", "is_null_level": True}
        ]
        for place, level in enumerate(levels):
            condition = level.condition.replace("days_apart", _days_apart())
            entry: dict[str, Any] = {
                "sql_condition": condition,
                "label_for_charts": f"{place} {level.how} {level.what}",
            }
            if chances:
                entry |= {
                    "m_probability": chances[name]["m"][place],
                    "u_probability": chances[name]["u"][place],
                }
            else:
                entry |= {"m_probability": level.m, "u_probability": level.u}
            if place == 0 and name in RARE_NAMES:
                entry |= {"tf_adjustment_column": RARE_NAMES[name], "tf_minimum_u_value": 0.0001}
            level_settings.append(entry)
        comparisons.append({"output_column_name": name, "comparison_levels": level_settings})
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record_key",
        "probability_two_random_records_match": chances["prior"] if chances else 0.5 / n_records,
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [
            f"l.key_{place} = r.key_{place}" for place in range(1, N_KEYS + 1)
        ],
        "retain_intermediate_calculation_columns": False,
        "retain_matching_columns": True,
        "max_iterations": 15,
    }


def _days_apart() -> str:
    return "abs(datediff('day', cast(birth_date_l as date), cast(birth_date_r as date)))"


def _linker(connection: duckdb.DuckDBPyConnection, settings: dict[str, Any]) -> Any:
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(connection=connection)
    return Linker(api.register("matching_records"), settings, log_level=logging.ERROR)


def learn(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return m and u of each comparison's levels, and the chance that two records are one person's (prior): u
    from a random sample, m by expectation maximisation."""
    (n_records,) = connection.execute("select count(*) from matching_records").fetchall()[0]
    linker = _linker(connection, _settings(None, n_records))
    training = linker.training
    training.estimate_probability_two_random_records_match(CERTAIN, recall=RECALL)
    training.estimate_u_using_random_sampling(max_pairs=MAX_PAIRS, seed=SEED)
    for rule in LEARNT_FROM:
        (n,) = connection.execute(
            f"select count(*) from (select 1 from matching_records as l inner join matching_records as r"
            f" on {rule} and l.record_key < r.record_key limit {MIN_PAIRS})"
        ).fetchall()[0]
        if n == MIN_PAIRS:
            # Splink raises an error if a level's chance falls to 0. Such a step is skipped.
            with suppress(ValueError):
                training.estimate_parameters_using_expectation_maximisation(
                    rule, max_pairs=MAX_PAIRS, estimate_without_term_frequencies=True
                )
    learnt = linker.misc.save_model_to_json()
    known = {
        name: connection.execute(
            f"select count(*) from matching_records where {columns} is not null"
        ).fetchall()[0][0]
        for name, columns in KNOWN_BY.items()
    }
    prior = _rounded(min(max(learnt["probability_two_random_records_match"], 0.01 / n_records), 0.01))
    chances: dict[str, Any] = {"prior": prior}
    for comparison in learnt["comparisons"]:
        name = comparison["output_column_name"]
        written = COMPARISONS[name][1]
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        m, u = ([getattr(level, chance) for level in written] for chance in "mu")
        if known[name] >= MIN_KNOWN:
            m = _mixed([level.get("m_probability") for level in levels], m)
            u = _mixed([level.get("u_probability") for level in levels], u)
            # Some random pairs are one person's.
            u = [max(value - prior * chance, value / 20, 1e-6) for value, chance in zip(u, m, strict=True)]
        chances[name] = {"m": [_rounded(x / sum(m)) for x in m], "u": [_rounded(x / sum(u)) for x in u]}
    return chances


def _mixed(learnt: list[float | None], written: list[float]) -> list[float]:
    """Return 90% of the learned values plus 10% of the written ones, because a level missing in a sample is
    rare, not impossible."""
    plain = [value or 0.0 for value in learnt]
    if sum(plain) < 0.5:
        return written
    return [0.9 * value / sum(plain) + 0.1 * prior for value, prior in zip(plain, written, strict=True)]


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def _predict(
    connection: duckdb.DuckDBPyConnection, chances: dict[str, Any] | None, n_records: int, least: float
) -> pd.DataFrame:
    linker = _linker(connection, _settings(chances, n_records))
    predicted = linker.inference.predict(threshold_match_probability=least, warning_mode="never")
    parts = []
    for how in (SAME, NEAR, OTHER):
        whats = []
        for name, (_, levels) in COMPARISONS.items():
            cases = " ".join(
                f"when gamma_{name} = {len(levels) - 1 - place} then '{level.what}'"
                for place, level in enumerate(levels)
                if level.how == how
            )
            whats.append(f"case {cases} end" if cases else "null")
        listed = f"nullif(concat_ws(', ', {', '.join(whats)}), '')"
        listed = f"replace({listed}, 'given name, family name', 'name')"
        parts.append(f"'{how} ' || {listed}")
    return connection.execute(
        f"""
        select
            least(record_key_l, record_key_r) as record_key,
            greatest(record_key_l, record_key_r) as other_record_key,
            round(match_probability, 5) as probability,
            concat_ws('; ', {", ".join(parts)}, format('{{:.4f}}', match_probability)) as evidence
        from {predicted.physical_name}
        order by record_key, other_record_key
        """
    ).df()


def joined_clusters(session: Any, edges: Any, components: Any, strangers: Any, max_records: int) -> Any:
    """Return joined() of three models, as a Python model of the session's engine does."""
    found = joined(
        frame(edges, ["first_cluster_id", "cluster_id"]),
        frame(components, ["node_id"]),
        frame(strangers, ["first_cluster_id", "cluster_id"]),
        max_records,
    )
    return table(session, found, {"certain_cluster_id": "bigint", "cluster_id": "bigint"})


def joined(
    edges: pd.DataFrame, components: pd.DataFrame, strangers: pd.DataFrame, max_records: int
) -> pd.DataFrame:
    """Return one row per cluster with an edge: certain_cluster_id, and cluster_id, the cluster it is joined
    to.

    edges, components, strangers: the models probable_edges and so on. The most probable edge comes first. An
    edge joins nothing if the result would contain two people (strangers) or more than max_records records.
    For chains of more clusters than that, strangers has no rows, so at most two clusters are joined.
    """
    group = {int(node): int(node) for node in components["node_id"]}
    members = {node: [node] for node in group}
    long_chains = components.groupby("component_id")["node_id"].transform("size") > max_records
    is_long = dict(zip(components["node_id"].astype(int), long_chains, strict=True))
    n_records: dict[int, int] = {}
    for name, size in (("first_cluster_id", "first_n_records"), ("cluster_id", "n_records")):
        n_records |= dict(zip(edges[name].astype(int), edges[size].astype(int), strict=True))
    unlike: dict[int, set[int]] = {node: set() for node in group}
    for one, other in zip(strangers["first_cluster_id"], strangers["cluster_id"], strict=True):
        unlike[int(one)].add(int(other))
        unlike[int(other)].add(int(one))
    first = edges.sort_values(
        ["probability", "record_key", "other_record_key"], ascending=[False, True, True], kind="stable"
    )
    for node, other_node in zip(first["first_cluster_id"], first["cluster_id"], strict=True):
        one, other = sorted((group[int(node)], group[int(other_node)]))
        together = members[one] + members[other]
        if one == other or n_records[one] + n_records[other] > max_records:
            continue
        if any(unlike[member] & set(members[other]) for member in members[one]):
            continue
        if is_long[one] and len(together) > 2:
            continue
        members[one] = together
        n_records[one] += n_records[other]
        for member in members.pop(other):
            group[member] = one
    return pd.DataFrame(
        {"certain_cluster_id": list(group), "cluster_id": list(group.values())}, dtype="int64"
    )
