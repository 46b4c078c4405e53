"""One chunk as Arrow tables: every table of the contract, then the truth about it."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailroom.demo import constants as c
from mailroom.demo import mail, orders, privacy, web
from mailroom.demo.contract import SOURCES, TRUTH, schema
from mailroom.demo.dirt import Cells, soil
from mailroom.demo.encode import (
    NONE,
    Floats,
    Ints,
    cents,
    chance,
    decimals,
    flags,
    ids,
    joined,
    pick,
    quantities,
    texts,
    times,
    wholes,
    words,
)
from mailroom.demo.people import Records, addresses
from mailroom.demo.simulate import Simulation, simulate
from mailroom.demo.world import CATEGORIES, ZONES, World

Name = tuple[str, str]  # source, table
SPAN = 10_000_000  # ids of one kind per chunk, at most
SPELLINGS = [s for name in CATEGORIES for s in c.CATEGORIES[name][2]] + list(c.UNMAPPABLE_CATEGORIES)
UNMAPPABLE = len(CATEGORIES) * 4  # place of the first unmappable one
USUAL = [c.CATEGORIES[name][2][0] for name in CATEGORIES]
SEARCH_TERMS = [
    term for name in CATEGORIES for term in (*c.CATEGORIES[name][3], c.CATEGORIES[name][3][0])[:2]
]
ACQUISITION = tuple(c.ACQUISITION)
LANGUAGES = [country[1] for country in c.COUNTRIES.values()]
AUTOMATED = (
    ("welcome", "Welcome to the shop", "onboarding"),
    ("order-confirmation", "Your order has reached us", "transactional"),
    ("win-back", "We have missed you", "lifecycle"),
)
SUBJECTS = ("New {}: just in", "{}: our favourites of the week", "A closer look at {}", "{} for less")
PEOPLE_SPAN = 1 << 20  # more than the people of a chunk
DIRT_STAGE = 100  # first random stage of the dirt, one per table


def _table(source: str, table: str, columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    name = source, table
    return pa.table(dict(columns), schema=TRUTH[name] if name in TRUTH else schema(name, columns))


class Ids:
    """Text ids of a chunk's rows; numbers below zero give null."""

    def __init__(self, chunk: int) -> None:
        self.base = chunk * SPAN

    def __call__(self, prefix: str, rows: Ints | int) -> pa.Array:
        """Ids of rows of this chunk, or of the first `rows` rows."""
        if isinstance(rows, int):
            rows = np.arange(rows)
        return ids(prefix, np.where(rows >= 0, self.base + rows, NONE))


def _product_spellings(world: World) -> Ints:
    """(products,) index into SPELLINGS."""
    products = world.products
    odd = products.spelling >= 4
    return np.where(odd, UNMAPPABLE + products.spelling - 4, products.category * 4 + products.spelling)


def _spelled(rng: np.random.Generator, category: Ints) -> Ints:
    """Index into SPELLINGS for each category; NONE stays NONE."""
    code = category * 4 + pick(rng, c.SPELLING_SHARES, len(category))
    odd = chance(rng, c.UNMAPPABLE_SHARE, len(category))
    return np.where(category < 0, NONE, np.where(odd, UNMAPPABLE + (code & 1), code))


def _doubled(rng: np.random.Generator, share: Floats) -> tuple[Ints, Ints]:
    """Row indices with a `share` of the rows twice, and the rows that come twice."""
    again = rng.random(len(share)) < share
    return np.repeat(np.arange(len(share)), 1 + again), np.flatnonzero(again)


def _some(rng: np.random.Generator, share: float, values: Ints) -> Ints:
    """The values, of which only a share is known."""
    return np.where(chance(rng, share, len(values)), values, NONE)


def _numbers(first: int, people: Ints) -> Ints:
    """Numbers of people from their places in the chunk; NONE stays NONE."""
    return np.where(people >= 0, first + people, NONE)


