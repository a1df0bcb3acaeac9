{# Stops a dbt command on a database without a log. Otherwise dbt would write its seeds into a new file, and
   `loader init` then takes that file for another program's. #}
{% macro expect_log() %}
    {% if execute %}
        {% for source in graph.sources.values() if source.source_name == 'model_outcomes' %}
            {% if not adapter.get_relation(source.database, source.schema, source.identifier) %}
                {% do exceptions.raise_compiler_error(adapter.dispatch('no_log_message')(source.identifier)) %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{% macro default__no_log_message(name) %}
    {% do return('there is no table ' ~ name ~ ': run `loader export-log`, then `loader build --target ' ~ target.name ~ '`') %}
{% endmacro %}

{% macro sqlite__no_log_message(name) %}
    {% do return(
        'there is no table ' ~ name ~ ' in ' ~ target.schemas_and_paths.main
        ~ ': run `loader init`, or name the file of a log in OUTCOMES_DB'
    ) %}
{% endmacro %}
