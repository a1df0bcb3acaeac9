with rules as (

    select
        'alias' as rule_kind,
        alias as rule_name,
        model_id as rule_value
    from {{ ref('model_aliases') }}
    union all
    select
        'error type' as rule_kind,
        error_type as rule_name,
        attribution as rule_value
    from {{ ref('error_types') }}
    union all
    select
        'shipped error type' as rule_kind,
        error_type as rule_name,
        attribution as rule_value
    from {{ ref('shipped_error_types') }}
    union all
    select
        'var' as rule_kind,
        'max_paired_configurations' as rule_name,
        '{{ var("max_paired_configurations") }}' as rule_value

),

texts as (

    select
        1 as family,
        rule_kind,
        rule_name,
        rule_kind || ' ' || rule_name || '=' || rule_value as rule_text
    from rules

),

combined as (

    select {{ listed('rule_text', partition_by='family', order_by='rule_kind, rule_name') }} as definition
    from texts

),

settings as (

    select max(definition) as definition from combined

)

select * from settings