def shared_tables(world: World) -> dict[Name, pa.Table]:
    """Products and campaigns: one of each for all chunks."""
    products, campaigns = world.products, world.campaigns
    number = np.arange(len(products.price))
    place = number - products.first[products.category]
    brands = [c.BRANDS[brand] for brand in products.brand]
    names = [
        f"{USUAL[category]} {brand or 'Basic'} {nth + 1}"
        for category, brand, nth in zip(products.category, brands, place, strict=True)
    ]
    letters: list[tuple[str, str, str]] = []
    for nth, (at, category) in enumerate(zip(campaigns.sent_at, campaigns.category, strict=True)):
        year, week, _ = datetime.fromtimestamp(int(at), UTC).isocalendar()
        subject = SUBJECTS[nth % len(SUBJECTS)].format(USUAL[category])
        letters.append((f"{year}-w{week:02d} newsletter", subject, "promotional"))
    campaign = [*letters, *AUTOMATED]
    first_sent = np.append(campaigns.sent_at, [world.config.start] * len(AUTOMATED))
    return {
        ("shop", "products"): _table(
            "shop",
            "products",
            {
                "product_id": ids("p", number),
                "name": texts(names),
                "category": words(SPELLINGS, _product_spellings(world)),
                "brand": texts(brands),
                "price": cents(products.price),
                "previous_price": cents(products.previous),
                "price_changed_at": times(products.changed_at),
                "stock_quantity": quantities(products.stock),
                "restocked_at": times(products.restocked_at),
                "is_replenishable": flags(products.replenishable.astype(np.int64)),
                "created_at": times(products.created_at),
                "updated_at": times(
                    np.maximum(np.maximum(products.changed_at, products.restocked_at), products.created_at)
                ),
            },
        ),
        ("esp", "campaigns"): _table(
            "esp",
            "campaigns",
            {
                "campaign_id": ids("n", np.arange(len(campaign))),
                "name": texts([name for name, _, _ in campaign]),
                "subject": texts([subject for _, subject, _ in campaign]),
                "message_class": texts([kind for _, _, kind in campaign]),
                "sent_at": times(first_sent),
            },
        ),
    }


def _person_columns(records: Records) -> dict[str, pa.Array]:
    names = ("email", "phone", "first_name", "last_name", "birth_date", "country")
    return {name: getattr(records, name) for name in names}


def crm_tables(sim: Simulation, key: Ids, rng: np.random.Generator) -> dict[Name, pa.Table]:
    """Contacts, and opportunities with those at firms."""
    people, contacts, n = sim.people, sim.contacts, len(sim.contacts)
    firm = people.firm[contacts.person]
    family = np.bincount(people.head)[people.head[contacts.person]] > 1
    household = np.where(family & chance(rng, 0.5, n), people.household[contacts.person], NONE)
    street, postal_code, city = addresses(people, rng, contacts.person)
    country = _some(rng, 0.7, people.country[contacts.person])
    tables = {
        ("crm", "contacts"): _table(
            "crm",
            "contacts",
            {
                "contact_id": key("k", n),
                **_person_columns(contacts),
                "account_id": pc.coalesce(ids("b", firm), ids("h", household)),
                "street": street,
                "postal_code": postal_code,
                "city": city,
                "language": words(LANGUAGES, country),
                "time_zone": words(ZONES, np.where(country >= 0, people.zone[contacts.person], NONE)),
                "has_marketing_consent": flags(sim.agreed),
                "marketing_consent_at": times(sim.agreed_at),
                "created_at": times(contacts.created),
                "updated_at": times(contacts.updated),
            },
        )
    }
    contact = np.flatnonzero((firm >= 0) & chance(rng, c.OPPORTUNITY_SHARE, n))
    contact = np.repeat(contact, rng.integers(1, 3, len(contact)))
    since = contacts.created[contact]
    opened = since + (rng.random(len(contact)) * (sim.until - since)).astype(np.int64)
    by_time = np.argsort(opened, kind="stable")
    contact, opened, size = contact[by_time], opened[by_time], len(contact)
    closing = opened + c.DAY + (rng.exponential(45, size) * c.DAY).astype(np.int64)
    closed = closing < sim.until
    stage = np.where(closed, np.where(chance(rng, 0.4, size), 2, 3), rng.integers(0, 2, size))
    tables["crm", "opportunities"] = _table(
        "crm",
        "opportunities",
        {
            "opportunity_id": key("q", size),
            "contact_id": key("k", contact),
            "stage": words(("open", "negotiation", "won", "lost"), stage),
            "amount": cents(np.round(np.exp(rng.normal(7, 0.8, size))).astype(np.int64) * 100),
            "created_at": times(opened),
            "closed_at": times(np.where(closed, closing, NONE)),
        },
    )
    return tables


