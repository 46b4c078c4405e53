"""Messages to profiles and what happens to them: deliveries, opens by people and machines, clicks, goodbyes."""

from dataclasses import dataclass

import numpy as np

from mailroom.demo import constants as c
from mailroom.demo.encode import NONE, Bools, Ints, chance, pick
from mailroom.demo.orders import Orders
from mailroom.demo.people import People, Records, at_best_hour
from mailroom.demo.world import World, utc_offset

SENT, DELIVERED, OPENED, CLICKED, BOUNCED, COMPLAINED, UNSUBSCRIBED = range(7)
EVENT_TYPES = ("sent", "delivered", "opened", "clicked", "bounced", "complained", "unsubscribed")
HUMAN, MPP, PREFETCH, BOT, SCANNER = range(5)
KINDS = ("human", "mpp", "prefetch", "bot", "scanner")
AGENTS = (c.MPP_AGENT, c.GMAIL_AGENT, c.PREFETCH_AGENT, c.BOT_AGENT, c.SCANNER_AGENT, *c.HUMAN_AGENTS)
FOREVER = np.iinfo(np.int64).max
SUBSCRIBED, UNSUBSCRIBER, NEVER, PENDING = range(4)
STATUSES = ("subscribed", "unsubscribed", "never_subscribed", "pending")
FREQUENCIES = tuple(c.PREFERRED_FREQUENCY)


@dataclass
class Mailboxes:
    """(n,) arrays, one row per profile: how it reads mail and what it asked for."""

    profiles: Records
    status: Ints  # at the end
    frequency: Ints
    mpp: Bools
    gmail: Bools
    prefetched: Bools
    dead: Bools  # hard bounce
    ends: Ints  # when marketing mail to it stopped, or FOREVER
    agent: Ints  # of its own opens and clicks


@dataclass
class Messages:
    """(n,) arrays, one row per message, and the opens and clicks people made."""

    profile: Ints
    campaign: Ints
    at: Ints
    delivered: Ints  # NONE where it bounced
    hard: Bools
    soft: Bools
    opened: Ints  # a person's first look; NONE if there was none
    clicked: Ints
    product: Ints  # clicked
    unsubscribed: Ints
    complained: Ints

    def take(self, rows: Ints | Bools) -> "Messages":
        """The same columns of some rows."""
        return Messages(**{name: column[rows] for name, column in vars(self).items()})


@dataclass
class MessageEvents:
    """(n,) arrays in order of time."""

    message: Ints
    kind: Ints
    type: Ints
    bounce: Ints  # 0 hard, 1 soft, NONE
    product: Ints  # of the link; -2 the unsubscribe link, NONE no link
    agent: Ints
    flagged: Ints  # is_machine_open: 1, 0, NONE
    at: Ints


def make_mailboxes(people: People, rng: np.random.Generator, profiles: Records, starts: Ints) -> Mailboxes:
    """Reading habits and subscription of every profile; `starts` is the status it begins with."""
    n = len(profiles)
    domains = [(email or "").strip().lower().rpartition("@")[2] for email in profiles.email.to_pylist()]
    gmail = np.array([domain in ("gmail.com", "googlemail.com") for domain in domains], dtype=np.bool_)
    icloud = np.array([domain == "icloud.com" for domain in domains], dtype=np.bool_)
    mpp = chance(rng, np.where(icloud, c.MPP_ICLOUD_SHARE, c.MPP_SHARE), n) & ~profiles.corporate
    own = len(AGENTS) - len(c.HUMAN_AGENTS) + np.where(mpp, 0, rng.integers(1, len(c.HUMAN_AGENTS), n))
    return Mailboxes(
        profiles=profiles,
        status=starts,
        frequency=pick(rng, list(c.PREFERRED_FREQUENCY.values()), n),
        mpp=mpp,
        gmail=gmail & ~mpp,
        prefetched=chance(rng, c.PREFETCH_SHARE, n) & ~mpp & ~profiles.corporate,
        dead=chance(rng, c.HARD_BOUNCE_SHARE, n),
        ends=np.where(starts == SUBSCRIBED, FOREVER, profiles.created),
        agent=own,
    )


