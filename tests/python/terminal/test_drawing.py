"""An interval as text stands where its figures are."""

from hypothesis import given
from hypothesis import strategies as st

from model_outcomes.answers.terminal import interval_text
from model_outcomes.answers.terminal.interval_text import Axis, Interval

rates = st.tuples(*[st.floats(0, 1)] * 3).map(sorted).map(lambda three: Interval(*three))


def test_it_is_drawn_from_its_lower_to_its_upper_end() -> None:
    assert interval_text.drawn(Interval(0.2, 0.4, 0.9), Axis(0, 1), 11) == "  ├─●────┤ "
    assert interval_text.drawn(Interval(0.2, 0.4, 0.9), Axis(0, 1), 11, interval_text.ASCII) == "  |-o----| "
    assert interval_text.drawn(Interval(0.2, 0.2, 0.2), Axis(0, 1), 11) == "  ●        "
    assert interval_text.drawn(Interval(0.9, 1.0, 1.0), Axis(0, 1), 11) == "         ├●"


def test_zero_is_marked_whether_the_interval_crosses_it_or_not() -> None:
    wide, above = Interval(-0.1, 0.2, 0.4), Interval(0.2, 0.3, 0.4)
    assert interval_text.drawn(wide, Axis(-0.5, 0.5), 11, has_zero=True) == "    ├┼─●─┤ "
    assert interval_text.drawn(above, Axis(-0.5, 0.5), 11, has_zero=True) == "     │ ├●┤ "


def test_the_axis_takes_no_more_than_the_intervals_need() -> None:
    assert interval_text.rates([Interval(0.487, 0.537, 0.587), Interval(0.845, 0.862, 0.878)]) == Axis(0.45, 0.9)
    assert interval_text.rates([]) == interval_text.rates([Interval(0.0, 0.5, 1.0)]) == Axis(0.0, 1.0)
    assert interval_text.differences(Interval(-0.041, -0.017, 0.006)) == Axis(-0.05, 0.05)


def test_an_axis_is_headed_by_its_ends() -> None:
    assert interval_text.heading(Axis(0.45, 0.9), 14, "95 %") == "45   95 %   90"
    assert interval_text.heading(Axis(0, 1), 14, "99.9 %") == "0  99.9 %  100"


@given(st.lists(rates, min_size=1, max_size=5), st.integers(14, 40))
def test_whatever_is_drawn_can_be_read_back_to_half_a_cell(intervals: list[Interval], width: int) -> None:
    axis = interval_text.rates(intervals)
    half = (axis.last - axis.first) / (width - 1) / 2 + 1e-9
    for interval in intervals:
        line = interval_text.drawn(interval, axis, width)
        assert len(line) == width
        ends = {"lower": len(line) - len(line.lstrip()), "value": line.index("●"), "upper": len(line.rstrip()) - 1}
        for name, cell in ends.items():
            assert abs(axis.first + cell / (width - 1) * (axis.last - axis.first) - getattr(interval, name)) <= half
