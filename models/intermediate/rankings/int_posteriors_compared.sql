with densities as (

    select * from {{ ref('int_posteriors_gridded') }}

),

cumulated as (

    select
        *,
        {{ log_probability(
            'sum(density) over (partition by task_type, model_id order by grid_index rows unbounded preceding)'
            ' - density / 2'
        ) }} as log_cumulative
    from densities

),

-- All rivals are below a rate with the product of their chances to be: the sum of the logarithms.
rivalled as (

    select
        *,
        sum(log_cumulative) over (partition by task_type, grid_index) - log_cumulative as log_cumulative_of_rivals
    from cumulated

),

compared as (

    select
        task_type,
        model_id,
        sum(density * {{ bounded_exp('log_cumulative_of_rivals') }}) as probability_best
    from rivalled
    group by task_type, model_id

)

select * from compared
