{#-
    The expression for the var sequential_mode. The default mode compares inside strata. gbstats mode compares the
    sums of both arms, as the library of that name does.

    Formula: default or gbstats
    Example: by_sequential_mode('1', '2') is 1
-#}
{% macro by_sequential_mode(default, gbstats) -%}
    {%- if var('sequential_mode') == 'default' -%}
        {{ default }}
    {%- elif var('sequential_mode') == 'gbstats' -%}
        {{ gbstats }}
    {%- else -%}
        {{ exceptions.raise_compiler_error("sequential_mode is 'default' or 'gbstats', not '" ~ var('sequential_mode') ~ "'") }}
    {%- endif -%}
{%- endmacro %}
