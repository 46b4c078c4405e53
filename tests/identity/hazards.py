"""Small worlds in which strangers are easily joined, or one person's records kept apart.

Each has the groups that a careful reviewer of the records would make, and the reason. Records that such a
reviewer could not assign are in no group: each may join a group or stay alone, but must not bridge two.
"""
# Names in many scripts look alike to a linter.
# ruff: noqa: RUF001

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from worlds import Record, Scenario, always

PLACE = {"street", "postal_code", "city"}


@dataclass(frozen=True)
class Hazard(Scenario):
    """A scenario with the reason for its answer."""

    why: str = ""

    @property
    def all_records(self) -> list[Record]:
        return self.records[1]

    @property
    def all_groups(self) -> list[set[str]]:
        return self.groups[1]


def day(moment: int | str | None) -> str | None:
    """The first day of a year, or the day itself."""
    return f"{moment}-01-01" if isinstance(moment, int) else moment


def crm(
    key: str,
    name: str | None = None,
    family: str | None = None,
    *,
    email: str | None = None,
    phone: str | None = None,
    birth_date: str | None = None,
    street: str | None = None,
    postal_code: str | None = None,
    city: str | None = None,
    country: str | None = "DE",
    since: int | str | None = 2020,
    updated: int | str | None = None,
) -> Record:
    row = {
        "contact_id": key,
        "email": email,
        "phone": phone,
        "first_name": name,
        "last_name": family,
        "birth_date": birth_date,
        "street": street,
        "postal_code": postal_code,
        "city": city,
        "country": country,
        "created_at": day(since),
        "updated_at": day(updated),
    }
    return Record("crm/contacts", row)


def shop(key: str, name: str | None = None, family: str | None = None, **more: Any) -> Record:
    """A shop account, with the columns of a contact."""
    row = dict(crm(key, name, family, **more).row)
    return Record("shop/customers", {"customer_id": row.pop("contact_id"), **row})


def esp(
    key: str,
    name: str | None = None,
    family: str | None = None,
    *,
    email: str | None = None,
    phone: str | None = None,
    account: str | None = None,
    birth_date: str | None = None,
    country: str | None = "DE",
    since: int | str | None = 2020,
    updated: int | str | None = None,
) -> Record:
    row = {
        "profile_id": key,
        "external_id": account,
        "email": email,
        "phone": phone,
        "first_name": name,
        "last_name": family,
        "birth_date": birth_date,
        "country": country,
        "created_at": day(since),
        "updated_at": day(updated),
    }
    return Record("esp/profiles", row)


def guest(
    key: str,
    name: str | None = None,
    family: str | None = None,
    *,
    email: str | None = None,
    phone: str | None = None,
    account: str | None = None,
    country: str | None = "DE",
    since: int | str | None = 2021,
    updated: int | str | None = None,
) -> Record:
    row = {
        "order_id": key,
        "customer_id": account,
        "email": email,
        "phone": phone,
        "first_name": name,
        "last_name": family,
        "country": country,
        "ordered_at": day(since),
        "updated_at": day(updated),
    }
    return Record("shop/orders", row)


def ticket(
    key: str,
    name: str | None = None,
    *,
    email: str | None = None,
    phone: str | None = None,
    account: str | None = None,
    since: int | str | None = 2022,
    updated: int | str | None = None,
) -> Record:
    row = {
        "ticket_id": key,
        "customer_id": account,
        "requester_email": email,
        "requester_phone": phone,
        "requester_name": name,
        "status": "open",
        "created_at": day(since),
        "updated_at": day(updated),
    }
    return Record("support/tickets", row)


Person = dict[str, Any]


def who(name: str | None = None, family: str | None = None, **more: Any) -> Person:
    return {"name": name, "family": family, **more}


def address(prefix: str) -> str:
    return f"{prefix}@x.de"


def number(prefix: str) -> str:
    """A phone number of its own for each prefix."""
    return f"+4989{20_000_000 + zlib.crc32(prefix.encode()) % 70_000_000}"


def people(prefix: str, each: Iterable[Person]) -> list[Record]:
    """Contacts, accounts and profiles in turn. Profiles only if no person has a place."""
    persons = list(each)
    tables = (crm, shop) if any(PLACE & person.keys() for person in persons) else (crm, shop, esp)
    return [tables[i % len(tables)](f"{prefix}{i + 1}", **person) for i, person in enumerate(persons)]


def at_mailbox(prefix: str, *each: Person) -> list[Record]:
    """People who share an address."""
    return people(prefix, [{"email": address(prefix), **person} for person in each])


def on_number(prefix: str, *each: Person) -> list[Record]:
    """People who share a number, each with their own address."""
    return people(
        prefix,
        [
            {"email": address(f"{prefix}{i + 1}"), "phone": number(prefix), **person}
            for i, person in enumerate(each)
        ],
    )


def hazard(name: str, why: str, records: list[Record], *groups: set[int]) -> Hazard:
    """The groups hold places of records in the list, from 1. A record in no group may be anywhere."""
    labelled = [{records[place - 1].label for place in group} for group in groups]
    world = always(name, records, *labelled)
    return Hazard(world.name, world.records, world.groups, why)


def strangers(name: str, why: str, records: list[Record]) -> Hazard:
    return hazard(name, why, records, *({place} for place in range(1, len(records) + 1)))


def one_person(name: str, why: str, records: list[Record]) -> Hazard:
    return hazard(name, why, records, set(range(1, len(records) + 1)))


def words(text: str) -> list[str]:
    return text.split()


