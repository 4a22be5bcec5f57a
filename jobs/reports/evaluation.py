"""An evaluation is measured, kept in `evaluations`, and written as a page and as JSON."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobs.decisions.measure import EvaluationRequest, Measured, prepare
from jobs.faces.contracts import note_contract, verified_contract
from jobs.reports.evaluation_page import page
from jobs.reports.figures import append_figures, documents
from jobs.run import ledger, outputs
from jobs.run.context import Context
from pages.report import html
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
    append_figures(
        context,
        measured.figures,
        request.group_by,
        evaluation_id=evaluation_id,
        protocol=request.protocol,
        contract_id=agreed.contract_id,
        settings_id=settings_id(context.settings.spec()),
        data=request.data,
        half=request.half,
        seed=request.seed,
        measured_at=datetime.now(UTC),
        run_id=run.run_id,
    )


def _json(evaluation_id: str, agreed: Contract, request: EvaluationRequest, measured: Measured) -> str:
    document = {
        "evaluation_id": evaluation_id,
        "protocol": request.protocol,
        "contract_id": agreed.contract_id,
        "data": request.data,
        "arguments": asdict(request),
        "figures": documents(measured.figures),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
