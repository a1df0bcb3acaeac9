{#-
    Weight of same_task_log_odds, the inverse of its variance; 0 if no task tells the two models apart.

    Formula: 1/(1/(W + 0.5) + 1/(L + 0.5)), 0 if W + L = 0
    only_share        W, as for same_task_log_odds
    only_rival_share  L, as for same_task_log_odds
    Example: same_task_precision('12', '4') is 3.3088235294117645
-#}
{% macro same_task_precision(only_share, only_rival_share) -%}
    (case
        when {{ only_share }} + {{ only_rival_share }} > 0
            then 1 / (1 / ({{ double(only_share) }} + 0.5e0) + 1 / ({{ double(only_rival_share) }} + 0.5e0))
        else 0e0
    end)
{%- endmacro %}
