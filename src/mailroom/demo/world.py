"""Shared by all chunks: the calendar, the products, the campaigns and the calibrated order rate."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache

import numpy as np

from mailroom.demo import constants as c
from mailroom.demo.encode import NONE, Bools, Floats, Ints, chance, pick

CATEGORIES = tuple(c.CATEGORIES)
COUNTRIES = tuple(c.COUNTRIES)
ZONES = tuple(dict.fromkeys(country[2] for country in c.COUNTRIES.values()))
FIRST_DAY = 10_957  # 2000-01-01, in days since 1970
LAST_DAY = 25_567  # 2040-01-01
PILOT = 20_000  # simulated customers that calibrate the order rate


@dataclass(frozen=True)
class Config:
    """A demo shop: its size, its window and its intensities (per customer over REFERENCE_DAYS)."""

    customers: int
    days: int
    seed: int
    until: int  # seconds since 1970, end of the window (exclusive)
    orders_per_customer: float = 5.0
    web_events_per_order: float = 10.0
    message_events_per_customer: float = 50.0
    holdout_share: float = 0.0  # people who get no newsletters, and so place no orders because of them
    chunk_people: int = c.CHUNK_PEOPLE

    @property
    def start(self) -> int:
        """First second of the window."""
        return self.until - self.days * c.DAY

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.customers // self.chunk_people)

    def rng(self, *key: int) -> np.random.Generator:
        """The generator of one stage of one chunk; the same key always gives the same stream."""
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=key)))


def _sunday(year: int, month: int, nth: int) -> date:
    """The nth Sunday of a month; -1 for the last."""
    if nth > 0:
        first = date(year, month, 1)
        return first + timedelta((6 - first.weekday()) % 7 + 7 * (nth - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(1)
    return last - timedelta((last.weekday() + 1) % 7)


@lru_cache(maxsize=1)
def _offsets() -> Ints:
    """(zone, day) seconds to add to UTC for local time, by the European and US summer-time rules."""
    table = np.zeros((len(ZONES), LAST_DAY - FIRST_DAY), dtype=np.int64)
    for row, zone in enumerate(ZONES):
        american = zone.startswith("America")
        table[row] = {"Europe/London": 0, "America/New_York": -5}.get(zone, 1) * c.HOUR
        for year in range(2000, 2040):
            begins, ends = (
                (_sunday(year, 3, 2), _sunday(year, 11, 1))
                if american
                else (_sunday(year, 3, -1), _sunday(year, 10, -1))
            )
            epoch = date(1970, 1, 1)
            table[row, (begins - epoch).days - FIRST_DAY : (ends - epoch).days - FIRST_DAY] += c.HOUR
    return table


def utc_offset(zones: Ints, seconds: Ints) -> Ints:
    """Seconds to add to each UTC time for the local time of each zone (index into ZONES)."""
    days = np.clip(seconds // c.DAY - FIRST_DAY, 0, LAST_DAY - FIRST_DAY - 1)
    return _offsets()[zones, days]


@dataclass(frozen=True)
class Products:
    """The catalogue, products of one category side by side, popular ones first. Arrays are (products,)."""

    category: Ints
    spelling: Ints  # 0-3 into the category's spellings, 4.. into UNMAPPABLE_CATEGORIES
    price: Ints  # cents
    previous: Ints  # cents
    changed_at: Ints
    stock: Ints
    restocked_at: Ints
    replenishable: Bools
    created_at: Ints
    brand: Ints
    first: Ints  # (categories,) index of the category's first product
    count: Ints  # (categories,)

    def choose(self, rng: np.random.Generator, categories: Ints, tiers: Ints, at: Ints) -> Ints:
        """A product for each wish: popular ones more often, mostly in that price tier, listed by then."""
        n = len(categories)
        count = self.count[categories]
        place = (count * rng.random(n) ** 1.7).astype(np.int64)
        place = np.where(chance(rng, 0.72, n), place - place % 3 + tiers, place)
        place = np.where(place < count, place, tiers)
        product = self.first[categories] + place
        return np.where(self.created_at[product] <= at, product, self.first[categories] + place % 3)

    def price_at(self, products: Ints, at: Ints) -> Ints:
        """Cents a product cost at a time."""
        before = (self.changed_at[products] >= 0) & (at < self.changed_at[products])
        return np.where(before, self.previous[products], self.price[products])


@dataclass(frozen=True)
class Campaigns:
    """Newsletters in order of sending, then the automated messages. Arrays are (newsletters,)."""

    sent_at: Ints
    category: Ints

    @cached_property
    def welcome(self) -> int:
        """Index of the welcome message."""
        return len(self.sent_at)

    @property
    def confirmation(self) -> int:
        """Index of the order confirmation."""
        return len(self.sent_at) + 1

    @property
    def win_back(self) -> int:
        """Index of the win-back message."""
        return len(self.sent_at) + 2


@dataclass(frozen=True)
class World:
    """All that is shared between chunks."""

    config: Config
    clock: Floats  # (days + 1,) demand from the start to the end of each day; 1 per average day
    rate_mean: float  # repeat orders per buyer and unit of the clock
    products: Products
    campaigns: Campaigns

    def to_clock(self, seconds: Ints) -> Floats:
        """Demand between the start of the window and each time."""
        return np.interp((seconds - self.config.start) / c.DAY, np.arange(len(self.clock)), self.clock)

    def from_clock(self, demand: Floats) -> Ints:
        """The time at which that much demand has passed."""
        days = np.interp(demand, self.clock, np.arange(len(self.clock)))
        return self.config.start + (days * c.DAY).astype(np.int64)


def joining(config: Config, rng: np.random.Generator, n: int) -> Ints:
    """(n,) times at which people come to the shop: a launch crowd, then a slowly growing stream."""
    launch = chance(rng, c.OPENING_SHARE, n)
    share = np.sqrt(rng.random(n) * 1.25 + 0.5625) * 2 - 1.5  # density rises from 0.75 to 1.35
    share = np.clip(share / (np.sqrt(1.8125) * 2 - 1.5), 0, 1)
    early = rng.random(n) * min(30, config.days / 4) / config.days
    days = np.where(launch, early, share) * (config.days - 0.05)
    return config.start + (days * c.DAY).astype(np.int64)


def lifetimes(rng: np.random.Generator, n: int) -> Floats:
    """(n,) seconds from joining to dropping out, exponential with a gamma-distributed rate per person."""
    rate = rng.gamma(c.DROPOUT_SHAPE, c.DROPOUT_MEAN / c.DROPOUT_SHAPE, n) + 1e-5
    return rng.exponential(1.0, n) / rate * c.DAY


def _clock(config: Config) -> Floats:
    first = datetime.fromtimestamp(config.start, UTC).date()
    days = [first + timedelta(day) for day in range(config.days)]
    demand = np.array([c.SEASON[day.month - 1] * c.WEEKDAY[day.weekday()] for day in days])
    return np.concatenate([[0.0], np.cumsum(demand / demand.mean())])


def _rate_mean(config: Config, clock: Floats) -> float:
    """Repeat-order rate at which the shop gets its intended number of orders, from a pilot without orders."""
    rng = config.rng(0, 0)
    joined = joining(config, rng, PILOT)
    ends = np.minimum(joined + lifetimes(rng, PILOT), config.until)
    first = joined + rng.exponential(c.FIRST_ORDER_LAG * c.DAY, PILOT)
    buys = (first < ends) & chance(rng, 1 - c.NEVER_BUYS_SHARE, PILOT)

    def demand(at: Floats) -> Floats:
        return np.interp((at - config.start) / c.DAY, np.arange(len(clock)), clock)

    exposure = np.where(buys, demand(ends) - demand(first), 0.0)
    wanted = config.orders_per_customer * config.days / c.REFERENCE_DAYS
    rhythmic = c.RHYTHM_SHARE * exposure.mean() / float(np.mean(c.RHYTHM_DAYS))
    return float(max(wanted - buys.mean() - rhythmic, 0.1 * wanted) / exposure.mean())


def _products(config: Config) -> Products:
    rng = config.rng(0, 1)
    per_category = int(np.clip(config.customers // 1_000, 9, 400)) // 3 * 3
    n = per_category * len(CATEGORIES)
    category = np.repeat(np.arange(len(CATEGORIES)), per_category)
    place = np.tile(np.arange(per_category), len(CATEGORIES))
    mean = np.array([c.CATEGORIES[name][0] for name in CATEGORIES])[category]
    euros = mean * np.array(c.PRICE_TIERS)[place % 3] * np.exp(rng.normal(0, 0.18, n)) / 100
    price = (
        np.maximum(np.round(euros), 2).astype(np.int64) * 100 - np.array([10, 1, 5])[rng.integers(0, 3, n)]
    )
    change = pick(
        rng, [c.PRICE_DROP_SHARE, c.PRICE_RISE_SHARE, 1 - c.PRICE_DROP_SHARE - c.PRICE_RISE_SHARE], n
    )
    factor = np.where(change == 0, rng.uniform(1.1, 1.5, n), rng.uniform(0.8, 0.95, n))
    recent = min(c.PRICE_CHANGE_DAYS, config.days) * c.DAY
    changed_at = config.until - 1 - (rng.random(n) * recent).astype(np.int64)
    stock = rng.integers(3, 250, n)
    stock[chance(rng, c.OUT_OF_STOCK_SHARE, n)] = 0
    restocked_at = config.until - 1 - (rng.random(n) * min(20, config.days) * c.DAY).astype(np.int64)
    created_at = config.start - (rng.random(n) * 700 * c.DAY).astype(np.int64) - c.DAY
    new = chance(rng, c.NEW_PRODUCT_SHARE, n) & (place >= max(3, per_category // 2))
    listed = config.start + (rng.random(n) * 0.7 * config.days * c.DAY).astype(np.int64)
    spelling = pick(rng, c.SPELLING_SHARES, n)
    odd = chance(rng, c.UNMAPPABLE_SHARE, n)
    odd[[n // 3, n - 1]] = True
    spelling[odd] = 4 + (np.cumsum(odd)[odd] % 2)
    return Products(
        category=category,
        spelling=spelling,
        price=price,
        previous=np.where(change < 2, np.round(price * factor, -1).astype(np.int64), NONE),
        changed_at=np.where(change < 2, changed_at, NONE),
        stock=stock,
        restocked_at=np.where((stock > 0) & chance(rng, c.RESTOCKED_SHARE, n), restocked_at, NONE),
        replenishable=np.array([c.CATEGORIES[name][1] for name in CATEGORIES])[category],
        created_at=np.where(new, listed, created_at),
        brand=rng.integers(0, len(c.BRANDS), n),
        first=np.arange(len(CATEGORIES)) * per_category,
        count=np.full(len(CATEGORIES), per_category),
    )


def _campaigns(config: Config) -> Campaigns:
    rng = config.rng(0, 2)
    monday = config.start // c.DAY * c.DAY
    n = max(config.days // c.CAMPAIGN_DAYS, 1)
    day = np.minimum(np.arange(n) * c.CAMPAIGN_DAYS + rng.integers(1, 5, n), config.days - 1)
    hour = (
        np.array(c.HOURS)[rng.integers(0, len(c.HOURS), n)] - 1
    )  # UTC, so an hour or two later on the continent
    return Campaigns(
        sent_at=monday + day * c.DAY + hour * c.HOUR, category=rng.integers(0, len(CATEGORIES), n)
    )


@lru_cache(maxsize=2)
def build_world(config: Config) -> World:
    """The shared part of a shop; cheap, and the same in every process."""
    clock = _clock(config)
    return World(config, clock, _rate_mean(config, clock), _products(config), _campaigns(config))
