"""Consent answers, browser signals and data-subject requests."""

from dataclasses import dataclass

import numpy as np

from mailroom.demo import constants as c
from mailroom.demo.encode import NONE, Bools, Floats, Ints, chance, pick
from mailroom.demo.mail import FOREVER, PENDING, SUBSCRIBED, Mailboxes
from mailroom.demo.people import DEVICES, People, Records, first_record

PURPOSES = ("marketing_email", *c.PURPOSES)
STATUSES = ("granted", "denied", "withdrawn", "pending")
GRANTED, DENIED, WITHDRAWN, AWAITED = range(4)
CHANNELS = ("email", "sms", "post", "web")
BASES = ("express", "implied", "soft_opt_in", "legitimate_interest")
RECORDERS = ("shop_checkbox", "preference_centre", "esp_unsubscribe", "crm", "support", "browser_signal")
CHECKBOX, CENTRE, ESP, CRM, SUPPORT, BROWSER = range(6)
FORMS = ("account", "checkout", "newsletter", "preferences", "cookie_banner", "mail_footer", "")
REQUEST_TYPES = tuple(c.REQUEST_TYPES)
REQUEST_STATUSES = ("received", "in_progress", "done", "refused")


@dataclass
class Answers:
    """(n,) arrays of consent events in order of time; one of the first four says who answered."""

    account: Ints
    profile: Ints
    contact: Ints
    device: Ints  # device number
    channel: Ints
    purpose: Ints
    status: Ints
    basis: Ints
    recorder: Ints
    form: Ints
    version: Ints
    confirmed: Ints
    at: Ints


@dataclass
class Requests:
    """(n,) arrays of data-subject requests in order of time."""

    person: Ints
    type: Ints
    status: Ints
    at: Ints
    completed: Ints


def device_draw(devices: Ints, salt: int) -> Floats:
    """(n,) numbers in 0-1 that belong to the devices, the same wherever a device turns up."""
    mixed = (devices.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed ^ (mixed >> np.uint64(29))) % np.uint64(1_000_003)).astype(np.float64) / 1_000_003


def sends_gpc(devices: Ints) -> Bools:
    """(n,) whether each device sends Global Privacy Control."""
    return device_draw(devices, 17) < c.GPC_SHARE


