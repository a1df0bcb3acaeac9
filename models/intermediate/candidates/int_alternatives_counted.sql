with candidates as (

    select * from {{ ref('ab_test_candidates') }}

)

select
    task_type,
    count(case when is_too_little_tried = 0 then 1 end) as likely_alternatives,
    count(case when is_too_little_tried = 1 then 1 end) as too_little_tried_models
from candidates
group by task_type
