with

increments as (

    select
        *,
        {{ cusum_increment('successes', 'trials', 'baseline') }} as increment
    from inputs

),

running_sums as (

    select
        *,
        sum(increment) over (partition by cell order by row_id rows unbounded preceding) as running_sum
    from increments

),

running_minimums as (

    select
        *,
        min(running_sum) over (partition by cell order by row_id rows unbounded preceding) as running_minimum
    from running_sums

)

select
    {{ is_monitored('baseline') }} as is_monitored,
    increment,
    {{ cusum('running_sum', 'running_minimum') }} as cusum,
    {{ is_outside_control_limits('successes', 'trials', 'baseline') }} as is_outside
from running_minimums
order by row_id
