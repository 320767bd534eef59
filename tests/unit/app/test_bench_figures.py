"""Ratios, targets, and what is printed of them."""

from trivium.app.bench.figures import AT_LEAST, AT_MOST, Line, Target, judged, ratio, summary


def test_the_ratio_is_the_median_of_the_rounds():
    assert ratio([80, 10, 90], [100, 20, 100]) == 0.8


def test_a_target_is_met_on_its_bound():
    assert Target(AT_LEAST, 0.7).met(0.7)
    assert Target(AT_MOST, 1.2).met(1.2)


def test_a_target_is_missed_beyond_its_bound():
    assert not Target(AT_LEAST, 0.7).met(0.69)
    assert not Target(AT_MOST, 1.2).met(1.21)


def test_a_line_is_judged_by_its_ratio_or_by_a_fact():
    line = Line("LIST", "3 ms", "2 ms", 1.5, facts={"server": 3.0})

    verdicts = judged(line, Target(AT_MOST, 5, of="server", unit=" ms"), Target(AT_MOST, 1.2)).verdicts

    assert [(one.figure, one.met) for one in verdicts] == [(3.0, True), (1.5, False)]


def test_the_summary_counts_the_targets_that_are_met():
    good = judged(Line("PUT", "9", "10", 0.9), Target(AT_LEAST, 0.7))
    bad = judged(Line("GET", "5", "10", 0.5), Target(AT_LEAST, 0.7))

    text = summary([good, bad])

    assert "Targets: 1 of 2 met" in text
    assert "0.50  NOT MET" in text


def test_the_summary_of_nothing_says_so():
    assert summary([Line("PUT 64 KiB", "9", "10", 0.9)]) == "No target was measured."
