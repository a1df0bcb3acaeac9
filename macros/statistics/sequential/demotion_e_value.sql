{#- One-sided, because with a two-sided e-value far better models would enlarge the list of worse ones. -#}
{% macro demotion_e_value(difference, squared_error, trials) -%}
    {%- set beyond_margin = double(difference) ~ ' + ' ~ double(var('demotion_margin')) -%}
    (case
        when {{ beyond_margin }} < 0 then {{ e_value(squared_z(beyond_margin, squared_error), trials) }}
        when {{ beyond_margin }} >= 0 then 0e0
    end)
{%- endmacro %}