GIVEN = words(
    "Anna Ben Clara David Elif Frank Gerda Hakan Ines Jakob Karin Lars Mona Nils Olga Peter Quirin Rosa Sven"
    " Tanja Ulf Vera Wim Xenia Yusuf Zita Bruno Dora Egon Frieda"
)
FAMILIES = words(
    "Berg Meier Yilmaz Novak Schulz Braun Keller Vogt Frank Rossi Lindner Haas Kaya Bauer Wolf Graf Stein"
    " Peters Ott Ziegler Kuhn Arnold Simon Horn Busch Engel Pohl Sauer Thiel Winter"
)
CITIES = words("München Hamburg Köln Leipzig Bremen Kassel Mainz Ulm Kiel Jena Trier Essen")


def crowd(n: int) -> list[Person]:
    """Unrelated people."""
    return [who(GIVEN[i], FAMILIES[i], city=CITIES[i % len(CITIES)]) for i in range(n)]


# Two names, and why they are two people although they look alike.
COUPLES = [
    ("Christian", "Christina", "a man and a woman; the names have seven letters in common"),
    ("Maria", "Mario", "a woman and a man; only the ending differs"),
    ("Julia", "Julian", "a woman and a man; one name begins with the other"),
    ("Michael", "Michaela", "a man and a woman; one name begins with the other"),
    ("Andrea", "Andreas", "a woman and a man; one name begins with the other"),
    ("Johannes", "Johanna", "a man and a woman; Hanna and Hannes are short for one of them each"),
    ("Daniel", "Daniela", "a man and a woman; Dani is short for both"),
    ("Tim", "Tom", "two common names that differ in one letter"),
    ("Anna-Lena", "Anna-Maria", "two double names with the same first half"),
    ("Jean-Pierre", "Jean-Paul", "two double names with the same first half, and the same initials"),
    ("Martin", "Martina", "a man and a woman; one name begins with the other"),
    ("Stefan", "Stefanie", "a man and a woman; one name begins with the other"),
    ("Alexander", "Alexandra", "a man and a woman; Alex is short for both"),
    ("Paul", "Paula", "a man and a woman; one name begins with the other"),
    ("Jan", "Jana", "a man and a woman; one letter more is another name"),
    ("Emil", "Emilia", "a boy and a girl; one name begins with the other"),
    ("Lea", "Lena", "two common names; one letter more is another name, not a slip"),
    ("Anna", "Anja", "two common names that differ in one letter"),
    ("Marta", "Maria", "two common names that differ in one letter"),
    ("Lars", "Lara", "a man and a woman; only the last letter differs"),
    ("Hans", "Hanna", "a man and a woman with the same first three letters"),
    ("Bo", "Jo", "names of two letters are names, not initials or slips"),
    ("Li", "Yu", "names of two letters are names, not initials"),
    ("Bob", "Bill", "short for Robert and for William"),
    ("José María", "María José", "a man's name and a woman's: the same words, the other way round"),
    ("Александр", "Александра", "a man and a woman; one name begins with the other"),
    ("Мария", "Иван", "two people in Cyrillic letters"),
    ("Γιώργος", "Μαρία", "two people in Greek letters"),
    ("محمد", "فاطمة", "two people in Arabic letters"),
    ("太郎", "次郎", "two brothers with the second sign in common"),
]

# One name in several spellings, and what differs.
SPELLINGS = [
    (("Jürgen", "Juergen", "Jurgen"), "an umlaut written out, or without its dots"),
    (("Søren", "Soeren", "Soren"), "a letter of another alphabet written out, or as its nearest"),
    (("Łukasz", "Lukasz", "LUKASZ"), "a stroke that a keyboard does not have"),
    (("José", "Jose", "Jose\u0301"), "an accent left out, or as a character of its own"),
    (("İbrahim", "Ibrahim", "ibrahim"), "the dotted capital I of Turkish"),
    (("Ａｎｎａ", "Anna", "ANNA"), "wide letters from an East Asian keyboard"),
    (("Anna-Lena", "Annalena", "Anna Lena"), "a double name with a hyphen, in one word, in two"),
    (("Hans-Peter", "Hanspeter", "Hans Peter"), "a double name with a hyphen, in one word, in two"),
    (("Katharina", "Kathi", "Kathi"), "Kathi is short for Katharina"),
    (("Robert", "Bob", "Rob"), "Bob and Rob are short for Robert"),
    (("Josef", "Sepp", "Joseph"), "Sepp is short for Josef, which some write with ph"),
    (("Maximilian", "Max", "max"), "Max is short for Maximilian"),
    (("Sophie", "Sofie", "SOPHIE"), "one name with ph and with f"),
    (("Stefan", "Stephan", "stefan"), "one name with f and with ph"),
    (("Sarah", "Sara", "Sarah"), "an h that is not heard"),
    (("Philipp", "Philip", "Phillip"), "doubled letters in one place or the other"),
    (("Karl", "Carl", "Karl"), "one name with K and with C"),
    (("Mohammed", "Muhammad", "Mohamed"), "one name written as it is heard"),
    (("Иван", "Ivan", "Ivan"), "one name in Cyrillic and in Latin letters"),
    (("Юлия", "Yulia", "Iuliia"), "one name in Cyrillic letters and in two ways of writing it in Latin ones"),
    (
        ("Дмитрий", "Dmitry", "Dmitrij"),
        "one name in Cyrillic letters and in two ways of writing it in Latin ones",
    ),
    (("Γιώργος", "Giorgos", "Γιωργος"), "one name in Greek letters, without the accent, and in Latin ones"),
    (("タロウ", "たろう", "タロウ"), "one name in the two syllable scripts of Japanese"),
    (("Prof. Dr. Anna", "Anna", "Dr. med. Anna"), "titles are no part of the name"),
    (("Frau Anna", "Anna", "Anna"), "a form of address is no part of the name"),
    (("Anna 🌸", "Anna", " anna "), "what surrounds the name is no part of it"),
    (("Li", "Li", "LI"), "a name of two letters, written alike"),
]

