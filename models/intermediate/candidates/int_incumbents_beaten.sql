with comparisons as (

    select * from {{ ref('ab_comparisons') }}
    where is_declared = 0 and verdict = 'challenger_better'

)

select
    task_type,
    incumbent_model_id as model_id,
    challenger_model_id as leader_model_id,
    'worse_than_leader: ' || incumbent_wins || ' of ' || incumbent_trials || ' trials succeeded, against '
    || challenger_wins || ' of ' || challenger_trials || ' of ' || challenger_model_id as reason
from comparisons
