{# Rounds doubles to ten digits or nine decimals on both sides, as on SQLite: dbt compares to the last bit, and engines
   differ in the last bits. #}
{% macro default__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {%- set types, names = {}, expected_column_names | map('lower') | list -%}
    {%- for column in columns_of_query(main_sql) -%}
        {%- do types.update({column.name | lower: column.data_type}) -%}
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
