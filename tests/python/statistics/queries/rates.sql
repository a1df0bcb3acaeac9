select
    {{ wilson_lower('successes', 'trials') }} as lower_bound,
    {{ wilson_upper('successes', 'trials') }} as upper_bound
from inputs
order by row_id
