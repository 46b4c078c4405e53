"""Web sessions: browsing, abandoned carts, and the funnels that end in an order."""

from dataclasses import dataclass

import numpy as np

from mailroom.demo import constants as c
from mailroom.demo.encode import NONE, Bools, Ints, chance, grouped_rank, pick
from mailroom.demo.mail import Mailboxes, Messages
from mailroom.demo.orders import Lines, Orders
from mailroom.demo.people import DEVICES, People, at_best_hour
from mailroom.demo.world import World

EVENT_TYPES = (
    "page_view", "search", "category_view", "product_view", "add_to_wishlist", "add_to_cart",
    "remove_from_cart", "checkout", "purchase",
)  # fmt: skip
PAGE, SEARCH, CATEGORY, VIEW, WISH, CART, REMOVE, CHECKOUT, PURCHASE = range(9)
SOURCES = (*c.UTM_SOURCES, "email")

# What happens in a session, per kind: browsing, abandoned cart, order.
PAGE_SHARE = np.array([0.7, 0.5, 0.45])
SEARCH_SHARE = np.array([0.2, 0.2, 0.15])
CATEGORY_MEAN = np.array([0.55, 0.4, 0.3])
EXTRA_VIEWS = np.array([1.2, 0.9, 0.7])
WISH_SHARE = np.array([0.07, 0.05, 0.02])
CHECKOUT_SHARE = np.array([0.0, 0.35, 1.0])
REMOVE_SHARE = np.array([0.0, 0.12, 0.03])
CARTED = np.array([0.0, 1.3, 1 + c.EXTRA_LINES])


def expected_events() -> tuple[float, float, float]:
    """Expected events of a browsing session, one with an abandoned cart, and one with an order."""
    mean = (
        PAGE_SHARE + SEARCH_SHARE + CATEGORY_MEAN + EXTRA_VIEWS + WISH_SHARE + CHECKOUT_SHARE + REMOVE_SHARE
    )
    mean = mean + 2 * CARTED + np.array([0.25, 0, 1 + c.DOUBLE_FIRED_NEW_ID])
    return float(mean[0]), float(mean[1]), float(mean[2])


@dataclass
class Sessions:
    """(n,) arrays."""

    person: Ints
    device: Ints
    kind: Ints  # 0 browsing, 1 abandoned cart, 2 order
    order: Ints  # or NONE
    start: Ints  # NONE for orders, which end at the order
    logged_in: Bools
    source: Ints
    campaign: Ints  # e-mail campaign or NONE
    clicked: Ints  # time of the e-mail click or NONE


@dataclass
class WebEvents:
    """(n,) arrays in order of time."""

    session: Ints
    type: Ints
    product: Ints
    category: Ints  # of the event, where it has one
    quantity: Ints
    second: Bools  # a purchase event fired again under a new id
    at: Ints


def pick_devices(people: People, rng: np.random.Generator, person: Ints) -> Ints:
    """A device for each session: mostly the person's first, sometimes one that the household shares."""
    n = len(person)
    own = (people.first + person) * DEVICES + (rng.random(n) ** 1.6 * people.devices[person]).astype(np.int64)
    shared = people.shared_device[person]
    return np.where((shared >= 0) & chance(rng, c.SHARED_DEVICE_USE, n), shared, own)