def _at_checkout(sim: Simulation, rng: np.random.Generator) -> dict[str, pa.Array]:
    """The buyer's data on each order: copied from the account or typed again. Only accounts have gaps."""
    n = len(sim.sales)
    guest = sim.order_account < 0
    copied = ~guest & chance(rng, 0.75, n)
    row = np.where(copied, sim.order_account, len(sim.accounts) + sim.sales.person)
    columns = {}
    for name, empty in {
        "email": 0.1,
        "phone": 0.0,
        "first_name": 0.15,
        "last_name": 0.1,
        "country": 0.0,
    }.items():
        pool = pa.concat_arrays([getattr(sim.accounts, name), getattr(sim.checkout, name)])
        columns[name] = words(pool, np.where(chance(rng, empty, n) & ~guest, NONE, row))
    return columns


def shop_tables(
    sim: Simulation, key: Ids, rng: np.random.Generator, checkout: dict[str, pa.Array]
) -> dict[Name, pa.Table]:
    """Customers, orders, lines and refunds."""
    people, accounts, n = sim.people, sim.accounts, len(sim.accounts)
    sales, lines, refunds = sim.sales, sim.lines, sim.refunds
    street, postal_code, city = addresses(people, rng, accounts.person)
    channel = pick(rng, list(c.ACQUISITION.values()), n)
    order_id = key("o", len(sales))
    # A guest's refund keeps its order, because a guest without an order could not be found.
    account = sim.order_account[refunds.order]
    account = np.where(account >= 0, account, sim.account_of[refunds.person])
    by_line = refunds.line >= 0
    return {
        ("shop", "customers"): _table(
            "shop",
            "customers",
            {
                "customer_id": key("c", n),
                **_person_columns(accounts),
                "street": street,
                "postal_code": postal_code,
                "city": city,
                "language": words(LANGUAGES, _some(rng, 0.85, people.country[accounts.person])),
                "acquisition_channel": words(ACQUISITION, _some(rng, 0.92, channel)),
                "accepts_marketing": flags(sim.accepts),
                "accepts_marketing_at": times(sim.accepts_at),
                "created_at": times(accounts.created),
                "updated_at": times(accounts.updated),
            },
        ),
        ("shop", "orders"): _table(
            "shop",
            "orders",
            {
                "order_id": order_id,
                "customer_id": key("c", sim.order_account),
                **checkout,
                "visitor_id": ids("v", sim.order_device),
                "status": words(orders.STATUSES, sales.status),
                "currency": words(("EUR",), np.zeros(len(sales), dtype=np.int64)),
                "total_amount": cents(sales.total),
                "discount_amount": cents(sales.discount),
                "shipping_amount": cents(sales.shipping),
                "coupon_code": words(orders.COUPONS, sales.coupon),
                "sales_channel": words(orders.CHANNELS, sales.channel),
                "ordered_at": times(sales.at),
                "updated_at": times(sales.updated),
            },
        ),
        ("shop", "order_lines"): _table(
            "shop",
            "order_lines",
            {
                "order_line_id": key("l", len(lines.order)),
                "order_id": words(order_id, lines.order),
                "product_id": ids("p", lines.product),
                "quantity": quantities(lines.quantity),
                "unit_price": decimals(lines.price * 100, 4),
                "line_amount": cents(lines.quantity * lines.price),
                "discount_amount": cents(lines.discount),
            },
        ),
        ("shop", "refunds"): _table(
            "shop",
            "refunds",
            {
                "refund_id": key("r", len(refunds.at)),
                "order_id": key("o", np.where(refunds.names_order | (account < 0), refunds.order, NONE)),
                "order_line_id": key("l", refunds.line),
                "customer_id": key("c", np.where(refunds.names_person, account, NONE)),
                "product_id": ids("p", np.where(by_line, np.append(lines.product, NONE)[refunds.line], NONE)),
                "quantity": quantities(refunds.quantity),
                "amount": cents(refunds.amount),
                "reason": words(c.REFUND_REASONS, refunds.reason),
                "refunded_at": times(refunds.at),
            },
        ),
    }