def make_answers(
    people: People,
    rng: np.random.Generator,
    until: int,
    accounts: Records,
    accepts: Ints,
    accepts_at: Ints,
    contacts: Records,
    contact_consent: Ints,
    boxes: Mailboxes,
) -> Answers:
    """Consent events from the checkbox, the preference centre, the ESP, the CRM and browsers."""
    rows: list[dict[str, Ints]] = []

    def add(at: Ints, **columns: Ints | int) -> None:
        size = len(at)
        row = dict.fromkeys(Answers.__dataclass_fields__, np.full(size, NONE))
        row["version"] = np.where(at < until - 250 * c.DAY, 1, 2)
        row.update({name: np.broadcast_to(np.asarray(value), size) for name, value in columns.items()})
        row["at"] = at
        rows.append(row)

    def confirmed(status: Ints, at: Ints) -> Ints:
        return np.where(status == GRANTED, at + rng.integers(60, 20_000, len(at)), NONE)

    # The shop's checkbox, by account.
    known = np.flatnonzero(
        (accepts >= 0) & (accepts_at >= 0) & chance(rng, c.CONSENT_TOLD_SHARE, len(accounts))
    )
    status = np.where(
        accepts[known] > 0, np.where(chance(rng, c.PENDING_SHARE, len(known)), AWAITED, GRANTED), DENIED
    )
    soft = chance(rng, 0.15, len(known)) & (status == GRANTED)
    add(
        accepts_at[known], account=known, channel=0, purpose=0, status=status, basis=np.where(soft, 2, 0),
        recorder=CHECKBOX, form=rng.integers(0, 2, len(known)),
        confirmed=np.where(soft, NONE, confirmed(status, accepts_at[known])),
    )  # fmt: skip

    # The newsletter form, by profile; some never confirmed.
    signed = np.flatnonzero(
        ((boxes.status == SUBSCRIBED) & chance(rng, 0.45, len(boxes.status))) | (boxes.status == PENDING)
    )
    status = np.where(boxes.status[signed] == PENDING, AWAITED, GRANTED)
    at = boxes.profiles.created[signed]
    add(
        at,
        profile=signed,
        channel=0,
        purpose=0,
        status=status,
        basis=0,
        recorder=CENTRE,
        form=2,
        confirmed=confirmed(status, at),
    )

    gone = np.flatnonzero(
        (boxes.ends < FOREVER)
        & (boxes.status == SUBSCRIBED)
        & ~boxes.dead
        & chance(rng, c.UNSUBSCRIBE_TOLD_SHARE, len(boxes.ends))
    )
    add(boxes.ends[gone], profile=gone, channel=0, purpose=0, status=WITHDRAWN, basis=0, recorder=ESP, form=5)

    answered = np.flatnonzero((contact_consent >= 0) & chance(rng, 0.2, len(contacts)))
    status = np.where(contact_consent[answered] > 0, GRANTED, DENIED)
    add(
        contacts.created[answered],
        contact=answered,
        channel=rng.integers(0, 3, len(answered)),
        purpose=0,
        status=status,
        basis=1,
        recorder=CRM,
        form=6,
    )

    # Other purposes: the preference centre knows the profile or account, the cookie banner only the device.
    first_account = first_record(accounts, len(people))
    first_profile = first_record(boxes.profiles, len(people))
    for purpose, (asked_share, agree_share) in enumerate(c.PURPOSES.values(), start=1):
        who = np.flatnonzero(chance(rng, asked_share, len(people)))
        by_device = chance(rng, 0.6 if purpose == 1 else 0.1, len(who))
        account, profile = first_account[who], first_profile[who]
        by_device |= (account < 0) & (profile < 0)
        device = np.where(by_device, (people.first + who) * DEVICES, NONE)
        account, profile = np.where(by_device, NONE, account), np.where(by_device, NONE, profile)
        profile = np.where((account >= 0) & chance(rng, 0.4, len(who)), NONE, profile)
        at = np.minimum(
            people.joined[who] + (rng.exponential(25, len(who)) * c.DAY).astype(np.int64) + 60,
            until - 2 * c.HOUR,
        )
        status = np.where(chance(rng, agree_share, len(who)), GRANTED, DENIED)
        channel = np.where(by_device | (purpose != 2), 3, 0)
        form = np.where(by_device, 4, 3)
        who_says = {
            "account": account,
            "profile": profile,
            "device": device,
            "channel": channel,
            "form": form,
        }
        add(at, **who_says, purpose=purpose, status=status, basis=0, recorder=CENTRE)
        back = (status == GRANTED) & chance(rng, c.WITHDRAWN_SHARE, len(who))
        later = np.minimum(
            at + (rng.exponential(90, len(who)) * c.DAY).astype(np.int64) + c.HOUR, until - c.HOUR
        )
        who_says = {name: column[back] for name, column in who_says.items()}
        add(later[back], **who_says, purpose=purpose, status=WITHDRAWN, basis=0, recorder=CENTRE)

    devices = (people.first + np.arange(len(people))) * DEVICES
    signals = np.flatnonzero(sends_gpc(devices))
    add(
        people.joined[signals] + 30,
        device=devices[signals],
        channel=3,
        purpose=1,
        status=DENIED,
        basis=0,
        recorder=BROWSER,
        form=6,
    )

    columns = {name: np.concatenate([row[name] for row in rows]) for name in Answers.__dataclass_fields__}
    columns["confirmed"] = np.where(columns["confirmed"] < until, columns["confirmed"], NONE)
    by_time = np.lexsort((columns["purpose"], columns["at"]))
    by_time = by_time[columns["at"][by_time] < until]
    return Answers(**{name: column[by_time] for name, column in columns.items()})


def make_requests(people: People, rng: np.random.Generator, until: int) -> Requests:
    """A few requests to the privacy desk; at least one per chunk of any size."""
    n = max(round(len(people) * c.REQUEST_SHARE), 1)
    who = rng.permutation(len(people))[:n]
    at = people.joined[who] + (rng.random(n) * np.maximum(until - people.joined[who] - c.DAY, 1)).astype(
        np.int64
    )
    order = np.argsort(at, kind="stable")
    who, at = who[order], at[order]
    completed = at + (rng.uniform(1, 30, n) * c.DAY).astype(np.int64)
    done = completed < until
    refused = chance(rng, 0.05, n)
    return Requests(
        person=who,
        type=pick(rng, list(c.REQUEST_TYPES.values()), n),
        status=np.where(done, np.where(refused, 3, 2), rng.integers(0, 2, n)),
        at=at,
        completed=np.where(done & ~refused, completed, NONE),
    )