# A typing error: the right given name, the typed one, the family name, and what happened.
SLIPS = [
    ("Katharina", "Kathairna", "Berg", "two letters changed places"),
    ("Michael", "Micheal", "Berg", "two vowels changed places; many people write it so"),
    ("John", "Jonn", "Smith", "one letter became the one beside it; Jonn is hardly a name"),
    ("Steffen", "Stefen", "Berg", "a letter dropped"),
    ("Anna", "Anma", "Berg", "the key beside the right one; Anma is no name"),
    ("Thomas", "Thommas", "Berg", "a letter doubled"),
    ("Sebastian", "Sebstian", "Berg", "a letter dropped in the middle"),
    ("Florian", "Floriab", "Berg", "the last key missed by one"),
    ("Elisabeth", "Elisabteh", "Berg", "two letters changed places near the end"),
]

# One family name in several spellings.
FAMILY_SPELLINGS = [
    (("Müller-Berg", "Berg", "Mueller Berg"), "one half of the double name, or both without the hyphen"),
    (("von der Leyen", "Leyen", "Von Der Leyen"), "particles that some leave out"),
    (("van den Berg", "Vandenberg", "Van den Berg"), "particles written in one word"),
    (("de la Cruz", "Delacruz", "De La Cruz"), "particles written in one word"),
    (("O'Brien", "O’Brien", "OBrien"), "an apostrophe, straight, curved or left out"),
    (("Groß", "Gross", "GROSS"), "a sharp s written out"),
    (("Berg-Huber", "Huber-Berg", "Huber Berg"), "a double name with its halves the other way round"),
    (("García Márquez", "Garcia", "Garcia Marquez"), "of two family names the first is used alone"),
    (("Meier", "Meyer", "Maier"), "spelled as it was heard"),
    (
        ("Петрова", "Petrova", "Petrowa"),
        "one name in Cyrillic letters and in two ways of writing it in Latin ones",
    ),
]

# Two family names that look alike because they begin alike.
OTHER_FAMILIES = [
    ("Berg", "Meier", "nothing else agrees, and a number goes from one hand to the next"),
    ("van den Berg", "van den Heuvel", "only the particles agree"),
    ("von Stein", "von Berg", "only the particle agrees"),
    ("De Luca", "De Santis", "only the particle agrees"),
    ("Кузнецова", "Попова", "two family names in Cyrillic letters"),
    ("王", "李", "two family names of one sign each"),
]


def couples() -> list[Hazard]:
    found = []
    for i, (one, other, why) in enumerate(COUPLES):
        pair = [who(one, "Berg"), who(other, "Berg")]
        found.append(strangers(f"{one} and {other} at one mailbox", why, at_mailbox(f"boxpair{i}-", *pair)))
        found.append(strangers(f"{one} and {other} on one number", why, on_number(f"numpair{i}-", *pair)))
    return found


def spellings() -> list[Hazard]:
    found = []
    for i, (names, why) in enumerate(SPELLINGS):
        each = [who(name, "Berg") for name in names]
        name = " / ".join(dict.fromkeys(names))
        found.append(one_person(f"{name} at one mailbox", why, at_mailbox(f"boxspell{i}-", *each)))
        found.append(one_person(f"{name} on one number", why, on_number(f"numspell{i}-", *each)))
    for i, (right, typed, family, why) in enumerate(SLIPS):
        each = [who(right, family), who(typed, family)]
        name = f"{right} {family} and the slip {typed} {family}"
        found.append(one_person(f"{name} at one mailbox", why, at_mailbox(f"boxslip{i}-", *each)))
        found.append(one_person(f"{name} on one number", why, on_number(f"numslip{i}-", *each)))
    for i, (families, why) in enumerate(FAMILY_SPELLINGS):
        each = [who("Anna", family) for family in families]
        name = f"Anna {' / '.join(families)} on one number"
        found.append(one_person(name, why, on_number(f"numfam{i}-", *each)))
    for i, (one, other, why) in enumerate(OTHER_FAMILIES):
        each = [who("Anna", one), who("Anna", other)]
        found.append(
            strangers(f"Anna {one} and Anna {other} on one number", why, on_number(f"other{i}-", *each))
        )
    return found


