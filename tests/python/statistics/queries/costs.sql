with

errors as (

    select
        row_id,
        {{ cost_per_success('costs', 'successes') }} as cost,
        {{ cost_per_success_error('trials', 'successes', 'costs', 'squared_costs', 'success_costs') }} as error
    from inputs

)

select
    cost,
    error,
    {{ cost_per_success_lower('cost', 'error') }} as lower_bound,
    {{ cost_per_success_upper('cost', 'error') }} as upper_bound
from errors
order by row_id
