"""The processes that train together, if there are several: each computes its part of every batch."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist

Array = np.ndarray
Tensor = torch.Tensor


@dataclass(frozen=True)
class Group:
    """rank: which of them this process is, from 0. size: how many they are."""

    rank: int = 0
    size: int = 1

    @classmethod
    def here(cls) -> "Group":
        """As torch's launcher has started this process; alone without it."""
        return cls(dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else cls()

    def whole(self, batch: Array) -> Array:
        """A batch that can be cut into equal parts: its last few photos are left out where it cannot."""
        return batch[: len(batch) // self.size * self.size]

    def part(self, batch: Array) -> Array:
        """The part of this process."""
        each = len(batch) // self.size
        return batch[self.rank * each : (self.rank + 1) * each]

    def gathered(self, mine: Tensor) -> Tensor:
        """The vectors of all processes, in their order; only this process's lead back to its network.

        The loss of the whole batch is computed by each process, and DDP takes the mean of what each gives as slopes;
        as each gives those of its part alone, they are taken times the number of processes.
        """
        if self.size == 1:
            return mine
        mine = mine.contiguous()
        all_of_them = [torch.zeros_like(mine) for _ in range(self.size)]
        dist.all_gather(all_of_them, mine.detach())
        scaled = mine * 1.0
        if scaled.requires_grad:
            scaled.register_hook(lambda slope: slope * self.size)
        all_of_them[self.rank] = scaled
        return torch.cat(all_of_them)

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            dist.barrier()