def web_tables(
    sim: Simulation, key: Ids, rng: np.random.Generator, order_email: pa.Array
) -> tuple[dict[Name, pa.Table], Ints]:
    """Events, and the rows among them that are sent twice with the same id."""
    visits, sessions, n_orders = sim.visits, sim.sessions, len(sim.sales)
    session, n = visits.session, len(visits.session)
    person, order = sessions.person[session], sessions.order[session]
    ordering = order >= 0
    account = np.where(ordering, np.append(sim.order_account, NONE)[order], sim.account_of[person])
    known = (account >= 0) & sessions.logged_in[session] & (sim.accounts.created[account] <= visits.at)

    own = chance(rng, 0.7, n) & (visits.product >= 0)
    spelled = np.where(own, _product_spellings(sim.world)[visits.product], _spelled(rng, visits.category))
    named = np.isin(visits.type, [web.CATEGORY, web.VIEW, web.WISH, web.CART])

    at_till = np.isin(visits.type, [web.CHECKOUT, web.PURCHASE]) & chance(rng, 0.7, n)
    newsletter_form = (visits.type == web.PAGE) & chance(rng, 0.02, n)
    typed = np.where(at_till & ordering, order, np.where(at_till | newsletter_form, n_orders + person, NONE))

    source = sessions.source[session]
    paid = words([c.UTM_CAMPAIGNS.get(name) for name in web.SOURCES], source)
    gpc = np.where(privacy.sends_gpc(sessions.device), 1, 0)
    silent = (gpc == 0) & (privacy.device_draw(sessions.device, 5) < c.SILENT_TRACKER_SHARE)
    searched = np.where(visits.type == web.SEARCH, visits.category * 2 + (session & 1), NONE)

    event_id = key("e", n)
    events = _table(
        "web",
        "events",
        {
            "event_id": event_id,
            "visitor_id": ids("v", sessions.device[session]),
            "customer_id": key("c", np.where(known, account, NONE)),
            "email": words(pa.concat_arrays([order_email, sim.checkout.email]), typed),
            "session_id": key("s", session),
            "event_type": words(web.EVENT_TYPES, visits.type),
            "product_id": ids("p", visits.product),
            "category": words(SPELLINGS, np.where(named, spelled, NONE)),
            "order_id": key("o", np.where(visits.type == web.PURCHASE, order, NONE)),
            "search_term": words(SEARCH_TERMS, searched),
            "quantity": quantities(visits.quantity),
            "utm_source": words(web.SOURCES, source),
            "utm_campaign": pc.coalesce(ids("n", sessions.campaign[session]), paid),
            "has_opt_out_signal": flags(np.where(silent, NONE, gpc)[session]),
            "occurred_at": times(visits.at),
        },
    )
    first_purchase = (visits.type == web.PURCHASE) & ~visits.second
    rows, twice = _doubled(rng, np.where(first_purchase, c.DOUBLE_FIRED_SAME_ID, c.DUPLICATE_EVENTS))
    return {("web", "events"): events.take(pa.array(rows))}, twice