def _react(
    world: World,
    people: People,
    rng: np.random.Generator,
    boxes: Mailboxes,
    profile: Ints,
    campaign: Ints,
    at: Ints,
) -> Messages:
    """What becomes of messages sent to `profile` at `at`, in order of the arguments."""
    n, until = len(profile), world.config.until
    person = boxes.profiles.person[profile]
    hard = boxes.dead[profile]
    soft = chance(rng, c.SOFT_BOUNCE_SHARE, n) & ~hard
    delivered = np.where(hard | soft, NONE, at + 1 + (rng.exponential(2, n)).astype(np.int64))
    zone = people.zone[person]
    local_hour = (at + utc_offset(zone, at)) % c.DAY / c.HOUR
    apart = np.abs(local_hour - people.hour[person])
    fit = 0.8 + c.BEST_HOUR_LIFT * np.exp(-(np.minimum(apart, 24 - apart) ** 2) / 8)
    automated = campaign >= world.campaigns.welcome
    there = np.where(at < people.dropped[person], 1.0, c.DROPPED_OUT_OPENS)
    looks = (delivered >= 0) & chance(
        rng, np.minimum(people.opens[person] * fit * there * (1 + automated), 0.95), n
    )
    soon = at + 20 + (rng.exponential(1.8, n) * c.HOUR).astype(np.int64)
    day = at + rng.integers(0, 2, n) * c.DAY
    habit = at_best_hour(rng, people, person, day, c.HOUR_SPREAD / 2)
    habit = np.where(habit < at + 20, habit + c.DAY, habit)
    opened = np.where(chance(rng, 0.45, n), soon, habit)
    opened = np.where(looks & (opened < until - c.HOUR), opened, NONE)
    clicks = (opened >= 0) & chance(rng, c.CLICK_SHARE, n)
    clicked = np.where(clicks, opened + rng.integers(4, 90, n), NONE)
    newsletter = campaign < world.campaigns.welcome
    featured = np.where(
        newsletter, world.campaigns.category[np.where(newsletter, campaign, 0)], people.tastes[person, 0]
    )
    liked = np.where(chance(rng, 0.5, n), featured, people.tastes[person, 0])
    product = world.products.choose(rng, liked, people.tier[person], at)
    leaves = (opened >= 0) & ~clicks & (campaign != world.campaigns.confirmation)
    unsubscribed = np.where(
        leaves & chance(rng, c.UNSUBSCRIBE_SHARE, n), opened + rng.integers(5, 60, n), NONE
    )
    complained = np.where(
        leaves & (unsubscribed < 0) & chance(rng, c.COMPLAINT_SHARE, n), opened + rng.integers(5, 60, n), NONE
    )
    return Messages(
        profile, campaign, at, delivered, hard, soft, opened, clicked, np.where(clicks, product, NONE),
        unsubscribed, complained,
    )  # fmt: skip


def _stop(boxes: Mailboxes, messages: Messages) -> Messages:
    """Drop messages sent after the profile said goodbye or bounced, and note in `boxes` when that was."""
    for column in (messages.unsubscribed, messages.complained):
        gone = np.flatnonzero(column >= 0)
        np.minimum.at(boxes.ends, messages.profile[gone], column[gone])
    bounced = np.flatnonzero(messages.hard)
    np.minimum.at(boxes.ends, messages.profile[bounced], messages.at[bounced])
    return messages.take(messages.at <= boxes.ends[messages.profile])


def send_campaigns(
    world: World, people: People, rng: np.random.Generator, boxes: Mailboxes, budget: float
) -> Messages:
    """Newsletters, about `budget` of them, to profiles that are subscribed at the time."""
    at = world.campaigns.sent_at
    config = world.config
    profile, campaign = np.nonzero(
        (boxes.profiles.created[:, None] < at[None, :]) & (boxes.status == SUBSCRIBED)[:, None]
    )
    monthly = FREQUENCIES.index("monthly")
    ramp = np.interp(at[campaign], [config.start, config.until], c.SEND_RAMP)
    weight = ramp * np.where(boxes.frequency[profile] == monthly, c.MONTHLY_FACTOR, 1.0)
    share = np.minimum(weight * budget / max(float(weight.sum()), 1.0), 1.0)
    chosen = chance(rng, share, len(share))
    profile, campaign = profile[chosen], campaign[chosen]
    sent = at[campaign] + rng.integers(0, 900, len(profile))
    inside = sent < config.until - 60
    messages = _react(world, people, rng, boxes, profile[inside], campaign[inside], sent[inside])
    return _stop(boxes, messages)


