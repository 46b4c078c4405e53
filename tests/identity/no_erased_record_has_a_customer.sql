-- No record of an erased person has a customer, and no customer has a record of one.
select keys.record_key
from {{ ref('customer_keys') }} as keys
inner join {{ ref('erased_records') }} as erased on keys.record_key = erased.record_key
where keys.cluster_state <> 'shared device'
