"""The normalisers, as dbt renders them, over generated text and against the phonenumbers library."""

import csv
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import duckdb
import idna
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from conftest import PROJECT, Warehouse
from mailroom.mailbox import mailbox, normalise, widest_mailbox

MACROS = {
    "normalise_email": "normalise_email('value')",
    "refused_addresses": "'nullif(' ~ joined(' ', refused_addresses('value')) ~ ', repeat(chr(10), 0))'",
    "mailbox_of": "mailbox_of('value', 'domains')",
    "widest_mailbox": "widest_mailbox('value', 'domains')",
    "clean_name": "clean_name('value')",
    "language_code": "language_code('value')",
    "category_key": "category_key('value')",
    "plain_name": "plain_name('value')",
    "normalise_phone": "normalise_phone('value', 'calling_code', 'trunk_prefix')",
}
COUNTRIES = {
    row["country_code"]: row for row in csv.DictReader((PROJECT / "seeds/policy/countries.csv").open())
}
BREAK = "===="
FULL_WIDTH = {ord(sign): ord(sign) + 0xFEE0 for sign in "+0123456789"}

anything = st.one_of(
    st.none(), st.text(max_size=60), st.text(alphabet="aA@. <>(),;'\"-_+|\t\u00a0\u200bßİé😀", max_size=40)
)
word = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
nearly_plain = st.one_of(
    st.from_regex(r"[a-zA-Z0-9._+-]{0,3}@?[a-zA-Z0-9._-]{1,4}[.]?[a-zA-Z0-9]{0,3}[ .,;]?", fullmatch=True),
    st.from_regex(
        r"(tel: ?)?[+]?(00)?49 ?([(]0[)])?0?[0-9]{3}[ /.-]?[0-9]{4,8}( ?x[0-9]{1,3})?", fullmatch=True
    ),
)
top_level = st.sampled_from(["de", "com", "co.uk", "museum", "рф"])
addresses = st.builds("{}@{}.{}".format, word, word, top_level)
bulk = settings(max_examples=12)


@dataclass(frozen=True)
class Normaliser:
    """One macro as SQL, run over many values at once."""

    connection: duckdb.DuckDBPyConnection
    sql: str

    def __call__(self, values: Sequence[str | None], country: str = "DE") -> list[str | None]:
        code, trunk = COUNTRIES[country]["calling_code"], COUNTRIES[country]["trunk_prefix"] or ""
        rows = self.connection.execute(
            f"select {self.sql} from (select unnest($1::varchar[]) as value, unnest(range($2)) as n,"
            " $3 as calling_code, $4 as trunk_prefix)"
            " left join domains on email_domain = split_part(value, '@', 2) order by n",
            [list(values), len(values), code, trunk],
        ).fetchall()
        return [row[0] for row in rows]


@pytest.fixture(scope="module")
def normalisers(parsed: Warehouse) -> Iterator[dict[str, Normaliser]]:
    inline = BREAK.join(["", *("{{ " + call + " }}" for call in MACROS.values()), ""])
    run = parsed.dbt("compile", "--quiet", "--inline", inline)
    assert run.ok, run.output
    with duckdb.connect() as connection:
        sqls = run.output.split(BREAK)[1:-1]
        connection.execute(
            f"create table domains as from read_csv('{PROJECT}/seeds/policy/mailbox_domains.csv')"
        )
        yield {name: Normaliser(connection, sql) for name, sql in zip(MACROS, sqls, strict=True)}


@pytest.fixture(scope="module")
def email(normalisers: dict[str, Normaliser]) -> Normaliser:
    return normalisers["normalise_email"]


@pytest.fixture(scope="module")
def phone(normalisers: dict[str, Normaliser]) -> Normaliser:
    return normalisers["normalise_phone"]


@bulk
@given(values=st.lists(anything, min_size=1, max_size=60))
def test_no_text_breaks_a_normaliser_and_null_stays_null(
    normalisers: dict[str, Normaliser], values: list[str | None]
) -> None:
    for name, normaliser in normalisers.items():
        results = normaliser([*values, None])
        assert results[-1] is None
        assert "" not in results or name in ("mailbox_of", "widest_mailbox"), name


