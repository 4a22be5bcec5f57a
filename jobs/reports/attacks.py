"""An evaluation of presentation attacks: measured, kept in `evaluations`, and written as a page and as JSON."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from evaluation.attacks import Presentations, exact, figures
from evaluation.figures import Figure
from jobs.inputs.presentations import read_presentations
from jobs.run import ledger, outputs
from jobs.run.context import Context
from pages.report import Headline, Report, ReportTable, html
from schemas.catalog import EVALUATIONS
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import stable_id

PROTOCOL = "attack"
_OF_NO_MODEL = ""
"""The contract and settings of figures of a score that comes from elsewhere."""
_SPECIES = "species"
_NAMES = {
    "apcer": "APCER of the worst species",
    "bpcer": "BPCER",
    "bpcer_at_apcer": "BPCER at APCER",
    "threshold_at_apcer": "threshold at APCER",
    "apnrr": "APNRR",
    "bpnrr": "BPNRR",
}


def report_attacks(
    context: Context, *, attacks: str | None, threshold: float | None, output: Path | None
) -> dict[str, list[Figure]]:
    """Measure, write the figures to `evaluations`, and the page and JSON below `output`.

    Raises:
        InputError: malformed data, or not both kinds of presentations.
    """
    if attacks is None:
        raise InputError("say what to measure on: --attacks FILE")
    rows = read_presentations(context, attacks)
    presentations = Presentations.of([row.score for row in rows], [row.species for row in rows])
    with ledger.run(context) as run:
        found = figures(presentations, threshold)
        evaluation_id = stable_id("evaluation", run.run_id)
        _write(context, evaluation_id, attacks, found, run)
        run.count("figures", sum(map(len, found.values())))
        if output is not None:
            outputs.write(context, output / "figures.json", _json(evaluation_id, attacks, threshold, found))
            outputs.written(context, html(page(presentations, found, threshold, attacks)), output / "report.html")
    return found


def lines(presentations_of: dict[str, list[Figure]]) -> list[str]:
    """The figures as lines: what is of all, the worst species first; then APCER of each species."""
    said = [_line(name(figure), figure) for figure in presentations_of[""]]
    for species, of_species in presentations_of.items():
        said += [_line(f"{figure.metric.upper()} of {species}", figure) for figure in of_species if species]
    return said


def name(figure: Figure) -> str:
    """What a figure is called."""
    at = f" {figure.at:.0%}" if figure.metric.endswith("at_apcer") and figure.at is not None else ""
    return f"{_NAMES[figure.metric]}{at}"


def page(presentations: Presentations, found: dict[str, list[Figure]], threshold: float | None, data: str) -> Report:
    """The page."""
    attacks = sum(len(presentations.attacks(species)) for species in presentations.names)
    live = len(presentations.bona_fide)
    decided = (
        "No threshold was given (--threshold), so APCER and BPCER are stated against each other alone."
        if threshold is None
        else f"A presentation is taken for a live person from a score of {threshold:g}."
    )
    return Report(
        title="Presentation attacks",
        lead=(
            f"{live:,} bona fide presentations and {attacks:,} attacks of {len(presentations.names):,} species."
            f" {decided} An attacker chooses the species that works: the worst one counts."
        ),
        headline=[
            Headline(name(figure), _value(figure), _range(figure))
            for figure in found[""]
            if figure.value is not None and figure.metric in ("apcer", "bpcer", "bpcer_at_apcer")
        ],
        plots=(),
        tables=[_of_all(found), _by_species(presentations, found, threshold)],
        facts=[
            ("data", data),
            ("intervals", "Clopper and Pearson's, 95%, for presentations that do not depend on each other; of several"
             " by one person, or with one instrument, the true intervals are wider"),
            ("no response", "an attack without a score has not succeeded; a live person without one was refused"),
            ("terms", "ISO/IEC 30107-3"),
        ],
    )  # fmt: skip


def _of_all(found: dict[str, list[Figure]]) -> ReportTable:
    rows = [(name(figure), _value(figure), _range(figure), f"{figure.count:,}") for figure in found[""]]
    note = "not supported: of some species fewer than three attacks would be expected to succeed at that rate."
    return ReportTable("Figures", ["figure", "value", "95% interval", "of"], rows, [1, 2, 3], note)


def _by_species(presentations: Presentations, found: dict[str, list[Figure]], threshold: float | None) -> ReportTable:
    rows = []
    for species in presentations.names:
        of_metric = {figure.metric: figure for figure in found[species]}
        count = len(presentations.attacks(species))
        apcer = of_metric.get("apcer")
        rows.append((
            species,
            f"{count:,}",
            "" if apcer is None else _value(apcer),
            "" if apcer is None else _range(apcer),
            _value(of_metric["apnrr"]),
            f"{exact(0, count).high:.4f}",
        ))  # fmt: skip
    live = len(presentations.bona_fide)
    note = (
        "Least that can be shown: the upper end of the interval if none of so many attacks had succeeded; no lower"
        f" APCER can be told from it. For BPCER, of {live:,} bona fide ones, that is {exact(0, live).high:.4f}."
    )
    columns = ["species", "attacks", "APCER", "95% interval", "APNRR", "least that can be shown"]
    return ReportTable("By species", columns, rows, [1, 2, 3, 4, 5], note)


def _write(context: Context, evaluation_id: str, data: str, found: dict[str, list[Figure]], run: ledger.Run) -> None:
    of_all = {
        "evaluation_id": evaluation_id, "protocol": PROTOCOL, "contract_id": _OF_NO_MODEL, "settings_id": _OF_NO_MODEL,
        "data": data, "half": "both", "seed": 0, "gallery_size": None, "measured_at": datetime.now(UTC),
        "run_id": run.run_id,
    }  # fmt: skip
    rows = [
        {
            **of_all,
            **{"metric": figure.metric, "at": figure.at, "value": figure.value, "count": figure.count},
            **{"grouped_by": _SPECIES if group else "", "group": group},
            **dict(zip(("low", "high"), figure.interval or (None, None), strict=True)),
        }
        for group, of_group in found.items()
        for figure in of_group
    ]
    context.tables.append("evaluations", local_frame(context.spark, rows, EVALUATIONS.schema))


def _json(evaluation_id: str, data: str, threshold: float | None, found: dict[str, list[Figure]]) -> str:
    rows = [
        {"group": group, **asdict(figure), "interval": None if figure.interval is None else list(figure.interval)}
        for group, of_group in found.items()
        for figure in of_group
    ]
    document = {"evaluation_id": evaluation_id, "protocol": PROTOCOL, "data": data, "threshold": threshold}
    return json.dumps({**document, "figures": rows}, indent=2, allow_nan=False) + "\n"


def _line(called: str, figure: Figure) -> str:
    said = f"{called:34} {_value(figure):>13}"
    return said if figure.interval is None else f"{said}   {_range(figure)}   of {figure.count:,}"


def _value(figure: Figure) -> str:
    return "not supported" if figure.value is None else f"{figure.value:.4f}"


def _range(figure: Figure) -> str:
    return "" if figure.interval is None else f"{figure.interval.low:.4f} to {figure.interval.high:.4f}"
