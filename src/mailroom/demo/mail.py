"""Messages to profiles and their events: deliveries, opens by people and machines, clicks."""

from dataclasses import dataclass

import numpy as np

from mailroom.demo import constants as c
from mailroom.demo.encode import NONE, Bools, Ints, chance, pick
from mailroom.demo.orders import Orders
from mailroom.demo.people import People, Records, at_best_hour, first_record
from mailroom.demo.world import Config, World, utc_offset

SENT, DELIVERED, OPENED, CLICKED, BOUNCED, COMPLAINED, UNSUBSCRIBED = range(7)
EVENT_TYPES = ("sent", "delivered", "opened", "clicked", "bounced", "complained", "unsubscribed")
HUMAN, MPP, PREFETCH, BOT, SCANNER = range(5)
KINDS = ("human", "mpp", "prefetch", "bot", "scanner")
AGENTS = (c.MPP_AGENT, c.GMAIL_AGENT, c.PREFETCH_AGENT, c.BOT_AGENT, c.SCANNER_AGENT, *c.HUMAN_AGENTS)
FOREVER = np.iinfo(np.int64).max
SUBSCRIBED, UNSUBSCRIBER, NEVER, PENDING = range(4)
STATUSES = ("subscribed", "unsubscribed", "never_subscribed", "pending")
FREQUENCIES = tuple(c.PREFERRED_FREQUENCY)
GOODBYE = -2  # stands for the unsubscribe link where a product is linked


@dataclass
class Mailboxes:
    """(n,) arrays, one row per profile: its reading habits and its subscription."""

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
    product: Ints  # of the link; GOODBYE the unsubscribe link, NONE no link
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
    """The fate of messages sent to `profile` at `at`, in order of the arguments."""
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
        profile=profile,
        campaign=campaign,
        at=at,
        delivered=delivered,
        hard=hard,
        soft=soft,
        opened=opened,
        clicked=clicked,
        product=np.where(clicks, product, NONE),
        unsubscribed=unsubscribed,
        complained=complained,
    )


def _stop(boxes: Mailboxes, messages: Messages) -> Messages:
    """Drop messages sent after the profile unsubscribed or bounced, and record in `boxes` when that was."""
    for column in (messages.unsubscribed, messages.complained):
        gone = np.flatnonzero(column >= 0)
        np.minimum.at(boxes.ends, messages.profile[gone], column[gone])
    bounced = np.flatnonzero(messages.hard)
    np.minimum.at(boxes.ends, messages.profile[bounced], messages.at[bounced])
    return messages.take(messages.at <= boxes.ends[messages.profile])


def newsletter_budget(config: Config, n: int, placed: tuple[Ints, Ints, Bools], boxes: Mailboxes) -> float:
    """Newsletters to `n` people with which, after the automated messages, the intended events are reached."""
    wanted = config.message_events_per_customer * config.days / c.REFERENCE_DAYS * n / c.EVENTS_PER_MESSAGE
    confirmations = min(c.TRANSACTIONAL_SHARE * wanted, len(placed[0]) * c.PROFILE_SHARE)
    return max(wanted - confirmations - 0.9 * len(boxes.profiles), 0.2 * wanted)


def send_campaigns(
    world: World, people: People, rng: np.random.Generator, boxes: Mailboxes, budget: float, held_out: Bools
) -> Messages:
    """Newsletters, about `budget` of them, to profiles that are subscribed at the time. Of these, people who
    are held out get none."""
    at = world.campaigns.sent_at
    config = world.config
    profile, campaign = np.nonzero(
        (boxes.profiles.created[:, None] < at[None, :]) & (boxes.status == SUBSCRIBED)[:, None]
    )
    monthly = FREQUENCIES.index("monthly")
    ramp = np.interp(at[campaign], [config.start, config.until], c.SEND_RAMP)
    weight = ramp * np.where(boxes.frequency[profile] == monthly, c.MONTHLY_FACTOR, 1.0)
    share = np.minimum(weight * budget / max(float(weight.sum()), 1.0), 1.0)
    for _ in range(3):  # the messages above the cap go to the others
        share = np.minimum(share * budget / max(float(share.sum()), 1.0), 1.0)
    chosen = chance(rng, share, len(share))
    chosen &= ~held_out[boxes.profiles.person[profile]]
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


def send_welcomes(world: World, people: People, rng: np.random.Generator, boxes: Mailboxes) -> Messages:
    """A welcome to every profile that subscribed or still has to confirm."""
    profile = np.flatnonzero((boxes.status == SUBSCRIBED) | (boxes.status == PENDING))
    at = boxes.profiles.created[profile] + rng.integers(30, 600, len(profile))
    messages = _react(world, people, rng, boxes, profile, np.full(len(profile), world.campaigns.welcome), at)
    subscribed = boxes.status[messages.profile] == SUBSCRIBED
    messages.unsubscribed[~subscribed] = NONE
    messages.complained[~subscribed] = NONE
    _stop(boxes, messages)
    return messages


