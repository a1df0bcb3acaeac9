select
    {{ posterior_deviation('successes', 'trials') }} as deviation,
    {{ log_likelihood('successes', 'trials', 'rate') }} as log_likelihood,
    {{ log_probability('rate') }} as log_probability
from inputs
order by row_id
