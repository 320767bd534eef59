"""The command as a whole, on servers of its own, with so little of everything that it takes seconds."""

import json

from trivium.app.bench import command
from trivium.app.bench.site import Scale

TINY = Scale(
    rounds=1, seconds=1, turns=1, connections=(2,), sharing=3, listed=2_500, few=1_500, versions=2,
    stream_bytes=4 << 20, copy_bytes=1 << 20, parts=5, windows=2)


def test_every_line_has_a_ratio_and_the_summary_its_targets(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "QUICK", TINY)
    report = tmp_path / "report.json"
    words = ["--quick", "--only", "inside,listing,sharing,streaming", "--folder", str(tmp_path)]

    assert command.main([*words, "--json", str(report)]) == 0

    said = json.loads(report.read_bytes())
    assert [line["name"] for line in said["lines"]] == [
        "PUT 4 KiB, without HTTP", "GET 4 KiB, without HTTP", "LIST 1,000 of 2,500",
        "LIST 1,000 of 1,500 x 2 versions", "LIST, delimiter, 2,500 keys",
        "CopyObject of 1 MiB", "CompleteMultipartUpload, 5 parts", "PUT 4 MiB, memory", "GET 4 MiB, memory",
    ]
    assert all(line["ratio"] != 0 for line in said["lines"])
    assert "of 7 met" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_measurement_that_nobody_knows_is_refused(capsys):
    assert command.main(["--only", "smal"]) == 2
    assert "no measurement is called smal" in capsys.readouterr().err
