with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1

),

points as (

    select * from {{ ref('int_grid_points') }}

),

-- Pinsker's inequality: farther from the model's own rate a likelihood is below e^-45 of its peak, which no double
-- tells from nothing. A peak between two points keeps both.
likelihoods as (

    select
        points.task_type,
        points.grid_index,
        models.model_id,
        {{ log_likelihood('models.successes', 'models.trials', 'points.rate') }} as log_likelihood
    from points
    inner join models on points.task_type = models.task_type
    where abs(points.rate - models.success_rate) <= sqrt(45e0 / (2 * models.trials)) + points.step

),

peaked as (

    select
        *,
        max(log_likelihood) over of_the_model as peak,
        min(grid_index) over of_the_model as first_grid_index
    from likelihoods
    window of_the_model as (partition by task_type, model_id)

),

-- Taken against the peak, so that no number of trials makes a likelihood vanish.
weights as (

    select *, {{ bounded_exp('log_likelihood - peak') }} as weight from peaked

),

densities as (

    select
        task_type,
        grid_index,
        model_id,
        first_grid_index,
        weight / sum(weight) over (partition by task_type, model_id) as density
    from weights

)

select * from densities
