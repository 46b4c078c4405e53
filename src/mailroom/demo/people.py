"""The people of one chunk and the records that systems keep of them: accounts, contacts, profiles."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from mailroom.demo import constants as c
from mailroom.demo.encode import NONE, Bools, Floats, Ints, chance, dates, pick, texts
from mailroom.demo.slips import slipped, slipped_address, slipped_number, stated_dates
from mailroom.demo.world import CATEGORIES, COUNTRIES, ZONES, World, joining, lifetimes, utc_offset

GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
DEVICES = 3  # at most, per person
FOREVER = 1 << 60  # later than any window
YEAR = 365.25  # days


@dataclass
class People:
    """(n,) arrays, one row per person; text as lists."""

    first: int  # number of the chunk's first person
    household: Ints  # number of the household
    head: Ints  # index of the household's first person
    country: Ints  # index into COUNTRIES
    zone: Ints  # index into ZONES
    joined: Ints
    dropped: Ints  # when they dropped out; possibly after the window
    buys: Bools
    rate: Floats  # repeat orders per unit of the clock
    refunds: Floats
    opens: Floats
    hour: Ints  # best local hour
    tier: Ints
    tastes: Ints  # (n, 3) category indices, the favourite first
    rhythm: Ints  # days, or NONE
    staple: Ints  # category bought at the rhythm
    wants_mail: Bools
    guest_only: Bools
    firm: Ints  # number of the firm, or NONE
    devices: Ints
    shared_device: Ints  # device number of another household member, or NONE
    first_names: list[str]
    last_names: list[str]
    emails: list[str]
    second_emails: list[str]  # empty where there is none
    firm_domains: list[str]
    landline: Ints  # number of the household's landline, or NONE
    born: Ints  # days since 1970
    senior: Ints  # index of the household's member of the same name who is a generation older, or NONE
    twin: Ints  # index of the twin in the household, or NONE
    mobile: Ints  # number of the mobile phone
    former: Ints  # index of the person who had that number before, or NONE
    gave_up: Ints  # when they gave up theirs, or FOREVER
    next_mobile: Ints  # number of the mobile phone from then on

    def __len__(self) -> int:
        return len(self.household)


@dataclass
class Records:
    """(n,) arrays, one row per record in one system; text as Arrow arrays."""

    person: Ints
    created: Ints
    updated: Ints
    email: pa.Array
    phone: pa.Array
    first_name: pa.Array
    last_name: pa.Array
    birth_date: pa.Array
    country: pa.Array
    corporate: Bools  # whether the address is at a firm

    def __len__(self) -> int:
        return len(self.person)


def at_best_hour(rng: np.random.Generator, people: People, person: Ints, at: Ints, spread: float) -> Ints:
    """The same local days as `at`, at an hour the person likes; every fifth at any waking hour."""
    n = len(at)
    zone = people.zone[person]
    local_day = (at + utc_offset(zone, at)) // c.DAY
    hour = people.hour[person] + 0.5 + rng.normal(0, spread, n)
    hour = np.where(chance(rng, 0.2, n), rng.uniform(7, 23.5, n), hour)
    hour = np.where(hour < 0.2, 8 + hour % 1, np.where(hour > 23.9, 20 + hour % 1, hour))
    local = local_day * c.DAY + (hour * c.HOUR).astype(np.int64)
    return local - utc_offset(zone, local)


def unaccented(name: str) -> str:
    """A name without accents."""
    letters = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


@lru_cache(maxsize=1_000)
def plain(name: str) -> str:
    """A name in lower-case ASCII letters, as it stands in an e-mail address."""
    name = name.lower()
    for letter, spelled in GERMAN.items():
        name = name.replace(letter, spelled)
    return "".join(letter for letter in unaccented(name) if "a" <= letter <= "z")


def _tongue(country: int) -> str:
    return c.COUNTRIES[COUNTRIES[country]][1][:2]


def make_people(world: World, index: int) -> People:
    """The people of chunk `index`."""
    config = world.config
    rng = config.rng(1, index, 0)
    first = index * config.chunk_people
    n = min(config.chunk_people, config.customers - first)
    sizes = 1 + pick(rng, list(c.HOUSEHOLD_SIZES.values()), n)
    head = np.repeat(np.cumsum(sizes) - sizes, sizes)[:n]
    alone = np.bincount(head, minlength=n)[head] == 1

    def of_household(values: Ints) -> Ints:
        return values[head]

    country = of_household(pick(rng, [country[0] for country in c.COUNTRIES.values()], n))
    zones = np.array([ZONES.index(c.COUNTRIES[name][2]) for name in COUNTRIES])
    joined = joining(config, rng, n)
    rate = rng.gamma(c.RATE_SHAPE, world.rate_mean / c.RATE_SHAPE, n)
    taste = rng.random((n, len(CATEGORIES))) ** (1 / (1 + 2 * rng.random(len(CATEGORIES))))
    staples = np.array([i for i, name in enumerate(CATEGORIES) if c.CATEGORIES[name][1]])
    has_line = chance(rng, np.where(alone, c.LANDLINE_SHARE, c.LANDLINE_FAMILY_SHARE), n)
    devices = 1 + pick(
        rng,
        [1 - c.SECOND_DEVICE_SHARE, c.SECOND_DEVICE_SHARE - c.THIRD_DEVICE_SHARE, c.THIRD_DEVICE_SHARE],
        n,
    )
    sharing = (head != np.arange(n)) & chance(rng, c.SHARED_DEVICE_SHARE, n)
    people = People(
        first=first,
        household=first + head,
        head=head,
        country=country,
        zone=zones[country],
        joined=joined,
        dropped=joined + lifetimes(rng, n).clip(c.DAY / 24, 40_000 * c.DAY).astype(np.int64),
        buys=chance(rng, 1 - c.NEVER_BUYS_SHARE, n),
        rate=rate,
        refunds=rng.beta(*c.REFUND_PROPENSITY, n),
        opens=rng.beta(*c.OPEN_PROPENSITY, n),
        hour=np.array(c.HOURS)[rng.integers(0, len(c.HOURS), n)],
        tier=pick(rng, [0.35, 0.4, 0.25], n),
        tastes=np.argsort(-taste, axis=1, kind="stable")[:, :3],
        rhythm=np.where(
            chance(rng, c.RHYTHM_SHARE, n),
            np.array(c.RHYTHM_DAYS)[rng.integers(0, len(c.RHYTHM_DAYS), n)],
            NONE,
        ),
        staple=staples[rng.integers(0, len(staples), n)],
        wants_mail=chance(rng, c.OPT_IN_SHARE, n),
        guest_only=chance(rng, c.GUEST_ONLY_SHARE, n),
        firm=np.full(n, NONE),
        devices=devices,
        shared_device=np.where(sharing, (first + head) * DEVICES, NONE),
        first_names=[],
        last_names=[],
        emails=[],
        second_emails=[],
        firm_domains=[],
        landline=np.where(of_household(has_line.astype(np.int64)) > 0, first + head, NONE),
        born=np.zeros(n, dtype=np.int64),
        senior=np.full(n, NONE),
        twin=np.full(n, NONE),
        mobile=first + np.arange(n),
        former=np.full(n, NONE),
        gave_up=np.full(n, FOREVER),
        next_mobile=first + np.arange(n),
    )
    awake = at_best_hour(rng, people, np.arange(n), joined, 1.5 * c.HOUR_SPREAD)
    people.joined = np.clip(awake, config.start, config.until - c.HOUR)
    people.dropped += people.joined - joined
    # Separate random streams, so that they change nothing else.
    kin, numbers = rng.spawn(2)
    alike = _make_kin(people, kin, config.until)
    _name(people, rng, alike)
    _recycle_numbers(people, numbers)
    return people


def _make_kin(people: People, rng: np.random.Generator, until: int) -> Bools:
    """Birth dates, and namesakes or twins in the household; (n,) whose name resembles the twin's."""
    n = len(people)
    further = people.head != np.arange(n)
    kind = rng.random(n)
    junior = further & (kind < c.JUNIOR_SHARE)
    twin = further & (kind >= c.JUNIOR_SHARE) & (kind < c.JUNIOR_SHARE + c.TWIN_SHARE)
    people.senior = np.where(junior, people.head, NONE)
    people.twin = np.where(twin, people.head, NONE)
    age, apart = rng.uniform(*c.AGES, n), rng.uniform(*c.JUNIOR_YEARS, n)
    # The parent of a grown child of the same name is older.
    youngest, oldest = c.AGES
    grown = youngest + c.JUNIOR_YEARS[1]
    seniors = people.head[junior]
    age[seniors] = grown + (age[seniors] - youngest) * (oldest - grown) / (oldest - youngest)
    age = np.where(junior, age[people.head] - apart, age)
    age = np.where(twin, age[people.head], age)
    people.born = np.floor(until / c.DAY - age * YEAR).astype(np.int64)
    alike: Bools = twin & chance(rng, c.ALIKE_TWIN_SHARE, n)
    return alike


