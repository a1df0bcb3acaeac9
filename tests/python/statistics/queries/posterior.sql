select
    {{ posterior_count('successes', inner_rate('prior_rate', 'all_trials'), 'strength') }} as posterior_successes,
    {{ posterior_deviation('successes', 'failures') }} as deviation,
    {{ log_density('successes', 'failures', 'ln(rate)', 'ln(1 - rate)') }} as log_density,
    {{ log_probability('rate') }} as log_probability,
    {{ power_integral('rate', '1', 'successes') }} as power_integral
from inputs
order by row_id
