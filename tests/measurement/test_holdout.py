"""A global holdout on the demo over two months: who is in it, that it gets nothing, and what the sums are."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from conftest import NO_UNIT_TESTS, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]
FIRST, STAGE_DAY, LAST = "2026-05-01 00:00:00", "2026-05-15 00:00:00", "2026-07-01 08:00:00"
HOLDOUT: dict[str, Any] = {
    "label": "Does marketing e-mail pay?", "owner": "Lifecycle marketing", "decides": "marketing",
    "arms": {"held_out": 0.2, "mailed": 0.8}, "control": "held_out", "holdout_arm": "held_out",
    "measure": "net_revenue", "minimum_lift": 0.05, "starts_on": "2026-01-01", "ends_on": "2026-12-31",
}  # fmt: skip
STAGE = {"from": "2026-05-10", "arms": {"held_out": 0.3, "mailed": 0.7}}
NAME = "global_holdout_2026"


class Programme:
    """The demo, built on two days. The holdout grows in between."""

    def __init__(self, folder: Any) -> None:
        self.warehouse = Warehouse(folder)
        self.build(FIRST, HOLDOUT)
        self.first = self.arms()
        self.build(STAGE_DAY, {**HOLDOUT, "stages": [STAGE]}, "+experiment_assignments")
        self.build(LAST, {**HOLDOUT, "stages": [STAGE]})
        self.last = self.arms()

    def build(self, moment: str, entry: dict[str, Any], *select: str) -> None:
        part = ["--select", *select, "--indirect-selection", "cautious"] if select else []
        command = ["build", *NO_UNIT_TESTS, *part]
        run = self.warehouse.dbt(*command, as_of=moment, experiments={NAME: entry})
        assert run.ok, run.output[-4_000:]

    def arms(self) -> dict[str, str]:
        return dict(
            self.warehouse.rows(
                f"select customer_id, arm from experiment_members where experiment = '{NAME}'"
            )
        )


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Programme:
    return Programme(tmp_path_factory.mktemp("holdout"))


def share_of(customer: str) -> float:
    return int(hashlib.md5(f"{NAME}:{customer}".encode()).hexdigest()[:8], 16) / 2**32


def test_the_arm_is_that_of_the_hash(programme: Programme) -> None:
    assert len(programme.first) > 500
    assert all((arm == "held_out") == (share_of(customer) < 0.2) for customer, arm in programme.first.items())


def test_a_holdout_that_grows_keeps_its_customers(programme: Programme) -> None:
    stayed = set(programme.first) & set(programme.last)
    assert all(programme.last[one] == "held_out" for one in stayed if programme.first[one] == "held_out")
    moved = [one for one in stayed if programme.first[one] != programme.last[one]]
    assert moved and all(0.2 <= share_of(one) < 0.3 for one in moved)


def test_no_held_out_customer_is_decided_for_or_in_an_audience(programme: Programme) -> None:
    held = {one for one, arm in programme.last.items() if arm == "held_out"}
    sent = programme.warehouse.rows(
        f"select customer_id, message_class from message_decisions"
        f" where decision = 'send' and decided_at = timestamp '{LAST}'"
    )
    assert {one for one, kind in sent if kind != "transactional"}
    assert not held & {one for one, kind in sent if kind != "transactional"}
    members = programme.warehouse.rows(
        "select customer_id, audience in ('do_not_mail') from audience_members"
    )
    assert not held & {one for one, is_suppression in members if not is_suppression}
    excluded = programme.warehouse.rows("select customer_id from audience_exclusions where rule = 'holdout'")
    assert {one for (one,) in excluded} <= held


def test_a_new_stage_compares_the_arms_from_its_first_build_on(programme: Programme) -> None:
    """What the mailed customers did before has no counterpart among those who were moved."""
    since = programme.warehouse.rows(
        f"select distinct since_at from experiment_members where experiment = '{NAME}' order by 1"
    )
    assert since == [(datetime.fromisoformat(STAGE_DAY),), (datetime.fromisoformat(LAST),)]


def test_the_sums_are_those_of_a_list_of_orders(programme: Programme) -> None:
    """Counted by hand, customer by customer."""
    rows = programme.warehouse.rows(
        f"select customer_id, arm, since_at from experiment_members"
        f" where experiment = '{NAME}' and not is_conflict"
    )
    present = {one for (one,) in programme.warehouse.rows("select customer_id from customers")}
    now = datetime.fromisoformat(LAST)
    orders = programme.warehouse.rows(
        "select customer_id, ordered_at, net_revenue, is_sale from orders where is_sale or is_renewal"
    )
    by_arm: dict[str, list[tuple[float, float, int]]] = {"held_out": [], "mailed": []}
    for customer, arm, since in rows:
        if customer not in present:
            continue
        own = [order for order in orders if order[0] == customer]
        after = [order for order in own if since < order[1] <= now]
        before = [order for order in own if since - timedelta(days=90) < order[1] <= since]
        by_arm[arm].append(
            (
                float(sum(order[2] for order in after)), float(sum(order[2] for order in before)),
                sum(order[3] for order in after),
            )
        )  # fmt: skip
    found = {
        arm: (n, y, yy, x, xx, xy)
        for arm, n, y, yy, x, xx, xy in programme.warehouse.rows(
            f"select arm, n, y, yy, x, xx, xy from experiment_sums"
            f" where experiment = '{NAME}' and measure = 'net_revenue' and segment_type = 'all'"
        )
    }
    for arm, values in by_arm.items():
        y, x, _ = np.array(values).T
        assert found[arm] == pytest.approx(
            (len(y), y.sum(), (y * y).sum(), x.sum(), (x * x).sum(), (x * y).sum())
        )
    orderers: dict[str, int] = dict(
        programme.warehouse.rows(
            f"select arm, n_positive from experiment_sums"
            f" where experiment = '{NAME}' and measure = 'ordered' and segment_type = 'all'"
        )
    )
    assert orderers == {arm: sum(n > 0 for *_, n in values) for arm, values in by_arm.items()}


def test_the_segments_add_up_to_all(programme: Programme) -> None:
    counts: dict[str, int] = dict(
        programme.warehouse.rows(
            f"select segment_type, sum(n) from experiment_sums where experiment = '{NAME}'"
            f" and measure = 'net_revenue' group by segment_type"
        )
    )
    assert len(counts) == 3 and len(set(counts.values())) == 1


def test_the_verdict_claims_nothing_and_counts_the_mail_of_others(programme: Programme) -> None:
    ((verdict, reason, emailed),) = programme.warehouse.rows(
        f"select verdict, reason, n_held_out_emailed from experiment_verdicts where experiment = '{NAME}'"
    )
    # Both arms get the mail of the demo's ESP, so that nothing differs.
    assert verdict in ("cannot_tell", "promising") and reason
    assert emailed > 0, "the ESP of the demo sends by itself"


def test_a_second_build_at_the_same_moment_assigns_no_one_again(programme: Programme) -> None:
    ledger = "select * from experiment_assignments order by all"
    before = programme.warehouse.rows(ledger)
    run = programme.warehouse.dbt(
        "build", "--select", "experiment_assignments", as_of=LAST,
        experiments={NAME: {**HOLDOUT, "stages": [STAGE]}},
    )  # fmt: skip
    assert run.ok and programme.warehouse.rows(ledger) == before
