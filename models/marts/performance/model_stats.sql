with models as (

    select * from {{ ref('int_models_rated') }}

)

select * from models
