"""What the report says of identity, and that it keeps what another machine measured."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import identity, report

Json = dict[str, Any]


def way(rightly: int, joined: int, linked: int = 1_000) -> Json:
    pairs = {
        "records": 3_000, "people": 1_000, "joined": joined, "joined_rightly": rightly, "linked": linked,
        "linked_and_joined": min(rightly, linked), "of_one_person": 1_200, "largest_cluster": 9,
    }  # fmt: skip
    return {
        "seconds": 61.0,
        "result": {
            "pairs": pairs, "precision": rightly / joined, "recall": min(rightly, linked) / linked,
            "recall_of_all": rightly / 1_200, "misses": [("email: their given names differ", 48)],
            "false_joins": [("phone in common, same household", joined - rightly)], "visitors": None,
        },
    }  # fmt: skip


@pytest.fixture
def found() -> Json:
    ways = {
        identity.SURE: way(950, 950),
        identity.probable(0.998): way(960, 970),
        identity.EXACT["raw"]: way(1_000, 5_000),
        identity.EXACT["usable"]: {"error": "killed"},
        "Splink, its model from 0.99": way(800, 850),
    }
    about = {"commit": "abc1234", "measured_at": "2026-11-30 13:00 UTC", "machine": "2 cores"}
    return about | {"seed": 7, "shops": [{"customers": 20_000, "days": 365, "made": {}, "ways": ways}]}


def test_each_way_stands_beside_the_others(found: Json) -> None:
    text = "\n".join(identity.chapter(found))
    assert "| 20,000 | Mailroom, joined for certain | 1.00000 | 0.95000 | 0.79167 | 0 of 950 | 61 s |" in text
    assert "| 20,000 | Splink, its model from 0.99 | 0.94118 | 0.80000 | 0.66667 | 50 of 850 |" in text
    assert "| 20,000 | Splink, exact rules on usable identifiers | did not finish |" in text
    assert "- Splink, exact rules on usable identifiers, 20,000 customers: killed" in text
    # Missed pairs and false joins are listed for both of Mailroom's ways.
    assert "Mailroom, joined for certain, 20,000 customers. Missed, 50 of 1,000 pairs:" in text
    assert "False joins, 10 of 970 pairs:" in text and "email: their given names differ | 48" in text
    assert "5% of names, streets and birth dates each" in text


def test_the_aims_are_of_what_mailroom_joins(found: Json) -> None:
    reached = {aim.what: (aim.value, aim.is_met) for aim in identity.aims(found)}
    name = "identity of 20,000 customers: "
    assert reached[f"{name}joined for certain, precision"] == ("1.00000", True)
    assert reached[f"{name}joined for certain, recall"] == ("0.95000", True)
    assert reached[f"{name}with probable pairs from 0.998, precision"] == ("0.98969", False)
    assert not any("Splink" in what for what in reached)


REPORT = """# Benchmarks

| Part | Commit | Measured | Machine |
| --- | ---: | ---: | ---: |
| shops | 1111111 | then | another |

Python 3.11.

## The aims

|  | Reached | Aim |  |
| --- | ---: | ---: | ---: |
| 1,000,000 customers: recall of identity | 0.99 | ≥ 0.97 | met |

## Speed

What took how long.
"""


def test_a_part_measured_here_joins_what_was_measured_elsewhere(found: Json, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (tmp_path / "report.md").write_text(REPORT)
    written = []
    for commit in ("abc1234", "def5678"):
        (results / "identity.json").write_text(json.dumps(found | {"commit": commit}))
        report.write_report(results, tmp_path)
        written.append((tmp_path / "report.md").read_text())
    first, second = written
    assert second == first.replace("abc1234", "def5678")
    assert set(REPORT.splitlines()) <= set(second.splitlines())
    assert "| identity | def5678 | 2026-11-30 13:00 UTC | 2 cores |" in second
    assert second.count("| identity of 20,000 customers: joined for certain, recall |") == 1
    assert second.index("What took how long.") < second.index("<!-- identity -->")
    assert second.count("## Who is one person") == 1 and second.endswith("<!-- end of identity -->\n")


def test_a_part_that_is_not_marked_is_not_guessed_at(found: Json, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (results / "identity.json").write_text(json.dumps(found))
    (tmp_path / "report.md").write_text(REPORT.replace("| shops |", "| identity | 0 | 0 | 0 |\n| shops |"))
    with pytest.raises(ValueError, match="no marks around identity"):
        report.write_report(results, tmp_path)


def test_a_whole_report_marks_its_parts(found: Json, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (results / "identity.json").write_text(json.dumps(found))
    report.write_report(results, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert text.startswith("# Benchmarks") and "<!-- identity -->\n\n## Who is one person" in text
    again = text.replace("| identity | abc1234", "| spark | 9 | 9 | 9 |\n| identity | abc1234")
    (tmp_path / "report.md").write_text(again)
    report.write_report(results, tmp_path)
    assert "| spark | 9 | 9 | 9 |" in (tmp_path / "report.md").read_text()