def make_sessions(
    world: World,
    people: People,
    rng: np.random.Generator,
    orders: Orders,
    boxes: Mailboxes,
    messages: Messages,
) -> Sessions:
    """All sessions that the shop's tracker recorded."""
    config, n_orders = world.config, len(orders)
    browse, abandon, order_events = expected_events()
    budget = config.web_events_per_order * n_orders
    online = orders.online
    share = c.ORDER_SESSION_EVENTS * budget / order_events / max(int(online.sum()), 1)
    share = min(share, c.TRACKED_MOST)
    tracked = np.flatnonzero(online & ((orders.clicked_at >= 0) | chance(rng, share, n_orders)))
    left = budget - len(tracked) * order_events
    per_session = c.ABANDONED_SHARE * abandon + (1 - c.ABANDONED_SHARE) * browse

    # Every human click opens a session; those that led to an order have one already.
    bought = np.isin(messages.clicked, orders.clicked_at[tracked])
    landed = np.flatnonzero((messages.clicked >= 0) & ~bought & chance(rng, 0.9, len(messages.clicked)))
    n_other = max(int(left / per_session) - len(landed), 0)
    until = config.until
    ends = np.minimum(people.dropped + 30 * c.DAY, until)
    open_days = np.maximum(ends - people.joined, 0) / c.DAY + 2
    weight = open_days * (0.25 + people.rate / max(world.rate_mean, 1e-9))
    near = int(n_other * c.NEAR_ORDER_SHARE) if n_orders else 0
    order = rng.integers(0, max(n_orders, 1), near)
    lead = (rng.exponential(c.NEAR_ORDER_DAYS, near) * c.DAY).astype(np.int64) + c.HOUR
    person = np.concatenate([orders.person[order], pick(rng, weight, n_other - near)])
    free = person[near:]
    anytime = (
        people.joined[free] - c.DAY + (rng.random(len(free)) * (open_days[free] * c.DAY)).astype(np.int64)
    )
    # Half of browsing follows the shop's calendar of demand.
    seasonal = world.from_clock(rng.random(len(free)) * world.clock[-1])
    fits = (seasonal > people.joined[free]) & (seasonal < ends[free]) & chance(rng, 0.5, len(free))
    at = np.concatenate([orders.at[order] - lead, np.where(fits, seasonal, anytime)])
    at = at_best_hour(rng, people, person, at, c.HOUR_SPREAD)
    at = np.where(at < config.start, config.start + rng.integers(0, 2 * c.DAY, len(at)), at)
    at = np.where(at > until - c.HOUR, until - c.HOUR - rng.integers(0, 2 * c.DAY, len(at)), at)

    clicker = boxes.profiles.person[messages.profile[landed]]
    who = np.concatenate([orders.person[tracked], clicker, person])
    n = len(who)
    none = np.full(n, NONE)
    mailed = np.arange(n) < len(tracked) + len(landed)
    campaign, clicked, order_of = none.copy(), none.copy(), none.copy()
    order_of[: len(tracked)] = tracked
    campaign[: len(tracked)] = orders.campaign[tracked]
    clicked[: len(tracked)] = orders.clicked_at[tracked]
    campaign[len(tracked) : len(tracked) + len(landed)] = messages.campaign[landed]
    clicked[len(tracked) : len(tracked) + len(landed)] = messages.clicked[landed]
    start = np.concatenate(
        [np.full(len(tracked), NONE), messages.clicked[landed] + rng.integers(1, 5, len(landed)), at]
    )
    kind = np.where(order_of >= 0, 2, np.where(chance(rng, c.ABANDONED_SHARE, n), 1, 0))
    source = pick(rng, list(c.UTM_SOURCES.values()), n)
    source = np.where(mailed & (campaign >= 0), len(SOURCES) - 1, source)
    return Sessions(
        person=who,
        device=pick_devices(people, rng, who),
        kind=kind,
        order=order_of,
        start=start,
        logged_in=chance(rng, c.LOGGED_IN_SHARE + 0.25 * (kind == 2), n),
        source=source,
        campaign=campaign,
        clicked=clicked,
    )