def support_tables(sim: Simulation, key: Ids, rng: np.random.Generator) -> dict[Name, pa.Table]:
    """Tickets."""
    tickets, asking, n = sim.tickets, sim.tickets.requester, len(sim.tickets.created)
    account = _some(rng, 0.65, sim.account_of[tickets.person])
    known_only_by_account = (account >= 0) & chance(rng, 0.2, n)
    subjects = [subject for pair in c.TICKET_SUBJECTS.values() for subject in pair]
    return {
        ("support", "tickets"): _table(
            "support",
            "tickets",
            {
                "ticket_id": key("t", n),
                "customer_id": key("c", account),
                "requester_email": words(asking.email, np.where(known_only_by_account, NONE, np.arange(n))),
                "requester_phone": asking.phone,
                "requester_name": joined(asking.first_name, asking.last_name, " "),
                "subject": words(subjects, tickets.topic * 2 + tickets.subject),
                "status": words(orders.TICKET_STATUSES, tickets.status),
                "topic": words(orders.TOPICS, _some(rng, 0.9, tickets.topic)),
                "satisfaction": wholes(tickets.satisfaction),
                "created_at": times(tickets.created),
                "updated_at": times(tickets.updated),
                "solved_at": times(tickets.solved),
            },
        )
    }


def _birthdays(sim: Simulation) -> pa.Array:
    """The birthdays that people stated: those of each seventh profile."""
    born = sim.people.born[sim.profiles.person].astype(np.int32)
    return pa.array(born, mask=np.arange(len(born)) % 7 != 0).cast(pa.date32())


def esp_tables(sim: Simulation, key: Ids, rng: np.random.Generator) -> tuple[dict[Name, pa.Table], Ints]:
    """Profiles and message events, and the rows among these that are sent twice with the same id."""
    people, boxes, profiles, n = sim.people, sim.boxes, sim.profiles, len(sim.profiles)
    left = (boxes.ends < sim.until) & (sim.starts == mail.SUBSCRIBED) & ~boxes.dead
    tastes = people.tastes[profiles.person]
    stated, both = chance(rng, 0.3, n), chance(rng, 0.5, n)
    favourite = words(USUAL, np.where(stated, tastes[:, 0], NONE))
    second = words(USUAL, np.where(stated & both, tastes[:, 1], NONE))
    country = _some(rng, 0.75, people.country[profiles.person])
    tables = {
        ("esp", "profiles"): _table(
            "esp",
            "profiles",
            {
                "profile_id": key("f", n),
                **_person_columns(profiles),
                "external_id": key("c", _some(rng, c.EXTERNAL_ID_SHARE, sim.account_of[profiles.person])),
                "language": words(LANGUAGES, country),
                "time_zone": words(ZONES, np.where(country >= 0, people.zone[profiles.person], NONE)),
                "preferred_categories": joined(favourite, second, ","),
                "preferred_frequency": words(mail.FREQUENCIES, boxes.frequency),
                "birthday": _birthdays(sim),
                "subscription_status": words(mail.STATUSES, np.where(left, mail.UNSUBSCRIBER, sim.starts)),
                "created_at": times(profiles.created),
                "updated_at": times(np.where(left, boxes.ends, profiles.updated)),
            },
        )
    }
    events, messages = sim.mail_events, sim.messages
    message, size = events.message, len(events.message)
    campaign = ids("n", messages.campaign[message])
    utm = f"?utm_source={web.SOURCES[-1]}&utm_campaign="
    link = pc.binary_join_element_wise(f"{c.SITE}/p/", ids("p", events.product), utm, campaign, "")
    # Two answers of a hard bounce, then two of a soft one.
    answer = np.where(events.bounce == NONE, NONE, 2 * events.bounce + message % 2)
    goodbye = words((f"{c.SITE}/unsubscribe",), np.where(events.product == mail.GOODBYE, 0, NONE))
    table = _table(
        "esp",
        "message_events",
        {
            "event_id": key("m", size),
            "message_id": key("x", message),
            "campaign_id": campaign,
            "profile_id": key("f", messages.profile[message]),
            "event_type": words(mail.EVENT_TYPES, events.type),
            "bounce_type": words(("hard", "soft"), events.bounce),
            "bounce_answer": words(c.BOUNCE_ANSWERS, answer),
            "url": pc.coalesce(link, goodbye),
            "user_agent": words(mail.AGENTS, events.agent),
            "is_machine_open": flags(events.flagged),
            "occurred_at": times(events.at),
        },
    )
    rows, twice = _doubled(rng, np.full(size, c.DUPLICATE_EVENTS))
    tables["esp", "message_events"] = table.take(pa.array(rows))
    return tables, twice


