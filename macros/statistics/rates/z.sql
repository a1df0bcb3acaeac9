{#-
    The normal quantile at 1 - alpha/2, a number with 15 decimals, as many as a double holds of a number of this
    size. Every fixed-horizon interval uses it. Algorithm AS 241 is right to 16 digits from alpha = 1e-10 on.
    Neither SQL nor Jinja has a logarithm before the query runs: Halley's method finds ln(alpha/2).

    Formula: Phi^-1(1 - alpha/2)
    Example: z() is 1.959963984540054
    Source: Wichura (1988), algorithm AS 241.
-#}
{% macro z() -%}
    {%- set tail = var('alpha') | float / 2 -%}
    {%- set logarithm = namespace(is=0.0) -%}
    {%- for _ in range(20) -%}
        {%- set power = 2.718281828459045 ** logarithm.is -%}
        {%- set logarithm.is = logarithm.is + 2 * (tail - power) / (tail + power) -%}
    {%- endfor -%}
    {%- set is_central = tail >= 0.075 -%}
    {%- set x = 0.180625 - (0.5 - tail) ** 2 if is_central else (-logarithm.is) ** 0.5 - 1.6 -%}
    {%- set coefficients = [
        (2509.0809287301226727, 5226.495278852854561),
        (33430.575583588128105, 28729.085735721942674),
        (67265.770927008700853, 39307.89580009271061),
        (45921.953931549871457, 21213.794301586595867),
        (13731.693765509461125, 5394.1960214247511077),
        (1971.5909503065514427, 687.1870074920579083),
        (133.14166789178437745, 42.313330701600911252),
        (3.387132872796366608, 1.0),
    ] if is_central else [
        (7.7454501427834140764e-4, 1.05075007164441684324e-9),
        (0.0227238449892691845833, 5.475938084995344946e-4),
        (0.24178072517745061177, 0.0151986665636164571966),
        (1.27045825245236838258, 0.14810397642748007459),
        (3.64784832476320460504, 0.68976733498510000455),
        (5.7694972214606914055, 1.6763848301838038494),
        (4.6303378461565452959, 2.05319162663775882187),
        (1.42343711074968357734, 1.0),
    ] -%}
    {%- set sums = namespace(above=0.0, below=0.0) -%}
    {%- for above, below in coefficients -%}
        {%- set sums.above, sums.below = sums.above * x + above, sums.below * x + below -%}
    {%- endfor -%}
    {{ (sums.above / sums.below * (0.5 - tail if is_central else 1)) | round(15) }}
{%- endmacro %}
