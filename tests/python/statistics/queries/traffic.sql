select
    {{ traffic_squared_z('challenger_trials', 'trials', 'challenger_share') }} as squared_z,
    {{ e_value(traffic_squared_z('challenger_trials', 'trials', 'challenger_share'), 'trials') }} as e_value
from inputs
order by row_id
