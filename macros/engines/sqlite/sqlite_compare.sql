{# The changes that make the existing table equal to the staged rows: a temporary table with a row for each key that is
   new, different or gone, and the rowids on both sides. None if the two cannot be compared: there is no key, the key
   has nulls, the existing object is not a table, or it has other columns. All slow reading happens here, before the
   write lock is taken. #}
{% macro sqlite_compare(staged) %}
    {% set key, standing = sqlite_key(), load_relation(this) %}
    {% if not key or standing is none or not standing.is_table or not sqlite_stands_as_defined(this) %}
        {% do return(none) %}
    {% endif %}
    {% set columns = sqlite_columns(staged) | map(attribute='name') | list %}
    {% if sqlite_columns(this) | map(attribute='name') | list != columns %}
        {% do return(none) %}
    {% endif %}
    {% if not config.get('contract').enforced %}
        {% do run_query(
            'create unique index temp.' ~ adapter.quote(staged.identifier ~ '_key')
            ~ ' on ' ~ adapter.quote(staged.identifier) ~ ' (' ~ key | join(', ') ~ ')'
        ) %}
    {% endif %}
    {% set compared = make_temp_relation(this, '__dbt_compared') %}
    {% do run_query(sqlite_comparison(staged, compared, key, columns)) %}
    {% set found = run_query(
        'select count(*), count(standing_row), exists (select 1 from ' ~ staged
        ~ ' where ' ~ key | join(' is null or ') ~ ' is null) from ' ~ compared
    ).rows[0] %}
    {% do return(none if found[2] else {'rows': compared, 'count': found[0] | int, 'replaced': found[1] | int}) %}
{% endmacro %}
