{# Puts the staged rows in the place of the existing table or view. They are inserted in chunks under another name, so
   that no writer waits long. The last chunk and the change of name are one transaction, left open for the caller's
   hooks. If a build is killed on the way, the table under the other name remains; the next build of this dbt model
   drops it. #}
{% macro sqlite_swap_in(staged) %}
    {% set fresh = make_intermediate_relation(this, '__dbt_new') %}
    {% set standing = load_relation(this) %}
    {% set definition = sqlite_table_definition() or 'as select * from ' ~ staged ~ ' where false' %}
    {% set columns = sqlite_column_list(staged) %}
    {% set chunk_rows = var('sqlite_chunk_rows', 2000) | int %}
    {% set last_row = run_query('select coalesce(max(rowid), 0) from ' ~ staged).rows[0][0] | int %}
    {# Without it, the change of name would fail if any view in the file reads a table that is missing or is being
       changed. #}
    {% do run_query('pragma legacy_alter_table = on') %}
    {# Without it, SQLite would overwrite the old table with zeros, under the lock, before it drops it. #}
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