@bulk
@given(values=st.lists(anything | addresses, min_size=1, max_size=60))
def test_normalising_twice_is_normalising_once(
    normalisers: dict[str, Normaliser], values: list[str | None]
) -> None:
    for name in ["normalise_email", "clean_name", "language_code", "normalise_phone"]:
        once = normalisers[name](values)
        assert normalisers[name](once) == once, name


@bulk
@given(values=st.lists(addresses, min_size=1, max_size=60), data=st.data())
def test_an_address_is_the_same_however_it_is_wrapped(
    email: Normaliser, values: list[str], data: st.DataObject
) -> None:
    before = st.sampled_from(
        ["", " ", "\t", "\u00a0", "\u200b", "<", "mailto:", "<mailto:", "MAILTO:mailto:", "'", '"(']
    )
    after = st.sampled_from(["", " ", "\r\n", "\u00a0", ">", ".", ",", ";", "'", '")', "> ;"])
    wrapped = [
        data.draw(before) + (value.upper() if n % 2 else value) + data.draw(after)
        for n, value in enumerate(values)
    ]
    assert email(wrapped) == values


@bulk
@given(values=st.lists(anything | nearly_plain | addresses, min_size=1, max_size=200))
def test_python_reads_an_address_as_sql_does(email: Normaliser, values: list[str | None]) -> None:
    for value, in_sql in zip(values, email(values), strict=True):
        assert in_sql in (None, normalise(value)), repr(value)


def test_python_and_sql_know_the_same_mailboxes(normalisers: dict[str, Normaliser]) -> None:
    rows = csv.DictReader((PROJECT / "seeds/policy/mailbox_domains.csv").open())
    domains = {
        row["email_domain"]: (
            row["canonical_domain"] or None, row["ignores_dots"] == "true", row["ignores_plus_part"] == "true"
        )
        for row in rows
    }  # fmt: skip
    values = [
        f"{local}@{domain}"
        for local in ["ann", "a.nn", "ann+shop", "a.n.n+x+y", "+shop", "...", ".+.", "ann+"]
        for domain in [*domains, "elsewhere.de"]
    ]
    assert normalisers["mailbox_of"](values) == [mailbox(value, domains) for value in values]
    assert normalisers["widest_mailbox"](values) == [widest_mailbox(value, domains) for value in values]


international = st.text(
    alphabet="abcxyz019-äöüßéçñøåčşőαβγабвгдежзאבגعربहिन्दी中文字例え한글", min_size=1, max_size=16
)


@bulk
@given(labels=st.lists(international, min_size=1, max_size=60))
def test_an_international_domain_is_one_in_punycode_and_in_its_script(
    email: Normaliser, labels: list[str]
) -> None:
    encoded = {}
    for label in labels:
        with suppress(idna.IDNAError, UnicodeError):
            encoded[f"anna@{label}.de"] = f"anna@{idna.encode(label).decode()}.de"
    # What IDNA 2008 allows is composed and in lower case.
    if encoded:
        assert email(list(encoded.values())) == email(list(encoded)) == list(encoded)


@bulk
@given(garbage=st.lists(st.from_regex(r"xn--[a-z0-9-]{0,70}", fullmatch=True), min_size=1, max_size=60))
def test_punycode_that_is_none_is_no_error(email: Normaliser, garbage: list[str]) -> None:
    assert len(email([f"anna@{label}.de" for label in garbage])) == len(garbage)


