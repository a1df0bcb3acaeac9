with

arms as (

    select
        row_id,
        incumbent_trials,
        challenger_trials,
        model_count,
        incumbent_trials + challenger_trials as trials,
        {{ ratio('challenger_successes', 'challenger_trials') }}
        - {{ ratio('incumbent_successes', 'incumbent_trials') }} as difference,
        {{ sequential_variance('incumbent_successes', 'incumbent_trials') }} as incumbent_variance,
        {{ sequential_squared_error(
            'incumbent_successes', 'incumbent_trials', 'challenger_successes', 'challenger_trials'
        ) }} as squared_error
    from inputs

),

boundaries as (

    select
        *,
        {{ sequential_half_width('squared_error', 'trials') }} as half_width,
        {{ sequential_half_width('squared_error', 'trials', "0.05e0 / (model_count - 1)") }} as half_width_of_many,
        {{ squared_z('difference', 'squared_error') }} as squared_z,
        {{ e_value(squared_z('difference', 'squared_error'), 'trials') }} as e_value,
        {{ demotion_e_value('difference', 'squared_error', 'trials') }} as demotion_e_value
    from arms

)

select
    incumbent_variance,
    squared_error,
    difference,
    half_width,
    half_width_of_many,
    {{ at_least('difference - half_width', '-1e0') }} as lower_bound,
    {{ at_most('difference + half_width', '1e0') }} as upper_bound,
    e_value,
    demotion_e_value,
    {{ anytime_p_value('e_value') }} as p_value,
    {{ verdict(
        'incumbent_trials', 'challenger_trials', '10', 'incumbent_trials', 'challenger_trials',
        'difference - half_width', 'difference + half_width'
    ) }} as verdict,
    {{ trials_to_separate('incumbent_trials', 'challenger_trials', 'squared_z') }} as more_trials,
    {{ trials_to_separate('incumbent_trials', 'challenger_trials', 'squared_z', "0.05e0 / (model_count - 1)") }}
        as more_trials_of_many,
    {{ sequential_tuning() }} as tuning
from boundaries
order by row_id
