with weighed as (

    select * from {{ ref('int_recommendations_weighed') }}

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

)

select * from named
