-- Every record of a person has exactly one customer, and nothing else has one but web visitors.
select
    records.record_key,
    keys.record_key as key_of_no_record
from {{ ref('identity_records') }} as records
full outer join (select * from {{ ref('customer_keys') }} where record_type <> 'web_visitor') as keys
    on records.record_key = keys.record_key
where records.record_key is null or keys.customer_id is null
