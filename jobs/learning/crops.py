"""The crops that a network learns from: cut by executors, written as Parquet files with their digests, and read by
whoever trains."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from jobs.faces.compute import readable
from jobs.faces.lookup import images_of, locate
from jobs.run import peak_memory, task_resources
from jobs.run.context import Context
from udfs.arrow import spark_schema
from udfs.crops import CROP, cut_crops
from udfs.errors import InputError
from udfs.ids import document_id
from udfs.lake import File
from udfs.records import Meant
from udfs.vision.contract import Contract, settings_id
from udfs.vision.speed import settled

Array = np.ndarray

_IMAGES_A_TASK = 256
_LISTED = "crops.json"


@dataclass(frozen=True)
class CropFiles:
    """Files of crops in a folder, each known by its digest."""

    folder: Path

    def cut(self, context: Context, uris: Sequence[str], agreed: Contract, meant: Meant) -> "CropFiles":
        """Cut those of some images, unless the folder has them already: of the same versions of the same files, by the
        same models and limits."""
        located = locate(context, set(uris))
        of = _identity(context, located, agreed, meant)
        if self._listed().get("of") == of and self._is_whole():
            context.log.info(f"{context.job}: the crops of an earlier run are there, and are taken")
            return self
        images = context.spark.createDataFrame(images_of(located))
        spec = settled(context.settings.spec())
        cut = peak_memory.told(context.spark, cut_crops(spec, agreed.contract_id, meant))
        tasks = -(-len(located) // _IMAGES_A_TASK)
        (frame,) = readable(context, images, [], tasks)
        profile = task_resources.on_gpu(context.spark)
        rows = frame.mapInArrow(cut, spark_schema(CROP), profile=profile)
        uri_of = context.spark.createDataFrame(images_of(located).select(["image_id", "uri"]))
        # Hadoop does not decode a URI: what stands in the path stands there as it is.
        place = f"file://{self.folder.absolute()}"
        rows.join(F.broadcast(uri_of), "image_id").write.mode("overwrite").parquet(place)
        digests = {file.name: _digest(file) for file in self._files()}
        if not digests:
            raise InputError(
                f"{self.folder}: executors have written no crops there; on a cluster --output must be a folder that the"
                " driver and all workers share, and may write to"
            )
        (self.folder / _LISTED).write_text(json.dumps({"of": of, "files": digests}, sort_keys=True), "utf-8")
        return self

    @property
    def identity(self) -> str:
        """What the crops are of, and by which models and limits they were cut."""
        return str(self._listed()["of"])

    def by_uri(self) -> pa.Table:
        """uri, image_id and outcome of each image."""
        parts = [pq.read_table(file, columns=["uri", "image_id", "outcome"]) for file in self._checked()]
        return pa.concat_tables(parts).sort_by("uri")

    def write(self, uris: Sequence[str], target: Path) -> None:
        """Write the crops of images that have one, in the order of their URIs here, as one array uint8 (n, side, side,
        3) in NumPy's format. One file of crops is in memory at a time.
        """
        place = {uri: at for at, uri in enumerate(uris)}
        crops: np.memmap | None = None
        for uri, side, crop in self._rows():
            if crops is None and crop is not None:
                shape = (len(uris), side, side, 3)
                crops = np.lib.format.open_memmap(target, "w+", np.uint8, shape)
            if crops is not None and crop is not None and uri in place:
                crops[place[uri]] = np.frombuffer(crop, np.uint8).reshape(side, side, 3)
        if crops is not None:
            crops.flush()

    def _rows(self) -> Iterator[tuple[str, int, bytes | None]]:
        for file in self._checked():
            table = pq.read_table(file, columns=["uri", "side", "crop"])
            yield from zip(*(table[name].to_pylist() for name in table.column_names), strict=True)

    def _checked(self) -> list[Path]:
        if not self._is_whole():
            raise InputError(f"{self.folder}: its crops are not those that were cut; remove it, and train again")
        return self._files()

    def _is_whole(self) -> bool:
        listed = self._listed().get("files", {})
        return bool(listed) and {file.name: _digest(file) for file in self._files()} == listed

    def _listed(self) -> Mapping[str, object]:
        try:
            held: Mapping[str, object] = json.loads((self.folder / _LISTED).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return held

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))


def _identity(context: Context, located: Mapping[str, File], agreed: Contract, meant: Meant) -> str:
    images = images_of(dict(located))
    return document_id(
        {
            "contract": agreed.contract_id,
            "settings": settings_id(context.settings.spec()),
            "meant": meant,
            "images": sorted(images["image_id"].to_pylist()),
        }
    )


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def with_faces(found: pa.Table) -> pa.Table:
    """Those of images that show a face."""
    return found.filter(pc.equal(found["outcome"], "faces"))