def initials_and_titles() -> list[Hazard]:
    return [
        one_person(
            "A. Berg and Anna Berg at one mailbox",
            "the initial and the family name fit, and there is only one it could be",
            at_mailbox("init-one", who("A.", "Berg"), who("Anna", "Berg")),
        ),
        one_person(
            "A Berg and Anna Berg, an initial without its dot",
            "one letter is an initial with or without a dot",
            at_mailbox("init-bare", who("A", "Berg"), who("Anna", "Berg")),
        ),
        one_person(
            "J.-P. Berg and Jean-Pierre Berg at one mailbox",
            "both initials fit the double name",
            at_mailbox("init-jp", who("J.-P.", "Berg"), who("Jean-Pierre", "Berg")),
        ),
        one_person(
            "Anna M. Berg and Anna Berg at one mailbox",
            "a middle initial more takes nothing back",
            at_mailbox("init-middle", who("Anna M.", "Berg"), who("Anna", "Berg")),
        ),
        strangers(
            "A. Berg and Bernd Berg at one mailbox",
            "the initial is another's",
            at_mailbox("init-two", who("A.", "Berg"), who("Bernd", "Berg")),
        ),
        strangers(
            "A. Berg and Bernd Berg on one number",
            "the initial is another's",
            on_number("init-num", who("A.", "Berg"), who("Bernd", "Berg")),
        ),
        hazard(
            "A. Berg with Anna and Ben at the mailbox",
            "of the two only Anna fits",
            at_mailbox("init-choice", who("A.", "Berg"), who("Anna", "Berg"), who("Ben", "Berg")),
            {1, 2},
            {3},
        ),
        strangers(
            "A. Berg with Anna and Alex at the mailbox",
            "the initial fits both, so it says neither",
            at_mailbox("init-both", who("A.", "Berg"), who("Anna", "Berg"), who("Alex", "Berg")),
        ),
        hazard(
            "A. Berg has Anna's address and Alex's number",
            "an initial that fits both must not make them one; whose it is cannot be said",
            [
                crm("init-bridge1", "Anna", "Berg", email=address("init-bridge")),
                shop("init-bridge2", "A.", "Berg", email=address("init-bridge"), phone=number("init-bridge")),
                crm("init-bridge3", "Alex", "Berg", email=address("init-x"), phone=number("init-bridge")),
            ],
            {1},
            {3},
        ),
        strangers(
            "Dr. Anna and Dr. Ben at one mailbox",
            "a title in common is no name in common",
            at_mailbox("title-two", who("Dr. Anna", "Berg"), who("Dr. Ben", "Berg")),
        ),
        strangers(
            "Dr. Anna and Dr. Ben on one number",
            "a practice of two: the title is no name",
            on_number("title-num", who("Dr. Anna", "Berg"), who("Dr. Ben", "Berg")),
        ),
        strangers(
            "Frau Anna and Frau Clara at one mailbox",
            "a form of address in common is no name in common",
            at_mailbox("title-frau", who("Frau Anna", "Berg"), who("Frau Clara", "Berg")),
        ),
        one_person(
            "Frau Berg and Anna Berg at one mailbox",
            "Frau is no given name: the record has none, and one name is at the mailbox",
            at_mailbox("title-as-name", who("Frau", "Berg"), who("Anna", "Berg")),
        ),
        strangers(
            "Frau Berg and Herr Berg at one mailbox",
            "they are called a woman and a man, and neither has a given name",
            at_mailbox("title-pair", who("Frau", "Berg"), who("Herr", "Berg")),
        ),
        strangers(
            "Herr Berg and Herr Meier on one number",
            "Herr is no given name; the family names differ",
            on_number("title-herr", who("Herr", "Berg"), who("Herr", "Meier")),
        ),
        strangers(
            "Hans Berg sen. and Hans Berg jun. at one mailbox",
            "they say themselves that they are father and son",
            at_mailbox("title-sen", who("Hans", "Berg sen."), who("Hans", "Berg jun.")),
        ),
        strangers(
            "John Smith Sr. and John Smith Jr. on one number",
            "they say themselves that they are father and son",
            on_number("title-jr", who("John", "Smith Sr."), who("John", "Smith Jr.")),
        ),
    ]


def no_persons() -> list[Hazard]:
    return [
        strangers(
            "Familie Berg and Familie Meier on one number",
            "Familie is no given name; two families with a landline between them",
            on_number("family-two", who("Familie", "Berg"), who("Familie", "Meier")),
        ),
        strangers(
            "Firma Huber and Firma Maier on one number",
            "Firma is no given name; two firms with one bureau",
            on_number("firm-two", who("Firma", "Huber"), who("Firma", "Maier")),
        ),
        strangers(
            "Firma Huber and Anna Berg on one number",
            "a firm is not the person who answers its telephone",
            on_number("firm-anna", who("Firma", "Huber"), who("Anna", "Berg")),
        ),
        strangers(
            "Familie Berg with Anna and Ben at the mailbox",
            "the family is neither of the two alone",
            at_mailbox("family-both", who("Familie", "Berg"), who("Anna", "Berg"), who("Ben", "Berg")),
        ),
        strangers(
            "Kunde Berg and Kunde Meier on one number",
            "what staff typed in place of a given name is no name in common",
            on_number("filler-word", who("Kunde", "Berg"), who("Kunde", "Meier")),
        ),
        strangers(
            "k.A. Berg and k.A. Meier on one number",
            "no answer is no name in common",
            on_number("filler-ka", who("k.A.", "Berg"), who("k.A.", "Meier")),
        ),
        strangers(
            "Anna und Ben with Anna and Ben at the mailbox",
            "a record of two people is neither's alone, and must not make them one",
            at_mailbox("joint-und", who("Anna und Ben", "Berg"), who("Anna", "Berg"), who("Ben", "Berg")),
        ),
        strangers(
            "Mr & Mrs Smith with John and Mary at the mailbox",
            "a record of two people is neither's alone",
            at_mailbox("joint-mr", who("Mr & Mrs", "Smith"), who("John", "Smith"), who("Mary", "Smith")),
        ),
        strangers(
            "Anna & Ben with Anna and Ben on one number",
            "a record of two people is neither's alone, and must not make them one",
            on_number("joint-num", who("Anna & Ben", "Berg"), who("Anna", "Berg"), who("Ben", "Berg")),
        ),
        hazard(
            "Hans Berg without more, with the elder at the mailbox and the younger on the number",
            "what could be either's must not bridge father and son",
            [
                crm("elder-bridge1", "Hans", "Berg", email=address("eb-a"), phone=number("eb")),
                shop("elder-bridge2", "Hans", "Berg sen.", email=address("eb-a")),
                shop("elder-bridge3", "Hans", "Berg jun.", email=address("eb-b"), phone=number("eb")),
            ],
            {2},
            {3},
        ),
        strangers(
            "Anna/Ben with Ben at the mailbox and Anna on the number",
            "a record of two people must not bridge them",
            [
                crm("joint-bridge1", "Anna/Ben", "Berg", email=address("jb-b"), phone=number("jb")),
                shop("joint-bridge2", "Ben", "Berg", email=address("jb-b")),
                shop("joint-bridge3", "Anna", "Berg", email=address("jb-a"), phone=number("jb")),
            ],
        ),
        one_person(
            "a record without any name at the mailbox of one name",
            "there is only one person it could be",
            at_mailbox("less-one", who(), who("Anna", "Berg")),
        ),
        strangers(
            "a record without any name at the mailbox of two names",
            "it could be either's",
            at_mailbox("less-two", who(), who("Anna", "Berg"), who("Ben", "Berg")),
        ),
        one_person(
            "two records without any name at one mailbox",
            "a mailbox is one person's until something speaks against it",
            at_mailbox("less-both", who(), who()),
        ),
        one_person(
            "Berg without a given name at the mailbox of Anna Berg",
            "the family name agrees and nothing is against it",
            at_mailbox("less-family", who(None, "Berg"), who("Anna", "Berg")),
        ),
        strangers(
            "Huber without a given name at the mailbox of Anna Berg",
            "the only name it gives is another's",
            at_mailbox("less-other", who(None, "Huber"), who("Anna", "Berg")),
        ),
        strangers(
            "two records without any name on one number",
            "a household's number; nothing says that they are one person, and each has an address of its own",
            on_number("less-num", who(), who()),
        ),
    ]


