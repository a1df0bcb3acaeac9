with rankings as (

    select * from {{ ref('model_rankings') }}

)

select
    task_type,
    max(is_degenerate) as is_degenerate,
    count(case when trials > 0 then 1 end) as tried_models,
    count(case when is_too_little_tried = 0 then 1 end) as well_tried_models
from rankings
group by task_type
