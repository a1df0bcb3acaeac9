with counted as (

    select * from {{ ref('int_repeats_counted') }}

),

-- The figures of one task. The numbers of tasks with at least k tries are the weights of the means.
estimated as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        tries,
        successes,
        tasks,
        case when tries >= 2 then tasks else 0 end as repeated_tasks,
        case when tries >= 3 then tasks else 0 end as tasks_with_3_tries,
        case when tries >= 5 then tasks else 0 end as tasks_with_5_tries,
        {{ pass_at('successes', 'tries', 1) }} as pass_at_1,
        {{ pass_at('successes', 'tries', 2) }} as pass_at_2,
        {{ pass_at('successes', 'tries', 3) }} as pass_at_3,
        {{ pass_at('successes', 'tries', 5) }} as pass_at_5,
        {{ pass_power('successes', 'tries', 1) }} as pass_power_1,
        {{ pass_power('successes', 'tries', 2) }} as pass_power_2,
        {{ pass_power('successes', 'tries', 3) }} as pass_power_3,
        {{ pass_power('successes', 'tries', 5) }} as pass_power_5,
        case
            when tries < 2 then null
            when successes > 0 and successes < tries then 1e0
            else 0e0
        end as flip
    from counted

),

-- A variance needs the mean first, because sums of squares lose digits.
averaged as (

    select
        *,
        {{ ratio('sum(tasks * pass_at_1) over cell', 'sum(tasks) over cell') }} as pass_at_1_mean,
        {{ ratio('sum(tasks * pass_at_2) over cell', 'sum(repeated_tasks) over cell') }} as pass_at_2_mean,
        {{ ratio('sum(tasks * pass_at_3) over cell', 'sum(tasks_with_3_tries) over cell') }} as pass_at_3_mean,
        {{ ratio('sum(tasks * pass_at_5) over cell', 'sum(tasks_with_5_tries) over cell') }} as pass_at_5_mean,
        {{ ratio('sum(tasks * pass_power_1) over cell', 'sum(tasks) over cell') }} as pass_power_1_mean,
        {{ ratio('sum(tasks * pass_power_2) over cell', 'sum(repeated_tasks) over cell') }} as pass_power_2_mean,
        {{ ratio('sum(tasks * pass_power_3) over cell', 'sum(tasks_with_3_tries) over cell') }} as pass_power_3_mean,
        {{ ratio('sum(tasks * pass_power_5) over cell', 'sum(tasks_with_5_tries) over cell') }} as pass_power_5_mean,
        {{ ratio('sum(tasks * flip) over cell', 'sum(repeated_tasks) over cell') }} as flip_mean
    from estimated
    window cell as (partition by task_type, model_id, agent, effort, variant)

),

summed as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        sum(tasks) as tasks,
        sum(repeated_tasks) as repeated_tasks,
        sum(tasks_with_3_tries) as tasks_with_3_tries,
        sum(tasks_with_5_tries) as tasks_with_5_tries,
        sum(tasks * tries) as tries,
        sum(repeated_tasks * tries) as repeated_tries,
        sum(repeated_tasks * successes) as repeated_successes,
        sum(repeated_tasks * {{ ratio('successes * (tries - successes)', 'tries') }}) as inner_squares,
        sum(repeated_tasks * {{ double('tries') }} * tries) as squared_tries,
        max(pass_at_1_mean) as pass_at_1,
        max(pass_at_2_mean) as pass_at_2,
        max(pass_at_3_mean) as pass_at_3,
        max(pass_at_5_mean) as pass_at_5,
        max(pass_power_1_mean) as pass_power_1,
        max(pass_power_2_mean) as pass_power_2,
        max(pass_power_3_mean) as pass_power_3,
        max(pass_power_5_mean) as pass_power_5,
        max(flip_mean) as flip_rate,
        sum(tasks * (pass_at_1 - pass_at_1_mean) * (pass_at_1 - pass_at_1_mean)) as pass_at_1_squares,
        sum(tasks * (pass_at_2 - pass_at_2_mean) * (pass_at_2 - pass_at_2_mean)) as pass_at_2_squares,
        sum(tasks * (pass_at_3 - pass_at_3_mean) * (pass_at_3 - pass_at_3_mean)) as pass_at_3_squares,
        sum(tasks * (pass_at_5 - pass_at_5_mean) * (pass_at_5 - pass_at_5_mean)) as pass_at_5_squares,
        sum(tasks * (pass_power_1 - pass_power_1_mean) * (pass_power_1 - pass_power_1_mean)) as pass_power_1_squares,
        sum(tasks * (pass_power_2 - pass_power_2_mean) * (pass_power_2 - pass_power_2_mean)) as pass_power_2_squares,
        sum(tasks * (pass_power_3 - pass_power_3_mean) * (pass_power_3 - pass_power_3_mean)) as pass_power_3_squares,
        sum(tasks * (pass_power_5 - pass_power_5_mean) * (pass_power_5 - pass_power_5_mean)) as pass_power_5_squares,
        sum(tasks * (flip - flip_mean) * (flip - flip_mean)) as flip_squares
    from averaged
    group by task_type, model_id, agent, effort, variant

),

