select
    {{ double('a') }} as as_double,
    {{ ratio('a', 'b') }} as a_by_b,
    {{ at_least('a', '2e0') }} as two_or_more,
    {{ at_most('a', '2e0') }} as two_or_less,
    {{ bounded_exp('a') }} as bounded
from inputs
order by row_id