def email_orders(
    world: World, people: People, rng: np.random.Generator, boxes: Mailboxes, messages: Messages
) -> tuple[Ints, Ints, Ints, Ints]:
    """Person, time, click time and campaign of the orders that clicks cause."""
    person = boxes.profiles.person[messages.profile]
    alive = (messages.clicked >= 0) & (messages.clicked < people.dropped[person]) & people.buys[person]
    alive &= messages.clicked > people.joined[person] + c.DAY
    row = np.flatnonzero(alive & chance(rng, c.CLICK_ORDER_SHARE, len(person)))
    at = messages.clicked[row] + 420 + (rng.exponential(600, len(row))).astype(np.int64)
    row, at = row[at < world.config.until - 60], at[at < world.config.until - 60]
    return person[row], at, messages.clicked[row], messages.campaign[row]


def send_automated(
    world: World, people: People, rng: np.random.Generator, boxes: Mailboxes, orders: Orders
) -> Messages:
    """Welcome messages, order confirmations and win-backs.

    Confirmations went out through the ESP only in the last part of the window, as many as the intended
    number of message events leaves room for; before that the shop's own mail server sent them.
    """
    config = world.config
    first_profile = np.full(len(people), NONE)
    person = boxes.profiles.person
    first_profile[person[::-1]] = np.arange(len(person))[::-1]

    welcomed = np.flatnonzero((boxes.status == SUBSCRIBED) | (boxes.status == PENDING))
    welcome_at = boxes.profiles.created[welcomed] + rng.integers(30, 600, len(welcomed))

    budget = config.message_events_per_customer * config.days / c.REFERENCE_DAYS * len(people)
    room = c.TRANSACTIONAL_SHARE * budget / c.EVENTS_PER_MESSAGE / max(len(orders), 1)
    since = config.until - min(room, 1.0) * config.days * c.DAY
    reachable = (first_profile[orders.person] >= 0) & (orders.at >= since)
    confirmed = np.flatnonzero(reachable)
    confirmed = confirmed[
        boxes.profiles.created[first_profile[orders.person[confirmed]]] <= orders.at[confirmed]
    ]
    confirm_at = orders.at[confirmed] + rng.integers(20, 120, len(confirmed))

    # A win-back goes out 75 days after an order that was followed by no other.
    by_person = np.lexsort((orders.at, orders.person))
    who, at = orders.person[by_person], orders.at[by_person]
    follows = np.append(np.where(who[1:] == who[:-1], at[1:], FOREVER), FOREVER)[: len(who)]
    due = at + 75 * c.DAY
    quiet = (follows > due) & (due < config.until - c.HOUR) & (first_profile[who] >= 0)
    box = first_profile[who[quiet]]
    due = due[quiet]
    wanted = (boxes.ends[box] > due) & (boxes.status[box] == SUBSCRIBED) & (boxes.profiles.created[box] < due)

    profile = np.concatenate([welcomed, first_profile[orders.person[confirmed]], box[wanted]])
    campaign = np.repeat(
        [world.campaigns.welcome, world.campaigns.confirmation, world.campaigns.win_back],
        [len(welcomed), len(confirmed), int(wanted.sum())],
    )
    sent = np.concatenate([welcome_at, confirm_at, due[wanted]])
    inside = sent < config.until - 60
    messages = _react(world, people, rng, boxes, profile[inside], campaign[inside], sent[inside])
    messages.clicked[messages.campaign == world.campaigns.confirmation] = NONE
    return messages


def join(first: Messages, second: Messages) -> Messages:
    """Both sets of messages in order of sending; the number of a message is its place."""
    both = Messages(
        **{name: np.concatenate([column, getattr(second, name)]) for name, column in vars(first).items()}
    )
    return both.take(np.lexsort((both.profile, both.at)))