def written_otherwise() -> list[Hazard]:
    return [
        one_person(
            "伟 王 and 王伟 in one field",
            "in Chinese the family name comes first",
            [
                crm("zh-one1", "伟", "王", email=address("zh-one")),
                shop("zh-one2", "王伟", email=address("zh-one")),
                ticket("zh-one3", "王伟", email=address("zh-one")),
            ],
        ),
        strangers(
            "伟 and 芳 at one mailbox",
            "two given names of one sign each",
            at_mailbox("zh-two", who("伟", "王"), who("芳", "王")),
        ),
        strangers(
            "王伟 and 王芳 in one field at one mailbox",
            "the sign in common is the family name",
            at_mailbox("zh-whole", who("王伟"), who("王芳")),
        ),
        strangers(
            "민수 and 지영 at one mailbox",
            "two given names in Korean letters",
            at_mailbox("ko-two", who("민수", "김"), who("지영", "김")),
        ),
        strangers(
            "太郎 and 花子 on one number",
            "two given names in Japanese signs",
            on_number("ja-two", who("太郎", "田中"), who("花子", "田中")),
        ),
        strangers(
            "Jo, Al, Bo, Li, Yu and Xu at one mailbox",
            "names of two letters are names; six differ",
            at_mailbox("two-letters", *(who(name, "Berg") for name in words("Jo Al Bo Li Yu Xu"))),
        ),
        one_person(
            "Anna Berg and Berg Anna at one mailbox",
            "the fields were swapped",
            at_mailbox("swap-box", who("Anna", "Berg"), who("Berg", "Anna")),
        ),
        one_person(
            "Anna Berg and Berg Anna on one number",
            "the fields were swapped; both names agree",
            on_number("swap-num", who("Anna", "Berg"), who("Berg", "Anna")),
        ),
        hazard(
            "Anna Berg, Berg Anna and Berg Ben at one mailbox",
            "the fields were swapped twice; the word in common is the family name",
            at_mailbox("swap-three", who("Anna", "Berg"), who("Berg", "Anna"), who("Berg", "Ben")),
            {1, 2},
            {3},
        ),
        one_person(
            "Berg, Anna in one field",
            "a comma says that the family name comes first",
            at_mailbox("comma-one", who("Berg, Anna"), who("Anna", "Berg")),
        ),
        strangers(
            "Berg, Anna and Berg, Ben in one field",
            "what stands before the comma is the family name",
            at_mailbox("comma-two", who("Berg, Anna"), who("Berg, Ben")),
        ),
        strangers(
            "Berg, Anna and Berg, Ben in one field on one number",
            "what stands before the comma is the family name",
            on_number("comma-num", who("Berg, Anna"), who("Berg, Ben")),
        ),
        one_person(
            "Anna Berg whole in the given name's field",
            "the same words",
            at_mailbox("whole-given", who("Anna Berg"), who("Anna", "Berg"), who("Anna Berg", "Berg")),
        ),
        one_person(
            "Anna Berg whole in the family name's field",
            "the same words",
            at_mailbox("whole-family", who(None, "Anna Berg"), who("Anna", "Berg")),
        ),
        one_person(
            "Anna Berg whole in the given name's field on one number",
            "the same words",
            on_number("whole-num", who("Anna Berg"), who("Anna", "Berg")),
        ),
        strangers(
            "Anna Berg and Ben Berg whole in the given name's field",
            "the word in common is the family name",
            at_mailbox("whole-two", who("Anna Berg"), who("Ben Berg")),
        ),
        strangers(
            "Anna Berg and Ben Berg whole in the family name's field",
            "the word in common is the family name",
            at_mailbox("whole-last", who(None, "Anna Berg"), who(None, "Ben Berg")),
        ),
        one_person(
            "a ticket of Berg, Anna and a contact",
            "help desks take the whole name, some with the family name first",
            [
                ticket("desk-one1", "Berg, Anna", email=address("desk-one")),
                crm("desk-one2", "Anna", "Berg", email=address("desk-one")),
            ],
        ),
        strangers(
            "a ticket of Ben from Anna's mailbox",
            "he writes from her mailbox and gives his own name",
            [
                crm("desk-two1", "Anna", "Berg", email=address("desk-two")),
                ticket("desk-two2", "Ben Berg", email=address("desk-two")),
            ],
        ),
        strangers(
            "a ticket of Anna Meier with the number of Anna Berg",
            "the family names differ and nothing else agrees",
            [
                crm("desk-num1", "Anna", "Berg", email=address("dn1"), phone=number("desk-num")),
                ticket("desk-num2", "Anna Meier", email=address("dn2"), phone=number("desk-num")),
            ],
        ),
        strangers(
            "a guest called Ben with Anna's address",
            "an order that he placed from her mailbox",
            [
                shop("gift1", "Anna", "Berg", email=address("gift")),
                guest("gift2", "Ben", "Berg", email=address("gift")),
            ],
        ),
        one_person(
            "a guest called Kathi with Katharina's address",
            "Kathi is short for Katharina",
            [
                shop("visitor-k1", "Katharina", "Berg", email=address("visitor-k")),
                guest("visitor-k2", "Kathi", "Berg", email=address("visitor-k")),
            ],
        ),
        one_person(
            "Anna Berg and Anna Huber at one mailbox",
            "a married name: a mailbox is one person's, and nothing speaks against it",
            at_mailbox("married", who("Anna", "Berg"), who("Anna", "Huber")),
        ),
        one_person(
            "Anna Berg, then Anna Huber in another city a year later, at one mailbox",
            "she married and moved; a mailbox is not given to another within a year",
            at_mailbox(
                "married-moved",
                who("Anna", "Berg", city="München", postal_code="80331", since=2020, updated="2021-06-01"),
                who("Anna", "Huber", city="Hamburg", postal_code="20095", since="2021-09-01"),
            ),
        ),
        strangers(
            "Anna with Anna-Lena and Anna-Maria at the mailbox",
            "it could be short for either",
            at_mailbox(
                "double-both", who("Anna", "Berg"), who("Anna-Lena", "Berg"), who("Anna-Maria", "Berg")
            ),
        ),
        one_person(
            "Anna Maria Berg and Anna Berg with one birth date at one mailbox",
            "the second name is left out",
            at_mailbox(
                "double-less",
                who("Anna Maria", "Berg", birth_date="1984-11-23"),
                who("Anna", "Berg", birth_date="1984-11-23"),
            ),
        ),
        strangers(
            "Alex with Alexander and Alexandra at the mailbox",
            "Alex is short for both",
            at_mailbox("short-alex", who("Alex", "Berg"), who("Alexander", "Berg"), who("Alexandra", "Berg")),
        ),
        strangers(
            "Chris with Christian and Christina at the mailbox",
            "Chris is short for both",
            at_mailbox(
                "short-chris", who("Chris", "Berg"), who("Christian", "Berg"), who("Christina", "Berg")
            ),
        ),
        strangers(
            "Uli with Ulrich and Ulrike on one number",
            "Uli is short for both",
            on_number("short-uli", who("Uli", "Berg"), who("Ulrich", "Berg"), who("Ulrike", "Berg")),
        ),
        one_person(
            "Alex and Alexander at one mailbox",
            "there is only one that it could be short for",
            at_mailbox("short-one", who("Alex", "Berg"), who("Alexander", "Berg")),
        ),
        hazard(
            "Steffi with Stefanie and Stefan at the mailbox",
            "Steffi is short for the woman's name",
            at_mailbox("short-steffi", who("Steffi", "Berg"), who("Stefanie", "Berg"), who("Stefan", "Berg")),
            {1, 2},
            {3},
        ),
        hazard(
            "Kathi with Katharina and Ben at the mailbox",
            "of the two only Katharina is meant",
            at_mailbox("short-kathi", who("Kathi", "Berg"), who("Katharina", "Berg"), who("Ben", "Berg")),
            {1, 2},
            {3},
        ),
        hazard(
            "Maria, Marie and Mario at one mailbox",
            "Marie may be another way to write Maria; neither is Mario",
            at_mailbox("three-alike", who("Maria", "Berg"), who("Marie", "Berg"), who("Mario", "Berg")),
            {1},
            {3},
        ),
    ]


