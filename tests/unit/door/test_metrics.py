"""Figures: counted in each worker, shown as the sum of all."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from trivium.door.metrics import Ledger


def samples(page):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.decode()) for sample in family.samples}


def test_the_page_adds_up_what_all_workers_counted(tmp_path):
    first, second = Ledger(tmp_path, 0), Ledger(tmp_path, 1)
    first.tally.note("GetObject", "", 0, 10, 2_000_000)
    second.tally.note("GetObject", "NoSuchKey", 0, 5, 20_000_000_000)
    second.publish()
    found = samples(first.page())
    action = ("action", "GetObject")

    assert found["trivium_requests_total", action] == 2
    assert found["trivium_sent_bytes_total", action] == 15
    assert found["trivium_faults_total", action, ("fault", "NoSuchKey")] == 1
    assert found["trivium_request_seconds_bucket", action, ("le", "0.001")] == 0
    assert found["trivium_request_seconds_bucket", action, ("le", "0.003")] == 1
    assert found["trivium_request_seconds_bucket", action, ("le", "+Inf")] == 2
    assert found["trivium_request_seconds_sum", action] == 20.002


def test_a_request_that_no_action_answered_is_counted_too(tmp_path):
    ledger = Ledger(tmp_path, 0)
    ledger.tally.note("", "InvalidURI", 0, 0, 1)
    found = samples(ledger.page())

    assert found["trivium_requests_total", ("action", "none")] == 1
    assert found["trivium_faults_total", ("action", "none"), ("fault", "InvalidURI")] == 1


def test_counters_do_not_go_back_when_a_worker_starts_again(tmp_path):
    ledger = Ledger(tmp_path, 0)
    ledger.tally.note("GetObject", "", 0, 0, 1)
    ledger.publish()
    again = Ledger(tmp_path, 0)
    again.tally.note("GetObject", "", 0, 0, 1)

    assert samples(again.page())["trivium_requests_total", ("action", "GetObject")] == 2


def test_nothing_is_written_while_nothing_changes(tmp_path):
    ledger = Ledger(tmp_path, 0)
    ledger.publish()

    assert list(tmp_path.iterdir()) == []
