{#-
    Log-odds that a model beats a rival at a task that only one of them solves. One half is added to both sides, so
    that a clean sweep is finite.

    Formula: ln((W + 0.5)/(L + 0.5))
    only_share        W, sum over shared tasks of p (1 - q): p the model's share of successes, q the rival's
    only_rival_share  L, sum over shared tasks of q (1 - p)
    Example: same_task_log_odds('12', '4') is 1.0216512475319814
-#}
{% macro same_task_log_odds(only_share, only_rival_share) -%}
    ln(({{ double(only_share) }} + 0.5e0) / ({{ double(only_rival_share) }} + 0.5e0))
{%- endmacro %}
