with recursive

grid as (

    select 0 as grid_index
    union all
    select grid_index + 1 as grid_index from grid where grid_index + 1 < {{ var('grid_points') }}

),

spans as (

    select
        *,
        {{ ratio('successes', 'trials') }} - 8 * {{ posterior_deviation('successes', 'trials') }} as lowest,
        {{ ratio('successes', 'trials') }} + 8 * {{ posterior_deviation('successes', 'trials') }} as highest
    from inputs

),

ranges as (

    select
        task_type,
        {{ at_least('min(lowest)', '0e0') }} as lowest,
        {{ at_most('max(highest)', '1e0') }} as highest
    from spans
    group by task_type

),

points as (

    select
        task_type,
        grid_index,
        {{ grid_point('lowest', 'highest', 'grid_index') }} as rate
    from ranges
    cross join grid

),

likelihoods as (

    select
        inputs.row_id,
        inputs.task_type,
        points.grid_index,
        {{ log_likelihood('inputs.successes', 'inputs.trials', 'points.rate') }} as log_likelihood
    from inputs
    inner join points on inputs.task_type = points.task_type

),

weights as (

    select
        *,
        {{ bounded_exp('log_likelihood - max(log_likelihood) over (partition by row_id)') }} as weight
    from likelihoods

),

densities as (

    select
        *,
        weight / sum(weight) over (partition by row_id) as density
    from weights

),

log_cumulatives as (

    select
        *,
        {{ log_probability(
            'sum(density) over (partition by row_id order by grid_index rows unbounded preceding) - density / 2'
        ) }} as log_cumulative
    from densities

),

rivals as (

    select
        *,
        sum(log_cumulative) over (partition by task_type, grid_index) - log_cumulative as log_cumulative_of_rivals
    from log_cumulatives

)

select sum(density * {{ bounded_exp('log_cumulative_of_rivals') }}) as probability_best
from rivals
group by row_id
order by row_id
