{# Makes the existing table equal to the staged rows. If few rows differ, only these change, in one short transaction:
   no writer waits long, no connection reads the schema again, and a build writes only what is new. Otherwise the tables
   are swapped. Leaves the transaction open for the caller's hooks. #}
{% macro sqlite_put_in(staged) %}
    {% set compared = none if should_full_refresh() else sqlite_compare(staged) %}
    {% if compared is none or compared.count > var('sqlite_chunk_rows', 2000) | int %}
        {% do sqlite_swap_in(staged) %}
    {% elif compared.count or pre_hooks %}
        {% set columns = sqlite_column_list(staged) %}
        {% do sqlite_take_write_lock(writes_next=not pre_hooks) %}
        {% do run_hooks(pre_hooks, inside_transaction=true) %}
        {% if compared.replaced %}
            {% do run_query('delete from ' ~ this ~ ' where rowid in (select standing_row from ' ~ compared.rows ~ ')') %}
        {% endif %}
        {% do run_query(
            'insert into ' ~ this ~ ' (' ~ columns ~ ') select ' ~ columns ~ ' from ' ~ staged
            ~ ' where rowid in (select staged_row from ' ~ compared.rows ~ ')'
        ) %}
    {% endif %}
{% endmacro %}
