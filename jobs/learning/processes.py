"""Where a network is trained: in this process, or in several on executors."""

from pathlib import Path

from jobs.run.context import Context
from udfs.errors import InputError

TRIES = 4
"""Of processes on executors: if one is lost, all begin again, after the last pass that was written down."""


def train_in(context: Context, folder: Path, processes: int) -> None:
    """Train as a folder says.

    Raises:
        InputError: what is asked cannot be learnt.
        RuntimeError: executors were lost again and again.
    """
    if processes == 1:
        _here(context, folder)
    else:
        _on_executors(context, folder, processes)


def _here(context: Context, folder: Path) -> None:
    from training.fitting import fit
    from training.folder import TrainingFolder

    fit(TrainingFolder(folder), lambda said: context.log.info(f"{context.job}: {said}"))


def _on_executors(context: Context, folder: Path, processes: int) -> None:
    """By TorchDistributor: one task a process, all at once, each with a core of its own (spark.task.cpus)."""
    from pyspark.ml.torch.distributor import TorchDistributor

    from training.together import train_together

    local = str(context.spark.sparkContext.master).startswith("local[")
    failure: Exception | None = None
    for attempt in range(TRIES):
        if attempt:
            context.log.warning(
                f"{context.job}: training goes on after the last pass: a process was lost ({_reason(failure)})"
            )
        distributor = TorchDistributor(num_processes=processes, local_mode=local, use_gpu=False)
        try:
            wrong = distributor.run(train_together, str(folder))
        except Exception as lost:  # noqa: BLE001 - whatever an executor was lost of; said, and tried again
            failure = lost
            continue
        if wrong:
            raise InputError(wrong)
        return
    raise RuntimeError(
        f"training was lost {TRIES} times ({_reason(failure)}); look at the logs of the executors, and run it again: it"
        " goes on after the last pass"
    )


def _reason(failure: Exception | None) -> str:
    return str(failure).strip().partition("\n")[0][:200]
