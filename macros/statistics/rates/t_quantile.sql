{#-
    Student's t quantile at 1 - alpha/2; null below one degree of freedom. It is compiled for the var alpha, and right
    to 1e-9 of itself from alpha = 1e-5 on, to 1e-7 from 1e-9 on.

    For p = f ln(1 + t^2/f), P(|T| > t) is a power series in exp(-p/f). Newton's method solves it for 14 degrees of
    freedom. p as a function of 1/f is so smooth that the polynomial through these 14 points and p = z^2 for infinite f
    gives all other degrees. Beyond 1e5, the first terms of the expansion in 1/f are enough.

    Formula: T^-1(1 - alpha/2, f)
    degrees  f, degrees of freedom, an integer
    Example: t_quantile('6') is 2.446911851144969
    Source: Abramowitz and Stegun (1964), 26.5.4 and 26.7.5.
-#}
{% macro t_quantile(degrees) -%}
    {%- set alpha, z, f = var('alpha') | float, z() | float, double(degrees) -%}
    {%- set nodes = [0.0] -%}
    {%- set state = namespace(p=z * z, differences=[z * z]) -%}
    {%- set coefficients = [z * z] -%}
    {%- for node in [40, 20, 15, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1] -%}
        {%- set series = namespace(scale=0.6366197723675814 if node % 2 else 1.0) -%}
        {%- for degree in range(2 + node % 2, node + 1, 2) -%}
            {%- set series.scale = series.scale * (degree - 1) / degree -%}
        {%- endfor -%}
        {%- for _ in range(4) -%}
            {%- set y = 2.718281828459045 ** (-state.p / node) -%}
            {%- set series.term, series.sum = 1.0, 1.0 -%}
            {%- for term in range((38 * node / state.p) | int + 2) -%}
                {%- set series.term = series.term * y * (node + 1 + 2 * term) / (node + 2 + 2 * term) -%}
                {%- set series.sum = series.sum + series.term -%}
            {%- endfor -%}
            {%- set tail = (1 - y) ** 0.5 * y ** (node / 2) * series.scale * series.sum -%}
            {%- set state.p = state.p + 4 * (1 - y) * series.sum * (tail - alpha) / (tail + alpha) -%}
        {%- endfor -%}
        {%- set differences = [state.p] -%}
        {%- for difference in state.differences -%}
            {%- set span = 1 / node - nodes[nodes | length - loop.index] -%}
            {%- do differences.append((differences[-1] - difference) / span) -%}
        {%- endfor -%}
        {%- set state.differences = differences -%}
        {%- do nodes.append(1 / node) -%}
        {%- do coefficients.append(differences[-1]) -%}
    {%- endfor -%}
    {%- set sum = namespace(is='%.16e' | format(coefficients[-1])) -%}
    {%- for coefficient in coefficients[:-1] | reverse -%}
        {%- set sum.is = '(' ~ sum.is ~ ' * (1 / ' ~ f ~ ' - ' ~ '%.16e' | format(nodes[-loop.index - 1]) ~ ') + ' ~ '%.16e' | format(coefficient) ~ ')' -%}
    {%- endfor -%}
    {%- set first, second = (z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96 -%}
    (case
        when {{ degrees }} > 100000
            then {{ '%.16e' | format(z) }} + ({{ '%.16e' | format(first) }} + {{ '%.16e' | format(second) }} / {{ f }}) / {{ f }}
        when {{ degrees }} >= 1 then sqrt({{ f }} * (exp({{ sum.is }} / {{ f }}) - 1))
    end)
{%- endmacro %}
