"""Simulation of one chunk of the shop: people, records, orders, mail, sessions, consent, in that order."""

from dataclasses import dataclass

import numpy as np

from mailroom.demo import constants as c
from mailroom.demo import mail, orders, privacy, web
from mailroom.demo.encode import NONE, Bools, Ints, chance, pick
from mailroom.demo.people import People, Records, first_record, make_people, make_records, records_of
from mailroom.demo.world import World

MOST_ROWS = 5_000_000  # rows of one table per chunk; ids leave room for twice as many


@dataclass
class Simulation:
    """One simulated chunk. Rows refer to each other by index within the chunk."""

    world: World
    index: int
    people: People
    accounts: Records
    contacts: Records
    profiles: Records
    checkout: Records  # what each person types as a guest, one per person
    account_of: Ints  # (people,) first account, or NONE
    accepts: Ints  # (accounts,) the shop's checkbox: 1, 0 or NONE
    accepts_at: Ints
    agreed: Ints  # (contacts,) the CRM's answer
    agreed_at: Ints
    starts: Ints  # (profiles,) subscription status to begin with
    held_out: Bools  # (people,) who get no newsletters
    boxes: mail.Mailboxes
    sales: orders.Orders
    lines: orders.Lines
    order_account: Ints  # (orders,) or NONE for a guest
    order_device: Ints  # (orders,) device number or NONE
    refunds: orders.Refunds
    tickets: orders.Tickets
    messages: mail.Messages
    mail_events: mail.MessageEvents
    sessions: web.Sessions
    visits: web.WebEvents
    answers: privacy.Answers
    requests: privacy.Requests

    @property
    def until(self) -> int:
        """End of the window, exclusive."""
        return self.world.config.until

    def rng(self, stage: int) -> np.random.Generator:
        """The generator of one stage of this chunk."""
        return self.world.config.rng(1, self.index, stage)


def _recorded_wish(rng: np.random.Generator, people: People, records: Records, silent: float) -> Ints:
    """What a system records of each person's wish, sometimes wrongly: 1, 0, or NONE for a `silent` share."""
    wants = people.wants_mail[records.person].astype(np.int64)
    wrong = chance(rng, c.CONFLICT_SHARE, len(records))
    return np.where(chance(rng, silent, len(records)), NONE, np.where(wrong, 1 - wants, wants))


def _later(rng: np.random.Generator, mean_days: float | Ints, n: int) -> Ints:
    return (rng.exponential(mean_days, n) * c.DAY).astype(np.int64)


