-- Noise can make counts negative: they then count as 0.
with projects as (

    select
        *,
        {{ at_least(double('successes'), '0e0') }} as won,
        {{ at_least('trials - ' ~ double('successes'), '0e0') }} as lost
    from {{ ref('int_projects_counted') }}

),

counted as (

    select *, won + lost as tried from projects

),

rated as (

    select
        *,
        {{ ratio('won', 'tried') }} as rate,
        sum(tried) over of_the_cell as all_tried,
        {{ ratio('sum(won) over of_the_cell', 'sum(tried) over of_the_cell') }} as plain_rate
    from counted
    window of_the_cell as (partition by task_type, model_id)

),

-- The expected rate is never 0 or 1: with these, a trial would have no variance.
expected as (

    select *, {{ inner_rate('plain_rate', 'all_tried') }} as expected_rate from rated

),

measured as (

    select
        *,
        {{ project_variance('expected_rate', 'tried', 'noise_variance') }} as variance,
        {{ project_variance('expected_rate', 'tried', 'noise_variance') }}
        - {{ project_variance('expected_rate', 'tried', '0') }} as variance_of_noise
    from expected

),

spreads as (

    select
        task_type,
        model_id,
        count(rate) as projects,
        max(plain_rate) as plain_rate,
        sum(tried) as tried,
        sum(tried * tried) as squared_tried,
        -- Without the part that noise explains.
        sum(tried * (
            (rate - plain_rate) * (rate - plain_rate)
            - (1 - {{ ratio('tried', 'all_tried') }}) * variance_of_noise
        )) as spread,
        sum((rate - plain_rate) * (rate - plain_rate) / variance) as heterogeneity,
        sum(expected_rate * (1 - expected_rate) / variance) as effective_trials
    from measured
    group by task_type, model_id

),

variances as (

    select
        *,
        coalesce({{ at_least(
            between_variance('projects', 'tried', 'squared_tried', 'plain_rate', 'spread'), '0e0'
        ) }}, 0e0) as tau_squared,
        {{ i_squared('projects', 'heterogeneity') }} as i_squared
    from spreads
    where projects > 0

),

weighed as (

    select
        measured.*,
        variances.projects,
        variances.tau_squared,
        variances.i_squared,
        variances.effective_trials,
        1 / (measured.variance + variances.tau_squared) as weight
    from measured
    inner join variances
        on measured.task_type = variances.task_type and measured.model_id = variances.model_id

),

averaged as (

    select
        *,
        {{ ratio(
            'sum(weight * rate) over (partition by task_type, model_id)',
            'sum(weight) over (partition by task_type, model_id)'
        ) }} as pooled_rate
    from weighed

),

pooled as (

    select
        task_type,
        model_id,
        max(projects) as projects,
        max(tau_squared) as tau_squared,
        max(i_squared) as i_squared,
        max(effective_trials) as effective_trials,
        max(pooled_rate) as pooled_success_rate,
        {{ pooled_error(
            'max(projects)',
            'sum(weight)',
            'sum(weight * weight * (rate - pooled_rate) * (rate - pooled_rate))'
        ) }} as pooled_error,
        sum(trials) as trials,
        sum(successes) as successes,
        sum(metered_trials) as metered_trials,
        sum(metered_tokens) as metered_tokens,
        sum(priced_trials) as priced_trials,
        sum(priced_successes) as priced_successes,
        sum(priced_cost_usd) as priced_cost_usd,
        sum(cost_usd_squared) as cost_usd_squared,
        sum(success_cost_usd) as success_cost_usd
    from averaged
    group by task_type, model_id

)

select * from pooled
