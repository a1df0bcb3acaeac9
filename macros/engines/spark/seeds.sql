{# A seed is a table, as dbt requires, created in one statement. An unchanged file leaves it as it is. dbt-spark itself
   writes an empty field as the text None (https://github.com/dbt-labs/dbt-adapters/issues/487) and ends a text at a
   quote. #}
{% macro spark__create_csv_table(model, agate_table) %}
    {% set types = model.config.get('column_types', {}) %}
    {% set type_names = {'text': 'string', 'double precision': 'double'} %}
    {% set columns = [] %}
    {% for name in agate_table.column_names %}
        {% set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) %}
        {% set type = type_names.get(type | lower, type) %}
        {% do columns.append('cast(`' ~ name ~ '` as ' ~ type ~ ') as `' ~ name ~ '`') %}
    {% endfor %}
    {% set rows = [] %}
    {% for row in agate_table.rows %}
        {% set values = [] %}
        {% for value in row %}
            {% set text = value | string | replace('\\', '\\\\') | replace("'", "\\'") %}
            {% do values.append('null' if value is none else "'" ~ text ~ "'") %}
        {% endfor %}
        {% do rows.append('(' ~ values | join(', ') ~ ')') %}
    {% endfor %}
    {% set nothing = '(' ~ (['null'] * agate_table.column_names | length) | join(', ') ~ ')' %}
    {% do run_query(
        'create table ' ~ this ~ " using parquet tblproperties ('checksum' = '" ~ model.checksum.checksum ~ "') as select "
        ~ columns | join(', ') ~ ' from values ' ~ (rows | join(', ') or nothing)
        ~ ' as seed (`' ~ agate_table.column_names | join('`, `') ~ '`)' ~ ('' if rows else ' where false')
    ) %}
    {% do return('select 1') %}
{% endmacro %}


{% macro spark__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% set properties = {} %}
    {% for row in fetch_tbl_properties(old_relation) %}
        {% do properties.update({row[0]: row[1]}) %}
    {% endfor %}
    {% if full_refresh or properties.get('checksum') != model.checksum.checksum %}
        {% do adapter.drop_relation(old_relation) %}
        {% do spark__create_csv_table(model, agate_table) %}
    {% endif %}
    {% do return('select 1') %}
{% endmacro %}


{# spark__create_csv_table has already written the rows. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {% do return('select 1') %}
{% endmacro %}
