-- Every record of a person has exactly one customer, except records of erased persons. Besides records, only web visitors
-- have one.
select
    records.record_key,
    keys.record_key as key_of_no_record,
    erased.record_key as erased_record_key
from {{ ref('identity_records') }} as records
full outer join (select * from {{ ref('customer_keys') }} where record_type <> 'web_visitor') as keys
    on records.record_key = keys.record_key
left join {{ ref('erased_records') }} as erased on records.record_key = erased.record_key
where records.record_key is null or (keys.customer_id is null) <> (erased.record_key is not null)
