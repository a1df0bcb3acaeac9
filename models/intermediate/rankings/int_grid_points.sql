with profiles as (

    select * from {{ ref('int_model_profiles') }}
    where has_posterior = 1

),

numbers as (

    select number as grid_index from {{ ref('int_numbers') }}
    where number < {{ var('grid_points') }}

),

-- Beyond eight standard deviations, the posterior is too small for a double to matter.
spans as (

    select
        task_type,
        {{ at_least('min(success_rate - 8 * ' ~ posterior_deviation('successes', 'trials') ~ ')', '0e0') }} as lowest,
        {{ at_most('max(success_rate + 8 * ' ~ posterior_deviation('successes', 'trials') ~ ')', '1e0') }} as highest
    from profiles
    group by task_type

),

points as (

    select
        spans.task_type,
        numbers.grid_index,
        {{ grid_point('spans.lowest', 'spans.highest', 'numbers.grid_index') }} as rate,
        (spans.highest - spans.lowest) / {{ var('grid_points') }} as step
    from spans
    cross join numbers

)

select * from points
