{# The rows that a dbt model returns in a unit test next to the expected rows. Doubles are rounded on both sides, to nine
   decimals or, from 1 on, to ten digits, so that a unit test can state a reference figure as it is printed. dbt compares
   to the last bit (https://github.com/dbt-labs/dbt-core/issues/10470), and engines differ in the last bits. #}


{# From dbt 1.12 on, the names come in the engine's quotes. #}
{% macro default__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {%- set types, names = {}, [] -%}
    {%- for column in columns_of_query(main_sql) -%}
        {%- do types.update({column.name | lower: column.data_type}) -%}
    {%- endfor -%}
    {%- for name in expected_column_names -%}
        {%- do names.append(name | replace(adapter.quote('x')[0], '') | lower) -%}
    {%- endfor -%}
    {%- set sides = {'actual': main_sql, 'expected': expected_fixture_sql} -%}
    {%- for side, side_sql in sides.items() %}
    select
        {%- for name in names %}
        {%- set is_double = 'double' in kinds_of_type(types[name]) and 'bigint' not in kinds_of_type(types[name]) %}
        {{ to_ten_digits(name) if is_double else name }} as {{ name }},
        {%- endfor %}
        '{{ side }}' as actual_or_expected
    from (
        {{ side_sql }}
    ) as {{ side }}_rows
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro sqlite__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {%- set sides = {'actual': main_sql, 'expected': expected_fixture_sql} -%}
    {%- for side, side_sql in sides.items() %}
    select
        {%- for name in expected_column_names %}
        case
            when typeof({{ name }}) <> 'real' then {{ name }}
            when abs({{ name }}) < 1 then round({{ name }}, 9)
            else cast(printf('%.10g', {{ name }}) as real)
        end as {{ name }},
        {%- endfor %}
        '{{ side }}' as actual_or_expected
    from (
        {{ side_sql }}
    )
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# A double rounded to nine decimals or, from 1 on, to ten digits. #}
{% macro to_ten_digits(value) -%}
    {{ return(adapter.dispatch('to_ten_digits')(value)) }}
{%- endmacro %}

{% macro default__to_ten_digits(value) -%}
    case
        when abs({{ value }}) < 1 then round({{ value }}, 9)
        else cast(format('{:.9e}', {{ value }}) as double)
    end
{%- endmacro %}

{% macro postgres__to_ten_digits(value) -%}
    case
        when abs({{ value }}) < 1 then cast(round(cast({{ value }} as numeric), 9) as double precision)
        else cast(to_char({{ value }}, '9.999999999EEEE') as double precision)
    end
{%- endmacro %}

{% macro spark__to_ten_digits(value) -%}
    case
        when abs({{ value }}) < 1 then round({{ value }}, 9)
        else cast(format_string('%.9e', {{ value }}) as double)
    end
{%- endmacro %}
