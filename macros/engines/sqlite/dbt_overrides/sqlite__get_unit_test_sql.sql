{# Rounds doubles to ten digits or nine decimals on both sides, so that a unit test can state a reference figure as it
   is printed. dbt compares to the last bit, and engines differ in the last bits. #}
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
