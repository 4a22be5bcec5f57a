"""An evaluation is measured, kept in `evaluations`, and written as a page and as JSON."""

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobs.decisions.measure import EvaluationRequest, Measured, prepare
from jobs.faces.contracts import note_contract, verified_contract
from jobs.reports.evaluation_page import page
from jobs.run import ledger, outputs
from jobs.run.context import Context
from pages.report import html
from schemas.catalog import EVALUATIONS
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.vision.contract import Contract, settings_id


def report_evaluation(context: Context, *, output: Path | None, **arguments: Any) -> Measured:
    """Measure, write the figures to `evaluations`, and the page and JSON below `output`. The arguments are those of
    an EvaluationRequest.

    Raises:
        InputError: malformed data, one kind of pairs only, too few persons; the message says which.
    """
    request = EvaluationRequest(**arguments)
    measure = prepare(context, request)
    agreed = verified_contract(context.settings.spec())
    with ledger.run(context) as run:
        run.digests.update(contract=agreed.contract_id, settings=settings_id(context.settings.spec()))
        note_contract(context, agreed)
        measured = measure(agreed)
        evaluation_id = stable_id("evaluation", run.run_id)
        _write(context, evaluation_id, agreed, request, measured, run)
        run.count("figures", sum(map(len, measured.figures.values())))
        if output is not None:
            outputs.write(context, output / "figures.json", _json(evaluation_id, agreed, request, measured))
            outputs.written(context, html(page(context, agreed, measured, request.group_by)), output / "report.html")
    return measured


def refuse_what_is_above(context: Context, measured: Measured) -> None:
    """Compare the rates at calibrated thresholds with what their calibrations state.

    Raises:
        RuntimeError: one is above.
        InputError: no calibration decided.
    """
    stated = {row.threshold_id: row for row in context.tables.read_or_empty("thresholds").collect()}
    held = [rate for rate in measured.held_rates() if rate.threshold_id in stated and rate.figure.value is not None]
    if not held:
        raise InputError(
            "--check: the thresholds do not come from a calibration, so no rate is stated to check;"
            " run `rollcall calibrate`"
        )
    for rate in held:
        row, value = stated[rate.threshold_id], rate.figure.value
        if value is not None and value > row.rate_high:
            raise RuntimeError(
                f"{rate.figure.metric.upper()} is {value:.4f}, above the {row.rate_low:.4f} to {row.rate_high:.4f} that"
                f" calibration {row.threshold_id} states for {row.target:g}; calibrate again, on images like these"
            )


def _write(
    context: Context,
    evaluation_id: str,
    agreed: Contract,
    request: EvaluationRequest,
    measured: Measured,
    run: ledger.Run,
) -> None:
    now = datetime.now(UTC)
    settings = settings_id(context.settings.spec())
    of_all = (
        evaluation_id,
        request.protocol,
        agreed.contract_id,
        settings,
        request.data,
        request.half,
        request.seed,
    )
    rows = [
        (
            *of_all,
            figure.metric,
            None if figure.at is None else float(figure.at),
            figure.gallery_size,
            request.group_by if group else "",
            group,
            figure.value,
            *((None, None) if figure.interval is None else figure.interval),
            figure.count,
            now,
            run.run_id,
        )
        for group, figures in measured.figures.items()
        for figure in figures
    ]
    context.tables.append("evaluations", local_frame(context.spark, rows, EVALUATIONS.schema))


def _json(evaluation_id: str, agreed: Contract, request: EvaluationRequest, measured: Measured) -> str:
    figures = [
        {"group": group, **asdict(figure), "interval": None if figure.interval is None else list(figure.interval)}
        for group, of_group in measured.figures.items()
        for figure in of_group
    ]
    for figure in figures:
        if isinstance(figure["at"], float) and not math.isfinite(figure["at"]):
            figure["at"] = None
    document = {
        "evaluation_id": evaluation_id,
        "protocol": request.protocol,
        "contract_id": agreed.contract_id,
        "data": request.data,
        "arguments": asdict(request),
        "figures": figures,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
