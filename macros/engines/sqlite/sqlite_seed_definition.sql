{# The definition after `create table x` for a seed. It includes the digest of the file, so that the statement stored by
   SQLite shows if the file has changed. #}
{% macro sqlite_seed_definition(model, agate_table) %}
    {% set types = model.config.get('column_types', {}) %}
    {% set lines = [] %}
    {% for name in agate_table.column_names %}
        {% set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) %}
        {% do lines.append(adapter.quote_seed_column(name, model.config.get('quote_columns')) ~ ' ' ~ type) %}
    {% endfor %}
    {% do return('(\n    ' ~ lines | join(',\n    ') ~ '\n    /* ' ~ model.checksum.checksum ~ ' */\n)') %}
{% endmacro %}
