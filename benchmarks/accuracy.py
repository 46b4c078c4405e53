"""Identity against the generator's truth, by pairs of records, counted without listing the pairs.

    python -m benchmarks.accuracy WAREHOUSE DATA [CLUSTERS.parquet]

A record is a row of identity_records with its person in the generator. A guest checkout or requester with an
address and number of two people is two records here, and counts as a false join.

Precision: of the pairs in one cluster, those of one person. Recall: of the linked pairs of one person, those
in one cluster: what a careful person could join. Linked: the two share a usable identifier, or have the same
name, birth date, street and postal code, or a chain of records of that same person leads from one to the
other. Usable: an e-mail address, phone number or shop account as person_identifiers writes it, unless it is a
role account, a blocked or placeholder value, or on more records than var identity_max_records_per_identifier.
A phone without a given name beside it, or a mailbox of several names, is usable here although the models
don't trust it.
"""

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from mailroom.warehouse import find_in_all_schemas

# Condition on person_identifiers: may belong to a person, whether or not the models trust it.
USABLE = """why_not is null
    or why_not = 'a phone number, and the record has no given name'
    or why_not like 'several people share it%'
    or why_not like 'leads to another person%'"""

RECORDS = (
    """
create temp table records as
select row_number() over () as node, record_key, person_id, cluster_id
from (
    select distinct held.record_key, held.person_id, clusters.cluster_id
    from (
        select 'crm_contact:' || record_id as record_key, person_id from truth where source = 'crm.contacts'
        union all
        select 'shop_customer:' || record_id, person_id from truth where source = 'shop.customers'
        union all
        select 'esp_profile:' || record_id, person_id from truth where source = 'esp.profiles'
        union all
        select 'guest_checkout:' || orders.guest_id, truth.person_id
        from truth
        inner join order_records as orders
            on truth.source = 'shop.orders' and truth.record_id = orders.order_id
        union all
        select 'support_requester:' || tickets.requester_id, truth.person_id
        from truth
        inner join main_staging.stg_support__tickets as tickets
            on truth.source = 'support.tickets' and truth.record_id = tickets.ticket_id
    ) as held
    inner join clusters on held.record_key = clusters.record_key
);

create temp table identifiers as
select records.node, records.person_id, person_identifiers.*
from records
inner join person_identifiers on records.record_key = person_identifiers.record_key;

create temp table usable as
select node, person_id, record_key, identifier_type, identifier, why_not from identifiers
where
    """
    + USABLE
    + """
union all
select
    records.node,
    records.person_id,
    records.record_key,
    'name, birth date and place' as identifier_type,
    lower(
        concat_ws('|', trim(first_name), trim(last_name), birth_date, trim(street), trim(postal_code))
    ) as identifier,
    null as why_not
from records
inner join identity_records using (record_key)
where length(first_name) > 2 and length(last_name) > 2
    and birth_date is not null and street is not null and postal_code is not null;

create temp table linked as select node, node as link from records;
"""
)

NEXT_LINKS = """
create or replace temp table next_linked as
select linked.node, least(linked.link, coalesce(reached.link, linked.link)) as link
from linked
left join (
    select node, min(least_link) as link
    from (
        select usable.node, min(linked.link) over (
            partition by usable.person_id, usable.identifier_type, usable.identifier
        ) as least_link
        from usable inner join linked on usable.node = linked.node
    ) as around
    group by node
) as reached on linked.node = reached.node
"""

COUNTS = """
with placed as (
    select records.*, linked.link from records inner join linked on records.node = linked.node
)
select
    (select count(*) from records),
    (select count(distinct person_id) from records),
    (select sum(n * (n - 1) // 2) from (select count(*) as n from placed group by cluster_id)),
    (select sum(n * (n - 1) // 2) from (select count(*) as n from placed group by cluster_id, person_id)),
    (select sum(n * (n - 1) // 2) from (select count(*) as n from placed group by person_id, link)),
    (select sum(n * (n - 1) // 2) from (
        select count(*) as n from placed group by person_id, link, cluster_id
    )),
    (select sum(n * (n - 1) // 2) from (select count(*) as n from placed group by person_id)),
    (select max(n) from (select count(*) as n from placed group by cluster_id))
"""

