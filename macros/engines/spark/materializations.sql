{# A Parquet table cannot be read and overwritten at once, and cannot be overwritten in one step. So each build creates
   a new table, a version, and the dbt model's name is a view of the last finished one. Pointing the view to another
   table is one step: if a build is killed, the old version remains. The version before is kept until the next build,
   for queries that are still reading it. Contracts are in ../transactional/contract.sql. #}


{% materialization table, adapter='spark' %}
    {% do run_hooks(pre_hooks) %}
    {% do spark_put_version(as_contracted(sql)) %}
    {{ return(spark_finish()) }}
{% endmaterialization %}


{% materialization view, adapter='spark' %}
    {% set existing = load_relation(this) %}
    {% set contracted = as_contracted(sql) %}
    {% do run_hooks(pre_hooks) %}
    {% if existing is not none and not existing.is_view %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% call statement('main') %}
        create or replace view {{ this }} as
        {{ contracted }}
    {% endcall %}
    {{ return(spark_finish()) }}
{% endmaterialization %}


{# dbt's incremental, as on SQLite. The next version has the new rows, and the existing ones except those that a
   pre_hook deletes or whose unique_key comes again. A pre_hook can do nothing else. #}
{% materialization incremental, adapter='spark' %}
    {% if is_incremental() %}
        {% set staged = spark_version('s') %}
        {% do run_query('create table ' ~ staged ~ ' using parquet as ' ~ as_contracted(sql)) %}
        {% do spark_put_version(spark_replaced(staged)) %}
        {% do run_query('drop table ' ~ staged) %}
    {% else %}
        {% do spark_put_version(as_contracted(sql)) %}
    {% endif %}
    {{ return(spark_finish()) }}
{% endmaterialization %}


{# A rollup that grows by the new rows, as on SQLite. The next version is the sum of the existing one and the new rows.
   Both of them, and the watermark, are read from the version that exists when the statement begins. Each build writes
   the whole rollup, but reads only the new part of the log. #}
{% materialization additive, adapter='spark' %}
    {% do assert_additive() %}
    {% do run_hooks(pre_hooks) %}
    {% do spark_put_version(spark_additive_sum(as_contracted(sql)) if is_incremental() else as_contracted(sql)) %}
    {{ return(spark_finish()) }}
{% endmaterialization %}


{# Creates a table from a select and points the view with the dbt model's name to it. Drops the versions before the last
   one. #}
{% macro spark_put_version(sql) %}
    {% set existing, version = load_relation(this), spark_version() %}
    {% set is_view = existing is not none and existing.is_view %}
    {% call statement('main') %}
        create table {{ version }} using parquet as
        {{ sql }}
    {% endcall %}
    {% set versions = spark_versions() %}
    {% set current = run_query('show create table ' ~ this).rows[0][0] if is_view else '' %}
    {% if existing is not none and not is_view %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% do run_query('create or replace view ' ~ this ~ ' as select * from ' ~ version) %}
    {% for name in versions if not name.endswith(version.identifier[-32:]) and name not in current %}
        {% do run_query('drop table if exists ' ~ this.schema ~ '.' ~ name) %}
    {% endfor %}
{% endmacro %}


{# The name of the table that this build of a dbt model creates: a version (v) or staged rows (s). #}
{% macro spark_version(kind='v') %}
    {% set identifier = this.identifier ~ '__' ~ kind ~ '_' ~ invocation_id | replace('-', '') %}
    {% do return(this.incorporate(path={'identifier': identifier})) %}
{% endmacro %}


{# The tables that builds of a dbt model have made and not dropped, finished or not. #}
{% macro spark_versions() %}
    {% set names = [] %}
    {% for row in run_query('show tables in ' ~ this.schema ~ " like '" ~ this.identifier ~ "__[vs]_*'") %}
        {% do names.append(row['tableName']) %}
    {% endfor %}
    {% do return(names) %}
{% endmacro %}


{# The select of the existing rows that are neither deleted nor replaced, and of the staged rows. #}
{% macro spark_replaced(staged) %}
    {% set keys = config.get('unique_key', []) %}
    {% set keys = [keys] if keys is string else keys %}
    {% set kept = [] %}
    {% for hook in pre_hooks %}
        {% set statement = render(hook.sql) | trim %}
        {% if statement.startswith('delete from ') %}
            {% do kept.append('not (' ~ statement.split('where', 1)[1] ~ ')') %}
        {% elif statement %}
            {% do exceptions.raise_compiler_error(model.name ~ ': a pre_hook can only delete rows on Spark') %}
        {% endif %}
    {% endfor %}
    {% set matches = [] %}
    {% for name in keys %}
        {% do matches.append('existing.' ~ name ~ ' = staged.' ~ name) %}
    {% endfor %}
    select existing.*
    from (
        select * from {{ this }}
        where {{ kept | join(' and ') or 'true' }}
    ) as existing
    {%- if keys %}
    left anti join {{ staged }} as staged on {{ matches | join(' and ') }}
    {%- endif %}
    union all
    select * from {{ staged }}
{% endmacro %}


{# The select that adds the new rows to the existing rollup. #}
{% macro spark_additive_sum(new_rows) %}
    {% set least, greatest = config.meta_get('minimum_columns', []), config.meta_get('maximum_columns') %}
    {% set keys = config.get('unique_key') %}
    {% set columns = [] %}
    {% for column in model.columns.values() %}
        {% set name = adapter.quote(column.name) %}
        {% if column.name in keys %}
            {% do columns.append(name) %}
        {% else %}
            {% set aggregate = 'min' if column.name in least else 'max' if column.name in greatest else 'sum' %}
            {% do columns.append(aggregate ~ '(' ~ name ~ ') as ' ~ name) %}
        {% endif %}
    {% endfor %}
    {% do return(
        'select ' ~ columns | join(', ') ~ '\nfrom (\nselect * from ' ~ this ~ '\nunion all\n' ~ new_rows
        ~ '\n) as parts\ngroup by ' ~ keys | join(', ')
    ) %}
{% endmacro %}


{# The end of every materialization: hooks, and the value that dbt expects. Readers see the dbt model's name as a view of
   one of several tables. #}
{% macro spark_finish() %}
    {% do run_hooks(post_hooks) %}
    {% do return({'relations': [this.incorporate(type='view')]}) %}
{% endmacro %}
