"""What each of several processes runs that train together; torch's launcher has started them."""

from pathlib import Path

import torch.distributed as dist

from training.fitting import fit
from training.folder import TrainingFolder
from udfs.errors import InputError


def train_together(path: str) -> str:
    """Train as the folder says; returns what was wrong with what was asked, or nothing. Each process comes to the same.

    path: of the folder, which all processes can read and the first one can write.
    """
    dist.init_process_group("gloo")  # of CPUs: nothing here is moved to a GPU
    try:
        fit(TrainingFolder(Path(path)))
    except InputError as error:  # another try would end the same way
        return str(error)
    finally:
        dist.destroy_process_group()
    return ""
