with

errors as (

    select
        *,
        {{ cost_per_success('costs', 'successes') }} as cost,
        {{ cost_per_success_error('trials', 'successes', 'costs', 'squared_costs', 'success_costs') }} as error
    from inputs

),

spreads as (

    select
        *,
        {{ cost_per_success_spread('cost', 'error', 'successes') }} as spread
    from errors

)

select
    cost,
    error,
    spread,
    {{ cost_per_success_lower('cost', 'spread', 'successes', 'trials') }} as lower_bound,
    {{ cost_per_success_upper('cost', 'spread', 'successes', 'trials') }} as upper_bound
from spreads
order by row_id
