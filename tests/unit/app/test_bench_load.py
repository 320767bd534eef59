"""What the load generators report."""

import pytest

from trivium.app.bench.client import Broken
from trivium.app.bench.load import Load, read_result, summary
from trivium.app.bench.small import compared, median


def test_the_figures_of_wrk_are_read():
    said = "Running 1s test\nRESULT 2000 1000000 0 500 2500\n"

    assert Load(2000, 0.5, 2.5) == read_result(said)


def test_requests_that_failed_break_the_run():
    with pytest.raises(Broken, match="3 of 2000 requests failed"):
        read_result("RESULT 2000 1000000 3 500 2500")


def test_what_wrk_says_instead_is_shown():
    with pytest.raises(Broken, match="unable to connect"):
        read_result("unable to connect to 127.0.0.1")


def test_percentiles_are_taken_from_all_requests():
    took_ns = [1_000_000] * 98 + [9_000_000] * 2

    assert Load(50, 1, 9) == summary(took_ns, 2)


def test_no_request_at_all_breaks_the_run():
    with pytest.raises(Broken):
        summary([], 1)


def test_the_median_is_taken_figure_by_figure():
    assert Load(2, 1, 3) == median([Load(1, 1, 9), Load(2, 0, 3), Load(3, 2, 1)])


def test_servers_are_compared_by_the_ratio_of_their_rates():
    line = compared("PUT", [Load(700, 1, 2)], [Load(1000, 1, 2)])

    assert line.ratio == 0.7
    assert line.ours == "700/s p50 1.00 p99 2.00 ms"
