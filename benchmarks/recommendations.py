"""Recommendations on real baskets that were held out, against popularity, personal frequency and implicit.

    python -m benchmarks.recommendations NAME FOLDER

Online Retail: each customer's last day with an order is held out, if there is another before it.
Retailrocket: for each visitor, everything from the first purchase of the last day with one is held out, so
that purchases follow views. Visitors are assumed to have agreed to profiling. Mailroom gets the rest through
dbt, as a shop does. Its recommendations are those of the day after, always by its blend. Popularity is of the
last 30 days; personal frequency counts interactions by their points, then popularity. implicit's factors,
regularisation and neighbours are the best of a small grid on the held-out baskets themselves, which flatters
it.

NDCG and recall at 10 are means over customers; coverage is the number of products in at least one list.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import yaml
from examples.run import EXAMPLES, Place, map_tables, shared_data
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.measure import DBT, PROJECT, run_measured
from mailroom.scoring.recommendations import SHOWN
from mailroom.warehouse import find_in_all_schemas

Json = dict[str, Any]
Lists = dict[str, list[str]]  # products by customer, the best first
POINTS = {"product_view": 1, "add_to_cart": 3, "purchase": 5}  # var interest_points
AS_OF = {"online_retail": "2011-12-10 00:00:00", "retailrocket": "2015-09-19 00:00:00"}
HOLD_OUT = {
    # The tables to cut, and the moment of the cut, by person.
    "online_retail": """
        create table cuts as
        select customer_id as person, max(cast(ordered_at as date)) as cut_at
        from orders where customer_id is not null
        group by customer_id having count(distinct cast(ordered_at as date)) > 1
    """,
    "retailrocket": """
        create table cuts as
        with days as (
            select visitor_id as person, ordered_at,
                max(cast(ordered_at as date)) over (partition by visitor_id) as last_on
            from orders
        )
        select person, min(ordered_at) as cut_at
        from days where cast(ordered_at as date) = last_on
        group by person
    """,
}
# The ranking that training would choose, and the other inputs of recommendations.
CHOSEN = """
    create table trained_model_evaluations as
    select
        'recommendation' as score, 'blend' as method, 'ndcg' as metric, 'all' as segment, true as is_chosen,
        'held out' as model_version
"""
RECOMMENDED = (
    "+customer_features",
    "+product_interest",
    "+product_pairs",
    "+categories",
    "recommendations",
)
PERSON = {"online_retail": "customer_id", "retailrocket": "visitor_id"}


def hold_out(name: str, data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut the mapped tables. Return what was held out (person, product), and the remaining interactions
    (person, product, day, kind)."""
    person = PERSON[name]
    with duckdb.connect() as connection:
        tables = [path.stem for path in sorted((data / "shop").glob("*.parquet"))]
        for table in tables:
            connection.execute(f"create table {table} as from '{data}/shop/{table}.parquet'")
        connection.execute(HOLD_OUT[name])
        connection.execute(f"""
            create table held as
            select orders.order_id, orders.{person} as person from orders
            inner join cuts on orders.{person} = cuts.person and orders.ordered_at >= cuts.cut_at
        """)
        baskets = connection.sql("""
            select distinct held.person, lines.product_id
            from held inner join order_lines as lines using (order_id)
            where lines.product_id in (select product_id from products)
        """).df()
        for table in ("order_lines", "orders", *(["refunds"] if "refunds" in tables else [])):
            connection.execute(f"delete from {table} where order_id in (select order_id from held)")
            connection.execute(f"copy {table} to '{data}/shop/{table}.parquet' (format parquet)")
        signs = f"""
            select distinct
                orders.{person} as person, lines.product_id, cast(orders.ordered_at as date) as day,
                'purchase' as kind
            from orders inner join order_lines as lines using (order_id)
            where orders.{person} is not null and lines.product_id in (select product_id from products)
        """
        if name == "retailrocket":
            connection.execute(f"create table events as from '{data}/web/events.parquet'")
            connection.execute(
                "delete from events using cuts where visitor_id = person and occurred_at >= cut_at"
            )
            connection.execute(f"copy events to '{data}/web/events.parquet' (format parquet)")
            (data / "privacy").mkdir(exist_ok=True)
            connection.execute(f"""
                copy (
                    select
                        'a' || visitor_id as consent_event_id, visitor_id, 'web' as channel,
                        'profiling' as purpose, 'granted' as status, 'express' as lawful_basis,
                        'preference_centre' as recorded_by, min(occurred_at) as occurred_at
                    from events group by visitor_id
                ) to '{data}/privacy/consent_events.parquet' (format parquet)
            """)
            signs += """
                union all
                select distinct visitor_id, product_id, cast(occurred_at as date), event_type
                from events where product_id is not null
            """
        left = connection.sql(signs).df()
    people = set(left["person"])
    return baskets[baskets["person"].isin(people)], left


