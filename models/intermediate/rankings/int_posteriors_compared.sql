with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1

),

profiles as (

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

),

-- Below this rate, at least one rival's posterior is still 0: the probability that all rivals are lower is 0.
beginnings as (

    select task_type, max(first_grid_index) as last_beginning
    from densities
    group by task_type

),

cumulated as (

    select
        *,
        sum(density) over (
            partition by task_type, successes, trials
            order by grid_index
            rows unbounded preceding
        ) as cumulative
    from densities

),

chances as (

    select
        *,
        {{ log_probability('cumulative - density / 2') }} as log_cumulative
    from cumulated

),

-- The probability that all rivals are below a rate is the product of their probabilities: a sum of logarithms, which is
-- 0 beyond the end of a posterior.
rivalled as (

    select
        *,
        sum(models * log_cumulative) over (partition by task_type, grid_index) - log_cumulative
            as log_cumulative_of_rivals
    from chances

),

compared as (

    select
        rivalled.task_type,
        rivalled.successes,
        rivalled.trials,
        sum(case
            when rivalled.grid_index >= beginnings.last_beginning
                then rivalled.density * {{ bounded_exp('rivalled.log_cumulative_of_rivals') }}
            else 0e0
        end) as probability_best
    from rivalled
    inner join beginnings on rivalled.task_type = beginnings.task_type
    group by rivalled.task_type, rivalled.successes, rivalled.trials

),

shared as (

    select
        models.task_type,
        models.model_id,
        compared.probability_best
    from models
    inner join compared
        on
            models.task_type = compared.task_type
            and models.successes = compared.successes
            and models.trials = compared.trials

)

select * from shared
