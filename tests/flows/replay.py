"""The flows' own SQL, compiled once by dbt and run hour after hour, each time with another as_of().

Below the floor stand tables that say what is true at a moment. Random ones: a customer is a world of its own.
"""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from conftest import IN_MEMORY, Warehouse

MOMENT = "2031-01-02 03:04:05"  # as_of() of the compiled SQL, to be replaced
START = datetime(2026, 3, 24)  # the clocks of Europe and of New Zealand change in the days after it
DAYS = 12
ZONES = [None, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
CLASSES = ["transactional", "onboarding", "lifecycle", "promotional"]
ROW = re.compile(r'"\w+"\."\w+"\."(\w+)"')
# In the order of a build. The ledgers add rows, the others are written again.
MODELS = [
    "flow_catalog", "past_decisions", "enrolment_changes", "flow_enrolments", "flow_steps_due",
    "sent_messages", "message_decisions", "planned_messages",
]  # fmt: skip
LEDGERS = {"enrolment_changes", "message_decisions"}
WORLD = """
create macro moment() as getvariable('moment');
create table w_customers (
    customer_id varchar, time_zone varchar, gone_at timestamp, n_human_clicks_30d bigint,
    weekly_cap double, best_hour bigint
);
create table w_events (
    trigger_name varchar, customer_id varchar, subject_id varchar, happened_at timestamp,
    ended_at timestamp, amount decimal(18, 2)
);
create table w_blocks (
    customer_id varchar, message_class varchar, from_at timestamp, until_at timestamp,
    is_end_known boolean
);
create table w_refusals (customer_id varchar, since timestamp);
create table w_orders (
    order_id varchar, customer_id varchar, product_id varchar, is_sale boolean, ordered_at timestamp,
    refunded_at timestamp
);
create table w_carts (customer_id varchar, filled_at timestamp);
create table w_tickets (customer_id varchar, opened_at timestamp, closed_at timestamp);
create table w_emails (customer_id varchar, occurred_at timestamp, message_class varchar);
create table w_pauses (
    model_name varchar, column_name varchar, from_at timestamp, until_at timestamp
);
create table w_pauses_of_mail (
    source varchar, mailbox_provider varchar, from_at timestamp, until_at timestamp
);
create table w_held (customer_id varchar, decides varchar, since timestamp);
create table w_hours (trigger_name varchar, trigger_hours bigint);

create view customers as
with carts as (
    select customer_id, max(filled_at) as cart_filled_at from w_carts
    where filled_at <= moment() group by customer_id
),
tickets as (
    select
        customer_id, max(opened_at) as last_ticket_at,
        count(*) filter (coalesce(closed_at > moment(), true)) as n_open_tickets
    from w_tickets where opened_at <= moment() group by customer_id
)
select
    customer_id, time_zone, n_human_clicks_30d, cart_filled_at, last_ticket_at,
    if(n_human_clicks_30d = 0, 'gmail', 'other') as mailbox_provider,
    coalesce(n_open_tickets, 0) as n_open_tickets
from w_customers left join carts using (customer_id) left join tickets using (customer_id)
where coalesce(gone_at > moment(), true);

create view engagement_tiers as select customer_id, 'unknown' as tier, weekly_cap from w_customers;
create view send_time_scores as select customer_id, best_hour from w_customers;

create view contactability as
select
    customers.customer_id, classes.message_class, 'email' as channel,
    blocks.customer_id is null as is_allowed,
    case when blocks.is_end_known then blocks.until_at end as opens_at,
    'Not allowed.' as reason
from w_customers as customers
cross join (
    select unnest(['transactional', 'onboarding', 'lifecycle', 'promotional']) as message_class
) as classes
left join w_blocks as blocks
    on blocks.customer_id = customers.customer_id and blocks.message_class = classes.message_class
    and blocks.from_at <= moment() and blocks.until_at > moment();

create view suppressions as
select customer_id, 'unsubscribed' as rule, 'Unsubscribed.' as reason from w_refusals
where since <= moment();

create view orders as
select
    order_id, customer_id, is_sale, ordered_at,
    case when refunded_at <= moment() then refunded_at end as last_refunded_at
from w_orders where ordered_at <= moment();

create view customer_products as
select customer_id, product_id, max(ordered_at) as last_ordered_at from w_orders
where is_sale and product_id is not null and ordered_at <= moment()
group by customer_id, product_id;

create view paused_sending as
select
    source, mailbox_provider, 'all' as engagement_tier, from_at as paused_at, 'Complaints.' as reason
from w_pauses_of_mail where from_at <= moment() and until_at > moment();

create view warm_up_room as
select
    '' as mailbox_provider, 0 as ceiling, 0 as n_left, false as leaves_out_unengaged where false;

create view experiment_members as
select 'e' as experiment, customer_id, decides, since <= moment() as is_held_out from w_held;

create view offer_levels as select customer_id, 0.0 as offer_share, 0.0 as offer_cost from w_customers;

create view email_events as
select customer_id, occurred_at, message_class, true as is_sending from w_emails
where occurred_at <= moment();

create view signal_readiness as
select model_name, column_name, false as may_steer_time_critical, 'Too old.' as reason from w_pauses
where from_at <= moment() and until_at > moment();

create view retired_customer_ids as
select '' as retired_customer_id, '' as customer_id where false;

create view trigger_events as
select
    trigger_name, customer_id, subject_id, subject_id as subject_name, happened_at, amount,
    'It happened.' as reason
from w_events inner join w_hours using (trigger_name)
where
    happened_at <= moment() and happened_at > moment() - to_hours(trigger_hours)
    and coalesce(ended_at > moment(), true);
"""
COLUMNS = """
select column_name, data_type from information_schema.columns
where table_name = ? order by ordinal_position
"""


def compiled(warehouse: Warehouse) -> dict[str, str]:
    """Return the SQL of each model, with variable `moment` for as_of() and bare names of tables.

    warehouse: built, so that dbt compiles the ledgers as it does after the first build.
    """
    run = warehouse.dbt("compile", "--select", "path:models/flows", as_of=MOMENT)
    assert run.ok, run.output
    return {
        model: ROW.sub(r"\1", warehouse.compiled(model)).replace(f"cast('{MOMENT}' as timestamp)", "moment()")
        for model in MODELS
    }


class Replay:
    """Builds, one after the other, of a database in memory."""

    def __init__(self, models: dict[str, str], ledgers: dict[str, str]) -> None:
        self.models = models
        self.connection = duckdb.connect(config=IN_MEMORY)
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute("set variable moment = timestamp '2000-01-01'")
        self.connection.execute(WORLD)
        for name, columns in ledgers.items():
            self.connection.execute(f"create table {name} ({columns})")
        self.connection.execute(f"create view past_decisions as {models['past_decisions']}")

    def build(self, moment: datetime) -> None:
        """Build every model as of a moment."""
        self.connection.execute(f"set variable moment = timestamp '{moment}'")
        for name in MODELS:
            if name in LEDGERS:
                self.connection.execute(f"insert into {name} by name {self.models[name]}")
            elif name == "past_decisions":  # a view, and bound with the moment of its definition
                self.connection.execute(f"create or replace view {name} as {self.models[name]}")
            else:
                self.connection.execute(f"create or replace table {name} as {self.models[name]}")

    def fill(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add rows to a table of the world."""
        rows = list(rows)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self.connection.executemany(f"insert into {table} values ({marks})", rows)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()


@dataclass
class World:
    """What is true of one customer, over all days."""

    customer: str
    time_zone: str | None
    gone_at: datetime | None
    clicks: int
    weekly_cap: float | None
    best_hour: int | None
    events: list[tuple[str, str, datetime, datetime | None, Decimal | None]] = field(default_factory=list)
    blocks: list[tuple[str, datetime, datetime, bool]] = field(default_factory=list)
    refused_at: datetime | None = None
    orders: list[tuple[str, str | None, bool, datetime, datetime | None]] = field(default_factory=list)
    carts: list[datetime] = field(default_factory=list)
    tickets: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    emails: list[tuple[datetime, str | None]] = field(default_factory=list)
    held_out: tuple[str, datetime] | None = None  # from what, since when


def random_world(number: int, triggers: dict[str, str], rng: random.Random) -> World:
    """Return a customer with a few events and facts. triggers: the subject of each trigger."""

    def some_time(first_day: int = 0, last_day: int = DAYS) -> datetime:
        minutes = rng.randrange(first_day * 1440, last_day * 1440)
        # On the hour now and then, to meet limits exactly. Midnight would mean a day without a time.
        moment = START + timedelta(minutes=minutes - minutes % 60 if rng.random() < 0.3 else minutes)
        return moment + timedelta(hours=1) if moment.hour == moment.minute == 0 else moment

    def later(moment: datetime) -> datetime:
        return moment + timedelta(minutes=rng.randrange(1, 6000))

    def chance(share: float) -> bool:
        return rng.random() < share

    world = World(
        f"c_{number}", rng.choice(ZONES), some_time(4) if chance(0.05) else None, rng.choice([0, 3]),
        rng.choice([None, 0.25, 0.5, 1, 2, 2, 3, 5, 7, 7]), rng.choice([None, 7, 9, 12, 20, 23]),
    )  # fmt: skip
    products, orders = [f"p{n}" for n in range(3)], [f"o{number}_{n}" for n in range(3)]
    for _ in range(rng.randrange(1, 8)):
        trigger = rng.choice(sorted(triggers))
        kind = triggers[trigger]
        own = {"customer": world.customer, "product": rng.choice(products), "order": rng.choice(orders)}
        subject = own.get(kind, f"{kind} {rng.randrange(3)}")
        moment = some_time(-20 if chance(0.3) else 0)
        if all(event[:3] != (trigger, subject, moment) for event in world.events):
            ended = later(moment) if chance(0.3) else None
            amount = rng.choice([None, None, Decimal("10.00"), Decimal("20.50")])
            world.events.append((trigger, subject, moment, ended, amount))
    if chance(0.15):  # one after the other, against the cap of a flow
        first = some_time(0, 6)
        for n, product in enumerate(products):
            moment = first + timedelta(hours=30 * n + 1)
            world.events.append(("back_in_stock", product, moment, None, None))
    for message_class in CLASSES:
        if chance(0.25):
            moment = some_time(-2)
            world.blocks.append((message_class, moment, later(moment), chance(0.7)))
    world.refused_at = some_time() if chance(0.1) else None
    for order in orders:
        if chance(0.25):
            moment = some_time()
            refunded = later(moment) if chance(0.3) else None
            world.orders.append((order, rng.choice([None, *products]), chance(0.9), moment, refunded))
    world.carts = [some_time() for _ in range(rng.choice([0, 0, 0, 1, 2]))]
    if chance(0.1):
        flow = rng.choice(["marketing", "flow:cart_series", "flow:order_confirmation", "flow:price_alert"])
        world.held_out = flow, some_time(-2)
    if chance(0.15):
        moment = some_time()
        world.tickets.append((moment, later(moment) if chance(0.5) else None))
    world.emails = [
        (some_time(-10), rng.choice([None, "promotional", "lifecycle", "transactional"]))
        for _ in range(rng.choice([0, 0, 1, 2, 6]))
    ]
    return world


def load(replay: Replay, worlds: Iterable[World]) -> None:
    """Write the worlds into the tables."""
    for world in worlds:
        name = world.customer
        replay.fill(
            "w_customers",
            [(name, world.time_zone, world.gone_at, world.clicks, world.weekly_cap, world.best_hour)],
        )
        replay.fill("w_events", [(trigger, name, *rest) for trigger, *rest in world.events])
        replay.fill("w_blocks", [(name, *block) for block in world.blocks])
        replay.fill("w_refusals", [(name, world.refused_at)] if world.refused_at else [])
        replay.fill("w_orders", [(order, name, *rest) for order, *rest in world.orders])
        replay.fill("w_carts", [(name, at) for at in world.carts])
        replay.fill("w_tickets", [(name, *ticket) for ticket in world.tickets])
        replay.fill("w_emails", [(name, *email) for email in world.emails])
        replay.fill("w_held", [(name, *world.held_out)] if world.held_out else [])


def ledger_columns(warehouse: Path) -> dict[str, str]:
    """Return the columns of both ledgers with their types, as of a built warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {
            ledger: ", ".join(
                f"{name} {kind}" for name, kind in connection.execute(COLUMNS, [ledger]).fetchall()
            )
            for ledger in sorted(LEDGERS)
        }
