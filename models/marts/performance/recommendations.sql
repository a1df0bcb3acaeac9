with decided as (

    select * from {{ ref('int_recommendations_decided') }}

),

rankings as (

    select * from {{ ref('model_rankings') }}

),

recommendations as (

    select
        decided.task_type,
        decided.action,
        decided.model_id,
        decided.incumbent_model_id,
        decided.alternative_model_id,
        alternatives.probability_best as alternative_probability_best,
        alternatives.trials as alternative_trials,
        case decided.reason_code
            when 'surely_worse'
                then
                    'it is surely better, with ' || decided.decided_leader_wins || ' successes in '
                    || decided.decided_leader_trials || ' trials against ' || decided.decided_incumbent_wins || ' in '
                    || decided.decided_incumbent_trials || '; decided on ' || decided.first_decided_at
            when 'likely_alternative'
                then
                    'it may be as good, with ' || decided.likely_successes || ' successes in ' || decided.likely_trials
                    || ' trials against ' || decided.compared_successes || ' in ' || decided.compared_trials
                    || case
                        when decided.compared_drifting_since is null then ''
                        else
                            '; ' || decided.compared_model_id || ' is getting worse since '
                            || decided.compared_drifting_since
                    end
                    || case
                        when decided.likely_trials_to_separate is null
                            then '; more trials than anybody will make would not tell'
                        when decided.likely_trials_to_separate = 0 then ''
                        else '; about ' || decided.likely_trials_to_separate || ' more trials would tell'
                    end
            when 'leads'
                then
                    'it leads with ' || decided.compared_successes || ' successes in ' || decided.compared_trials
                    || ' trials, and no other model is likely to be better'
            when 'no_likely_alternative'
                then
                    'no other model is likely to be better than its ' || decided.compared_successes
                    || ' successes in ' || decided.compared_trials || ' trials'
            when 'degenerate' then 'every trial had the same result, so that nothing tells the models apart'
            when 'too_few_trials' then 'no model has {{ var("min_trials_per_arm") }} trials yet'
            when 'incumbent_too_few_trials'
                then
                    'the incumbent ' || decided.incumbent_model_id || ' has ' || decided.compared_trials
                    || ' trials, and a comparison takes {{ var("min_trials_per_arm") }}'
            when 'decision_in_doubt'
                then
                    'the decision of ' || decided.first_decided_at || ' between ' || decided.leader_model_id || ' and '
                    || decided.incumbent_model_id || ' does not hold any more'
            when 'better_model_getting_worse'
                then
                    decided.leader_model_id || ' is surely better than ' || decided.incumbent_model_id
                    || ', but is getting worse since ' || decided.leader_drifting_since
            when 'getting_worse'
                then
                    decided.compared_model_id || ' is getting worse since ' || decided.compared_drifting_since
                    || ', and no other model is likely to be better'
            when 'only_model' then 'no other model has been tried'
            when 'others_too_few_trials' then 'no other model has {{ var("min_trials_per_arm") }} trials yet'
        end
        || case
            when decided.action = 'keep' and decided.too_little_tried_models > 0
                then '; models with too few trials to tell: ' || decided.too_little_tried_models
            else ''
        end as reason,
        decided.reason_code,
        decided.is_named_incumbent,
        models.trials as model_trials,
        models.success_rate as model_success_rate,
        models.success_rate_lower as model_success_rate_lower,
        models.success_rate_upper as model_success_rate_upper,
        models.probability_best as model_probability_best,
        models.cost_per_success as model_cost_per_success,
        incumbents.trials as incumbent_trials,
        incumbents.success_rate as incumbent_success_rate,
        incumbents.success_rate_lower as incumbent_success_rate_lower,
        incumbents.success_rate_upper as incumbent_success_rate_upper,
        incumbents.cost_per_success as incumbent_cost_per_success,
        alternatives.success_rate as alternative_success_rate,
        alternatives.success_rate_lower as alternative_success_rate_lower,
        alternatives.success_rate_upper as alternative_success_rate_upper,
        alternatives.cost_per_success as alternative_cost_per_success,
        case decided.action
            when 'replace' then decided.decided_difference
            when 'try' then decided.likely_difference
        end as difference,
        case when decided.action = 'replace' then decided.decided_difference_lower end as difference_lower,
        case when decided.action = 'replace' then decided.decided_difference_upper end as difference_upper,
        case decided.action
            when 'replace' then decided.decided_e_value
            when 'try' then decided.likely_e_value
        end as e_value,
        case when decided.action = 'replace' then decided.first_decided_at end as first_decided_at,
        case when decided.action = 'try' then decided.likely_trials_to_separate end as trials_to_separate,
        decided.likely_alternatives,
        decided.too_little_tried_models
    from decided
    left join rankings as models
        on decided.task_type = models.task_type and decided.model_id = models.model_id
    left join rankings as incumbents
        on decided.task_type = incumbents.task_type and decided.incumbent_model_id = incumbents.model_id
    left join rankings as alternatives
        on decided.task_type = alternatives.task_type and decided.alternative_model_id = alternatives.model_id

)

select * from recommendations
