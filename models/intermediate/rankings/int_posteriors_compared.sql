with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1

),

densities as (

    select * from {{ ref('int_posteriors_gridded') }}

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

)

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
