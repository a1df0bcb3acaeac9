with decided as (

    select * from {{ ref('int_recommendations_decided') }}

)

select
    *,
    case reason_code
        when 'surely_worse'
            then
                'it is surely better, with ' || decided_leader_wins || ' successes in ' || decided_leader_trials
                || ' trials against ' || decided_incumbent_wins || ' in ' || decided_incumbent_trials
                || '; decided on ' || first_decided_at
        when 'likely_alternative'
            then
                'it may be as good, with ' || likely_successes || ' successes in ' || likely_trials
                || ' trials against ' || compared_successes || ' in ' || compared_trials
                || coalesce(
                    '; ' || compared_model_id || ' has been getting worse since ' || compared_drifting_since, ''
                )
                || case
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
    end as why
from decided