@pytest.mark.parametrize(
    "typed",
    [
        "anna.bérg@müller.de",
        "Anna Berg <anna.bérg@müller.de>",
        '"Berg, Anna" <ANNA.BÉRG@MÜLLER.DE>',
        "mailto:anna.bérg@müller.de?subject=stop",
        "mailto:anna.bérg%40müller.de",
        "anna.bérg @ müller . de",
        "anna.bérg@müller.de (Anna)",
        "anna.be\u0301rg@mu\u0308ller.de",
        "anna.bérg@xn--mller-kva.de",
        "ANNA.BÉRG@XN--MLLER-KVA.DE.",
        "anna\uff0ebérg\uff20müller\uff0ede",
        '"anna.bérg"@müller.de',
        "\ufeffanna.bérg@müller.de\u200b",
    ],
)
def test_one_address_in_many_spellings(email: Normaliser, typed: str) -> None:
    assert email([typed]) == ["anna.bérg@müller.de"] == [normalise(typed)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("anna berg@gmail.com", {"annaberg@gmail.com", "berg@gmail.com"}),
        ("anna@x.de; berg@y.de", {"anna@x.de", "berg@y.de"}),
        ("Anna Berg anna@x.de", {"annaberganna@x.de", "anna@x.de"}),
        ("please remove anna@x.de, thank you", {"anna@x.de"}),
        ("nothing to read", set()),
    ],
)
def test_a_refusal_may_mean_each_address_that_can_be_read(
    email: Normaliser, normalisers: dict[str, Normaliser], typed: str, meant: set[str]
) -> None:
    assert email([typed]) == [None]
    (found,) = normalisers["refused_addresses"]([typed])
    assert set((found or "").split()) == meant


@bulk
@given(values=st.lists(anything | addresses | nearly_plain, min_size=1, max_size=100))
def test_plain_text_takes_a_fast_path_to_the_same_result(
    email: Normaliser, phone: Normaliser, values: list[str | None]
) -> None:
    """A special space, which the normalisers strip, sends the same value down the slow path."""
    values += ["a" * (254 - len("@x.de")) + "@x.de", "a" * (255 - len("@x.de")) + "@x.de"]
    spaced = [value and f"\u00a0{value}" for value in values]
    assert email(values) == email(spaced)
    assert phone(values) == phone(spaced)


@bulk
@given(values=st.lists(anything, min_size=1, max_size=100))
def test_what_is_taken_for_an_address_has_one_at_sign_and_a_domain(
    email: Normaliser, values: list[str | None]
) -> None:
    for address in email(values):
        if address is not None:
            local_part, domain = address.split("@")
            assert local_part and "." in domain and all(domain.split("."))
            assert not any(sign.isspace() or sign in '<>(),;"' for sign in address)


def test_what_is_no_address(email: Normaliser) -> None:
    texts = [
        "anna",
        "anna@",
        "@x.de",
        "anna@x",
        "anna@x.",
        "anna@.de",
        "anna@x..de",
        "anna@x.d",
        "anna@x.12",
        "a b@x.de",
        "anna@x.de, ben@x.de",
        "anna@x.de|ann",
        "anna@@x.de",
        "n/a",
        "",
        "x" * 10_000,
        "a@" + "x" * 300 + ".de",
    ]
    assert email(texts) == [None] * len(texts)


def test_names_are_written_as_one_writes_them(normalisers: dict[str, Normaliser]) -> None:
    cases = {
        "anna": "Anna",
        "ANNA": "Anna",
        "McDonald": "McDonald",
        "  Anna \t Maria ": "Anna Maria",
        "O'Brien": "O'Brien",
        "N/A": None,
        "test": None,
        "": None,
        "\u00a0": None,
        "李明": "李明",
        "😀": "😀",
        "Éloïse": "Éloïse",
        "ÉLOÏSE": "Éloïse",
        "a": "A",
        "\ufeffAnna": "Anna",
    }
    assert dict(zip(cases, normalisers["clean_name"](list(cases)), strict=True)) == cases


def test_languages_and_categories(normalisers: dict[str, Normaliser]) -> None:
    languages = {
        "de": "de",
        "de-AT": "de",
        "EN_us": "en",
        "zh-Hant-TW": "zh",
        "german": None,
        "deu": None,
        "": None,
    }
    assert dict(zip(languages, normalisers["language_code"](list(languages)), strict=True)) == languages
    categories = {
        "Sneakers": "sneaker",
        "sneaker": "sneaker",
        "sneakers/men": "sneaker>men",
        "T-Shirts": "tshirt",
        "Men > Shoes": "men>shoe",
        "/Men/ Shoe/": "men>shoe",
        "Dresses": "dress",
        "dress": "dress",
        "Boxes": "box",
        "Accessories": "accessory",
        "Cookie": "cooky",
        "cookies": "cooky",
        "Käse": "käse",
        "KA\u0308SE": "käse",
        "СЫР": "сыр",
        "寿司": "寿司",
        "s": "s",
        "!!": None,
        " / ": None,
    }
    assert dict(zip(categories, normalisers["category_key"](list(categories)), strict=True)) == categories