def _recycle_numbers(people: People, rng: np.random.Generator) -> None:
    """Some new people have the mobile number of a person who left the shop, who then has a new one."""
    n = len(people)
    free = np.ones(n, dtype=np.bool_)
    wanted = round(n * c.RECYCLED_SHARE)
    for new in rng.permutation(n).tolist():
        if wanted == 0:
            break
        gave_up = int(people.joined[new]) - c.AGING_DAYS * c.DAY
        left = np.flatnonzero(
            free
            & (people.dropped <= gave_up)
            & (people.country == people.country[new])
            & (people.household != people.household[new])
        )
        if not free[new] or len(left) == 0:
            continue
        old = int(left[rng.integers(0, len(left))])
        # The two swap their later numbers, so that no third person has either.
        people.mobile[new], people.next_mobile[old] = people.mobile[old], people.mobile[new]
        people.next_mobile[new] = people.mobile[new]
        people.former[new], people.gave_up[old] = old, gave_up
        free[[new, old]] = False
        wanted -= 1


def _name(people: People, rng: np.random.Generator, alike: Bools) -> None:
    """Give each person names, one mailbox or two, and some a firm. `alike`: (n,) named much like the twin."""
    n = len(people)
    draws = rng.random((n, 7))
    chosen = rng.permutation(n)[: round(n * c.CORPORATE_SHARE) // c.FIRM_SIZE * c.FIRM_SIZE]
    people.firm[chosen] = people.first + chosen[np.arange(len(chosen)) // c.FIRM_SIZE * c.FIRM_SIZE]
    providers = {
        tongue: (list(shares), np.cumsum(list(shares.values()))) for tongue, shares in c.PROVIDERS.items()
    }
    same_mailbox = chance(rng, c.SHARED_MAILBOX_SHARE, n) & (people.head != np.arange(n))
    domain_of: dict[int, str] = {}
    for i in range(n):
        tongue = _tongue(int(people.country[i]))
        firsts, lasts = c.FIRST_NAMES[tongue], c.LAST_NAMES[tongue]
        head = int(people.head[i])
        place, at_home = int(draws[i, 0] * len(firsts)), people.first_names[head:i]
        while firsts[place] in at_home:
            place = (place + 1) % len(firsts)
        first = firsts[place]
        if people.senior[i] >= 0:
            first = people.first_names[head]
        elif alike[i]:
            first = c.ALIKE_NAMES[people.first_names[head]]
        kin = people.senior[i] >= 0 or people.twin[i] >= 0
        own = head == i or (draws[i, 1] > c.SAME_NAME_SHARE and not kin)
        last = lasts[int(draws[i, 2] * len(lasts))] if own else people.last_names[head]
        people.first_names.append(first)
        people.last_names.append(last)
        names, edges = providers[tongue]
        domain, other = (
            names[min(int(np.searchsorted(edges, draws[i, k] * edges[-1])), len(names) - 1)] for k in (3, 4)
        )
        given, family, mark = plain(first), plain(last), f"mr{people.first + i}"
        style = draws[i, 5]
        if style < 0.5:
            local = f"{given}.{family}.{mark}"
        elif style < 0.7:
            local = f"{given}{family}{mark}"
        elif style < 0.85:
            local = f"{given[0]}.{family}.{mark}"
        else:
            local = f"{family}_{mark}"
        email = f"{local}@{domain}"
        if same_mailbox[i]:
            email = people.emails[head]
        people.emails.append(email)
        second = ""
        if people.firm[i] >= 0:
            firm = int(people.firm[i])
            firm_domain = domain_of.setdefault(firm, f"{family or 'firma'}-mr{firm}.example")
            second = f"{given[0]}.{family}@{firm_domain}"
            people.firm_domains.append(firm_domain)
        else:
            people.firm_domains.append("")
            if draws[i, 6] < c.SECOND_ADDRESS_SHARE:
                second = f"{given}.{mark}@{other}"
        people.second_emails.append(second)


def typed_email(email: str, form: int, tag: int) -> str:
    """An address as a person types it; forms as in constants.EMAIL_FORMS."""
    local, _, domain = email.partition("@")
    if form == 1:
        return ".".join(part.capitalize() for part in local.split(".")) + "@" + domain.capitalize()
    if form == 2:
        return f" {email} "
    if form == 3 and domain in c.PLUS_DOMAINS:
        return f"{local}+{c.PLUS_TAGS[tag]}@{domain}"
    if form == 4 and domain in ("gmail.com", "googlemail.com"):
        return local.replace(".", "") + "@" + ("googlemail.com" if domain == "gmail.com" else "gmail.com")
    if form == 5:
        return email.upper()
    return email


def typed_phone(country: int, number: int, landline: bool, form: int) -> str:
    """A phone number as a person types it: international, national, with 00, bare, in brackets."""
    _, _, _, dial, mobile, digits, areas, _, _ = c.COUNTRIES[COUNTRIES[country]]
    prefixes = areas if landline else mobile
    american = dial == "1"
    prefix = prefixes[number % len(prefixes) if landline else (number // 1_000_000 + number) % len(prefixes)]
    serial = number * 7_919 % 1_000_000  # 7919 shares no factor with a million: no two people get the same
    rest = f"{serial:0{digits}d}"
    trunk = "" if american else "0"
    if form == 0:
        return f"+{dial} {prefix} {rest}"
    if form == 1:
        return f"({prefix}) {rest[:3]}-{rest[3:]}" if american else f"{trunk}{prefix}/{rest}"
    if form == 2:
        return f"00{dial}{prefix}{rest}"
    if form == 3:
        return f"{trunk}{prefix} {rest[:3]} {rest[3:]}"
    return f"+{dial}{prefix}{rest}"


def typed_name(name: str, form: int) -> str:
    """A given name as a person types it; forms as in constants.NAME_FORMS."""
    if form == 1:
        return f"{name[0]}."
    if form == 2:
        return c.NICKNAMES.get(name, name)
    if form == 3:
        return name.lower()
    if form == 4:
        return unaccented(name)
    return "" if form == 5 else name


def typed_country(country: int, form: int) -> str:
    """A country as a code, an English or local name, in lower case or empty."""
    code = COUNTRIES[country]
    return "" if form == 4 else c.COUNTRIES[code][7][form]


def make_records(
    people: People, rng: np.random.Generator, kind: str, person: Ints, created: Ints, until: int
) -> Records:
    """The records one system keeps of `person` (indices).

    kind is contact, customer, profile, order or ticket.
    """
    n = len(person)
    created = np.clip(created, None, until - c.HOUR)
    wrong, births, generations = rng.spawn(3)
    wrong_email, wrong_phone = chance(wrong, c.EMAIL_SLIP_SHARE, n), chance(wrong, c.PHONE_SLIP_SHARE, n)
    mobile = np.where(created >= people.gave_up[person], people.next_mobile[person], people.mobile[person])
    draws = rng.random((n, 5))
    email_form = pick(rng, c.EMAIL_FORMS, n)
    name_form, last_form = pick(rng, c.NAME_FORMS, n), pick(rng, (0.93, 0, 0, 0.05, 0.02), n)
    country_form = pick(rng, c.COUNTRY_FORMS, n)
    phone_form = rng.integers(0, 5, n)
    empty_email, empty_phone = c.EMPTY_EMAIL_SHARE.get(kind, 0.0), c.EMPTY_PHONE_SHARE[kind]
    emails: list[str | None] = []
    phones: list[str | None] = []
    firsts: list[str | None] = []
    lasts: list[str | None] = []
    countries: list[str | None] = []
    corporate = np.zeros(n, dtype=np.bool_)
    for i, p in enumerate(person.tolist()):
        email = people.emails[p]
        second = people.second_emails[p]
        if second and draws[i, 0] < c.SECOND_ADDRESS_USE:
            email = second
        if kind == "contact" and people.firm[p] >= 0 and draws[i, 1] < c.ROLE_SHARE:
            email = f"{c.ROLES[int(people.firm[p]) % 3]}@{people.firm_domains[p]}"
        if kind == "contact" and draws[i, 2] < c.JUNK_EMAIL_SHARE:
            email = c.JUNK_EMAILS[i % 2]
        corporate[i] = email.endswith(".example")
        if wrong_email[i] and email not in c.JUNK_EMAILS:
            email = slipped_address(wrong, email)
        emails.append(
            typed_email(email, int(email_form[i]), i % 3) if draws[i, 2] < 1 - empty_email else None
        )
        landline = int(people.landline[p])
        if draws[i, 3] < empty_phone:
            phones.append(None)
        elif kind in ("contact", "customer") and draws[i, 3] > 1 - c.JUNK_PHONE_SHARE:
            phones.append(c.JUNK_PHONES[i % 2])
        else:
            fixed = landline >= 0 and draws[i, 4] < c.LANDLINE_USE
            number = landline if fixed else int(mobile[i])
            phone = typed_phone(int(people.country[p]), number, fixed, int(phone_form[i]))
            phones.append(slipped_number(wrong, phone) if wrong_phone[i] else phone)
        firsts.append(typed_name(people.first_names[p], int(name_form[i])) or None)
        last = people.last_names[p]
        lasts.append((last, "", "", last.lower(), "")[last_form[i]] or None)
        countries.append(typed_country(int(people.country[p]), int(country_form[i])) or None)
    firsts = slipped(wrong, firsts, c.NAME_SLIP_SHARE)
    lasts = _with_generation(people, generations, person, slipped(wrong, lasts, c.NAME_SLIP_SHARE))
    for i in np.flatnonzero(chance(wrong, c.SWAPPED_NAMES_SHARE, n)).tolist():
        firsts[i], lasts[i] = lasts[i], firsts[i]
    born = stated_dates(births, people.born[person], c.BIRTH_DATE_SHARE.get(kind, 0.0))
    later = created + rng.exponential(60 * c.DAY, n).astype(np.int64)
    updated = np.where(chance(rng, 0.12, n), NONE, np.minimum(later, until - 60))
    return Records(
        person=person,
        created=created,
        updated=updated,
        email=texts(emails),
        phone=texts(phones),
        first_name=texts(firsts),
        last_name=texts(lasts),
        birth_date=dates(born),
        country=texts(countries),
        corporate=corporate,
    )


def _with_generation(
    people: People, rng: np.random.Generator, person: Ints, lasts: list[str | None]
) -> list[str | None]:
    """Family names, a share of those of namesakes at home with which of the two it is."""
    younger = people.senior >= 0
    older = np.isin(np.arange(len(people)), people.senior)
    says = chance(rng, c.GENERATION_SHARE, len(person)) & (younger | older)[person]
    for i in np.flatnonzero(says).tolist():
        generation = c.GENERATIONS[_tongue(int(people.country[person[i]]))][int(younger[person[i]])]
        lasts[i] = f"{lasts[i]} {generation}" if lasts[i] else None
    return lasts


def addresses(people: People, rng: np.random.Generator, person: Ints) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Street, postal code and city of each record: one address per household, now and then empty."""
    streets: list[str | None] = []
    codes: list[str | None] = []
    cities: list[str | None] = []
    (wrong,) = rng.spawn(1)
    empty = chance(rng, c.EMPTY_ADDRESS_SHARE, len(person))
    moved = chance(rng, c.STALE_ADDRESS_SHARE, len(person))
    for i, p in enumerate(person.tolist()):
        if empty[i]:
            streets.append(None)
            codes.append(None)
            cities.append(None)
            continue
        number = int(people.household[p]) + 5 * int(moved[i])
        country = int(people.country[p])
        names = c.STREETS[_tongue(country)]
        places = c.COUNTRIES[COUNTRIES[country]][8]
        city, code = places[number % len(places)]
        street, house = names[number // len(places) % len(names)], number * 31 % 197 + 1
        streets.append(f"{house} {street}" if _tongue(country) in ("en", "fr") else f"{street} {house}")
        codes.append(code)
        cities.append(city)
    return texts(slipped(wrong, streets, c.STREET_SLIP_SHARE)), texts(codes), texts(cities)


def records_of(people: People, counts: Ints) -> tuple[Ints, Bools]:
    """Person index of each of `counts` records per person, and whether it is their first."""
    person = np.repeat(np.arange(len(people)), counts)
    first = np.ones(len(person), dtype=np.bool_)
    first[1:] = person[1:] != person[:-1]
    return person, first


def first_record(records: Records, n: int) -> Ints:
    """(n,) index of each person's first record, or NONE."""
    first = np.full(n, NONE)
    first[records.person[::-1]] = np.arange(len(records))[::-1]
    return first
