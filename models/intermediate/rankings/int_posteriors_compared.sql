with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1 and is_retired = 0

),

profiles as (

    select
        *,
        posterior_successes / (posterior_successes + posterior_failures) as expected_rate,
        {{ posterior_deviation('posterior_successes', 'posterior_failures') }} as deviation,
        sqrt(40e0 / (2 * (posterior_successes + posterior_failures))) as reach
    from {{ ref('int_model_profiles') }}
    where has_posterior = 1

),

numbers as (

    select
        number as grid_index,
        {{ ratio('number', var('grid_points')) }} as position_from,
        {{ ratio('number + 0.5', var('grid_points')) }} as position
    from {{ ref('int_numbers') }}
    where number < {{ var('grid_points') }}

),

-- Beyond eight standard deviations, the posterior is too small for a double to matter. Below last_beginning, at least
-- one rival's posterior is still 0: the probability that all rivals are lower is 0.
spans as (

    select
        task_type,
        {{ at_least('min(expected_rate - 8 * deviation)', '0e0') }} as lowest,
        {{ at_most('max(expected_rate + 8 * deviation)', '1e0') }} as highest,
        max(expected_rate - reach) as last_beginning
    from profiles
    group by task_type

),

-- Failure rates are counted from the upper end, because 1 - rate has few digits there.
points as (

    select
        spans.task_type,
        spans.highest,
        spans.last_beginning,
        numbers.grid_index,
        {{ grid_point('spans.lowest', 'spans.highest', 'numbers.position_from') }} as rate_from,
        {{ grid_point('spans.lowest', 'spans.highest', 'numbers.position') }} as rate,
        {{ grid_point('1 - spans.highest', '1 - spans.lowest', '1 - numbers.position_from') }} as failure_rate_from,
        {{ grid_point('1 - spans.highest', '1 - spans.lowest', '1 - numbers.position') }} as failure_rate,
        1.5 * (spans.highest - spans.lowest) / {{ var('grid_points') }} as longest_step
    from spans
    cross join numbers

),

steps as (

    select
        task_type,
        grid_index,
        rate,
        rate_from,
        coalesce(lead(rate_from) over of_the_task_type, highest) as rate_to,
        failure_rate_from,
        coalesce(lead(failure_rate_from) over of_the_task_type, 1 - highest) as failure_rate_to,
        ln(rate) as log_rate,
        ln(failure_rate) as log_failure_rate,
        longest_step,
        case when rate >= last_beginning - longest_step then 1 else 0 end as has_all_rivals
    from points
    window of_the_task_type as (partition by task_type order by grid_index)

),

-- Pinsker's inequality: farther from the posterior's mean, its density is below e^-40 of its peak, too small to matter
-- in a double. If the peak lies between two points, both are kept. A density with a parameter below 1 is infinite at an
-- end: there, the integral of the steep factor replaces its value times the step.
masses as (

    select
        steps.task_type,
        steps.grid_index,
        profiles.successes,
        profiles.trials,
        profiles.models,
        steps.has_all_rivals,
        case
            when profiles.posterior_failures < 1
                then (profiles.posterior_successes - 1) * steps.log_rate + ln({{ power_integral(
                    'steps.failure_rate_to', 'steps.failure_rate_from', 'profiles.posterior_failures'
                ) }})
            when profiles.posterior_successes < 1
                then (profiles.posterior_failures - 1) * steps.log_failure_rate + ln({{ power_integral(
                    'steps.rate_from', 'steps.rate_to', 'profiles.posterior_successes'
                ) }})
            else
                {{ log_density(
                    'profiles.posterior_successes', 'profiles.posterior_failures', 'steps.log_rate', 'steps.log_failure_rate'
                ) }} + ln(steps.rate_to - steps.rate_from)
        end as log_mass
    from steps
    inner join profiles on steps.task_type = profiles.task_type
    where
        steps.rate >= profiles.expected_rate - profiles.reach - steps.longest_step
        and steps.rate <= profiles.expected_rate + profiles.reach + steps.longest_step

),

peaked as (

    select
        *,
        max(log_mass) over (partition by task_type, successes, trials) as peak
    from masses

),

-- Relative to the peak, so that the masses do not underflow with many trials.
weights as (

    select *, {{ bounded_exp('log_mass - peak') }} as weight from peaked

),

densities as (

    select
        task_type,
        grid_index,
        successes,
        trials,
        models,
        has_all_rivals,
        weight / sum(weight) over (partition by task_type, successes, trials) as density
    from weights

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
        task_type,
        successes,
        trials,
        max(models) as models,
        sum(case
            when has_all_rivals = 1 then density * {{ bounded_exp('log_cumulative_of_rivals') }}
            else 0e0
        end) as probability_best
    from rivalled
    group by task_type, successes, trials

),

totals as (

    select
        task_type,
        sum(models * probability_best) as probability
    from compared
    group by task_type

),

-- Within one step, models are compared only roughly, which matters if many have most of their posterior there. Their
-- shares are right, so the sum of all is set to 1.
shared as (

    select
        models.task_type,
        models.model_id,
        {{ ratio('compared.probability_best', 'totals.probability') }} as probability_best
    from models
    inner join compared
        on
            models.task_type = compared.task_type
            and models.successes = compared.successes
            and models.trials = compared.trials
    inner join totals on models.task_type = totals.task_type

)

select * from shared
