with own as (

    select * from {{ ref('error_types') }}

),

shipped as (

    select * from {{ ref('shipped_error_types') }}

),

-- The types of the totals and of the outcomes after them are all types of the log.
recorded as (

    select error_type from {{ ref('int_outcomes_totals') }}
    where error_type <> ''
    union
    select error_type from {{ ref('stg_model_outcomes') }}
    where
        error_type <> '' and {{ is_newer(
            '(select coalesce(max(totals.last_outcome_id), 0) from ' ~ ref('int_outcomes_totals') ~ ' as totals)'
        ) }}

),

-- The user's rows win over the shipped ones, and exact names over patterns.
rules as (

    select error_type as pattern, attribution, case when error_type like '%*%' then 2 else 1 end as precedence from own
    union all
    select error_type as pattern, attribution, case when error_type like '%*%' then 4 else 3 end as precedence
    from shipped

),

-- Names are joined apart from patterns, because an engine looks an equal text up instead of trying every rule.
matched as (

    select
        recorded.error_type,
        rules.pattern,
        rules.attribution,
        rules.precedence
    from recorded
    inner join rules on recorded.error_type = rules.pattern
    where rules.precedence in (1, 3)
    union all
    select
        recorded.error_type,
        rules.pattern,
        rules.attribution,
        rules.precedence
    from recorded
    inner join rules on {{ matches_pattern('recorded.error_type', 'rules.pattern') }}
    where rules.precedence in (2, 4)

),

-- Of several patterns the longest, which says most about the type, wins.
ordered as (

    select
        error_type,
        attribution,
        row_number() over (partition by error_type order by precedence, length(pattern) desc, pattern) as place
    from matched

),

classified as (

    select
        error_type,
        attribution
    from ordered
    where place = 1

)

select * from classified
