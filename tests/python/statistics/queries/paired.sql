select
    {{ mcnemar('only_incumbent', 'only_challenger') }} as mcnemar,
    {{ paired_squared_error('pairs', 'only_incumbent', 'only_challenger') }} as squared_error,
    {{ sequential_half_width(paired_squared_error('pairs', 'only_incumbent', 'only_challenger'), 'pairs') }}
        as half_width
from inputs
order by row_id
