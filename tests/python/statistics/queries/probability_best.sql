select probability_best
from {{ ref('int_posteriors_compared') }}
order by model_id
