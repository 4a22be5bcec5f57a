import re

import numpy as np
from PIL import Image

from pages import plots
from pages.plots import Line
from pages.report import Error, Errors, Headline, Report, ReportTable, Side, html, picture

HOSTILE = "<script>alert('Robert')</script> & \"sons\""


def report(name: str = "Ada") -> Report:
    rates = np.geomspace(1e-4, 1, 20)
    image = Image.new("RGB", (80, 60), "grey")
    return Report(
        title=f"Of {name}",
        lead=name,
        headline=[Headline(name, "0.99", "0.98 to 1.00")],
        plots=[
            plots.roc(Line(name, np.append(0, rates), np.append(0, rates**0.1))),
            plots.det([Line(name, rates, 1 - rates**0.1)], "FMR", "FNMR", name),
            plots.histogram(rates, -rates, 0.5, "similarity"),
            plots.cmc([Line("100 persons", np.arange(1, 6), np.linspace(0.9, 1, 5))]),
            plots.by_gallery_size(Line("measured", np.arange(1, 6), rates[:5]), [], 0.01, name),
        ],
        tables=[ReportTable(name, ("a", "b"), [(name, "1")], (1,), name)],
        errors=[
            Errors(name, "None.", [Error(name, Side(name, picture(image, (10, 10, 50, 40))), Side(name, why=name))]),
            Errors("others", "None.", []),
        ],
        facts=[(name, name)],
    )


def test_names_come_out_as_text() -> None:
    page = html(report(HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_needs_nothing_else() -> None:
    page = html(report())
    assert page.count("<svg") == 5
    assert "data:image/jpeg;base64," in page
    assert re.findall(r'(?:src|href)="(?!#|data:)', page) == []
    assert "@import" not in page
    assert "None." in page


def test_no_error_is_no_reason_to_fail() -> None:
    none = np.zeros(5)
    drawn = (
        plots.det([Line("a", none, none)], "FMR", "FNMR", ""),
        plots.by_gallery_size(Line("measured", np.arange(1, 6), none), [], None, ""),
    )
    assert all("no errors to draw" in plot.svg for plot in drawn)
    assert "TAR" in plots.roc(Line("a", none, none)).svg


def test_the_same_report_is_the_same_page() -> None:
    assert html(report()) == html(report())