def privacy_tables(sim: Simulation, key: Ids, rng: np.random.Generator) -> dict[Name, pa.Table]:
    """Consent events and data-subject requests."""
    answers, requests = sim.answers, sim.requests
    n_accounts, n_profiles = len(sim.accounts), len(sim.profiles)
    pool = pa.concat_arrays([sim.accounts.email, sim.profiles.email, sim.contacts.email])
    email = np.where(chance(rng, 0.6, len(answers.at)), answers.account, NONE)
    email = np.where(answers.contact >= 0, n_accounts + n_profiles + answers.contact, email)
    email = np.where(answers.profile >= 0, n_accounts + answers.profile, email)
    consents = _table(
        "privacy",
        "consent_events",
        {
            "consent_event_id": key("a", len(answers.at)),
            "email": words(pool, email),
            "phone": words(sim.contacts.phone, answers.contact),
            "customer_id": key("c", answers.account),
            "visitor_id": ids("v", answers.device),
            "channel": words(privacy.CHANNELS, answers.channel),
            "purpose": words(privacy.PURPOSES, answers.purpose),
            "status": words(privacy.STATUSES, answers.status),
            "lawful_basis": words(privacy.BASES, answers.basis),
            "recorded_by": words(privacy.RECORDERS, answers.recorder),
            "form": words(privacy.FORMS, answers.form),
            "text_version": words(("v1", "v2"), answers.version - 1),
            "confirmed_at": times(answers.confirmed),
            "occurred_at": times(answers.at),
        },
    )
    about = pc.coalesce(*(consents.column(name) for name in ("email", "phone", "customer_id", "visitor_id")))
    account, n = sim.account_of[requests.person], len(requests.at)
    writes = (account < 0) | chance(rng, 0.7, n)
    logged_in = ~writes | chance(rng, 0.5, n)
    return {
        ("privacy", "consent_events"): consents.filter(pc.is_valid(about)),
        ("privacy", "requests"): _table(
            "privacy",
            "requests",
            {
                "request_id": key("d", n),
                "email": words(sim.checkout.email, np.where(writes, requests.person, NONE)),
                "phone": words(sim.checkout.phone, _some(rng, 0.7, requests.person)),
                "customer_id": key("c", np.where(logged_in, account, NONE)),
                "request_type": words(privacy.REQUEST_TYPES, requests.type),
                "status": words(privacy.REQUEST_STATUSES, requests.status),
                "received_at": times(requests.at),
                "completed_at": times(requests.completed),
            },
        ),
    }


