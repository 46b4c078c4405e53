"""A warehouse built from deliveries, and its decisions, for test_refusals and test_mutations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from naive_sources import Delivery, Judge, Person, Verdict, Written, address

from conftest import PROJECT, Run, Warehouse

Who = tuple[str, str, str]  # a person, a channel and a purpose
Verdicts = Mapping[Who, Verdict]
Disagreement = tuple[Who, Verdict, str]

# Tables that the worlds leave out.
ABSENT = {"crm": ["opportunities"], "shop": ["products", "order_lines", "refunds"], "esp": ["campaigns"]}
RECORD_KEYS = {
    "account": "shop_customer", "contact": "crm_contact", "profile": "esp_profile", "device": "web_visitor",
}  # fmt: skip
UNTESTED = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]


def contract() -> dict[str, list[str]]:
    """The columns of every table of the source contract."""
    found = {}
    for path in sorted((PROJECT / "models/staging").glob("*/_*__sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for table in source["tables"]:
                found[f"{source['name']}/{table['name']}"] = [column["name"] for column in table["columns"]]
    return found


@dataclass(frozen=True)
class Decided:
    """The models' results: the customers of each person, their addresses, and the decisions."""

    customers: Mapping[str, set[str]]
    written: Mapping[str, Written]
    allowed: Mapping[tuple[str, str, str], tuple[bool, str]]  # by customer, channel and purpose

    def of(self, who: tuple[str, str, str]) -> tuple[bool, str]:
        """The decision on a person: not allowed if they are no customer."""
        name, *topic = who
        found = [self.allowed[customer, topic[0], topic[1]] for customer in sorted(self.customers[name])]
        return max(found, default=(False, "no customer"))


@dataclass(frozen=True)
class ConsentShop:
    """A warehouse over files, with one folder per delivery."""

    warehouse: Warehouse

    def folder(self, delivery: Delivery) -> Path:
        folder: Path = self.warehouse.folder / f"{delivery.as_of:%Y-%m-%d}"
        return folder

    def variables(self, delivery: Delivery) -> dict[str, Any]:
        systems = ["crm", "shop", "web", "support", "esp", "privacy"]
        return {
            "as_of": f"{delivery.as_of}",
            **{
                system: {
                    "files": f"{self.folder(delivery)}/{system}/{{table}}.parquet",
                    "absent": ABSENT.get(system, []),
                }
                for system in systems
            },
        }

    def write(self, delivery: Delivery) -> None:
        """Every table of the contract that is not absent, as a Parquet file of text columns."""
        for table, columns in contract().items():
            rows = delivery.tables.get(table, ())
            assert not {column for row in rows for column in row} - set(columns), table
            path = self.folder(delivery) / f"{table}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            found = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns}
            pq.write_table(pa.table(found), path)

    def build(self, delivery: Delivery, *command: str) -> Run:
        self.write(delivery)
        run = self.warehouse.dbt(*command, **self.variables(delivery))
        assert run.ok, run.output
        return run

    def decided(self, people: Iterable[Person]) -> Decided:
        return read_decided(self.warehouse.rows, people)

    def promoted(self) -> set[str]:
        """Customers who may get promotional mail by contactability."""
        found = self.warehouse.rows(
            "select customer_id from contactability where message_class = 'promotional' and is_allowed"
        )
        return {customer for (customer,) in found}


def read_decided(rows: Any, people: Iterable[Person]) -> Decided:
    """Read customer_keys, customers and consents; `rows` runs a query."""
    customer_of = dict(rows("select record_key, customer_id from customer_keys"))
    to = {
        customer: Written(email, phone)
        for customer, email, phone in rows("select customer_id, email, phone from customers")
    }
    customers = {}
    written = {}
    for person in people:
        keys = {customer_of.get(f"{RECORD_KEYS[kind]}:{key}") for kind, key in person.records}
        customers[person.name] = {key for key in keys if key is not None and key in to}
        if len(customers[person.name]) == 1:
            written[person.name] = to[next(iter(customers[person.name]))]
    return Decided(
        customers,
        written,
        {
            (customer, channel, purpose): (allowed, reason)
            for customer, channel, purpose, allowed, reason in rows(
                "select customer_id, channel, purpose, is_allowed, reason from consents"
            )
        },
    )


def rows_about(person: Person, deliveries: Sequence[Delivery]) -> str:
    """The rows that name a person's records or addresses, delivery by delivery."""
    keys = {key for _, key in person.records}
    mails = {
        address(row.get("email"))
        for delivery in deliveries
        for rows in delivery.tables.values()
        for row in rows
        if keys & set(row.values())
    } - {None}
    lines = []
    for delivery in deliveries:
        lines.append(f"-- {delivery.as_of}")
        for table, rows in delivery.tables.items():
            for row in rows:
                named = {address(row.get("email")), address(row.get("requester_email"))}
                if keys & set(row.values()) or mails & named:
                    lines.append(f"{table}: { {column: value for column, value in row.items() if value} }")
    return "\n".join(lines)


def disagreements(
    decided: Decided, judge: Judge, verdicts: Verdicts, began: Decided | None = None
) -> list[Disagreement]:
    """Return each difference between models and judge: the topic, the judge's verdict and the models' reason.

    The judge does not decide for erased persons, because their records are gone, nor for persons who returned
    as another customer than on the first day (`began`): their earlier events are gone (see test_erasure).
    """
    found = []
    for who, verdict in verdicts.items():
        customers = decided.customers[who[0]]
        is_gone = not customers or (began is not None and customers != began.customers[who[0]])
        is_erased = is_gone and judge.may_be_erased(who[0])
        allowed, reason = decided.of(who)
        if allowed != verdict.allowed and not is_erased:
            found.append((who, verdict, reason))
    return found