def make_message_events(
    world: World, people: People, rng: np.random.Generator, boxes: Mailboxes, messages: Messages
) -> MessageEvents:
    """Every event of every message, by people and by machines, before the end of the window."""
    n = len(messages.at)
    box = messages.profile
    batches: list[tuple[Ints, Ints, int, Ints, Ints, Ints, Ints, Ints]] = []

    def add(
        rows: Ints | Bools,
        at: Ints,
        event_type: int,
        kind: int = HUMAN,
        agent: Ints | int = NONE,
        product: Ints | int = NONE,
        flagged: Ints | int = NONE,
        bounce: Ints | int = NONE,
    ) -> None:
        row = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        size = len(row)
        batches.append(
            (
                row,
                np.full(size, kind),
                event_type,
                *(np.broadcast_to(np.asarray(x), size) for x in (bounce, product, agent, flagged)),
                at,
            )
        )

    add(np.arange(n), messages.at, SENT)
    arrived = messages.delivered >= 0
    add(arrived, messages.delivered[arrived], DELIVERED)
    bounced = messages.hard | messages.soft
    lag = rng.integers(2, 600, n)
    add(bounced, (messages.at + lag)[bounced], BOUNCED, bounce=messages.soft[bounced].astype(np.int64))

    # Machines.
    loaded = arrived & boxes.mpp[box] & chance(rng, c.MPP_LOAD_SHARE, n)
    delay = np.minimum((rng.exponential(40, n) * 60).astype(np.int64) + 2, 10 * c.HOUR)
    told = np.where(chance(rng, c.MPP_FLAGGED_SHARE, n), 1, NONE)
    add(
        loaded,
        (messages.delivered + delay)[loaded],
        OPENED,
        MPP,
        AGENTS.index(c.MPP_AGENT),
        flagged=told[loaded],
    )
    fetched = arrived & boxes.prefetched[box]
    add(
        fetched,
        (messages.delivered + rng.integers(1, 4, n))[fetched],
        OPENED,
        PREFETCH,
        AGENTS.index(c.PREFETCH_AGENT),
    )
    crawled = arrived & chance(rng, c.BOT_SHARE, n)
    add(
        crawled,
        (messages.delivered + rng.integers(60, 7_200, n))[crawled],
        OPENED,
        BOT,
        AGENTS.index(c.BOT_AGENT),
    )
    scanned = np.flatnonzero(arrived & boxes.profiles.corporate[box] & chance(rng, c.SCANNER_SHARE, n))
    scanner = AGENTS.index(c.SCANNER_AGENT)
    begins = messages.delivered[scanned] + rng.integers(1, 4, len(scanned))
    add(scanned, begins, OPENED, SCANNER, scanner)
    links = rng.integers(3, 7, len(scanned))
    each = np.repeat(np.arange(len(scanned)), links)
    nth = np.arange(len(each)) - np.repeat(np.cumsum(links) - links, links)
    link = rng.integers(0, len(world.products.price), len(each))
    link = np.where(nth == 0, -2, link)
    add(scanned[each], begins[each] + nth // 2, CLICKED, SCANNER, scanner, link)

    # People. Behind Apple's proxy the pixel is loaded already, so that their own look leaves no open.
    seen = (messages.opened >= 0) & ~boxes.mpp[box]
    agent = np.where(boxes.gmail[box], AGENTS.index(c.GMAIL_AGENT), boxes.agent[box])
    told = np.where(boxes.profiles.person[box] % 3 == 0, NONE, 0)
    add(seen, messages.opened[seen], OPENED, HUMAN, agent[seen], flagged=told[seen])
    again = seen & chance(rng, 0.14, n)
    later = messages.opened + 600 + (rng.exponential(14, n) * c.HOUR).astype(np.int64)
    add(again, later[again], OPENED, HUMAN, agent[again], flagged=told[again])
    clicked = messages.clicked >= 0
    add(
        clicked,
        messages.clicked[clicked],
        CLICKED,
        HUMAN,
        boxes.agent[box][clicked],
        messages.product[clicked],
    )
    left = messages.unsubscribed >= 0
    add(left, messages.unsubscribed[left], UNSUBSCRIBED, HUMAN, boxes.agent[box][left])
    angry = messages.complained >= 0
    add(angry, messages.complained[angry], COMPLAINED)

    message = np.concatenate([batch[0] for batch in batches])
    event_type = np.repeat([batch[2] for batch in batches], [len(batch[0]) for batch in batches])
    kind, bounce, product, agents, flagged, at = (
        np.concatenate([np.asarray(batch[k]) for batch in batches]) for k in (1, 3, 4, 5, 6, 7)
    )
    by_time = np.lexsort((event_type, message, at))
    by_time = by_time[at[by_time] < world.config.until]
    return MessageEvents(
        message[by_time], kind[by_time], event_type[by_time], bounce[by_time], product[by_time], agents[by_time],
        flagged[by_time], at[by_time],
    )  # fmt: skip
