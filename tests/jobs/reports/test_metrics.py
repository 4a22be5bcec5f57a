"""What Prometheus reads."""

from datetime import date
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from jobs.reports.health import Health, Registered
from jobs.reports.metrics import write_metrics
from tests.jobs.reports.test_health import TODAY, well


def written(found: Health, due: date, folder: Path, healthy: bool = True) -> str:
    path = folder / "m.prom"
    write_metrics(path, found, due, healthy)
    assert [each.name for each in folder.iterdir()] == ["m.prom"], "no partial file is left"
    return path.read_text()


def test_names_are_read_back_as_they_are(tmp_path: Path) -> None:
    name = 'a"\\\n'
    text = written(well(registered=[Registered(name, "c", 3, 4)]), TODAY, tmp_path)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    (persons,) = families["rollcall_gallery_persons"].samples
    assert (persons.labels, persons.value) == ({"gallery": name, "contract": "c"}, 3)
    assert all(name.startswith("rollcall_") for name in families)


def test_figures(tmp_path: Path) -> None:
    listed = [date(2026, 1, 30), date(2026, 2, 1)]
    text = written(well(listed=listed), date(2026, 2, 2), tmp_path, healthy=False)
    assert "rollcall_unlisted_dates 2.0\n" in text
    assert 'rollcall_unidentified_dates{gallery="staff"} 0.0\n' in text
    assert 'rollcall_withdrawn_matches{gallery="staff"} 0.0\n' in text
    (newest,) = [line for line in text.splitlines() if line.startswith("rollcall_newest_listed_date")]
    assert float(newest.split()[1]) == 1769904000
    assert "rollcall_healthy 0.0\n" in text
    assert "rollcall_healthy 1.0\n" in written(well(listed=listed), date(2026, 2, 2), tmp_path)