def make_events(
    world: World, people: People, rng: np.random.Generator, sessions: Sessions, orders: Orders, lines: Lines
) -> WebEvents:
    """The events of every session, in funnel order within it."""
    n = len(sessions.person)
    kind, person = sessions.kind, sessions.person
    moment = np.where(sessions.order >= 0, np.append(orders.at, NONE)[sessions.order], sessions.start)
    favourite = people.tastes[person, pick(rng, [0.7, 0.2, 0.1], n)]
    batches: list[dict[str, Ints]] = []

    def add(session: Ints, step: int, product: Ints | int = NONE, quantity: Ints | int = NONE) -> None:
        size = len(session)
        batch = {"session": session, "type": np.full(size, step), "second": np.zeros(size, dtype=np.int64)}
        batch["product"] = np.broadcast_to(np.asarray(product, dtype=np.int64), size)
        batch["quantity"] = np.broadcast_to(np.asarray(quantity, dtype=np.int64), size)
        about_category = favourite[session] if step in (SEARCH, CATEGORY) else NONE
        named = batch["product"] >= 0
        batch["category"] = np.where(named, world.products.category[batch["product"]], about_category)
        batches.append(batch)

    everyone = np.arange(n)
    carted_most = (kind == 1) * (1 + chance(rng, 0.3, n))
    extra = rng.poisson(EXTRA_VIEWS[kind])
    opens_page = chance(rng, PAGE_SHARE[kind], n)
    categories = rng.poisson(CATEGORY_MEAN[kind])
    empty = (kind == 0) & (extra == 0) & ~opens_page & (categories == 0)
    add(everyone[opens_page | empty], PAGE)
    add(everyone[chance(rng, SEARCH_SHARE[kind], n)], SEARCH)
    add(np.repeat(everyone, categories), CATEGORY)

    looking = np.repeat(everyone, extra)
    looked = world.products.choose(rng, favourite[looking], people.tier[person[looking]], moment[looking])
    add(looking, VIEW, looked)
    wished = chance(
        rng, WISH_SHARE[kind[looking]] / np.maximum(EXTRA_VIEWS[kind[looking]], 0.1), len(looking)
    )
    add(looking[wished], WISH, looked[wished])

    left = np.repeat(everyone, carted_most)
    left_product = world.products.choose(rng, favourite[left], people.tier[person[left]], moment[left])
    session_of = np.full(max(len(orders), 1), NONE)
    ordering = np.flatnonzero(sessions.order >= 0)
    session_of[sessions.order[ordering]] = ordering
    line = np.flatnonzero(session_of[lines.order] >= 0)
    carting = np.concatenate([left, session_of[lines.order[line]]])
    cart_product = np.concatenate([left_product, lines.product[line]])
    cart_quantity = np.concatenate([np.ones(len(left), dtype=np.int64), lines.quantity[line]])
    add(carting, VIEW, cart_product)
    add(carting, CART, cart_product, cart_quantity)
    removed = chance(rng, REMOVE_SHARE[kind[carting]] / np.maximum(CARTED[kind[carting]], 1), len(carting))
    removed &= kind[carting] == 1
    add(carting[removed], REMOVE, cart_product[removed], cart_quantity[removed])
    add(everyone[chance(rng, CHECKOUT_SHARE[kind], n)], CHECKOUT)
    add(ordering, PURCHASE)
    again = ordering[chance(rng, c.DOUBLE_FIRED_NEW_ID, len(ordering))]
    add(again, PURCHASE)
    batches[-1]["second"][:] = 1

    steps = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    by_stage = np.lexsort((steps["second"], steps["type"], steps["session"]))
    steps = {name: column[by_stage] for name, column in steps.items()}
    at = _step_times(rng, sessions, moment, steps["session"], steps["type"], steps["second"] > 0)
    by_time = np.lexsort((steps["session"], at))
    by_time = by_time[at[by_time] < world.config.until]
    return WebEvents(
        session=steps["session"][by_time],
        type=steps["type"][by_time],
        product=steps["product"][by_time],
        category=steps["category"][by_time],
        quantity=steps["quantity"][by_time],
        second=steps["second"][by_time] > 0,
        at=at[by_time],
    )


def _step_times(
    rng: np.random.Generator, sessions: Sessions, moment: Ints, session: Ints, step: Ints, second: Bools
) -> Ints:
    """When each step of each session happens; steps come sorted by session and stage.

    A session with an order ends there: it is laid out backwards from the order, and not before the click
    that brought it.
    """
    gap = 3 + (rng.exponential(32, len(session))).astype(np.int64)
    gap = np.where(second, rng.integers(2, 9, len(session)), gap)
    place = grouped_rank(session)
    gap[place == 0] = 0
    run = np.cumsum(gap)
    begin = np.flatnonzero(place == 0)
    elapsed = run - np.repeat(run[begin], np.diff(np.append(begin, len(session))))

    duration = np.zeros(len(moment), dtype=np.int64)
    bought = (step == PURCHASE) & ~second
    duration[session[bought]] = elapsed[bought]
    room = np.where(sessions.clicked >= 0, moment - sessions.clicked - 2, duration)
    squeeze = np.where(sessions.order >= 0, np.minimum(room / np.maximum(duration, 1), 1.0), 1.0)
    ends_at_order = moment + 1 - (duration * squeeze).astype(np.int64)
    start = np.where(sessions.order >= 0, ends_at_order, sessions.start)
    at: Ints = start[session] + (elapsed * squeeze[session]).astype(np.int64)
    return at
