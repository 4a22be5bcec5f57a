"""How many strangers are to be expected near a face, as the newest calibration of its contract tells."""

import numpy as np
from pyspark.sql import functions as F

from evaluation.strangers import StrangerRates
from jobs.run.context import Context


def stranger_rates(context: Context, contract_id: str) -> StrangerRates | None:
    """Those of the newest calibration of a contract that has measured them; None if none has."""
    row = (
        context.tables.read_or_empty("thresholds")
        .where((F.col("contract_id") == contract_id) & F.col("stranger_rates").isNotNull())
        .orderBy(F.desc("created_at"), "threshold_id")
        .select("stranger_rates")
        .first()
    )
    if row is None:
        return None
    similarity, rate = zip(*row.stranger_rates, strict=True)
    return StrangerRates(np.array(similarity), np.array(rate))