def test_names_are_compared_by_their_sound(normalisers: dict[str, Normaliser]) -> None:
    same = [
        ["Käthe", "Kaethe", "KATHE", "Ka\u0308the", " käthe. "],
        ["Łukasz", "Lukasz"],
        ["Šárka", "Sarka"],
        [
            "Анна",
            "анна",
            "Anna",
            "Ana",
            "ANNA".translate({ord(letter): ord(letter) + 0xFEE0 for letter in "AN"}),
        ],
        ["Đorđe", "Dorde"],
        ["Søren", "Soeren", "Soren"],
        ["Zoe", "Zoë"],
        ["Γιώργος", "Giorgos", "ΓΙΩΡΓΟΣ"],
        ["Юрий", "Yuriy", "Yuri"],
        ["Иван", "Ivan"],
        ["Sophie", "Sofie"],
        ["Marc", "Mark"],
        ["Meyer", "Meier"],
        ["Schmidt", "Schmitt", "SCHMIT"],
        ["O'Brien", "O\u2019Brien", "OBrien"],
        ["Anna-Lena", "Anna Lena", "anna  lena"],
        ["たろう", "タロウ"],
        ["İbrahim", "Ibrahim"],
        ["Nguyễn", "Nguyen"],
    ]
    for spellings in same:
        keys = set(normalisers["plain_name"](spellings))
        assert len(keys) == 1 and None not in keys, (spellings, keys)
    several = [
        "Maria",
        "Mario",
        "Marie",
        "Li",
        "Xu",
        "Xue",
        "Jo",
        "A.",
        "伟",
        "芳",
        "민수",
        "지영",
        "Christian",
        "Christina",
    ]
    assert len(set(normalisers["plain_name"](several))) == len(several)
    assert normalisers["plain_name"](["", "😀", "1234", None]) == [None] * 4
    assert normalisers["plain_name"](["Anna & Ben", "Dr. Anna Berg"]) == ["ana und ben", "dr ana berg"]


def test_one_number_typed_many_ways(phone: Normaliser) -> None:
    german = [
        "+49 170 1234567",
        "0170/1234567",
        "0049 170 1234567",
        "+49 (0)170 1234567",
        "0049(0)170-1234567",
        "+49 0170 1234567",
        "(0170) 123 45 67",
        "tel:+491701234567",
        "Tel.: 0170 1234567",
        "0170 1234567 x12",
        "0170 1234567 ext. 12",
        "491701234567",
        "1701234567",
        "\u00a0+49\u00a0170\u00a01234567",
        "٠١٧٠١٢٣٤٥٦٧",
        "+491701234567".translate(FULL_WIDTH),
    ]
    assert dict.fromkeys(german, "+491701234567") == dict(zip(german, phone(german), strict=True))
    american = [
        "+1 415 555 2671",
        "1-415-555-2671",
        "(415) 555-2671",
        "415.555.2671 x123",
        "001 415 555 2671",
        "+1 (415) 555-2671;ext=9",
    ]
    assert phone(american, "US") == ["+14155552671"] * len(american)
    assert phone(["011 49 170 1234567"], "US") == ["+491701234567"]
    assert phone(["06 698 12345", "+39 06 698 12345", "0039 06 69812345"], "IT") == ["+390669812345"] * 3
    assert phone(["391 234 5678", "+39 391 234 5678"], "IT") == ["+393912345678"] * 2
    no_numbers = [
        "",
        "n/a",
        "call me",
        "12345",
        "000000000",
        "+0170 1234567",
        "0000 170 1234567",
        "++",
        "1" * 40,
        "1234567",
        "0170 1234567 / 030 1234567",
        "unknown 0170 1234567",
        "555-0000",
    ]
    assert dict(zip(no_numbers, phone(no_numbers), strict=True)) == dict.fromkeys(no_numbers)