def mailroom(name: str, place: Place) -> tuple[Lists, Json]:
    """Return Mailroom's lists by person from a build of the warehouse, and its seconds and memory."""
    text = (PROJECT / "examples" / name / "vars.yml").read_text().replace(f"data/{name}/", f"{place.data}/")
    variables = yaml.safe_load(text) | {"as_of": AS_OF[name]}
    if name == "retailrocket":
        # Purchases are spread over the whole period, and so are the views before them.
        variables["interest_days"] = 140
        variables["privacy"] = {"files": f"{place.data}/privacy/{{table}}.parquet", "absent": ["requests"]}
    place.warehouse.parent.mkdir(parents=True, exist_ok=True)
    place.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(place.warehouse)) as connection:
        find_in_all_schemas(connection)
        connection.execute(CHOSEN)
    command = [
        *(sys.executable, "-c", DBT, "build", "--select", *RECOMMENDED),
        *("--exclude-resource-type", "test", "unit_test"),
        *("--profiles-dir", str(PROJECT), "--project-dir", str(PROJECT)),
        *(
            "--target-path",
            str(place.target),
            "--log-path",
            str(place.target),
            "--vars",
            json.dumps(variables),
        ),
    ]
    log = place.target / "build.log"
    used = run_measured(command, log, MAILROOM_DUCKDB_PATH=str(place.warehouse))
    if used.code:
        raise RuntimeError(log.read_text()[-2000:])
    people = {
        "online_retail": "select customer_id, identifier as person from identifier_customers"
        " where identifier_type = 'shop_customer_id'",
        "retailrocket": "select distinct customer_id, visitor_id as person from web_sessions",
    }[name]
    with duckdb.connect(str(place.warehouse), read_only=True) as connection:
        find_in_all_schemas(connection)
        rows = connection.sql(f"""
            select people.person, recommendations.product_id
            from recommendations
            inner join ({people}) as people using (customer_id)
            order by people.person, product_rank
        """).fetchall()
    lists: Lists = {}
    for person, product in rows:
        lists.setdefault(person, []).append(product)
    return lists, {"wall": used.wall, "peak": used.peak}


