{# True if the existing table has exactly the columns of the contract; otherwise it is rebuilt. #}
{% macro has_contract_columns() %}
    {% set names = adapter.get_columns_in_relation(this) | map(attribute='name') | list %}
    {% do return(not config.get('contract').enforced or names == model.columns.keys() | list) %}
{% endmacro %}