def simulate(world: World, index: int) -> Simulation:
    """Chunk `index` of the shop; depends on nothing but the configuration and the index."""
    config, until = world.config, world.config.until

    def stage(number: int) -> np.random.Generator:
        return config.rng(1, index, number)

    people = make_people(world, index)
    n = len(people)

    rng = stage(1)
    counts = np.where(people.guest_only, 0, 1 + pick(rng, list(c.ACCOUNTS.values()), n))
    person, primary = records_of(people, counts)
    joined = people.joined[person]
    another = joined + (rng.random(len(person)) * (until - joined)).astype(np.int64)
    accounts = make_records(people, rng, "customer", person, np.where(primary, joined, another), until)

    rng = stage(2)
    known = chance(rng, c.CONTACT_SHARE, n) | (people.firm >= 0)
    person, _ = records_of(people, known * (1 + chance(rng, c.SECOND_CONTACT_SHARE, n)))
    created = people.joined[person] + _later(rng, 20, len(person))
    contacts = make_records(people, rng, "contact", person, created, until)

    rng = stage(3)
    signs_up = chance(rng, c.PROFILE_SHARE, n)
    person, primary = records_of(people, signs_up * (1 + chance(rng, c.SECOND_PROFILE_SHARE, n)))
    created = people.joined[person] + _later(rng, np.where(primary, 4, 90), len(person))
    profiles = make_records(people, rng, "profile", person, created, until)
    checkout = make_records(people, rng, "order", np.arange(n), people.joined, until)

    rng = stage(4)
    accepts = _recorded_wish(rng, people, accounts, 0.06)
    agreed = _recorded_wish(rng, people, contacts, 0.3)
    undated = chance(rng, 0.2, len(contacts))
    subscribes = _recorded_wish(rng, people, profiles, 0.0) > 0
    no = np.where(chance(rng, 0.3, len(profiles)), mail.UNSUBSCRIBER, mail.NEVER)
    yes = np.where(chance(rng, c.PENDING_SHARE, len(profiles)), mail.PENDING, mail.SUBSCRIBED)
    starts = np.where(subscribes, yes, no)
    accepts_at = np.where(accepts >= 0, accounts.created + rng.integers(0, 300, len(accounts)), NONE)

    # Orders that no mail caused, newsletters, the orders these cause, and the messages that orders cause.
    boxes = mail.make_mailboxes(people, stage(5), profiles, starts)
    placed = orders.order_times(world, people, stage(6))
    welcomes = mail.send_welcomes(world, people, stage(12), boxes)
    held_out = chance(stage(20), config.holdout_share, n)
    letters = mail.send_campaigns(
        world, people, stage(7), boxes, mail.newsletter_budget(config, n, placed, boxes), held_out
    )
    mailed = mail.email_orders(world, people, stage(8), boxes, letters)
    sales, lines = orders.make_orders(world, people, stage(9), placed, mailed)
    refunds, problem = orders.make_refunds(world, people, stage(10), sales, lines)
    tickets = orders.make_tickets(world, people, stage(11), sales, problem)
    automated = mail.send_automated(world, people, stage(19), boxes, sales)
    messages = mail.join([welcomes, letters, automated])
    mail_events = mail.make_message_events(world, people, stage(13), boxes, messages)
    sessions = web.make_sessions(world, people, stage(14), sales, boxes, messages)
    visits = web.make_events(world, people, stage(15), sessions, sales, lines)
    answers = privacy.make_answers(
        people, stage(16), until, accounts, accepts, accepts_at, contacts, agreed, boxes
    )
    requests = privacy.make_requests(people, stage(17), until)
    if max(len(mail_events.at), len(visits.at), len(lines.order)) > MOST_ROWS:
        raise ValueError(
            f"the intensities give over {MOST_ROWS:,} rows per {config.chunk_people:,} customers"
        )

    account_of = first_record(accounts, n)
    rng = stage(18)
    return Simulation(
        world=world,
        index=index,
        people=people,
        accounts=accounts,
        contacts=contacts,
        profiles=profiles,
        checkout=checkout,
        account_of=account_of,
        accepts=accepts,
        accepts_at=accepts_at,
        agreed=agreed,
        agreed_at=np.where((agreed >= 0) & ~undated, contacts.created, NONE),
        starts=starts,
        held_out=held_out,
        boxes=boxes,
        sales=sales,
        lines=lines,
        order_account=_order_accounts(rng, accounts, account_of, sales),
        order_device=_order_devices(rng, people, sales, sessions),
        refunds=refunds,
        tickets=tickets,
        messages=messages,
        mail_events=mail_events,
        sessions=sessions,
        visits=visits,
        answers=answers,
        requests=requests,
    )


def _order_accounts(
    rng: np.random.Generator, accounts: Records, account_of: Ints, sales: orders.Orders
) -> Ints:
    """The account of each order: one of the person's that existed by then, or NONE for a guest."""
    n = len(sales)
    account = account_of[sales.person]
    other = np.minimum(account + rng.integers(0, 3, n), len(accounts) - 1)
    theirs = (account >= 0) & (accounts.person[other] == sales.person) & (accounts.created[other] <= sales.at)
    return np.where(chance(rng, c.GUEST_ORDER_SHARE, n), NONE, np.where(theirs, other, account))


def _order_devices(
    rng: np.random.Generator, people: People, sales: orders.Orders, sessions: web.Sessions
) -> Ints:
    """The device of each order: that of its session; of a third of untracked online orders, one that fits."""
    n = len(sales)
    device = np.full(n, NONE)
    ordering = np.flatnonzero(sessions.order >= 0)
    device[sessions.order[ordering]] = sessions.device[ordering]
    guess = sales.online & chance(rng, 0.35, n)
    return np.where((device < 0) & guess, web.pick_devices(people, rng, sales.person), device)
