"""Orders, their lines, refunds, and the tickets that follow."""

from dataclasses import dataclass

import numpy as np

from mailroom.demo import constants as c
from mailroom.demo.encode import NONE, Bools, Ints, chance, grouped_rank, pick
from mailroom.demo.people import People, Records, at_best_hour, make_records
from mailroom.demo.world import World

CHANNELS = tuple(c.SALES_CHANNELS)
STATUSES = tuple(c.ORDER_STATUSES)
COUPONS = tuple(c.COUPONS)
TOPICS = tuple(c.TICKET_SUBJECTS)
TICKET_STATUSES = ("new", "open", "pending", "solved", "closed")


@dataclass
class Orders:
    """(n,) arrays in order of time; the number of an order is its place."""

    person: Ints
    at: Ints
    staple: Bools  # a replenishment
    clicked_at: Ints  # of the e-mail click that caused it, or NONE
    campaign: Ints  # of that click, or NONE
    status: Ints
    channel: Ints
    coupon: Ints
    subtotal: Ints  # cents, sum of the lines after their discounts
    discount: Ints  # cents
    shipping: Ints  # cents
    updated: Ints

    def __len__(self) -> int:
        return len(self.person)

    @property
    def total(self) -> Ints:
        """(n,) cents charged."""
        return self.subtotal - self.discount + self.shipping

    @property
    def online(self) -> Bools:
        """(n,) whether it was placed on the web or in the app."""
        return np.isin(self.channel, [CHANNELS.index("web"), CHANNELS.index("app")])


@dataclass
class Lines:
    """(n,) arrays, sorted by order."""

    order: Ints
    product: Ints
    quantity: Ints
    price: Ints  # cents
    discount: Ints  # cents

    @property
    def net(self) -> Ints:
        """(n,) cents after the line's discount."""
        return self.quantity * self.price - self.discount


@dataclass
class Refunds:
    """(n,) arrays in order of time. NONE if unknown to the shop."""

    order: Ints
    line: Ints
    person: Ints
    quantity: Ints
    amount: Ints  # cents
    reason: Ints
    at: Ints
    names_order: Bools  # whether the row says which order it is about
    names_person: Bools


@dataclass
class Tickets:
    """(n,) arrays in order of time."""

    person: Ints
    topic: Ints
    subject: Ints
    status: Ints
    satisfaction: Ints
    created: Ints
    updated: Ints
    solved: Ints
    requester: Records  # as they wrote to the help desk


def order_times(world: World, people: People, rng: np.random.Generator) -> tuple[Ints, Ints, Bools]:
    """Person, time and whether it is a replenishment, of every order that no e-mail caused."""
    until = world.config.until
    n = len(people)
    ends = np.minimum(people.dropped, until)
    first = people.joined + (rng.exponential(c.FIRST_ORDER_LAG, n) * c.DAY).astype(np.int64)
    first = np.maximum(at_best_hour(rng, people, np.arange(n), first, c.HOUR_SPREAD), people.joined + 1_200)
    first = np.where(chance(rng, 0.5, n), people.joined + rng.integers(600, 7_200, n), first)
    buyer = np.flatnonzero(people.buys & (first < ends))
    begin, end = world.to_clock(first), world.to_clock(ends)
    repeats = rng.poisson(np.where(first < ends, people.rate * np.maximum(end - begin, 0), 0)[buyer])
    again = np.repeat(buyer, repeats)
    at = world.from_clock(begin[again] + rng.random(len(again)) * (end[again] - begin[again]))
    at = np.maximum(at_best_hour(rng, people, again, at, c.HOUR_SPREAD), first[again] + 1_800)

    rhythmic = buyer[people.rhythm[buyer] > 0]
    gap = people.rhythm[rhythmic] * c.DAY
    most = ((ends[rhythmic] - first[rhythmic]) / gap * 1.3).astype(np.int64) + 2
    person = np.repeat(rhythmic, most)
    gaps = np.repeat(gap, most) * np.maximum(rng.normal(1, c.RHYTHM_JITTER, len(person)), 0.4)
    total = np.cumsum(gaps)
    start = np.repeat(np.cumsum(most) - most, most)
    elapsed = total - np.where(start > 0, total[start - 1], 0.0)
    refill = at_best_hour(rng, people, person, first[person] + elapsed.astype(np.int64), c.HOUR_SPREAD)
    due = refill < ends[person]
    everybody = np.concatenate([buyer, again, person[due]])
    moments = np.concatenate([first[buyer], at, refill[due]])
    staple = np.zeros(len(everybody), dtype=np.bool_)
    staple[len(buyer) + len(again) :] = True
    inside = moments < until - 60
    return everybody[inside], moments[inside], staple[inside]


