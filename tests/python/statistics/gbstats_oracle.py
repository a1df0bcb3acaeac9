"""Run by the Python that has gbstats: reads cases as JSON on stdin, prints gbstats' answers as JSON.

Not a test module: gbstats lives in an environment of its own, without pytest.
"""

import json
import sys

from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
from gbstats.models.statistics import ProportionStatistic, RatioStatistic, SampleMeanStatistic


def sequential(case):
    config = SequentialConfig(difference_type="absolute", sequential_tuning_parameter=case["tuning"])
    arms = [
        ProportionStatistic(n=case[f"{arm}_trials"], sum=case[f"{arm}_successes"])
        for arm in ("incumbent", "challenger")
    ]
    result = SequentialTwoSidedTTest(*arms, config).compute_result()
    return [*result.ci, result.p_value]


def ratio_error(case):
    costs, successes = case["costs"], case["successes"]
    statistic = RatioStatistic(
        n=len(costs),
        m_statistic=SampleMeanStatistic(n=len(costs), sum=sum(costs), sum_squares=sum(cost * cost for cost in costs)),
        d_statistic=SampleMeanStatistic(n=len(costs), sum=sum(successes), sum_squares=sum(successes)),
        m_d_sum_of_products=sum(cost * success for cost, success in zip(costs, successes, strict=True)),
    )
    return (statistic.variance / statistic.n) ** 0.5


questions = json.load(sys.stdin)
json.dump(
    {
        "sequential": [sequential(case) for case in questions["sequential"]],
        "ratio_error": [ratio_error(case) for case in questions["ratio_error"]],
    },
    sys.stdout,
)
