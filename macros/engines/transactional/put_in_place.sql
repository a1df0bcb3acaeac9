{# Makes the dbt model's table equal to the staged rows. #}
{% macro put_in_place(staged) %}
    {% set standing = load_relation(this) %}
    {% if standing is not none and standing.is_table and not should_full_refresh() and refills_tables()
        and column_types(standing) == column_types(staged) %}
        {% do run_query('delete from ' ~ this) %}
        {% do run_query('insert into ' ~ this ~ ' select * from ' ~ staged) %}
    {% else %}
        {% if standing is not none %}
            {% do adapter.drop_relation(standing) %}
        {% endif %}
        {% do run_query('create table ' ~ this ~ ' ' ~ (table_definition() or 'as select * from ' ~ staged ~ ' limit 0')) %}
        {% do run_query('insert into ' ~ this ~ ' select * from ' ~ staged) %}
        {% do create_indexes(this) %}
    {% endif %}
{% endmacro %}
