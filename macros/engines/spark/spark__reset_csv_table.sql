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
