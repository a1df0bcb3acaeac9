with pairs as (

    select
        *,
        max(shared_tasks) over (partition by task_type, model_id) as model_shared_tasks,
        max(shared_tasks) over (partition by task_type, rival_model_id) as rival_shared_tasks
    from {{ ref('int_pairs_compared') }}
    where shared_tasks > 0

),

odds as (

    select
        task_type,
        model_id,
        rival_model_id,
        model_shared_tasks,
        {{ same_task_log_odds('only_share', 'only_rival_share') }} as log_odds,
        {{ same_task_precision('only_share', 'only_rival_share') }} as pair_precision
    from pairs
    where
        model_shared_tasks >= {{ var('min_shared_tasks') }}
        and rival_shared_tasks >= {{ var('min_shared_tasks') }}

),

-- One step takes half of a model's own strength, and half of what its rivals' strengths and the shared tasks say.
models as (

    select
        task_type,
        model_id,
        max(model_shared_tasks) as shared_tasks,
        sum(pair_precision) as total_precision,
        {{ ratio('sum(pair_precision * log_odds)', '2 * sum(pair_precision)') }} as intercept
    from odds
    group by task_type, model_id

),

weights as (

    select
        task_type,
        model_id,
        model_id as rival_model_id,
        0.5e0 as rival_weight,
        coalesce(intercept, 0e0) as intercept,
        shared_tasks
    from models
    union all
    select
        odds.task_type,
        odds.model_id,
        odds.rival_model_id,
        {{ ratio('odds.pair_precision', '2 * models.total_precision') }} as rival_weight,
        0e0 as intercept,
        models.shared_tasks
    from odds
    inner join models on odds.task_type = models.task_type and odds.model_id = models.model_id
    where odds.pair_precision > 0

)

select * from weights