def make_orders(
    world: World,
    people: People,
    rng: np.random.Generator,
    base: tuple[Ints, Ints, Bools],
    mailed: tuple[Ints, Ints, Ints, Ints],
) -> tuple[Orders, Lines]:
    """Orders and lines; `mailed` is person, time, click time and campaign of the orders caused by e-mail."""
    person = np.concatenate([base[0], mailed[0]])
    at = np.concatenate([base[1], mailed[1]])
    staple = np.concatenate([base[2], np.zeros(len(mailed[0]), dtype=np.bool_)])
    clicked = np.concatenate([np.full(len(base[0]), NONE), mailed[2]])
    campaign = np.concatenate([np.full(len(base[0]), NONE), mailed[3]])
    by_time = np.lexsort((person, at))
    person, at, staple = person[by_time], at[by_time], staple[by_time]
    clicked, campaign = clicked[by_time], campaign[by_time]
    n = len(person)

    count = np.where(staple, 1, rng.geometric(1 / (1 + c.EXTRA_LINES), n)).clip(1, 9)
    order = np.repeat(np.arange(n), count)
    who = person[order]
    taste = people.tastes[who, pick(rng, [0.62, 0.25, 0.13], len(order))]
    category = np.where(staple[order], people.staple[who], taste)
    product = world.products.choose(rng, category, people.tier[who], at[order])
    favourite = world.products.first[people.staple[who]] + people.tier[who]
    product = np.where(staple[order] & chance(rng, 0.85, len(order)), favourite, product)
    by_product = np.lexsort((product, order))  # the same product twice in an order becomes one line
    order, product = order[by_product], product[by_product]
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = (order[1:] != order[:-1]) | (product[1:] != product[:-1])
    order, product = order[fresh], product[fresh]
    quantity = 1 + pick(rng, [0.88, 0.09, 0.03], len(order))
    price = world.products.price_at(product, at[order])
    off = np.array([10, 20, 30])[rng.integers(0, 3, len(order))]
    reduced = chance(rng, c.LINE_DISCOUNT_SHARE, len(order))
    lines = Lines(order, product, quantity, price, np.where(reduced, quantity * price * off // 100, 0))

    subtotal = np.bincount(order, weights=lines.net, minlength=n).astype(np.int64)
    coupon = np.where(
        chance(rng, c.COUPON_SHARE, n) | ((clicked >= 0) & chance(rng, 0.4, n)),
        rng.integers(0, len(COUPONS), n),
        NONE,
    )
    percent = np.where(coupon >= 0, np.array([c.COUPONS[name] for name in COUPONS])[coupon], 0)
    discount = subtotal * percent // 100
    channel = np.where(clicked >= 0, 0, pick(rng, list(c.SALES_CHANNELS.values()), n))
    shipping = np.where(
        (subtotal - discount >= c.FREE_SHIPPING) | (channel == CHANNELS.index("store")), 0, c.SHIPPING
    )
    until = world.config.until
    status = pick(rng, list(c.ORDER_STATUSES.values()), n)
    young = (at > until - 3 * c.DAY) & (status == 0)
    status = np.where(young, STATUSES.index("paid"), status)
    settled = (at < until - 21 * c.DAY) & np.isin(
        status, [STATUSES.index(s) for s in ("shipped", "paid", "pending")]
    )
    status = np.where(settled & chance(rng, 0.8, n), 0, status)
    updated = np.minimum(at + (rng.exponential(4, n) * c.DAY).astype(np.int64) + 60, until - 1)
    orders = Orders(
        person=person,
        at=at,
        staple=staple,
        clicked_at=clicked,
        campaign=campaign,
        status=status,
        channel=channel,
        coupon=coupon,
        subtotal=subtotal,
        discount=discount,
        shipping=shipping,
        updated=np.where(chance(rng, 0.05, n), NONE, updated),
    )
    return orders, lines


def make_refunds(
    world: World, people: People, rng: np.random.Generator, orders: Orders, lines: Lines
) -> tuple[Refunds, Bools]:
    """Refunds of sales, and which orders had a problem."""
    n = len(orders)
    sale = orders.status < STATUSES.index("cancelled")
    problem = sale & chance(rng, people.refunds[orders.person], n)
    kind = pick(rng, [0.75, 0.21, 0.04], n)  # one or more lines, the whole order, an unknown order
    place = grouped_rank(lines.order)
    sent_back = (
        problem[lines.order] & (kind[lines.order] == 0) & ((place == 0) | chance(rng, 0.25, len(place)))
    )
    line = np.flatnonzero(sent_back)
    whole = np.flatnonzero(problem & (kind > 0))
    order = np.concatenate([lines.order[line], whole])
    full_quantity = chance(rng, 0.85, len(line))
    quantity = np.where(full_quantity, lines.quantity[line], 1)
    # A line's refund is what was paid for it: net of its own discount and its part of the order's.
    net = lines.net[line] * quantity // lines.quantity[line]
    owner = lines.order[line]
    # Rounded up, so that all lines together never give back more than was paid.
    net += -net * orders.discount[owner] // np.maximum(orders.subtotal[owner], 1)
    amount = np.concatenate([net, orders.total[whole]])
    days = rng.uniform(*c.REFUND_DAYS, len(order))
    at = orders.at[order] + (days * c.DAY).astype(np.int64)
    unknown = np.concatenate([np.zeros(len(line), dtype=np.bool_), kind[whole] == 2])
    keep = np.flatnonzero((at < world.config.until - 60) & (amount > 0))
    keep = keep[np.argsort(at[keep], kind="stable")]
    size = len(keep)
    refunds = Refunds(
        order=order[keep],
        line=np.concatenate([line, np.full(len(whole), NONE)])[keep],
        person=orders.person[order[keep]],
        quantity=np.concatenate([quantity, np.full(len(whole), NONE)])[keep],
        amount=amount[keep],
        reason=rng.integers(0, len(c.REFUND_REASONS), size),
        at=at[keep],
        names_order=~unknown[keep],
        names_person=unknown[keep] | chance(rng, 0.7, size),
    )
    return refunds, problem


def make_tickets(
    world: World, people: People, rng: np.random.Generator, orders: Orders, problem: Bools
) -> Tickets:
    """Tickets after orders, more of them and unhappier ones after a problem."""
    until = world.config.until
    about = np.flatnonzero(
        chance(rng, np.where(problem, c.TICKET_SHARE_PROBLEM, c.TICKET_SHARE), len(orders))
    )
    created = orders.at[about] + (rng.exponential(5, len(about)) * c.DAY).astype(np.int64) + c.HOUR
    about, created = about[created < until - c.HOUR], created[created < until - c.HOUR]
    by_time = np.argsort(created, kind="stable")
    about, created = about[by_time], created[by_time]
    n = len(about)
    bad = problem[about]
    topic = np.where(
        bad, pick(rng, [0.3, 0.25, 0.42, 0.02, 0.01], n), pick(rng, [0.5, 0.25, 0.08, 0.13, 0.04], n)
    )
    solved = created + (rng.exponential(2.5, n) * c.DAY).astype(np.int64) + 1_800
    done = solved < until
    status = np.where(done, 3 + (rng.random(n) < 0.6), pick(rng, [0.2, 0.5, 0.3], n))
    mood = (
        np.where(bad, pick(rng, [0.3, 0.25, 0.2, 0.15, 0.1], n), pick(rng, [0.04, 0.06, 0.15, 0.35, 0.4], n))
        + 1
    )
    rated = done & chance(rng, 0.45, n)
    last = np.where(done, solved, np.minimum(created + c.HOUR, until - 1))
    return Tickets(
        person=orders.person[about],
        topic=topic,
        subject=rng.integers(0, 2, n),
        status=status,
        satisfaction=np.where(rated, mood, NONE),
        created=created,
        updated=last,
        solved=np.where(done, solved, NONE),
        requester=make_records(people, rng, "ticket", orders.person[about], created, until),
    )
