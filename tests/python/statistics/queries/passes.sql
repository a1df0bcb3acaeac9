select
    {{ pass_at('successes', 'tries', 1) }} as pass_at_1,
    {{ pass_at('successes', 'tries', 2) }} as pass_at_2,
    {{ pass_at('successes', 'tries', 3) }} as pass_at_3,
    {{ pass_at('successes', 'tries', 5) }} as pass_at_5,
    {{ pass_power('successes', 'tries', 1) }} as pass_power_1,
    {{ pass_power('successes', 'tries', 2) }} as pass_power_2,
    {{ pass_power('successes', 'tries', 3) }} as pass_power_3,
    {{ pass_power('successes', 'tries', 5) }} as pass_power_5
from inputs
order by row_id
