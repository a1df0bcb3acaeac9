select
    {{ cusum_baseline('successes', 'trials') }} as baseline,
    {{ cusum_threshold('trials') }} as threshold
from inputs
order by row_id
