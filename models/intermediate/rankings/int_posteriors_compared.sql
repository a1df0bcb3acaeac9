with densities as (

    select * from {{ ref('int_posteriors_gridded') }}

),

cumulated as (

    select
        *,
        sum(density) over (partition by task_type, model_id order by grid_index rows unbounded preceding) as cumulative
    from densities

),

chances as (

    select
        *,
        {{ log_probability('cumulative - density / 2') }} as log_cumulative
    from cumulated

),

-- All rivals are below a rate with the product of their chances to be: the sum of the logarithms.
rivalled as (

    select
        *,
        sum(log_cumulative) over (partition by task_type, grid_index) - log_cumulative as log_cumulative_of_rivals
    from chances

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
