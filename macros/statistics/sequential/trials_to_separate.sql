{#-
    With M trials and r the tuning, M + r = r exp(t) turns "half width = difference" into t = acosh(1 + k (t + c)),
    k = squared error * trials / (2 r difference^2), c = -2 ln alpha. Its slope, tanh(t/2)/(t + c), is about a tenth or
    less: so much error is left after each round. Multiplied out, t stands once and first, so that the rounds nest in
    few open symbols: SQLite 3.40 parses no more than a hundred.
-#}
{% macro trials_to_separate(incumbent_trials, challenger_trials, difference, squared_error, alpha=none) -%}
    {%- set a, b, d = double(incumbent_trials), double(challenger_trials), double(difference) -%}
    {%- set n, r = '(' ~ a ~ ' + ' ~ b ~ ')', sequential_tuning() -%}
    {%- set most = n ~ ' + ' ~ var('max_trials_to_separate') -%}
    {%- set log_level = 'ln(' ~ double(alpha or var('alpha')) ~ ')' -%}
    {%- set total_error = double(squared_error) ~ ' * ' ~ n -%}
    {%- set k = '(' ~ total_error ~ ' / (2 * ' ~ r ~ ' * nullif(' ~ d ~ ' * ' ~ d ~ ', 0)))' -%}
    {%- set solution = namespace(t='4e0') -%}
    {%- for _ in range(9) -%}
        {%- set solution.t = 'acosh(' ~ solution.t ~ ' * ' ~ k ~ ' - 2 * ' ~ log_level ~ ' * ' ~ k ~ ' + 1)' -%}
    {%- endfor -%}
    {%- set for_boundary = '(ceil((exp(' ~ solution.t ~ ') - 1) * ' ~ r ~ ') - ' ~ n ~ ')' -%}
    {%- set for_arms = '(ceil(' ~ var('min_trials_per_arm') ~ ' * ' ~ n ~ ' / nullif(' ~ at_most(a, b) ~ ', 0)) - ' ~ n ~ ')' -%}
    (case
        when abs({{ d }}) >= {{ sequential_half_width(total_error ~ ' / nullif(' ~ most ~ ', 0)', most, alpha) }}
            then cast({{ at_least(for_boundary, at_least(for_arms, '0e0')) }} as bigint)
    end)
{%- endmacro %}
