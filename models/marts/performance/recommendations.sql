with task_types as (

    select * from {{ ref('int_compared_models') }}

),

rankings as (

    select * from {{ ref('model_rankings') }}

),

candidates as (

    select * from {{ ref('ab_test_candidates') }}

),

leader_comparisons as (

    select * from {{ ref('ab_comparisons') }}
    where is_declared = 0

),

drifts as (

    select * from {{ ref('demotion_candidates') }}
    where is_drifting = 1

),

counted_models as (

    select
        task_type,
        max(is_degenerate) as is_degenerate,
        sum(case when is_retired = 1 then 0 when trials > 0 then 1 else 0 end) as tried_models,
        sum(case when is_retired = 1 then 0 when is_too_little_tried = 0 then 1 else 0 end) as well_tried_models,
        sum(case when is_retired = 1 then 1 else 0 end) as retired_models
    from rankings
    group by task_type

),

counted_candidates as (

    select
        task_type,
        count(case when is_too_little_tried = 0 then 1 end) as likely_alternatives,
        count(case when is_too_little_tried = 1 then 1 end) as too_little_tried_models
    from candidates
    group by task_type

),

-- Differences below a thousandth do not count, because engines round in different ways.
ordered as (

    select
        *,
        row_number() over (partition by task_type order by floor(1000 * probability_best) desc, rank) as place
    from candidates
    where is_too_little_tried = 0

),

-- The facts that decide: `compared_` is the model with which the others are compared, `decided_` the comparison of
-- leader and incumbent, `likely_` the likeliest alternative.
weighed as (

    select
        task_types.*,
        counted_models.is_degenerate,
        -- Of the retired models, only an incumbent that the seed names counts.
        counted_models.tried_models + coalesce(compared_models.is_retired, 0) as tried_models,
        counted_models.well_tried_models
        + case when compared_models.is_retired = 1 and compared_models.is_too_little_tried = 0 then 1 else 0 end
            as well_tried_models,
        counted_models.retired_models - coalesce(compared_models.is_retired, 0) as retired_models,
        coalesce(compared_models.is_retired, 0) as is_compared_retired,
        coalesce(counted_candidates.likely_alternatives, 0) as likely_alternatives,
        coalesce(counted_candidates.too_little_tried_models, 0) as too_little_tried_models,
        coalesce(compared_models.trials, 0) as compared_trials,
        compared_models.successes as compared_successes,
        compared_drifts.drifting_since as compared_drifting_since,
        leader_drifts.drifting_since as leader_drifting_since,
        leader_comparisons.verdict,
        leader_comparisons.first_decided_at,
        leader_comparisons.shared_incumbent_trials as decided_incumbent_trials,
        leader_comparisons.shared_challenger_trials as decided_leader_trials,
        leader_comparisons.difference as decided_difference,
        leader_comparisons.difference_lower as decided_difference_lower,
        leader_comparisons.difference_upper as decided_difference_upper,
        leader_comparisons.e_value as decided_e_value,
        likeliest.model_id as likely_model_id,
        likeliest.difference as likely_difference,
        likeliest.has_common_ground as has_likely_common_ground,
        likeliest.e_value as likely_e_value,
        -- For the leader, the number of further trials comes from its comparison with the incumbent.
        case
            when likeliest.model_id = leader_comparisons.challenger_model_id then leader_comparisons.trials_to_separate
            else likeliest.trials_to_separate
        end as likely_trials_to_separate
    from task_types
    inner join counted_models on task_types.task_type = counted_models.task_type
    left join counted_candidates on task_types.task_type = counted_candidates.task_type
    left join ordered as likeliest on task_types.task_type = likeliest.task_type and likeliest.place = 1
    left join leader_comparisons on task_types.task_type = leader_comparisons.task_type
    left join rankings as compared_models
        on task_types.task_type = compared_models.task_type and task_types.compared_model_id = compared_models.model_id
    left join drifts as compared_drifts
        on task_types.task_type = compared_drifts.task_type and task_types.compared_model_id = compared_drifts.model_id
    left join drifts as leader_drifts
        on task_types.task_type = leader_drifts.task_type and task_types.leader_model_id = leader_drifts.model_id

),

judged as (

    select
        *,
        case
            when is_degenerate = 1 then 'degenerate'
            when well_tried_models = 0 then 'too_few_trials'
            when incumbent_model_id is null and compared_trials < {{ var('min_trials_per_arm') }} then 'too_few_trials'
            when compared_trials < {{ var('min_trials_per_arm') }} then 'incumbent_too_few_trials'
            when verdict = 'challenger_better' and leader_drifting_since is null then 'surely_worse'
            when verdict in ('was_challenger_better', 'was_incumbent_better') then 'decision_in_doubt'
            when likely_model_id is not null then 'likely_alternative'
            when verdict = 'challenger_better' then 'better_model_getting_worse'
            when compared_drifting_since is not null then 'getting_worse'
            when well_tried_models = 1 and tried_models = 1 then 'only_model'
            when well_tried_models = 1 and too_little_tried_models > 0 then 'others_too_few_trials'
            when compared_model_id = leader_model_id then 'leads'
            else 'no_likely_alternative'
        end as reason_code
    from weighed

),

