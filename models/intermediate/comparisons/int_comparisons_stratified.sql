with strata as (

    select
        *,
        case when incumbent_trials > 0 and challenger_trials > 0 then 1 else 0 end as is_shared,
        incumbent_trials + challenger_trials as trials,
        {{ ratio('challenger_wins', 'challenger_trials') }} - {{ ratio('incumbent_wins', 'incumbent_trials') }}
            as difference,
        {{ sequential_squared_error(
            'incumbent_wins', 'incumbent_trials', 'challenger_wins', 'challenger_trials'
        ) }} as squared_error
    from {{ ref('int_comparisons_accumulated') }}

),

-- Differences and errors are null at task types that only one arm has tried.
summed as (

    select
        experiment_id,
        outcome_date,
        sum(incumbent_trials) as incumbent_trials,
        sum(incumbent_wins) as incumbent_wins,
        sum(challenger_trials) as challenger_trials,
        sum(challenger_wins) as challenger_wins,
        sum(is_shared * incumbent_trials) as shared_incumbent_trials,
        sum(is_shared * challenger_trials) as shared_challenger_trials,
        sum(is_shared * trials) as shared_trials,
        sum(trials * difference) as weighted_difference,
        case when count(squared_error) = sum(is_shared) then sum({{ double('trials') }} * trials * squared_error) end
            as weighted_squared_error
    from strata
    group by experiment_id, outcome_date

),

stratified as (

    select
        experiment_id,
        outcome_date,
        incumbent_trials,
        incumbent_wins,
        challenger_trials,
        challenger_wins,
        shared_incumbent_trials,
        shared_challenger_trials,
        shared_trials,
        {{ ratio('challenger_wins', 'challenger_trials') }} - {{ ratio('incumbent_wins', 'incumbent_trials') }}
            as naive_difference,
        {{ ratio('weighted_difference', 'shared_trials') }} as difference,
        {{ ratio('weighted_squared_error', double('shared_trials') ~ ' * shared_trials') }} as squared_error
    from summed

)

select * from stratified
