with

rates as (

    select
        row_id,
        {{ ratio('incumbent_successes', 'incumbent_trials') }} as incumbent_rate,
        {{ wilson_lower('incumbent_successes', 'incumbent_trials') }} as incumbent_lower,
        {{ wilson_upper('incumbent_successes', 'incumbent_trials') }} as incumbent_upper,
        {{ ratio('challenger_successes', 'challenger_trials') }} as challenger_rate,
        {{ wilson_lower('challenger_successes', 'challenger_trials') }} as challenger_lower,
        {{ wilson_upper('challenger_successes', 'challenger_trials') }} as challenger_upper
    from inputs

)

select
    {{ newcombe_lower('incumbent_rate', 'incumbent_upper', 'challenger_rate', 'challenger_lower') }} as lower_bound,
    {{ newcombe_upper('incumbent_rate', 'incumbent_lower', 'challenger_rate', 'challenger_upper') }} as upper_bound
from rates
order by row_id