def valid_numbers(country: str, n: int) -> list[phonenumbers.PhoneNumber]:
    """Numbers that the library holds for valid, near its examples of landline and mobile numbers."""
    chance = random.Random(country)
    numbers: list[phonenumbers.PhoneNumber] = []
    for kind in [PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE]:
        example = phonenumbers.example_number_for_type(country, kind)
        assert example is not None
        text = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        found = 0
        while found < n // 2:
            digits = chance.randint(3, 6)
            number = phonenumbers.parse(text[:-digits] + "".join(chance.choices("0123456789", k=digits)))
            if phonenumbers.is_valid_number_for_region(number, country):
                numbers.append(number)
                found += 1
    return numbers


def agreement(phone: Normaliser, form: str) -> tuple[dict[str, float], dict[str, float]]:
    """Shares of valid numbers, by country, that come out right and wrong in a form; the rest is null."""
    right: dict[str, float] = {}
    wrong: dict[str, float] = {}
    for country, row in COUNTRIES.items():
        numbers = valid_numbers(country, 50)
        wanted = [phonenumbers.format_number(number, PhoneNumberFormat.E164) for number in numbers]
        national = [phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) for number in numbers]
        code, trunk = row["calling_code"], row["trunk_prefix"]
        typed = {
            "E.164": wanted,
            "international": [
                phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) for number in numbers
            ],
            "00": ["00" + text[1:] for text in wanted],
            "national": national,
            "trunk in brackets": [f"+{code} (0) {text[len(code) + 1 :]}" for text in wanted],
            "plus missing": [text[1:] for text in wanted],
            "trunk missing": [text.removeprefix("(").removeprefix(trunk) for text in national],
        }[form]
        results = phone(typed, country)
        right[country] = sum(a == b for a, b in zip(results, wanted, strict=True)) / len(wanted)
        wrong[country] = sum(a is not None and a != b for a, b in zip(results, wanted, strict=True)) / len(
            wanted
        )
    return right, wrong


@pytest.mark.parametrize(
    ("form", "least_right", "most_wrong"),
    [
        ("E.164", 1.0, 0.0),
        ("international", 1.0, 0.0),
        ("00", 1.0, 0.0),
        ("trunk in brackets", 1.0, 0.0),
        ("national", 0.98, 0.0),  # Lebanon drops its trunk prefix before some mobile numbers
        ("plus missing", 0.9, 0.005),  # a shorter number may be national or international: null
        ("trunk missing", 0.85, 0.005),  # a spreadsheet removed the 0
    ],
)
def test_phones_agree_with_the_phonenumbers_library(
    phone: Normaliser, form: str, least_right: float, most_wrong: float
) -> None:
    right, wrong = agreement(phone, form)
    mean_right, mean_wrong = sum(right.values()) / len(right), sum(wrong.values()) / len(wrong)
    below = {country: share for country, share in right.items() if share < 1}
    amiss = {country: share for country, share in wrong.items() if share > 0}
    print(f"{form}: {mean_right:.4f} right, {mean_wrong:.4f} wrong; {below=}, {amiss=}")
    assert mean_right >= least_right, below
    assert mean_wrong <= most_wrong, amiss


def test_a_name_is_short_for_six_others_at_most(normalisers: dict[str, Normaliser]) -> None:
    """person_names has a column for each of them."""
    with (PROJECT / "seeds/policy/given_names.csv").open() as file:
        rows = list(csv.DictReader(file))
    short = normalisers["plain_name"]([row["short_name"] for row in rows])
    full = normalisers["plain_name"]([row["given_name"] for row in rows])
    assert None not in short and None not in full
    others = Counter(name for name, other in set(zip(short, full, strict=True)) if name != other)
    assert max(others.values()) <= 6, others.most_common(3)