MISSES = """
with placed as (
    select records.*, linked.link from records inner join linked on records.node = linked.node
),

split as (
    select person_id, link from placed group by person_id, link having count(distinct cluster_id) > 1
),

missed as (
    select one.node as one_node, other.node as other_node
    from placed as one
    inner join split on one.person_id = split.person_id and one.link = split.link
    inner join placed as other
        on
            one.person_id = other.person_id
            and one.link = other.link
            and one.node < other.node
            and one.cluster_id <> other.cluster_id
),

reasons as (
    select
        missed.one_node,
        missed.other_node,
        min(
            case one.identifier_type
                when 'shop_customer_id' then '0' when 'email' then '1' when 'phone' then '2' else '3'
            end
            || one.identifier_type || ': '
            || coalesce(
                one.why_not,
                other.why_not,
                compared.different_because,
                case
                    when one.identifier_type = 'name, birth date and place' then 'the same, and nothing else'
                    when compared.verdict = 'apart' then 'shared, and the names do not say whose it is'
                    else 'shared, yet the cluster was broken'
                end
            )
        ) as reason
    from missed
    inner join usable as one on missed.one_node = one.node
    inner join usable as other
        on
            missed.other_node = other.node
            and one.identifier_type = other.identifier_type
            and one.identifier = other.identifier
    left join compared_records as compared
        on
            one.identifier_type = compared.identifier_type
            and one.identifier = compared.identifier
            and least(one.record_key, other.record_key)
            = least(compared.record_key, compared.other_record_key)
            and greatest(one.record_key, other.record_key)
            = greatest(compared.record_key, compared.other_record_key)
    group by missed.one_node, missed.other_node
)

select
    coalesce(substr(reasons.reason, 2), 'no identifier in common: linked by other records') as kind,
    count(*) as n
from missed
left join reasons on missed.one_node = reasons.one_node and missed.other_node = reasons.other_node
group by kind
order by n desc, kind
"""

FALSE_JOINS = """
with mixed as (
    select cluster_id from records group by cluster_id having count(distinct person_id) > 1
),

pairs as (
    select
        one.node as one_node,
        other.node as other_node,
        one.record_key = other.record_key as is_one_record,
        case
            when one_person.senior_person_id = other_person.person_id
                or other_person.senior_person_id = one_person.person_id then 'namesakes at home'
            when one_person.twin_person_id = other_person.person_id
                or other_person.twin_person_id = one_person.person_id then 'twins'
            when one_person.former_number_person_id = other_person.person_id
                or other_person.former_number_person_id = one_person.person_id then 'the number changed hands'
            when one_person.household_id = other_person.household_id then 'others of one household'
            else 'strangers'
        end as related
    from records as one
    inner join mixed on one.cluster_id = mixed.cluster_id
    inner join records as other
        on one.cluster_id = other.cluster_id and one.node < other.node and one.person_id <> other.person_id
    inner join people as one_person on one.person_id = one_person.person_id
    inner join people as other_person on other.person_id = other_person.person_id
),

shares as (
    select pairs.one_node, pairs.other_node, min(one.identifier_type) as identifier_type
    from pairs
    inner join identifiers as one on pairs.one_node = one.node and one.why_not is null
    inner join identifiers as other
        on
            pairs.other_node = other.node
            and other.why_not is null
            and one.identifier_type = other.identifier_type
            and one.identifier = other.identifier
    group by pairs.one_node, pairs.other_node
)

select
    case
        when pairs.is_one_record then 'one row: two people gave the same address and number'
        else coalesce(shares.identifier_type || ' in common', 'joined by other records')
    end
    || ', ' || pairs.related as kind,
    count(*) as n
from pairs
left join shares on pairs.one_node = shares.one_node and pairs.other_node = shares.other_node
group by kind
order by n desc, kind
"""

