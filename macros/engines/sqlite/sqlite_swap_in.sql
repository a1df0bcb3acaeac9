{# Puts the staged rows in place of the standing table or view. They go in by chunks under another name, so that no
   writer waits long; the last chunk and the change of name are one transaction, left open for the caller's hooks.
   A build killed on the way leaves the table under the other name; the next one of this dbt model drops it. #}
{% macro sqlite_swap_in(staged) %}
    {% set fresh = make_intermediate_relation(this, '__dbt_new') %}
    {% set standing = load_relation(this) %}
    {% set definition = sqlite_table_definition() or 'as select * from ' ~ staged ~ ' where false' %}
    {% set columns = sqlite_column_list(staged) %}
    {% set chunk_rows = var('sqlite_chunk_rows', 2000) | int %}
    {% set last_row = run_query('select coalesce(max(rowid), 0) from ' ~ staged).rows[0][0] | int %}
    {# Else the change of name would fail on any view of the file whose tables are gone, or are being changed. #}
    {% do run_query('pragma legacy_alter_table = on') %}
    {# Else the old table would be overwritten with zeros under the lock before it is given up. #}
    {% do run_query('pragma secure_delete = fast') %}
    {% for start in range(0, [last_row, 1] | max, chunk_rows) %}
        {% do sqlite_take_write_lock() %}
        {% if loop.first %}
            {% do run_query('drop table if exists ' ~ fresh) %}
            {% do run_query('create table ' ~ fresh ~ ' ' ~ definition) %}
            {% do create_indexes(fresh) %}
        {% endif %}
        {% call statement() %}
            insert into {{ fresh }} ({{ columns }})
            select {{ columns }} from {{ staged }}
            where rowid > {{ start }} and rowid <= {{ start + chunk_rows }}
        {% endcall %}
        {% if not loop.last %}
            {% do adapter.commit() %}
            {% do sqlite_let_writers_in() %}
        {% endif %}
    {% endfor %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if standing is not none %}
        {% do adapter.drop_relation(standing) %}
    {% endif %}
    {% do run_query('alter table ' ~ fresh ~ ' rename to ' ~ adapter.quote(this.identifier)) %}
{% endmacro %}
