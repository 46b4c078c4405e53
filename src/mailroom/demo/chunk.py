"""One chunk of the demo shop as Arrow tables: the stages in order, then every table of the contract."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailroom.demo import constants as c
from mailroom.demo import mail, orders, privacy, web
from mailroom.demo.contract import SOURCES, TRUTH
from mailroom.demo.dirt import soil
from mailroom.demo.encode import (
    NONE, Bools, Ints, cents, chance, decimals, flags, ids, joined, pick, texts, times, wholes, words,
)  # fmt: skip
from mailroom.demo.people import (
    Records, addresses, make_people, make_records, records_of,
)  # fmt: skip
from mailroom.demo.world import CATEGORIES, COUNTRIES, ZONES, World, build_world

SPAN = 10_000_000  # ids of one kind per chunk, at most
SPELLINGS = [s for name in CATEGORIES for s in c.CATEGORIES[name][2]] + list(c.UNMAPPABLE_CATEGORIES)
UNMAPPABLE = len(CATEGORIES) * 4
ACQUISITION = tuple(c.ACQUISITION)
AUTOMATED = (
    ("welcome", "Welcome to the shop", "onboarding"),
    ("order-confirmation", "Your order has arrived with us", "transactional"),
    ("win-back", "We have missed you", "lifecycle"),
)
SUBJECTS = ("New {}: just in", "{}: our favourites of the week", "A closer look at {}", "{} for less")


@dataclass
class Chunk:
    """Tables of one chunk, and the texts that replace unparseable cells when they are written as seeds."""

    tables: dict[tuple[str, str], pa.Table]
    unparseable: dict[tuple[str, str], dict[str, list[tuple[int, str]]]]


def _spelled(rng: np.random.Generator, category: Ints) -> Ints:
    """Index into SPELLINGS for each category; NONE stays NONE."""
    code = category * 4 + pick(rng, c.SPELLING_SHARES, len(category))
    odd = chance(rng, c.UNMAPPABLE_SHARE, len(category))
    return np.where(category < 0, NONE, np.where(odd, UNMAPPABLE + (code & 1), code))


def _doubled(
    rng: np.random.Generator, share: Ints | np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[Ints, Bools]:
    """Row indices with some rows twice in a row, and which of the resulting rows is a repetition."""
    again = rng.random(len(share)) < share
    rows = np.repeat(np.arange(len(share)), 1 + again)
    repeated = np.zeros(len(rows), dtype=np.bool_)
    repeated[1:] = rows[1:] == rows[:-1]
    return rows, repeated


def _shared_tables(world: World) -> dict[tuple[str, str], pa.Table]:
    """Products and campaigns: one of each for all chunks."""
    products, campaigns, until = world.products, world.campaigns, world.config.until
    n = len(products.price)
    number = np.arange(n)
    spelling = np.where(
        products.spelling < 4, products.category * 4 + products.spelling, UNMAPPABLE + products.spelling - 4
    )
    brands = [c.BRANDS[brand] for brand in products.brand]
    names = [
        f"{c.CATEGORIES[CATEGORIES[category]][2][0]} {brand or 'Basic'} {place + 1}"
        for category, brand, place in zip(
            products.category, brands, number - products.first[products.category], strict=True
        )
    ]
    updated = np.maximum(np.maximum(products.changed_at, products.restocked_at), products.created_at)
    tables = {
        ("shop", "products"): pa.table(
            [
                ids("p", number), texts(names), words(SPELLINGS, spelling), texts(brands), cents(products.price),
                cents(products.previous), times(products.changed_at), wholes(products.stock),
                times(products.restocked_at), flags(products.replenishable.astype(np.int64)),
                times(products.created_at), times(updated),
            ],
            schema=SOURCES["shop", "products"],
        )
    }  # fmt: skip
    rows: list[tuple[str, str, str, int]] = []
    for place, (at, category) in enumerate(
        zip(campaigns.sent_at.tolist(), campaigns.category.tolist(), strict=True)
    ):
        year, week, _ = datetime.fromtimestamp(at, UTC).isocalendar()
        subject = SUBJECTS[place % len(SUBJECTS)].format(c.CATEGORIES[CATEGORIES[category]][2][0])
        rows.append((f"{year}-w{week:02d} newsletter", subject, "promotional", at))
    rows += [(*automated, world.config.start) for automated in AUTOMATED]
    tables["esp", "campaigns"] = pa.table(
        [
            ids("n", np.arange(len(rows))), *(texts([row[k] for row in rows]) for k in range(3)),
            times(np.minimum([row[3] for row in rows], until - 1)),
        ],
        schema=SOURCES["esp", "campaigns"],
    )  # fmt: skip
    return tables


def build_chunk(world: World, index: int) -> Chunk:
    """All tables of chunk `index`, clean rows and dirt; products and campaigns come with the first chunk."""
    config, until = world.config, world.config.until
    base = index * SPAN

    def rng(stage: int) -> np.random.Generator:
        return config.rng(1, index, stage)

    people = make_people(world, index)
    n = len(people)

    # Records of the systems.
    draw = rng(1)
    counts = np.where(people.guest_only, 0, 1 + pick(draw, list(c.ACCOUNTS.values()), n))
    person, primary = records_of(people, draw, counts)
    later = people.joined[person] + (draw.random(len(person)) * (until - people.joined[person])).astype(
        np.int64
    )
    accounts = make_records(
        people, draw, "customer", person, np.where(primary, people.joined[person], later), until
    )
    account_address = addresses(people, draw, person)
    firm = people.firm >= 0
    counts = np.where(firm, 1, chance(draw, c.CONTACT_SHARE, n)) * (
        1 + chance(draw, c.SECOND_CONTACT_SHARE, n)
    )
    person, _ = records_of(people, draw, counts)
    lag = (draw.exponential(20, len(person)) * c.DAY).astype(np.int64)
    contacts = make_records(people, draw, "contact", person, people.joined[person] + lag, until)
    contact_address = addresses(people, draw, person)
    counts = chance(draw, c.PROFILE_SHARE, n) * (1 + chance(draw, c.SECOND_PROFILE_SHARE, n))
    person, primary = records_of(people, draw, counts)
    lag = (draw.exponential(np.where(primary, 4, 90), len(person)) * c.DAY).astype(np.int64)
    profiles = make_records(people, draw, "profile", person, people.joined[person] + lag, until)
    checkout = make_records(people, draw, "order", np.arange(n), people.joined, until)
    n_accounts, n_contacts, n_profiles = len(accounts), len(contacts), len(profiles)
    first_account = np.full(n, NONE)
    first_account[accounts.person[::-1]] = np.arange(n_accounts)[::-1]

    # What each system believes about consent; now and then it is wrong.
    draw = rng(2)
    wants = people.wants_mail.astype(np.int64)
    accepts = np.where(
        chance(draw, c.CONFLICT_SHARE, n_accounts), 1 - wants[accounts.person], wants[accounts.person]
    )
    accepts = np.where(chance(draw, 0.06, n_accounts), NONE, accepts)
    accepts_at = np.where(accepts >= 0, accounts.created + draw.integers(0, 300, n_accounts), NONE)
    agreed = np.where(
        chance(draw, c.CONFLICT_SHARE, n_contacts), 1 - wants[contacts.person], wants[contacts.person]
    )
    agreed = np.where(chance(draw, 0.3, n_contacts), NONE, agreed)
    agreed_at = np.where((agreed >= 0) & ~chance(draw, 0.2, n_contacts), contacts.created, NONE)
    asks = np.where(
        chance(draw, c.CONFLICT_SHARE, n_profiles), 1 - wants[profiles.person], wants[profiles.person]
    )
    starts = np.where(
        asks > 0, mail.SUBSCRIBED, np.where(chance(draw, 0.3, n_profiles), mail.UNSUBSCRIBER, mail.NEVER)
    )
    starts = np.where((asks > 0) & chance(draw, c.PENDING_SHARE, n_profiles), mail.PENDING, starts)

    # Orders without mail, then newsletters, the orders these cause, and the automated messages orders cause.
    boxes = mail.make_mailboxes(people, rng(3), profiles, starts)
    placed = orders.order_times(world, people, rng(4))
    budget = config.message_events_per_customer * config.days / c.REFERENCE_DAYS * n / c.EVENTS_PER_MESSAGE
    confirmed = min(c.TRANSACTIONAL_SHARE * budget, len(placed[0]) * c.PROFILE_SHARE)
    newsletters = mail.send_campaigns(
        world, people, rng(5), boxes, max(budget - confirmed - 0.9 * n_profiles, 0.2 * budget)
    )
    mailed = mail.email_orders(world, people, rng(6), boxes, newsletters)
    sales, lines = orders.make_orders(world, people, rng(7), placed, mailed)
    refunds, problem = orders.make_refunds(world, people, rng(8), sales, lines)
    tickets = orders.make_tickets(world, people, rng(9), sales, problem)
    messages = mail.join(newsletters, mail.send_automated(world, people, rng(10), boxes, sales))
    events = mail.make_message_events(world, people, rng(11), boxes, messages)
    sessions = web.make_sessions(world, people, rng(12), sales, boxes, messages)
    visits = web.make_events(world, people, rng(13), sessions, sales, lines)
    answers = privacy.make_answers(
        people, rng(14), until, accounts, accepts, accepts_at, contacts, agreed, boxes
    )
    requests = privacy.make_requests(people, rng(15), until)
    if max(len(events.at), len(visits.at), len(lines.order)) > SPAN // 2:
        raise ValueError(
            f"the intensities give more than {SPAN // 2:,} rows per {c.CHUNK_PEOPLE:,} customers"
        )

    tables = _shared_tables(world) if index == 0 else {}
    draw = rng(16)

    def known(records: Records, share: float) -> Ints:
        return np.where(chance(draw, share, len(records)), records.person, NONE)

    languages = [country[1] for country in c.COUNTRIES.values()]
    contact_country, account_country = people.country[contacts.person], people.country[accounts.person]
    in_firm = people.firm[contacts.person]
    household = people.household[contacts.person]
    several = np.bincount(people.head, minlength=n)[people.head[contacts.person]] > 1
    belongs = pc.coalesce(
        ids("b", in_firm), ids("h", np.where(several & chance(draw, 0.5, n_contacts), household, NONE))
    )
    person = known(contacts, 0.7)
    tables["crm", "contacts"] = pa.table(
        [
            ids("k", base + np.arange(n_contacts)), contacts.email, contacts.phone, contacts.first_name,
            contacts.last_name, belongs, *contact_address, contacts.country,
            words(languages, np.where(person >= 0, contact_country, NONE)),
            words(ZONES, np.where(person >= 0, people.zone[contacts.person], NONE)), flags(agreed), times(agreed_at),
            times(contacts.created), times(contacts.updated),
        ],
        schema=SOURCES["crm", "contacts"],
    )  # fmt: skip

    dealing = np.flatnonzero((in_firm >= 0) & chance(draw, c.OPPORTUNITY_SHARE, n_contacts))
    dealing = np.repeat(dealing, draw.integers(1, 3, len(dealing)))
    opened = contacts.created[dealing] + (
        draw.random(len(dealing)) * (until - contacts.created[dealing])
    ).astype(np.int64)
    dealing, opened = dealing[np.argsort(opened, kind="stable")], np.sort(opened, kind="stable")
    closing = opened + (draw.exponential(45, len(dealing)) * c.DAY).astype(np.int64) + c.DAY
    closed = closing < until
    stage = np.where(closed, 2 + (draw.random(len(dealing)) < 0.6), draw.integers(0, 2, len(dealing)))
    tables["crm", "opportunities"] = pa.table(
        [
            ids("q", base + np.arange(len(dealing))), ids("k", base + dealing),
            words(("open", "negotiation", "won", "lost"), stage),
            cents(np.round(np.exp(draw.normal(7, 0.8, len(dealing)))).astype(np.int64) * 100),
            times(opened), times(np.where(closed, closing, NONE)),
        ],
        schema=SOURCES["crm", "opportunities"],
    )  # fmt: skip

    person = known(accounts, 0.85)
    tables["shop", "customers"] = pa.table(
        [
            ids("c", base + np.arange(n_accounts)), accounts.email, accounts.phone, accounts.first_name,
            accounts.last_name, *account_address, accounts.country,
            words(languages, np.where(person >= 0, account_country, NONE)),
            words(ACQUISITION, np.where(chance(draw, 0.08, n_accounts), NONE, pick(draw, list(c.ACQUISITION.values()), n_accounts))),
            flags(accepts), times(accepts_at), times(accounts.created), times(accounts.updated),
        ],
        schema=SOURCES["shop", "customers"],
    )  # fmt: skip

    # Orders: under one of the person's accounts that existed, or as a guest.
    n_orders = len(sales)
    account = first_account[sales.person]
    other = account + draw.integers(0, 3, n_orders)
    other = np.minimum(other, n_accounts - 1)
    same = (account >= 0) & (accounts.person[other] == sales.person) & (accounts.created[other] <= sales.at)
    account = np.where(same, other, account)
    account = np.where(chance(draw, c.GUEST_ORDER_SHARE, n_orders), NONE, account)
    guest = account < 0
    from_account = ~guest & chance(draw, 0.75, n_orders)
    source = np.where(from_account, account, n_accounts + sales.person)

    def typed(column: str, empty: float = 0.0) -> pa.Array:
        pool = pa.concat_arrays([getattr(accounts, column), getattr(checkout, column)])
        return words(pool, np.where(chance(draw, empty, n_orders) & ~guest, NONE, source))

    order_email = typed("email", 0.1)
    session_of = np.full(n_orders, NONE)
    bought = np.flatnonzero(sessions.order >= 0)
    session_of[sessions.order[bought]] = bought
    device = np.where(
        session_of >= 0, sessions.device[session_of], web.pick_devices(people, draw, sales.person)
    )
    online = np.isin(sales.channel, [orders.CHANNELS.index("web"), orders.CHANNELS.index("app")])
    device = np.where((session_of >= 0) | (online & chance(draw, 0.35, n_orders)), device, NONE)
    order_ids = ids("o", base + np.arange(n_orders))
    tables["shop", "orders"] = pa.table(
        [
            order_ids, ids("c", np.where(guest, NONE, base + account)), order_email, typed("phone"),
            typed("first_name", 0.15), typed("last_name", 0.1), typed("country"), ids("v", device),
            words(orders.STATUSES, sales.status), words(("EUR",), np.zeros(n_orders, dtype=np.int64)),
            cents(sales.total), cents(sales.discount), cents(sales.shipping), words(orders.COUPONS, sales.coupon),
            words(orders.CHANNELS, sales.channel), times(sales.at), times(sales.updated),
        ],
        schema=SOURCES["shop", "orders"],
    )  # fmt: skip
    tables["shop", "order_lines"] = pa.table(
        [
            ids("l", base + np.arange(len(lines.order))), order_ids.take(pa.array(lines.order)), ids("p", lines.product),
            wholes(lines.quantity), decimals(lines.price * 100, 4), cents(lines.discount),
        ],
        schema=SOURCES["shop", "order_lines"],
    )  # fmt: skip
    refund_account = np.where(
        account[refunds.order] >= 0, account[refunds.order], first_account[refunds.person]
    )
    # A guest whose order is unknown could not be found again: such a refund keeps its order.
    names_order = refunds.names_order | (refund_account < 0)
    names_account = refunds.names_person & (refund_account >= 0)
    tables["shop", "refunds"] = pa.table(
        [
            ids("r", base + np.arange(len(refunds.at))), ids("o", np.where(names_order, base + refunds.order, NONE)),
            ids("l", np.where(refunds.line >= 0, base + refunds.line, NONE)),
            ids("c", np.where(names_account, base + refund_account, NONE)),
            ids("p", np.where(refunds.line >= 0, lines.product[refunds.line], NONE) if len(lines.order) else refunds.line),
            wholes(refunds.quantity), cents(refunds.amount), words(c.REFUND_REASONS, refunds.reason), times(refunds.at),
        ],
        schema=SOURCES["shop", "refunds"],
    )  # fmt: skip

    # Web events.
    draw = rng(17)
    session = visits.session
    ordered = sessions.order[session]
    login = np.where(
        sessions.order >= 0, account[sessions.order] if n_orders else NONE, first_account[sessions.person]
    )
    login = np.where(sessions.logged_in, login, NONE)[session]
    login = np.where((login >= 0) & (accounts.created[login] <= visits.at), login, NONE)
    spelled = np.where(
        (visits.product >= 0) & chance(draw, 0.7, len(session)),
        np.where(
            world.products.spelling < 4,
            world.products.category * 4 + world.products.spelling,
            UNMAPPABLE + world.products.spelling - 4,
        )[visits.product],
        _spelled(draw, visits.category),
    )
    named = np.isin(visits.type, [web.CATEGORY, web.VIEW, web.WISH, web.CART])
    spelled = np.where(named, spelled, NONE)
    at_till = np.isin(visits.type, [web.CHECKOUT, web.PURCHASE]) & chance(draw, 0.7, len(session))
    email = np.where(at_till, np.where(ordered >= 0, ordered, n_orders + sessions.person[session]), NONE)
    email = np.where(
        (visits.type == web.PAGE) & chance(draw, 0.02, len(session)),
        n_orders + sessions.person[session],
        email,
    )
    terms = [term for name in CATEGORIES for term in c.CATEGORIES[name][3][:1]]
    source = sessions.source[session]
    paid = [c.UTM_CAMPAIGNS.get(name) for name in web.SOURCES]
    mail_campaign = ids("n", sessions.campaign[session])
    gpc = np.where(privacy.sends_gpc(sessions.device), 1, 0)
    gpc = np.where((privacy.device_draw(sessions.device, 5) < c.SILENT_TRACKER_SHARE) & (gpc == 0), NONE, gpc)
    doubles = np.where(
        (visits.type == web.PURCHASE) & ~visits.second, c.DOUBLE_FIRED_SAME_ID, c.DUPLICATE_EVENTS
    )
    rows, repeated = _doubled(draw, doubles)
    web_ids = ids("e", base + np.arange(len(session)))
    bought_here = visits.type == web.PURCHASE
    web_table = pa.table(
        [
            web_ids, ids("v", sessions.device[session]), ids("c", np.where(login >= 0, base + login, NONE)),
            words(pa.concat_arrays([order_email, checkout.email]), email), ids("s", base + session),
            words(web.EVENT_TYPES, visits.type), ids("p", visits.product), words(SPELLINGS, spelled),
            ids("o", np.where(bought_here, base + ordered, NONE)),
            words(terms, np.where(visits.type == web.SEARCH, visits.category, NONE)), wholes(visits.quantity),
            words(web.SOURCES, source), pc.coalesce(mail_campaign, words(paid, source)), flags(gpc[session]),
            times(visits.at),
        ],
        schema=SOURCES["web", "events"],
    )  # fmt: skip
    tables["web", "events"] = web_table.take(pa.array(rows))
    web_doubles = rows[repeated]
    fired_again = np.flatnonzero(visits.second)

    # Tickets.
    draw = rng(18)
    n_tickets = len(tickets.person)
    asking = make_records(people, draw, "ticket", tickets.person, tickets.created, until)
    ticket_account = np.where(chance(draw, 0.65, n_tickets), first_account[tickets.person], NONE)
    nameless = (ticket_account >= 0) & chance(draw, 0.2, n_tickets)
    subjects = [subject for pair in c.TICKET_SUBJECTS.values() for subject in pair]
    tables["support", "tickets"] = pa.table(
        [
            ids("t", base + np.arange(n_tickets)), ids("c", np.where(ticket_account >= 0, base + ticket_account, NONE)),
            words(asking.email, np.where(nameless, NONE, np.arange(n_tickets))), asking.phone,
            joined(asking.first_name, asking.last_name, " "), words(subjects, tickets.topic * 2 + tickets.subject),
            words(("new", "open", "pending", "solved", "closed"), tickets.status),
            words(orders.TOPICS, np.where(chance(draw, 0.1, n_tickets), NONE, tickets.topic)),
            wholes(tickets.satisfaction), times(tickets.created), times(tickets.updated), times(tickets.solved),
        ],
        schema=SOURCES["support", "tickets"],
    )  # fmt: skip

    # Profiles and messages.
    draw = rng(19)
    left = (boxes.ends < until) & (starts == mail.SUBSCRIBED) & ~boxes.dead
    status = np.where(left, mail.UNSUBSCRIBER, starts)
    updated = np.where(left, boxes.ends, profiles.updated)
    synced = np.where(chance(draw, c.EXTERNAL_ID_SHARE, n_profiles), first_account[profiles.person], NONE)
    tastes = people.tastes[profiles.person]
    single = [c.CATEGORIES[name][2][0] for name in CATEGORIES]
    stated = chance(draw, 0.3, n_profiles)
    two = chance(draw, 0.5, n_profiles)
    favourite = words(single, np.where(stated, tastes[:, 0], NONE))
    preferred = joined(favourite, words(single, np.where(stated & two, tastes[:, 1], NONE)), ",")
    person = known(profiles, 0.75)
    profile_country = people.country[profiles.person]
    tables["esp", "profiles"] = pa.table(
        [
            ids("f", base + np.arange(n_profiles)), profiles.email, profiles.phone,
            ids("c", np.where(synced >= 0, base + synced, NONE)), profiles.first_name, profiles.last_name,
            profiles.country, words(languages, np.where(person >= 0, profile_country, NONE)),
            words(ZONES, np.where(person >= 0, people.zone[profiles.person], NONE)),
            preferred, words(mail.FREQUENCIES, boxes.frequency), words(mail.STATUSES, status),
            times(profiles.created), times(updated),
        ],
        schema=SOURCES["esp", "profiles"],
    )  # fmt: skip
    message = events.message
    campaign = messages.campaign[message]
    link = pc.binary_join_element_wise(
        f"{c.SITE}/p/", ids("p", events.product), "?utm_source=email&utm_campaign=", ids("n", campaign), ""
    )
    goodbye = words((f"{c.SITE}/unsubscribe",), np.where(events.product == -2, 0, NONE))
    rows, repeated = _doubled(draw, np.full(len(message), c.DUPLICATE_EVENTS))
    mail_ids = ids("m", base + np.arange(len(message)))
    mail_table = pa.table(
        [
            mail_ids, ids("x", base + message), ids("n", campaign), ids("f", base + messages.profile[message]),
            words(mail.EVENT_TYPES, events.type), words(("hard", "soft"), events.bounce), pc.coalesce(link, goodbye),
            words(mail.AGENTS, events.agent), flags(events.flagged), times(events.at),
        ],
        schema=SOURCES["esp", "message_events"],
    )  # fmt: skip
    tables["esp", "message_events"] = mail_table.take(pa.array(rows))
    mail_doubles = rows[repeated]

    # Privacy.
    pool = pa.concat_arrays([accounts.email, profiles.email, contacts.email])
    draw = rng(20)
    writes = (answers.account >= 0) & chance(draw, 0.6, len(answers.at))
    email = np.where(
        answers.profile >= 0, n_accounts + answers.profile,
        np.where(answers.contact >= 0, n_accounts + n_profiles + answers.contact, np.where(writes, answers.account, NONE)),
    )  # fmt: skip
    consents = pa.table(
        [
            ids("a", base + np.arange(len(answers.at))), words(pool, email),
            words(contacts.phone, answers.contact), ids("c", np.where(answers.account >= 0, base + answers.account, NONE)),
            ids("v", answers.device), words(privacy.CHANNELS, answers.channel), words(privacy.PURPOSES, answers.purpose),
            words(privacy.STATUSES, answers.status), words(privacy.BASES, answers.basis),
            words(privacy.RECORDERS, answers.recorder), words(privacy.FORMS, answers.form),
            words(("v1", "v2"), answers.version - 1), times(answers.confirmed), times(answers.at),
        ],
        schema=SOURCES["privacy", "consent_events"],
    )  # fmt: skip
    identified = pc.is_valid(
        pc.coalesce(*(consents.column(name) for name in ("email", "phone", "customer_id", "visitor_id")))
    )
    tables["privacy", "consent_events"] = consents.filter(identified)
    asker = first_account[requests.person]
    n_requests = len(requests.at)
    by_mail = (asker < 0) | chance(draw, 0.7, n_requests)
    tables["privacy", "requests"] = pa.table(
        [
            ids("d", base + np.arange(n_requests)), words(checkout.email, np.where(by_mail, requests.person, NONE)),
            words(checkout.phone, np.where(chance(draw, 0.3, n_requests), requests.person, NONE)),
            ids("c", np.where((asker >= 0) & (~by_mail | chance(draw, 0.5, n_requests)), base + asker, NONE)),
            words(privacy.REQUEST_TYPES, requests.type),
            words(("received", "in_progress", "done", "refused"), requests.status),
            times(requests.at), times(requests.completed),
        ],
        schema=SOURCES["privacy", "requests"],
    )  # fmt: skip

    # Truth.
    everyone = people.first + np.arange(n)
    alive = people.dropped >= until
    tables["truth", "people"] = pa.table(
        [
            ids("u", everyone), ids("h", people.household), times(people.joined),
            times(np.where(alive, NONE, people.dropped)), flags(alive.astype(np.int64)),
            cents(np.round(np.where(people.buys, people.rate, 0) * 36_500).astype(np.int64)),
            decimals(np.round(people.refunds * 10_000).astype(np.int64), 4),
            decimals(np.round(people.opens * 10_000).astype(np.int64), 4), wholes(people.hour),
            words(ZONES, people.zone), wholes(np.where(people.buys, people.rhythm, NONE)), wholes(people.tier),
        ],
        schema=TRUTH["truth", "people"],
    )  # fmt: skip
    seen = np.unique(
        np.concatenate(
            [
                sessions.device * DEVICE_SPAN + sessions.person,
                (device * DEVICE_SPAN + sales.person)[device >= 0],
            ]
        )
    )
    held = [
        ("crm.contacts", ids("k", base + np.arange(n_contacts)), contacts.person),
        ("shop.customers", ids("c", base + np.arange(n_accounts)), accounts.person),
        ("esp.profiles", ids("f", base + np.arange(n_profiles)), profiles.person),
        ("web.visitors", ids("v", seen // DEVICE_SPAN), seen % DEVICE_SPAN),
        ("shop.orders", ids("o", base + np.flatnonzero(guest)), sales.person[guest]),
        ("support.tickets", ids("t", base + np.arange(n_tickets)), tickets.person),
    ]
    tables["truth", "records"] = pa.table(
        [
            words(
                [name for name, _, _ in held],
                np.repeat(np.arange(len(held)), [len(rows) for _, _, rows in held]),
            ),
            pa.concat_arrays([record for _, record, _ in held]),
            ids("u", people.first + np.concatenate([rows for _, _, rows in held])),
        ],
        schema=TRUTH["truth", "records"],
    )
    machine = np.flatnonzero(events.kind != mail.HUMAN)
    tables["truth", "machine_events"] = pa.table(
        [mail_ids.take(pa.array(machine)), words(mail.KINDS, events.kind[machine])],
        schema=TRUTH["truth", "machine_events"],
    )
    twice = [
        ("web", web_ids, web_doubles, 0),
        ("web", web_ids, fired_again, 1),
        ("esp", mail_ids, mail_doubles, 0),
    ]
    sizes = [len(rows) for _, _, rows, _ in twice]
    orders_again = np.concatenate(
        [
            np.where(bought_here, ordered, NONE)[web_doubles],
            ordered[fired_again],
            np.full(len(mail_doubles), NONE),
        ]
    )
    tables["truth", "duplicate_events"] = pa.table(
        [
            words([name for name, _, _, _ in twice], np.repeat(np.arange(3), sizes)),
            pa.concat_arrays([names.take(pa.array(rows)) for _, names, rows, _ in twice]),
            words(("same_id", "second_purchase"), np.repeat([kind for _, _, _, kind in twice], sizes)),
            ids("o", np.where(orders_again >= 0, base + orders_again, NONE)),
        ],
        schema=TRUTH["truth", "duplicate_events"],
    )

    # Dirt last, so that nothing is built on a bad row.
    unparseable: dict[tuple[str, str], dict[str, list[tuple[int, str]]]] = {}
    listed: list[tuple[str, str, str | None, str]] = []
    for place, name in enumerate(SOURCES):
        if name in tables:
            soiled = soil(rng(100 + place), name, tables[name], base, until, index == 0)
            tables[name], unparseable[name] = soiled.table, soiled.unparseable
            listed += soiled.listed
    tables["truth", "dirt"] = pa.table(
        [texts([row[k] for row in listed]) for k in range(4)], schema=TRUTH["truth", "dirt"]
    )
    return Chunk(tables, unparseable)


DEVICE_SPAN = 1 << 20  # more than the people of a chunk

__all__ = ["COUNTRIES", "Chunk", "build_chunk", "build_world"]