quantiles as (

    select
        *,
        {{ t_quantile('tasks - 1') }} as t_1,
        {{ t_quantile('repeated_tasks - 1') }} as t_2,
        {{ t_quantile('tasks_with_3_tries - 1') }} as t_3,
        {{ t_quantile('tasks_with_5_tries - 1') }} as t_5
    from summed

),

bounded as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        tasks,
        repeated_tasks,
        tasks_with_3_tries,
        tasks_with_5_tries,
        tries,
        pass_at_1,
        {{ mean_lower('pass_at_1', 'pass_at_1_squares', 'tasks', 't_1') }} as pass_at_1_lower,
        {{ mean_upper('pass_at_1', 'pass_at_1_squares', 'tasks', 't_1') }} as pass_at_1_upper,
        pass_at_2,
        {{ mean_lower('pass_at_2', 'pass_at_2_squares', 'repeated_tasks', 't_2') }} as pass_at_2_lower,
        {{ mean_upper('pass_at_2', 'pass_at_2_squares', 'repeated_tasks', 't_2') }} as pass_at_2_upper,
        pass_at_3,
        {{ mean_lower('pass_at_3', 'pass_at_3_squares', 'tasks_with_3_tries', 't_3') }} as pass_at_3_lower,
        {{ mean_upper('pass_at_3', 'pass_at_3_squares', 'tasks_with_3_tries', 't_3') }} as pass_at_3_upper,
        pass_at_5,
        {{ mean_lower('pass_at_5', 'pass_at_5_squares', 'tasks_with_5_tries', 't_5') }} as pass_at_5_lower,
        {{ mean_upper('pass_at_5', 'pass_at_5_squares', 'tasks_with_5_tries', 't_5') }} as pass_at_5_upper,
        pass_power_1,
        {{ mean_lower('pass_power_1', 'pass_power_1_squares', 'tasks', 't_1') }} as pass_power_1_lower,
        {{ mean_upper('pass_power_1', 'pass_power_1_squares', 'tasks', 't_1') }} as pass_power_1_upper,
        pass_power_2,
        {{ mean_lower('pass_power_2', 'pass_power_2_squares', 'repeated_tasks', 't_2') }} as pass_power_2_lower,
        {{ mean_upper('pass_power_2', 'pass_power_2_squares', 'repeated_tasks', 't_2') }} as pass_power_2_upper,
        pass_power_3,
        {{ mean_lower('pass_power_3', 'pass_power_3_squares', 'tasks_with_3_tries', 't_3') }} as pass_power_3_lower,
        {{ mean_upper('pass_power_3', 'pass_power_3_squares', 'tasks_with_3_tries', 't_3') }} as pass_power_3_upper,
        pass_power_5,
        {{ mean_lower('pass_power_5', 'pass_power_5_squares', 'tasks_with_5_tries', 't_5') }} as pass_power_5_lower,
        {{ mean_upper('pass_power_5', 'pass_power_5_squares', 'tasks_with_5_tries', 't_5') }} as pass_power_5_upper,
        flip_rate,
        {{ mean_lower('flip_rate', 'flip_squares', 'repeated_tasks', 't_2') }} as flip_rate_lower,
        {{ mean_upper('flip_rate', 'flip_squares', 'repeated_tasks', 't_2') }} as flip_rate_upper,
        {{ intraclass_correlation(
            'repeated_tasks', 'repeated_tries', 'repeated_successes', 'inner_squares', 'squared_tries'
        ) }} as icc
    from quantiles

)

select * from bounded