def birth_dates() -> list[Hazard]:
    father, son = who("Hans", "Berg", birth_date="1951-03-02"), who("Hans", "Berg", birth_date="1982-07-14")
    anna = who("Anna", "Berg", birth_date="1980-05-03")
    return [
        strangers(
            "father and son of one name at one mailbox",
            "two birth dates, thirty years apart, that no slip explains",
            at_mailbox("born-box", father, son),
        ),
        strangers(
            "father and son of one name on one number",
            "two birth dates, thirty years apart, that no slip explains",
            on_number("born-num", father, son),
        ),
        hazard(
            "father, son and a Hans without a birth date at one mailbox",
            "the third may be either's or alone, and must not bridge them",
            at_mailbox("born-three", father, son, who("Hans", "Berg")),
            {1},
            {2},
        ),
        one_person(
            "Hans with a birth date and without at one mailbox",
            "a date left out says nothing",
            at_mailbox("born-less", father, who("Hans", "Berg")),
        ),
        one_person(
            "day and month swapped at one mailbox",
            "the same figures in the American order",
            at_mailbox("born-swap", anna, who("Anna", "Berg", birth_date="1980-03-05")),
        ),
        one_person(
            "day and month swapped on one number",
            "the same figures in the American order",
            on_number("born-swapnum", anna, who("Anna", "Berg", birth_date="1980-03-05")),
        ),
        one_person(
            "a birth date with one figure off at one mailbox",
            "one slip; the full name agrees",
            at_mailbox("born-slip", anna, who("Anna", "Berg", birth_date="1980-05-08")),
        ),
        one_person(
            "a birth year with one figure off on one number",
            "one slip; the full name agrees",
            on_number("born-year", anna, who("Anna", "Berg", birth_date="1981-05-03")),
        ),
        one_person(
            "1900-01-01 beside a birth date at one mailbox",
            "a form's first day is no birth date and speaks against nothing",
            at_mailbox("born-1900", anna, who("Anna", "Berg", birth_date="1900-01-01")),
        ),
        one_person(
            "1970-01-01 beside a birth date on one number",
            "a computer's first day is no birth date and speaks against nothing",
            on_number("born-1970", anna, who("Anna", "Berg", birth_date="1970-01-01")),
        ),
        strangers(
            "Anna Berg and Anna Meier on one number, both born 1900-01-01",
            "a form's first day in common proves nothing",
            on_number(
                "born-both1900",
                who("Anna", "Berg", birth_date="1900-01-01"),
                who("Anna", "Meier", birth_date="1900-01-01"),
            ),
        ),
        strangers(
            "Anna and Ben at one mailbox, both born 1970-01-01",
            "a computer's first day in common proves nothing",
            at_mailbox(
                "born-both1970",
                who("Anna", "Berg", birth_date="1970-01-01"),
                who("Ben", "Berg", birth_date="1970-01-01"),
            ),
        ),
        strangers(
            "twins at one mailbox",
            "a birth date in common does not outweigh two given names",
            at_mailbox(
                "born-twins",
                who("Jonas", "Berg", birth_date="2003-09-17"),
                who("Marie", "Berg", birth_date="2003-09-17"),
            ),
        ),
        strangers(
            "the twins Julia and Julian at one mailbox and on one number",
            "both are common names, so it is no slip, whatever the birth date says",
            at_mailbox(
                "born-alike",
                who("Julia", "Berg", birth_date="2003-09-17", phone=number("born-alike")),
                who("Julian", "Berg", birth_date="2003-09-17", phone=number("born-alike")),
            ),
        ),
        one_person(
            "scrambled letters with the family name and the birth date",
            "the same letters in another order, and everything else agrees",
            at_mailbox(
                "born-scramble",
                who("Katharina", "Berg", birth_date="1984-11-23"),
                who("Kahtairna", "Berg", birth_date="1984-11-23"),
            ),
        ),
        one_person(
            "Anna Berg and Anna Huber on one number with one birth date",
            "a married name: given name, number and birth date agree",
            on_number("born-married", anna, who("Anna", "Huber", birth_date="1980-05-03")),
        ),
        strangers(
            "Anna Berg and Anna Meier on one number with two birth dates",
            "family name and birth date differ",
            on_number("born-other", anna, who("Anna", "Meier", birth_date="1994-12-19")),
        ),
        hazard(
            "a record without a name that has Anna's birth date, with Anna and Ben at the mailbox",
            "the birth date says whose it is",
            at_mailbox(
                "born-says", who(birth_date="1980-05-03"), anna, who("Ben", "Berg", birth_date="1978-02-21")
            ),
            {1, 2},
            {3},
        ),
        strangers(
            "a record without a name that was born thirty years later, at Anna's mailbox",
            "the birth date says that it is another's, such as her child's",
            at_mailbox("born-child", who(birth_date="2010-12-19"), anna),
        ),
    ]


