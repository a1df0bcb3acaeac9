with profiles as (

    select * from {{ ref('int_model_profiles') }}
    where has_posterior = 1

),

points as (

    select * from {{ ref('int_grid_points') }}

),

-- Pinsker's inequality: farther from the profile's own rate, the likelihood is below e^-45 of its peak, too small to
-- matter in a double. If the peak lies between two points, both are kept.
likelihoods as (

    select
        points.task_type,
        points.grid_index,
        profiles.successes,
        profiles.trials,
        profiles.models,
        {{ log_likelihood('profiles.successes', 'profiles.trials', 'points.rate') }} as log_likelihood
    from points
    inner join profiles on points.task_type = profiles.task_type
    where abs(points.rate - profiles.success_rate) <= sqrt(45e0 / (2 * profiles.trials)) + points.step

),

peaked as (

    select
        *,
        max(log_likelihood) over of_the_profile as peak,
        min(grid_index) over of_the_profile as first_grid_index
    from likelihoods
    window of_the_profile as (partition by task_type, successes, trials)

),

-- Relative to the peak, so that the likelihood does not underflow with many trials.
weights as (

    select *, {{ bounded_exp('log_likelihood - peak') }} as weight from peaked

),

densities as (

    select
        task_type,
        grid_index,
        successes,
        trials,
        models,
        first_grid_index,
        weight / sum(weight) over (partition by task_type, successes, trials) as density
    from weights

)

select * from densities
