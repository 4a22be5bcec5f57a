"""Files to rows of the inventory."""

import pyarrow as pa
import pytest

from udfs.inventory import FILE, describe
from udfs.template import Template

DAY_US = 86_400_000_000


@pytest.mark.parametrize(
    ("modified_us", "run_date"),
    [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (20484 * DAY_US - 1, "2026-01-30"),
        (20484 * DAY_US, "2026-01-31"),
        (2**63 - 1, "9999-12-31"),
        (-(2**63), "0001-01-01"),
    ],
)
def test_the_date_of_modification(modified_us: int, run_date: str) -> None:
    file = {"uri": "file:///a.jpg", "size": 1, "modified_us": modified_us, "regular": True}
    batch = pa.RecordBatch.from_pylist([file], schema=FILE)
    ((row,),) = [rows.to_pylist() for rows in describe(Template("file:///"))(iter([batch]))]
    assert (row["run_date"], row["modified_us"]) == (run_date, modified_us)