def numbers() -> list[Hazard]:
    munich = {"city": "München", "postal_code": "80331"}
    hamburg = {"city": "Hamburg", "postal_code": "20095"}
    home = {"street": "Hauptstraße 5", "postal_code": "80331", "city": "München"}
    office = [
        who("Anna" if i in (3, 7) else "Thomas" if i in (5, 11) else GIVEN[i], FAMILIES[i]) for i in range(15)
    ]
    residents = [who("Anna" if i == 5 else GIVEN[i], FAMILIES[i], **home) for i in range(10)]
    return [
        one_person(
            "Anna Berg and Anna Huber on one number in one house",
            "a married name: given name, number, street and postal code agree",
            on_number("num-home", who("Anna", "Berg", **home), who("Anna", "Huber", **home)),
        ),
        one_person(
            "Anna Berg and Anna Huber on one number in one house, the street in short",
            "Hauptstr. is short for Hauptstraße",
            on_number(
                "num-street",
                who("Anna", "Berg", **home),
                who("Anna", "Huber", **{**home, "street": "Hauptstr. 5"}),
            ),
        ),
        strangers(
            "a number that two called Anna had, in two cities, seven years apart",
            "no family name, another place, years of silence: the number went to another",
            on_number(
                "num-again",
                who("Anna", **munich, since=2014, updated=2015),
                who("Anna", **hamburg, since=2022),
            ),
        ),
        strangers(
            "a number that Anna Berg and Anna Yilmaz had, in two cities, seven years apart",
            "another family name, another place, years of silence: the number went to another",
            on_number(
                "num-later",
                who("Anna", "Berg", **munich, since=2014, updated=2015),
                who("Anna", "Yilmaz", **hamburg, since=2022),
            ),
        ),
        one_person(
            "Anna without a family name on one number in one city, a year apart",
            "given name, number and place agree",
            on_number("num-same", who("Anna", **munich, since=2020), who("Anna", **munich, since=2021)),
        ),
        one_person(
            "Anna with and without a family name on one number",
            "a family name left out speaks against nothing",
            on_number("num-less", who("Anna", "Berg"), who("Anna")),
        ),
        one_person(
            "Anna Berg moved and kept her number",
            "the full name agrees; people take their numbers along",
            on_number(
                "num-moved",
                who("Anna", "Berg", **munich, since=2014, updated=2015),
                who("Anna", "Berg", **hamburg, since=2022),
            ),
        ),
        one_person(
            "Anna Berg moved and kept her mailbox",
            "the full name agrees; people take their mailboxes along",
            at_mailbox(
                "box-moved",
                who("Anna", "Berg", **munich, since=2014, updated=2015),
                who("Anna", "Berg", **hamburg, since=2022),
            ),
        ),
        strangers(
            "a mailbox that Anna Berg and Anna Yilmaz had, in two cities, ten years apart",
            "another family name, another place, years of silence: a provider gave the address away again",
            at_mailbox(
                "box-again",
                who("Anna", "Berg", **munich, since=2010, updated=2012),
                who("Anna", "Yilmaz", **hamburg, since=2022),
            ),
        ),
        strangers(
            "a couple on one landline in one house",
            "two given names",
            on_number("num-couple", who("Anna", "Berg", **home), who("Ben", "Berg", **home)),
        ),
        strangers(
            "a switchboard with three called Anna and two called Thomas",
            "fifteen full names and addresses: the number is a firm's, the given names are chance",
            on_number("num-office", *office),
        ),
        strangers(
            "a home with ten residents, two of them called Anna",
            "ten names in one house with one number: it is no household, the given names are chance",
            on_number("num-residents", *residents),
        ),
        strangers(
            "a seller's own number on twelve customers' contacts",
            "twelve names in twelve cities: the number is not theirs",
            [
                crm(f"num-seller{i}", **person, phone=number("num-seller"), since=2015 + i % 8)
                for i, person in enumerate(crowd(12))
            ],
        ),
        strangers(
            "a seller's own number on ten contacts, two of them called Anna",
            "ten full names in ten cities: the given name in common is chance",
            [
                crm(f"num-agent{i}", **{**person, "name": "Anna" if i == 6 else person["name"]})
                for i, person in enumerate([{**one, "phone": number("num-agent")} for one in crowd(10)])
            ],
        ),
    ]