def truth_tables(sim: Simulation, key: Ids, web_twice: Ints, mail_twice: Ints) -> dict[Name, pa.Table]:
    """The truth: each person, the person of each record, machine events and duplicates."""
    people, sales, sessions, visits = sim.people, sim.sales, sim.sessions, sim.visits
    alive = people.dropped >= sim.until
    yearly = np.where(people.buys, people.rate * 365, 0)

    device, visitor = sessions.device[visits.session], sessions.person[visits.session]
    seen = np.append(device, sim.order_device) * PEOPLE_SPAN + np.append(visitor, sales.person)
    seen = np.unique(seen[np.append(device, sim.order_device) >= 0])
    guest = np.flatnonzero(sim.order_account < 0)
    held = [
        ("crm.contacts", key("k", len(sim.contacts)), sim.contacts.person),
        ("shop.customers", key("c", len(sim.accounts)), sim.accounts.person),
        ("esp.profiles", key("f", len(sim.profiles)), sim.profiles.person),
        ("web.visitors", ids("v", seen // PEOPLE_SPAN), seen % PEOPLE_SPAN),
        ("shop.orders", key("o", guest), sales.person[guest]),
        ("support.tickets", key("t", len(sim.tickets.person)), sim.tickets.person),
    ]
    kinds = np.repeat(np.arange(len(held)), [len(rows) for _, _, rows in held])
    machine = np.flatnonzero(sim.mail_events.kind != mail.HUMAN)
    again = np.flatnonzero(visits.second)
    order = np.where(visits.type == web.PURCHASE, sessions.order[visits.session], NONE)
    sizes = [len(web_twice), len(again), len(mail_twice)]
    return {
        ("truth", "people"): _table(
            "truth",
            "people",
            {
                "person_id": ids("u", people.first + np.arange(len(people))),
                "household_id": ids("h", people.household),
                "senior_person_id": ids("u", _numbers(people.first, people.senior)),
                "twin_person_id": ids("u", _numbers(people.first, people.twin)),
                "former_number_person_id": ids("u", _numbers(people.first, people.former)),
                "birth_date": pa.array(people.born.astype(np.int32)).cast(pa.date32()),
                "joined_at": times(people.joined),
                "dropped_out_at": times(np.where(alive, NONE, people.dropped)),
                "is_alive": flags(alive.astype(np.int64)),
                "is_held_out": flags(sim.held_out.astype(np.int64)),
                "orders_per_year": cents(np.round(yearly * 100).astype(np.int64)),
                "refund_propensity": decimals(np.round(people.refunds * 10_000).astype(np.int64), 4),
                "open_propensity": decimals(np.round(people.opens * 10_000).astype(np.int64), 4),
                "best_send_hour": wholes(people.hour),
                "time_zone": words(ZONES, people.zone),
                "rhythm_days": wholes(np.where(people.buys, people.rhythm, NONE)),
                "price_tier": wholes(people.tier),
            },
        ),
        ("truth", "records"): _table(
            "truth",
            "records",
            {
                "source": words([name for name, _, _ in held], kinds),
                "record_id": pa.concat_arrays([record for _, record, _ in held]),
                "person_id": ids("u", people.first + np.concatenate([rows for _, _, rows in held])),
            },
        ),
        ("truth", "machine_events"): _table(
            "truth",
            "machine_events",
            {"event_id": key("m", machine), "kind": words(mail.KINDS, sim.mail_events.kind[machine])},
        ),
        ("truth", "duplicate_events"): _table(
            "truth",
            "duplicate_events",
            {
                "source": words(("web", "esp"), np.repeat([0, 0, 1], sizes)),
                "event_id": pa.concat_arrays([key("e", web_twice), key("e", again), key("m", mail_twice)]),
                "kind": words(("same_id", "second_purchase"), np.repeat([0, 1, 0], sizes)),
                "order_id": key(
                    "o", np.concatenate([order[web_twice], order[again], np.full(sizes[2], NONE)])
                ),
            },
        ),
    }


def build_chunk(world: World, index: int) -> tuple[dict[Name, pa.Table], dict[Name, Cells]]:
    """All tables of chunk `index` with dirt, and the cells of each that seeds write as unparseable text.

    Products and campaigns come with the first chunk.
    """
    sim, key = simulate(world, index), Ids(index)
    checkout = _at_checkout(sim, sim.rng(50))
    tables = shared_tables(world) if index == 0 else {}
    tables |= crm_tables(sim, key, sim.rng(51))
    tables |= shop_tables(sim, key, sim.rng(52), checkout)
    events, web_twice = web_tables(sim, key, sim.rng(53), checkout["email"])
    tables |= events | support_tables(sim, key, sim.rng(54))
    events, mail_twice = esp_tables(sim, key, sim.rng(55))
    tables |= events | privacy_tables(sim, key, sim.rng(56))

    # Dirt comes last, so that no row depends on a bad one.
    cells: dict[Name, Cells] = {}
    listed: list[tuple[str, str, str | None, str]] = []
    for place, name in enumerate(SOURCES):
        if name in tables:
            rng = sim.rng(DIRT_STAGE + place)
            soiled = soil(rng, name, tables[name], key.base, sim.until, at_least_one=index == 0)
            tables[name], cells[name] = soiled.table, soiled.unparseable
            listed += soiled.listed
    tables |= truth_tables(sim, key, web_twice, mail_twice)
    columns = {name: texts([row[k] for row in listed]) for k, name in enumerate(TRUTH["truth", "dirt"].names)}
    tables["truth", "dirt"] = _table("truth", "dirt", columns)
    return tables, cells
