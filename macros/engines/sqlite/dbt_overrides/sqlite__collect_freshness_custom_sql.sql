{% macro sqlite__collect_freshness_custom_sql(source, loaded_at_query) %}
    {% call statement('collect_freshness', fetch_result=true, auto_begin=false) %}
        select {{ utc_timestamp('(' ~ loaded_at_query ~ ')') }}, {{ current_timestamp() }}
    {% endcall %}
    {% set result = load_result('collect_freshness') %}
    {% set moments = [] %}
    {% for text in result.data[0] %}
        {% do moments.append(modules.datetime.datetime.fromisoformat(text | string) if text else none) %}
    {% endfor %}
    {% do return(namespace(response=result.response, table=[moments])) %}
{% endmacro %}
