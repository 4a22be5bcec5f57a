"""Groups out of neighbours: what is connected is cut into pieces, and each piece is grouped on one executor."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.matching.seen import by_part
from jobs.people.statements import Statements
from jobs.run import peak_memory, task_resources
from jobs.run.context import Context
from udfs import artifacts, grouped
from udfs.arrow import BatchFunction, spark_schema
from udfs.ids import stable_id

if TYPE_CHECKING:
    from udfs.grouping.known_pieces import Pieces
    from udfs.grouping.neighbours import Graph
    from udfs.search.packed_faces import FacesInScope, PackedFaces

Array = np.ndarray

LARGEST_PIECE = 4096
"""Faces that are grouped at once: the similarities of all their pairs take 128 MiB."""
_TASKS_A_CORE = 4


@dataclass(frozen=True)
class Linking:
    """What groups are made of.

    grouping: its name. packed, seen, graph: of all faces. asked: run_date, settings_id, face_id, founds, of those that
    are grouped. threshold: the average similarity from which two groups are joined. statements: what people have said.
    """

    context: Context
    grouping: str
    packed: "PackedFaces"
    seen: "FacesInScope"
    graph: "Graph"
    asked: DataFrame
    threshold: float
    statements: Statements

    def groups(self) -> DataFrame:
        """The faces that are in groups (grouped.MEMBER); `group` is a number, the same for all of a group."""
        state, named = self._states()
        same, apart = self.statements.by_number(named)
        edges = self._connected(state)
        label, open_ = self._grouped(edges, state, same, apart)
        label = self._joined(label, open_, state, apart)
        return self._members(label)

    @cached_property
    def _begins(self) -> Array:
        """The number of the first face of each part, and how many faces there are."""
        rows = [part.part.rows if part else 0 for part in self.seen.parts]
        return np.cumsum([0, *rows], dtype=np.int64)

    @cached_property
    def _numbers(self) -> list[int]:
        return [number for number, part in enumerate(self.seen.parts) if part]

    def _states(self) -> tuple[Array, dict[str, int]]:
        """The state of each face, and the numbers of those that people have said something about."""
        begins = self._begins
        spoken_of = sorted(self.statements.faces)
        look = grouped.states(self.packed.root, self.seen.parts, spoken_of)
        founds = F.col("founds")
        if spoken_of:  # whoever was looked at by a person can found a group
            schema = "face_id string"
            said = F.broadcast(self.context.spark.createDataFrame([(face,) for face in spoken_of], schema))
            asked = self.asked.join(said.withColumn("said", F.lit(True)), "face_id", "left")
            founds = founds | F.coalesce("said", F.lit(False))
        else:
            asked = self.asked
        parts = by_part(asked, self.packed).where(F.col("part").isin(self._numbers))
        lists = parts.groupBy("part").agg(F.collect_list(F.struct("face_id", founds.alias("founds"))).alias("faces"))
        rows = lists.select("part", F.col("faces.face_id").alias("face_ids"), F.col("faces.founds").alias("founds"))
        state = np.zeros(begins[-1], np.uint8)
        named: dict[str, int] = {}
        for row in self._run(rows, look, grouped.STATES).to_pylist():
            begin = begins[row["part"]]
            of_part = np.frombuffer(row["states"], np.uint8)
            state[begin : begin + len(of_part)] = of_part
            named |= {face: int(begin + at) for face, at in zip(row["named"], row["rows"], strict=True)}
        return state, {face: number for face, number in named.items() if state[number]}

    def _connected(self, state: Array) -> dict[str, Array]:
        """How all faces are connected, by the columns of grouped.CONNECTED."""
        connect = grouped.connected(self.graph, self.seen.parts, self._begins, state, self.threshold)
        numbers = pa.table({"part": pa.array(self._numbers, pa.int32())})
        parts = self.context.spark.createDataFrame(numbers).repartitionById(max(1, len(self._numbers)), F.col("part"))
        found = self._run(parts, connect, grouped.CONNECTED)
        kinds = {"similarity": np.float64}
        return {
            name: grouped.numbers_of(found[name].to_pylist(), kinds.get(name, np.int64)) for name in found.column_names
        }

    def _grouped(
        self, edges: dict[str, Array], state: Array, same: dict[int, int], apart: Sequence[grouped.Apart]
    ) -> tuple[Array, Array]:
        """The group of each face, -1: none; and whether it may be one with others that it was not compared with."""
        from udfs.grouping.components import pieces
        from udfs.grouping.known_pieces import Pieces

        first = np.arange(len(state))
        first[list(same)] = list(same.values())
        piece, cut = pieces(len(state), edges["one"], edges["other"], edges["similarity"], LARGEST_PIECE, first)
        piece[edges["joins"]] = piece[edges["near"]]
        near = np.full(len(state), -1, np.int64)
        near[edges["joins"]] = edges["near"]
        takes_part = np.append(np.flatnonzero(state == grouped.FOUNDS), edges["joins"])
        of_piece = np.full(len(state), -1, np.int64)
        of_piece[takes_part] = piece[takes_part]
        found = Pieces(self._question(same, apart), self._keys, self._begins, of_piece, near, of_piece.copy())
        self._group(found, takes_part, same, apart)
        label = found.group
        open_ = cut
        open_[edges["full"]] = True
        return label, open_ & (state == grouped.FOUNDS)

    def _group(self, pieces: "Pieces", takes_part: Array, same: dict[int, int], apart: Sequence[grouped.Apart]) -> None:
        """Group the faces of each piece, unless it is as it was when it was grouped last; and keep the groups."""
        from udfs.grouping.known_pieces import Pieces

        place = f"{self.graph.root}/{self.graph.name}/{stable_id('pieces', self.grouping)}.npz"
        faces, group = pieces.same_as(Pieces.from_bytes(artifacts.read(place)))
        pieces.group[faces] = group
        size = np.bincount(pieces.piece[takes_part], minlength=len(pieces.piece))
        waits = np.zeros(len(pieces.piece), bool)
        waits[takes_part] = size[pieces.piece[takes_part]] > 1
        waits[faces] = False
        plan = _tasks(np.flatnonzero(waits), pieces.piece, size, pieces.near, self._most_tasks)
        work = grouped.grouped(self.packed.root, self.seen.parts, self._begins, self.threshold, same, apart)
        tasks = self.context.spark.createDataFrame(plan).repartitionById(max(1, plan.num_rows), F.col("task"))
        found = self._run(tasks, work, grouped.GROUPED)
        made = grouped.numbers_of(found["faces"].to_pylist())
        pieces.group[made] = grouped.numbers_of(found["group"].to_pylist())
        if len(made):
            artifacts.write(place, pieces.to_bytes())

    def _question(self, same: dict[int, int], apart: Sequence[grouped.Apart]) -> str:
        """What decides on the groups of a piece beside its faces."""
        said = [f"{of.said_at} {of.statement_id}" for of in self.statements.said] if same or apart else []
        return stable_id("grouped", str(self.threshold), *said)

    @cached_property
    def _keys(self) -> list[str]:
        return [part.key if part else "" for part in self.seen.parts]

    @property
    def _most_tasks(self) -> int:
        return _TASKS_A_CORE * self.context.spark.sparkContext.defaultParallelism

    def _joined(self, label: Array, open_: Array, state: Array, apart: Sequence[grouped.Apart]) -> Array:
        """The groups after those that may be one with others have been compared with each other."""
        may_join = np.unique(label[open_])
        faces = np.flatnonzero(np.isin(label, may_join) & (label >= 0))
        if len(may_join) < 2:
            return label
        threads = task_resources.cpus(self.context.spark)
        join = grouped.joined(
            self.packed.root, self.seen.parts, self._begins, state, self.threshold, apart, self.graph.k, LARGEST_PIECE,
            threads,
        )  # fmt: skip
        row = {"faces": [faces.tobytes()], "group": [label[faces].tobytes()]}
        one = self.context.spark.createDataFrame(pa.table(row, schema=grouped.GROUPED)).coalesce(1)
        found = self._run(one, join, grouped.GROUPED)
        label[grouped.numbers_of(found["faces"].to_pylist())] = grouped.numbers_of(found["group"].to_pylist())
        return label

    def _members(self, label: Array) -> DataFrame:
        begins = self._begins
        labels = [label[begins[number] : begins[number + 1]].tobytes() for number in self._numbers]
        rows = pa.table({"part": self._numbers, "group": labels}, schema=grouped.LABELS)
        tell = grouped.members(self.packed.root, self.seen.parts)
        tasks = self.context.spark.createDataFrame(rows).repartitionById(max(1, rows.num_rows), F.col("part"))
        return tasks.mapInArrow(tell, spark_schema(grouped.MEMBER))

    def _run(self, rows: DataFrame, work: BatchFunction, schema: pa.Schema) -> pa.Table:
        profile = task_resources.on_cpus(self.context.spark)
        told = peak_memory.told(self.context.spark, work)
        return rows.mapInArrow(told, spark_schema(schema), profile=profile).toArrow().cast(schema)


def _tasks(faces: Array, piece: Array, size: Array, near: Array, most: int) -> pa.Table:
    """Pieces, the largest first, dealt out to tasks (grouped.PIECES)."""
    labels = np.unique(piece[faces])
    labels = labels[np.argsort(-size[labels], kind="stable")]
    task_of = np.full(len(piece), -1, np.int32)
    task_of[labels] = np.arange(len(labels)) % max(1, most)
    task = task_of[piece[faces]]
    order = np.lexsort((piece[faces], task))
    faces, task = faces[order], task[order]
    begins = np.flatnonzero(np.append(True, np.diff(task) > 0)) if len(task) else np.empty(0, int)
    rows = [
        {"task": int(task[some[0]]), "faces": of.tobytes(), "piece": piece[of].tobytes(), "near": near[of].tobytes()}
        for some in (np.split(np.arange(len(task)), begins[1:]) if len(task) else [])
        for of in [faces[some]]
    ]
    return pa.Table.from_pylist(rows, schema=grouped.PIECES)
