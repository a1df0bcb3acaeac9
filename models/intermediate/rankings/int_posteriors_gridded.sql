with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1

),

points as (

    select * from {{ ref('int_grid_points') }}

),

likelihoods as (

    select
        points.task_type,
        points.grid_index,
        models.model_id,
        {{ log_likelihood('models.successes', 'models.trials', 'points.rate') }} as log_likelihood
    from points
    inner join models on points.task_type = models.task_type

),

peaked as (

    select
        *,
        max(log_likelihood) over (partition by task_type, model_id) as peak
    from likelihoods

),

-- Taken against the peak, so that no number of trials makes a likelihood vanish.
weights as (

    select
        task_type,
        grid_index,
        model_id,
        {{ bounded_exp('log_likelihood - peak') }} as weight
    from peaked

),

densities as (

    select
        task_type,
        grid_index,
        model_id,
        weight / sum(weight) over (partition by task_type, model_id) as density
    from weights

)

select * from densities