def mailboxes() -> list[Hazard]:
    home = {"street": "Ringstraße 12", "postal_code": "04109", "city": "Leipzig"}
    return [
        strangers(
            "thirty people at an address that says there is none",
            "thirty names at one address: staff typed it to get past a form",
            [
                crm(f"box-none{i}", **person, email="keinemailadresse@box-none.de")
                for i, person in enumerate(crowd(30))
            ],
        ),
        strangers(
            "twelve people at an address that says there is none, two of them called Anna",
            "twelve full names in as many cities: the given name in common is chance",
            [
                crm(
                    f"box-void{i}",
                    **{**person, "name": "Anna" if i == 7 else person["name"]},
                    email="hatkeine@box-void.de",
                )
                for i, person in enumerate(crowd(12))
            ],
        ),
        strangers(
            "a family of four with one mailbox",
            "four given names",
            at_mailbox("box-four", *(who(name, "Berg", **home) for name in ("Anna", "Ben", "Clara", "Emil"))),
        ),
        strangers(
            "a firm's mailbox that ten people use, two of them called Thomas",
            "ten full names: the given name in common is chance",
            at_mailbox(
                "huber-bau", *(who("Thomas" if i in (2, 8) else GIVEN[i], FAMILIES[i]) for i in range(10))
            ),
        ),
    ]


def chains() -> list[Hazard]:
    return [
        hazard(
            "a record without a name has Anna's number and Ben's address",
            "it may be either's, and must not make them one",
            [
                crm("link-less1", "Anna", "Berg", email=address("ll1"), phone=number("link-less")),
                crm("link-less2", email=address("ll2"), phone=number("link-less")),
                shop("link-less3", "Ben", "Huber", email=address("ll2")),
            ],
            {1},
            {3},
        ),
        hazard(
            "a guest without a name has Anna's address and Ben's number",
            "the order may be either's, and must not make them one",
            [
                shop("link-guest1", "Anna", "Berg", email=address("lg1")),
                guest("link-guest2", email=address("lg1"), phone=number("link-guest")),
                crm("link-guest3", "Ben", "Huber", email=address("lg2"), phone=number("link-guest")),
            ],
            {1},
            {3},
        ),
        hazard(
            "a profile without a name names Anna's account and has Ben's address",
            "it may be either's, and must not make them one",
            [
                shop("link-account1", "Anna", "Berg", email=address("la1")),
                esp("link-account2", email=address("la2"), account="link-account1"),
                crm("link-account3", "Ben", "Huber", email=address("la2")),
            ],
            {1},
            {3},
        ),
        hazard(
            "Alex has Alexander's address and Alexandra's number",
            "a short name that fits both must not make them one",
            [
                crm("link-alex1", "Alexander", "Berg", email=address("lx1")),
                shop("link-alex2", "Alex", "Berg", email=address("lx1"), phone=number("link-alex")),
                crm("link-alex3", "Alexandra", "Berg", email=address("lx2"), phone=number("link-alex")),
            ],
            {1},
            {3},
        ),
        hazard(
            "Anna has Anna-Lena's address and Anna-Maria's number",
            "half a double name must not make the two one",
            [
                crm("link-half1", "Anna-Lena", "Berg", email=address("lh1")),
                shop("link-half2", "Anna", "Berg", email=address("lh1"), phone=number("link-half")),
                crm("link-half3", "Anna-Maria", "Berg", email=address("lh2"), phone=number("link-half")),
            ],
            {1},
            {3},
        ),
        hazard(
            "two records without a name between Anna's number and Ben's address",
            "each may be either's; together they must not make the two one",
            [
                crm("link-long1", "Anna", "Berg", email=address("lo1"), phone=number("lo1")),
                shop("link-long2", email=address("lo2"), phone=number("lo1")),
                crm("link-long3", email=address("lo2"), phone=number("lo2")),
                shop("link-long4", "Ben", "Huber", email=address("lo4"), phone=number("lo2")),
            ],
            {1},
            {4},
        ),
        hazard(
            "father and son of one name, and a Hans without a birth date who has an address of each",
            "what could be either's must not bridge two birth dates",
            [
                crm("link-born1", "Hans", "Berg", email=address("lb1"), birth_date="1951-03-02"),
                shop("link-born2", "Hans", "Berg", email=address("lb1"), phone=number("link-born")),
                crm(
                    "link-born3",
                    "Hans",
                    "Berg",
                    email=address("lb2"),
                    phone=number("link-born"),
                    birth_date="1982-07-14",
                ),
            ],
            {1},
            {3},
        ),
        one_person(
            "Katharina, Kathi and Katharina Müller-Berg tied in turn by address and number",
            "each step has the name and a mailbox or a number in common",
            [
                crm("link-one1", "Katharina", "Berg", email=address("lk1")),
                shop("link-one2", "Kathi", "Berg", email=address("lk1"), phone=number("link-one")),
                crm("link-one3", "Katharina", "Müller-Berg", email=address("lk2"), phone=number("link-one")),
            ],
        ),
    ]


def hazards() -> list[Hazard]:
    return [
        *couples(),
        *spellings(),
        *initials_and_titles(),
        *no_persons(),
        *written_otherwise(),
        *birth_dates(),
        *numbers(),
        *mailboxes(),
        *chains(),
    ]
