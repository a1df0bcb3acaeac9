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
        {% do matches.append('standing.' ~ name ~ ' = staged.' ~ name) %}
    {% endfor %}
    select standing.*
    from (
        select * from {{ this }}
        where {{ kept | join(' and ') or 'true' }}
    ) as standing
    {%- if keys %}
    left anti join {{ staged }} as staged on {{ matches | join(' and ') }}
    {%- endif %}
    union all
    select * from {{ staged }}
{% endmacro %}