class Peers:
    """Other libraries on the same interactions."""

    def __init__(self, signs: pd.DataFrame, wanted: list[str]) -> None:
        people, products = signs["person"].astype("category"), signs["product_id"].astype("category")
        self.products = products.cat.categories.to_numpy()
        self.wanted = wanted
        rows = pd.Index(people.cat.categories).get_indexer(pd.Index(wanted))
        weights = signs["kind"].map(POINTS).to_numpy(dtype=np.float32)
        shape = (len(people.cat.categories), len(self.products))
        self.all = sparse.csr_matrix((weights, (people.cat.codes, products.cat.codes)), shape=shape)
        self.all.sum_duplicates()
        self.rows = rows
        recent = signs["day"] >= signs["day"].max() - pd.Timedelta(days=30)
        self.popularity = np.bincount(
            products.cat.codes[recent], weights=weights[recent.to_numpy()], minlength=shape[1]
        )

    def named(self, chosen: NDArray[np.int64]) -> Lists:
        return {person: list(self.products[order]) for person, order in zip(self.wanted, chosen, strict=True)}

    def popular(self) -> Lists:
        order = np.argsort(-self.popularity, kind="stable")[:SHOWN]
        return self.named(np.tile(order, (len(self.wanted), 1)))

    def personal(self) -> Lists:
        behind = self.popularity / (self.popularity.max() + 1)
        return self.named(
            np.array(
                [
                    np.argsort(-(self.all[row].toarray()[0] + behind), kind="stable")[:SHOWN]
                    for row in self.rows
                ]
            )
        )

    def implicit(self) -> Iterator[tuple[str, str, Lists]]:
        """Yield the lists of each model and setting. Products bought before may be recommended again."""
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        from implicit.als import AlternatingLeastSquares
        from implicit.nearest_neighbours import BM25Recommender

        grid: list[tuple[str, str, Callable[[], Any]]] = [
            (
                "implicit, ALS",
                f"{factors} factors, regularisation {penalty}, alpha {alpha}",
                lambda factors=factors, penalty=penalty, alpha=alpha: AlternatingLeastSquares(  # type: ignore[misc]
                    factors=factors, regularization=penalty, alpha=alpha, random_state=0
                ),
            )
            for factors in (64, 128, 256)
            for penalty, alpha in ((0.01, 1), (10, 1), (0.01, 10))
        ]
        grid += [
            (
                "implicit, BM25",
                f"{neighbours} neighbours",
                lambda neighbours=neighbours: BM25Recommender(K=neighbours),  # type: ignore[misc]
            )
            for neighbours in (20, 100, 500)
        ]
        for model, setting, make in grid:
            fitted = make()
            fitted.fit(self.all, show_progress=False)
            chosen, _ = fitted.recommend(
                self.rows, self.all[self.rows], N=SHOWN, filter_already_liked_items=False
            )
            yield model, setting, self.named(chosen)


def measured(lists: Lists, baskets: dict[str, set[str]]) -> Json:
    """Return mean NDCG and recall at 10 over people with a basket (no list is no hit), and products in any
    list."""
    gains = 1 / np.log2(np.arange(1, SHOWN + 1) + 1)
    best = gains.cumsum()
    ndcg, recall = [], []
    for person, basket in baskets.items():
        hits = np.array([product in basket for product in lists.get(person, [])], dtype=bool)
        ndcg.append(gains[: len(hits)][hits].sum() / best[min(len(basket), SHOWN) - 1])
        recall.append(hits.sum() / len(basket))
    shown = {product for person in baskets for product in lists.get(person, [])}
    return {"ndcg": float(np.mean(ndcg)), "recall": float(np.mean(recall)), "coverage": len(shown)}


def measure(name: str, folder: Path) -> Json:
    """Measure one data set: its customers, and the values of each method."""
    place = Place.below(folder, name)
    for _ in map_tables(EXAMPLES[name], shared_data() / EXAMPLES[name].file, place.data):
        pass
    held, signs = hold_out(name, place.data)
    baskets = {str(person): set(products) for person, products in held.groupby("person")["product_id"]}
    lists, used = mailroom(name, place)
    peers = Peers(signs.assign(person=signs["person"].astype(str)), sorted(baskets))
    rows: list[Json] = [{"method": "Mailroom", "setting": ""} | measured(lists, baskets)]
    rows.append({"method": "personal frequency", "setting": ""} | measured(peers.personal(), baskets))
    best: dict[str, Json] = {}
    for model, setting, made in peers.implicit():
        row = {"method": model, "setting": setting} | measured(made, baskets)
        if model not in best or row["ndcg"] > best[model]["ndcg"]:
            best[model] = row
    rows += best.values()
    rows.append({"method": "popularity", "setting": ""} | measured(peers.popular(), baskets))
    return {
        "data": name,
        "customers": len(baskets),
        "basket": float(np.mean([len(basket) for basket in baskets.values()])),
        "build": used,
        "rows": rows,
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]).resolve() / "held-out")))
