"""CDNOW, built with the documented command: every order arrives, and features agree with the file."""

from collections.abc import Iterator

import pytest
from built import Built, build_example, shared_file

pytestmark = [pytest.mark.slow, pytest.mark.deep]


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    file = shared_file("cdnow/cdnow_master.parquet")
    yield from build_example("cdnow", file, tmp_path_factory.mktemp("cdnow"))


def test_every_order_reaches_the_top_floor(music: Built) -> None:
    assert music.floor("orders")[:3] == ["69,659", "69,659", "23,570"]
    assert "Every floor adds up to the file." in music.printed


def test_a_customers_features_at_a_past_day_are_counted_from_the_file(music: Built) -> None:
    """Every cut-off of every sampled customer, by an independent query."""
    wrong = music.rows("""
        with days as (
            select 'shop_customer:' || customer_id as record_key, order_date, sum(dollar_value) as spent
            from raw_file where dollar_value > 0  -- free items are not purchases
            group by all
        ),
        counted as (
            select
                keys.customer_id,
                cutoffs.cutoff_on,
                count(*) as n_order_days,
                max(days.order_date) - min(days.order_date) as recency_days,
                cutoffs.cutoff_on - min(days.order_date) as age_days,
                round(sum(days.spent), 2) as net_revenue
            from days
            inner join main.customer_keys as keys using (record_key)
            inner join main_internal.feature_cutoffs as cutoffs on days.order_date < cutoffs.cutoff_on
            group by keys.customer_id, cutoffs.cutoff_on
        )
        select features.customer_id
        from main_internal.customer_features as features
        left join counted using (customer_id, cutoff_on)
        where
            coalesce(counted.n_order_days, 0) <> features.n_order_days
            or counted.recency_days is distinct from features.recency_days
            or counted.age_days is distinct from features.age_days
            or abs(counted.net_revenue - features.net_revenue) > 0.001
    """)
    assert wrong == []
    assert music.one("select count(distinct cutoff_on) from main_internal.customer_features") == 9


def test_an_outcome_is_counted_from_the_file(music: Built) -> None:
    wrong = music.rows("""
        with days as (
            select distinct 'shop_customer:' || customer_id as record_key, order_date from raw_file
            where dollar_value > 0
        ),
        keyed as (
            select keys.customer_id, days.order_date
            from days inner join main.customer_keys as keys using (record_key)
        )
        select outcomes.customer_id, outcomes.cutoff_on
        from main_internal.customer_outcomes as outcomes
        left join keyed
            on
                outcomes.customer_id = keyed.customer_id
                and keyed.order_date >= outcomes.cutoff_on
                and keyed.order_date < outcomes.cutoff_on + cast(outcomes.learning_days as integer)
        group by outcomes.customer_id, outcomes.cutoff_on, outcomes.n_order_days_next
        having count(keyed.order_date) <> outcomes.n_order_days_next
    """)
    assert wrong == []
    assert (
        music.one("select count(*) from main_internal.customer_outcomes where n_order_days_next is null") == 0
    )
