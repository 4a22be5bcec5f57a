"""An evaluation of presentation attacks: measured, kept in `evaluations`, and written as a page and as JSON."""

import json
from datetime import UTC, datetime
from pathlib import Path

from evaluation.attacks import Presentations, exact, figures
from evaluation.figures import Figure
from jobs.inputs.presentations import read_presentations
from jobs.reports.figures import append_figures, documents, line_of, range_of, value_of
from jobs.run import ledger, outputs
from jobs.run.context import Context
from pages.report import Headline, Report, ReportTable, html
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
        append_figures(
            context,
            found,
            _SPECIES,
            evaluation_id=evaluation_id,
            protocol=PROTOCOL,
            contract_id=_OF_NO_MODEL,
            settings_id=_OF_NO_MODEL,
            data=attacks,
            half="both",
            seed=0,
            measured_at=datetime.now(UTC),
            run_id=run.run_id,
        )
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
            Headline(name(figure), value_of(figure), range_of(figure))
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
    rows = [(name(figure), value_of(figure), range_of(figure), f"{figure.count:,}") for figure in found[""]]
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
            "" if apcer is None else value_of(apcer),
            "" if apcer is None else range_of(apcer),
            value_of(of_metric["apnrr"]),
            f"{exact(0, count).high:.4f}",
        ))  # fmt: skip
    live = len(presentations.bona_fide)
    note = (
        "Least that can be shown: the upper end of the interval if none of so many attacks had succeeded; no lower"
        f" APCER can be told from it. For BPCER, of {live:,} bona fide ones, that is {exact(0, live).high:.4f}."
    )
    columns = ["species", "attacks", "APCER", "95% interval", "APNRR", "least that can be shown"]
    return ReportTable("By species", columns, rows, [1, 2, 3, 4, 5], note)


def _json(evaluation_id: str, data: str, threshold: float | None, found: dict[str, list[Figure]]) -> str:
    document = {"evaluation_id": evaluation_id, "protocol": PROTOCOL, "data": data, "threshold": threshold}
    return json.dumps({**document, "figures": documents(found)}, indent=2, allow_nan=False) + "\n"


def _line(called: str, figure: Figure) -> str:
    said = line_of(called, figure)
    return said if figure.interval is None else f"{said}   of {figure.count:,}"
