{# Whether the standing table has the very columns of the contract: else it is built anew. #}
{% macro has_contract_columns() %}
    {% set names = adapter.get_columns_in_relation(this) | map(attribute='name') | list %}
    {% do return(not config.get('contract').enforced or names == model.columns.keys() | list) %}
{% endmacro %}
