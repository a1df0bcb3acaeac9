{#-
    Number of further trials of both arms, in their present proportion, until an interval around the present
    difference excludes 0 and both arms have min_trials_per_arm. 0 if that is already so; null if there is no
    difference, or if it takes more than the var max_trials_to_separate.

    Formula: the least M - n with e_value(z2 M/n, M) >= 1/alpha, and min_trials_per_arm n / min(a, b) <= M
    incumbent_trials   a, the incumbent's trials
    challenger_trials  b, the challenger's trials; n = a + b
    squared_z          z2, squared difference divided by its squared error, at present
    alpha              as for sequential_half_width
    Example: trials_to_separate('100', '100', '4') is 278

    With r the tuning, M + r = r exp(t) turns "the e-value reaches 1/alpha" into t = acosh(1 + k (t + c)), k = n /
    (2 r z2), c = -2 ln alpha. Its slope, tanh(t/2)/(t + c), is about a tenth or less, so each round leaves at most
    a tenth of the error. The formula is multiplied out so that t appears once, at the start: nested rounds then
    need few open symbols, and SQLite 3.40 parses at most a hundred.
-#}
{% macro trials_to_separate(incumbent_trials, challenger_trials, squared_z, alpha=none) -%}
    {%- set a, b, z2 = double(incumbent_trials), double(challenger_trials), double(squared_z) -%}
    {%- set n, r, level = '(' ~ a ~ ' + ' ~ b ~ ')', sequential_tuning(), double(alpha or var('alpha')) -%}
    {%- set k = n ~ ' / nullif(' ~ z2 ~ ', 0) / 2 / ' ~ r -%}
    {%- set solution = namespace(t='4e0') -%}
    {%- for _ in range(9) -%}
        {%- set solution.t = 'acosh(' ~ solution.t ~ ' * ' ~ k ~ ' - 2 * ln(' ~ level ~ ') * ' ~ k ~ ' + 1)' -%}
    {%- endfor -%}
    {%- set for_evidence = 'ceil(exp(' ~ solution.t ~ ') * ' ~ r ~ ' - ' ~ r ~ ' - ' ~ n ~ ')' -%}
    {%- set for_arms = 'ceil(' ~ var('min_trials_per_arm') ~ ' * ' ~ n ~ ' / nullif(' ~ at_most(a, b) ~ ', 0) - ' ~ n ~ ')' -%}
    {%- set most = n ~ ' + ' ~ var('max_trials_to_separate') -%}
    (case
        when {{ e_value(z2 ~ ' * (' ~ most ~ ') / nullif(' ~ n ~ ', 0)', most) }} * {{ level }} >= 1
            then cast({{ at_least(for_evidence, at_least(for_arms, '0e0')) }} as bigint)
    end)
{%- endmacro %}
