with models as (

    select * from {{ ref('int_models_ranked') }}
    where logged_trials >= {{ var('min_trials_per_arm') }}

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

-- Not from `models`: SQLite copies a CTE that is read twice, and a copy lacks the table's index.
incumbents as (

    select
        ranked.task_type,
        ranked.model_id,
        ranked.logged_successes,
        ranked.logged_trials
    from {{ ref('int_models_ranked') }} as ranked
    inner join current_incumbents
        on ranked.task_type = current_incumbents.task_type and ranked.model_id = current_incumbents.model_id
    where ranked.logged_trials >= {{ var('min_trials_per_arm') }}

),

compared as (

    select
        models.task_type,
        models.model_id,
        models.logged_successes as successes,
        models.logged_trials as trials,
        incumbents.model_id as incumbent_model_id,
        incumbents.logged_successes as incumbent_successes,
        incumbents.logged_trials as incumbent_trials,
        {{ ratio('models.logged_successes', 'models.logged_trials') }}
        - {{ ratio('incumbents.logged_successes', 'incumbents.logged_trials') }} as difference,
        {{ sequential_squared_error(
            'incumbents.logged_successes', 'incumbents.logged_trials',
            'models.logged_successes', 'models.logged_trials'
        ) }} as squared_error
    from models
    inner join incumbents on models.task_type = incumbents.task_type and models.model_id <> incumbents.model_id

),

weighed as (

    select
        *,
        coalesce({{ demotion_e_value('difference', 'squared_error', 'trials + incumbent_trials') }}, 0e0) as e_value
    from compared

),

ranked as (

    select
        *,
        {{ anytime_p_value('e_value') }} as anytime_p_value,
        count(*) over (partition by task_type) as comparisons,
        row_number() over (partition by task_type order by e_value desc, model_id) as e_value_rank
    from weighed

),

judged as (

    select
        *,
        {{ benjamini_hochberg('anytime_p_value', 'e_value_rank', 'comparisons', 'task_type') }}
            as benjamini_hochberg_p_value,
        {{ holm('anytime_p_value', 'e_value_rank', 'comparisons', 'task_type') }} as holm_p_value,
        {{ is_selected_by_e_bh('e_value', 'e_value_rank', 'comparisons', 'task_type') }} as is_selected,
        'worse_than_incumbent: ' || successes || ' of ' || trials || ' trials succeeded, against '
        || incumbent_successes || ' of ' || incumbent_trials || ' of ' || incumbent_model_id as reason
    from ranked

),

selected as (

    select * from judged
    where is_selected = 1

)

select * from selected