def send_automated(
    world: World, people: People, rng: np.random.Generator, boxes: Mailboxes, orders: Orders
) -> Messages:
    """Order confirmations and win-backs; newsletters come before, so no profile unsubscribes here.

    Confirmations went out through the ESP only in the last part of the window, as many as the intended
    number of message events leaves room for; before that the shop's own mail server sent them.
    """
    config = world.config
    first_profile = first_record(boxes.profiles, len(people))

    budget = config.message_events_per_customer * config.days / c.REFERENCE_DAYS * len(people)
    room = c.TRANSACTIONAL_SHARE * budget / c.EVENTS_PER_MESSAGE / max(len(orders), 1)
    since = config.until - min(room, 1.0) * config.days * c.DAY
    confirmed = np.flatnonzero((first_profile[orders.person] >= 0) & (orders.at >= since))
    box, ordered = first_profile[orders.person[confirmed]], orders.at[confirmed]
    reachable = (boxes.profiles.created[box] <= ordered) & ~(boxes.dead[box] & (boxes.ends[box] < ordered))
    confirmed_box, ordered = box[reachable], ordered[reachable]
    confirm_at = ordered + rng.integers(20, 120, len(ordered))

    # A win-back goes out 75 days after an order that was followed by no other.
    by_person = np.lexsort((orders.at, orders.person))
    who, at = orders.person[by_person], orders.at[by_person]
    follows = np.append(np.where(who[1:] == who[:-1], at[1:], FOREVER), FOREVER)[: len(who)]
    due = at + 75 * c.DAY
    quiet = (follows > due) & (due < config.until - c.HOUR) & (first_profile[who] >= 0)
    box = first_profile[who[quiet]]
    due = due[quiet]
    wanted = (boxes.ends[box] > due) & (boxes.status[box] == SUBSCRIBED) & (boxes.profiles.created[box] < due)

    profile = np.concatenate([confirmed_box, box[wanted]])
    automated = [world.campaigns.confirmation, world.campaigns.win_back]
    campaign = np.repeat(automated, [len(confirmed_box), int(wanted.sum())])
    sent = np.concatenate([confirm_at, due[wanted]])
    inside = sent < config.until - 60
    messages = _react(world, people, rng, boxes, profile[inside], campaign[inside], sent[inside])
    messages.clicked[messages.campaign == world.campaigns.confirmation] = NONE
    messages.unsubscribed[:] = NONE
    messages.complained[:] = NONE
    return messages


def join(parts: list[Messages]) -> Messages:
    """All messages in order of sending; the number of a message is its place."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])}
    return Messages(**columns).take(np.lexsort((columns["profile"], columns["at"])))


def make_message_events(
    world: World, people: People, rng: np.random.Generator, boxes: Mailboxes, messages: Messages
) -> MessageEvents:
    """Every event of every message, by people and by machines, before the end of the window."""
    n = len(messages.at)
    box = messages.profile
    batches: list[dict[str, Ints]] = []

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
        message = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        columns = {"kind": kind, "type": event_type, "bounce": bounce, "product": product, "agent": agent}
        batch = {"message": message.astype(np.int64), "at": at}
        for name, value in {**columns, "flagged": flagged}.items():
            batch[name] = np.broadcast_to(np.asarray(value, dtype=np.int64), len(message))
        batches.append(batch)

    add(np.arange(n), messages.at, SENT)
    arrived = messages.delivered >= 0
    add(arrived, messages.delivered[arrived], DELIVERED)
    bounced = messages.hard | messages.soft
    lag = rng.integers(2, 600, n)
    add(bounced, (messages.at + lag)[bounced], BOUNCED, bounce=messages.soft[bounced].astype(np.int64))

    # Machines.
    loaded = arrived & boxes.mpp[box] & chance(rng, c.MPP_LOAD_SHARE, n)
    delay = np.minimum((rng.exponential(40, n) * 60).astype(np.int64) + 2, 10 * c.HOUR)
    flags = np.where(chance(rng, c.MPP_FLAGGED_SHARE, n), 1, NONE)
    add(
        loaded,
        (messages.delivered + delay)[loaded],
        OPENED,
        MPP,
        AGENTS.index(c.MPP_AGENT),
        flagged=flags[loaded],
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
    link = np.where(nth == 0, GOODBYE, link)
    add(scanned[each], begins[each] + nth // 2, CLICKED, SCANNER, scanner, link)

    # People. Behind Apple's proxy the pixel is loaded already, so that their own look leaves no open.
    seen = (messages.opened >= 0) & ~boxes.mpp[box]
    agent = np.where(boxes.gmail[box], AGENTS.index(c.GMAIL_AGENT), boxes.agent[box])
    flags = np.where(boxes.profiles.person[box] % 3 == 0, NONE, 0)
    add(seen, messages.opened[seen], OPENED, HUMAN, agent[seen], flagged=flags[seen])
    again = seen & chance(rng, 0.14, n)
    later = messages.opened + 600 + (rng.exponential(14, n) * c.HOUR).astype(np.int64)
    add(again, later[again], OPENED, HUMAN, agent[again], flagged=flags[again])
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

    columns = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    by_time = np.lexsort((columns["type"], columns["message"], columns["at"]))
    by_time = by_time[columns["at"][by_time] < world.config.until]
    return MessageEvents(**{name: column[by_time] for name, column in columns.items()})