decided as (

    select
        *,
        case
            when reason_code in ('leads', 'no_likely_alternative') then 'keep'
            when reason_code = 'surely_worse' then 'replace'
            when reason_code = 'likely_alternative' then 'try'
            else 'cannot_tell'
        end as action -- noqa: RF04
    from judged

),

named as (

    select
        *,
        case
            when action = 'replace' then leader_model_id
            when action in ('keep', 'try') then compared_model_id
        end as model_id,
        case
            when action = 'replace' then leader_model_id
            when action = 'try' then likely_model_id
        end as alternative_model_id
    from decided

),

rated as (

    select
        named.*,
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
        alternatives.trials as alternative_trials,
        alternatives.successes as alternative_successes,
        alternatives.success_rate as alternative_success_rate,
        alternatives.success_rate_lower as alternative_success_rate_lower,
        alternatives.success_rate_upper as alternative_success_rate_upper,
        alternatives.probability_best as alternative_probability_best,
        alternatives.cost_per_success as alternative_cost_per_success
    from named
    left join rankings as models on named.task_type = models.task_type and named.model_id = models.model_id
    left join rankings as incumbents
        on named.task_type = incumbents.task_type and named.incumbent_model_id = incumbents.model_id
    left join rankings as alternatives
        on named.task_type = alternatives.task_type and named.alternative_model_id = alternatives.model_id

),

worded as (

    select
        *,
        case reason_code
            when 'surely_worse'
                then
                    'it is surely better, by ' || {{ points('decided_difference') }} || ' points, with '
                    || decided_leader_trials || ' trials against ' || decided_incumbent_trials
                    || ' under the same conditions; decided on ' || first_decided_at
            when 'likely_alternative'
                then
                    'it may be as good, with ' || alternative_successes || ' successes in ' || alternative_trials
                    || ' trials against ' || compared_successes || ' in ' || compared_trials
                    || coalesce(
                        '; ' || compared_model_id || ' has been getting worse since ' || compared_drifting_since, ''
                    )
                    || case
                        when has_likely_common_ground = 0
                            then '; the two never ran under the same conditions: run both side by side'
                        when likely_trials_to_separate is null then '; it would take more trials than anybody will make'
                        when likely_trials_to_separate = 0 then ''
                        else '; about ' || likely_trials_to_separate || ' more trials would tell'
                    end
            when 'leads'
                then
                    'it leads with ' || compared_successes || ' successes in ' || compared_trials
                    || ' trials, and no other model is likely to be better'
            when 'no_likely_alternative'
                then
                    'no other model is likely to be better than its ' || compared_successes || ' successes in '
                    || compared_trials || ' trials'
            when 'degenerate' then 'every trial had the same result, so that nothing tells the models apart'
            when 'too_few_trials' then 'no model has {{ var("min_trials_per_arm") }} trials yet'
            when 'incumbent_too_few_trials'
                then
                    'the incumbent ' || incumbent_model_id || ' has ' || compared_trials
                    || ' trials, and a comparison takes {{ var("min_trials_per_arm") }}'
            when 'decision_in_doubt'
                then
                    'the decision of ' || first_decided_at || ' between ' || leader_model_id || ' and '
                    || incumbent_model_id || ' does not hold any more'
            when 'better_model_getting_worse'
                then
                    leader_model_id || ' is surely better than ' || incumbent_model_id
                    || ', but has been getting worse since ' || leader_drifting_since
            when 'getting_worse'
                then
                    compared_model_id || ' has been getting worse since ' || compared_drifting_since
                    || ', and no other model is likely to be better'
            when 'only_model' then 'no other model has been tried'
            when 'others_too_few_trials' then 'no other model has {{ var("min_trials_per_arm") }} trials yet'
        end
        || case
            when action = 'keep' and too_little_tried_models > 0
                then '; models with too few trials to tell: ' || too_little_tried_models
            else ''
        end
        || case
            when is_compared_retired = 1
                then
                    '; ' || compared_model_id
                    || ' has had no trial in the last {{ var("retired_after_days") }} days of the task type'
            else ''
        end
        || case
            when retired_models > 0 then '; models left out because they are retired: ' || retired_models
            else ''
        end as reason
    from rated

),

recommendations as (

    select
        task_type,
        action,
        model_id,
        incumbent_model_id,
        alternative_model_id,
        alternative_probability_best,
        alternative_trials,
        reason,
        reason_code,
        is_named_incumbent,
        model_trials,
        model_success_rate,
        model_success_rate_lower,
        model_success_rate_upper,
        model_probability_best,
        model_cost_per_success,
        incumbent_trials,
        incumbent_success_rate,
        incumbent_success_rate_lower,
        incumbent_success_rate_upper,
        incumbent_cost_per_success,
        alternative_success_rate,
        alternative_success_rate_lower,
        alternative_success_rate_upper,
        alternative_cost_per_success,
        case action when 'replace' then decided_difference when 'try' then likely_difference end as difference,
        case action when 'replace' then decided_difference_lower end as difference_lower,
        case action when 'replace' then decided_difference_upper end as difference_upper,
        case action when 'replace' then decided_e_value when 'try' then likely_e_value end as e_value,
        case action when 'replace' then first_decided_at end as first_decided_at,
        case action when 'try' then likely_trials_to_separate end as trials_to_separate,
        likely_alternatives,
        too_little_tried_models
    from worded

)

select * from recommendations