VISITORS = """
with seen as (
    select record_id as visitor_id, min(person_id) as person_id, count(distinct person_id) as n_people
    from truth where source = 'web.visitors' group by record_id
),

owners as (
    select cluster_id, arg_max(person_id, n) as person_id
    from (select cluster_id, person_id, count(*) as n from records group by cluster_id, person_id)
    group by cluster_id
),

classified as (
    select seen.n_people, visitors.customer_id, owners.person_id = seen.person_id as is_right
    from seen
    inner join visitor_customers as visitors on seen.visitor_id = visitors.visitor_id
    left join owners on visitors.customer_id = owners.cluster_id
)

select
    count(*) filter (n_people = 1),
    count(*) filter (n_people = 1 and customer_id is not null),
    count(*) filter (n_people = 1 and is_right),
    count(*) filter (n_people > 1),
    count(*) filter (n_people > 1 and customer_id is null)
from classified
"""


@dataclass(frozen=True)
class Pairs:
    """Records, their people, and pairs of records: in one cluster, of one person, and linked (see above)."""

    records: int
    people: int
    joined: int
    joined_rightly: int
    linked: int
    linked_and_joined: int
    of_one_person: int
    largest_cluster: int  # records, not pairs


@dataclass(frozen=True)
class Visitors:
    """Devices of one person, those attributed to a customer and to the right one; shared devices, those that
    are attributed to no customer."""

    own: int
    own_joined: int
    own_joined_rightly: int
    shared: int
    shared_left_alone: int


@dataclass(frozen=True)
class Score:
    """Counts, and the kinds of misses and false joins with their pairs, most frequent first."""

    pairs: Pairs
    misses: list[tuple[str, int]] = field(default_factory=list)
    false_joins: list[tuple[str, int]] = field(default_factory=list)
    visitors: Visitors | None = None

    @property
    def precision(self) -> float:
        return share(self.pairs.joined_rightly, self.pairs.joined)

    @property
    def recall(self) -> float:
        return share(self.pairs.linked_and_joined, self.pairs.linked)

    @property
    def recall_of_all(self) -> float:
        """Return the share of all pairs of one person that are in one cluster, linked or not."""
        return share(self.pairs.joined_rightly, self.pairs.of_one_person)

    def as_dict(self) -> dict[str, Any]:
        """Return counts and rates for JSON."""
        rates = {"precision": self.precision, "recall": self.recall, "recall_of_all": self.recall_of_all}
        return asdict(self) | rates


def share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def score(warehouse: Path, data: Path, clusters: Path | None = None) -> Score:
    """Score the customers in a warehouse built from `data`, or other clusters of its records.

    clusters: a Parquet file (record_key, cluster_id). Kinds and visitors are only scored without it.
    """
    with duckdb.connect(str(warehouse), read_only=True, config={"threads": 2}) as connection:
        find_in_all_schemas(connection)
        connection.execute(f"create temp view truth as select * from '{data}/truth/records/*.parquet'")
        connection.execute(f"create temp view people as select * from '{data}/truth/people/*.parquet'")
        connection.execute(
            "create temp view clusters as select record_key, cluster_id from "
            + (
                f"'{clusters}'"
                if clusters
                else "(select record_key, customer_id as cluster_id from record_clusters)"
            )
        )
        connection.execute(RECORDS)
        while True:
            connection.execute(NEXT_LINKS)
            changed = connection.execute(
                "select count(*) from linked inner join next_linked using (node) where linked.link "
                "<> next_linked.link"
            ).fetchall()[0][0]
            connection.execute("create or replace temp table linked as select * from next_linked")
            if not changed:
                break
        counts = [int(value or 0) for value in connection.execute(COUNTS).fetchall()[0]]
        if clusters:
            return Score(Pairs(*counts))
        misses, false_joins = (connection.execute(kinds).fetchall() for kinds in (MISSES, FALSE_JOINS))
        return Score(
            Pairs(*counts), misses, false_joins, Visitors(*connection.execute(VISITORS).fetchall()[0])
        )


if __name__ == "__main__":
    print(json.dumps(score(*(Path(argument) for argument in sys.argv[1:])).as_dict()))
