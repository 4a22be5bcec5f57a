"""The fourth step of an enrolment: the rows it changes, as a function of what stands, is listed, seen and judged."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.registry.judged import VERDICT
from jobs.registry.leaving import place_key, samples_of, version_key
from jobs.registry.listing import DESCRIBED
from jobs.registry.register import TRIED_AGAIN, Register
from jobs.registry.seeing import Faces
from schemas.catalog import ENROLLMENTS, GALLERY

_DECISION = pa.schema(
    [
        ("sample_id", pa.string()),
        ("content_sha256", pa.string()),
        ("settings_id", pa.string()),
        ("policy_id", pa.string()),
        *VERDICT,
    ]
)
"""What is decided of a sample."""
_STANDING = pa.schema([*_DECISION, *[(name, pa.string()) for name in ("person_id", "uri", "photo_id", "run_id")]])


def standing_enrollments(register: Register, seen: pa.Table) -> pa.Table:
    """The enrollments that photos that were seen concern: those of their samples; and of photos that could not be read
    before, those at their places.

    seen: person_id, uri, sample_id.
    """
    if register.enrollments is None or not seen.num_rows:
        return _STANDING.empty_table()
    keys = pa.table({"key": pc.unique(pa.chunked_array([*seen["sample_id"].chunks, *place_key(seen).chunks]))})
    key = F.when(F.col("reason").isin(*TRIED_AGAIN), F.concat_ws("/", "uri", "person_id")).otherwise(F.col("sample_id"))
    asked = register.enrollments.sparkSession.createDataFrame(keys)
    found = register.enrollments.withColumn("key", key).join(asked, "key", "left_semi")
    return found.select(*_STANDING.names).toArrow().cast(_STANDING)


def decisions(standing: pa.Table) -> pa.Table:
    """The decisions among enrollments, one row a sample: the photos of a sample have the same."""
    final = standing.filter(pc.invert(_is_tried_again(standing))).select(_DECISION.names)
    names = final["sample_id"].combine_chunks()
    return final.take(pc.index_in(pc.unique(names), value_set=names))


def set_aside(standing: pa.Table) -> pa.Table:
    """Whom the samples of enrollments resemble that were set aside, as `reopening.reopened` takes it: sample_id,
    resembles, run_id."""
    found = standing.filter(pc.equal(standing["decision"], "review"))
    return found.select(["sample_id", "other_person_id", "run_id"]).rename_columns(["sample_id", "resembles", "run_id"])


@dataclass(frozen=True)
class ChangeInputs:
    """What the changes follow from.

    listed: all photos of the manifest in their order, as `listing.Listing` has them. seen: those that were looked at,
    in the same order, with sample_id and content_sha256. faces: those of the photos that were seen. judged: of
    their samples, those that were decided now, as of `judged.judge_samples`. standing: what `standing_enrollments`
    found. leave: the samples that are withdrawn as no photo is theirs any more. settings_id: those under which photos
    were seen. policy_id: the rules for photos; None if they are not known.
    """

    register: Register
    listed: pa.Table
    seen: pa.Table
    faces: Faces
    judged: pa.Table
    standing: pa.Table
    leave: pa.Array
    settings_id: str
    run_id: str
    now: datetime
    policy_id: str | None = None

    @cached_property
    def enrollments(self) -> pa.Table:
        """Rows of `enrollments`: what became of each photo that was looked at: what was decided of its sample now, or
        stands."""
        judged = self.judged
        for name, value in (("settings_id", self.settings_id), ("policy_id", self.policy_id)):
            judged = judged.append_column(name, pa.array([value] * judged.num_rows, pa.string()))
        known = pa.concat_tables([judged.select(_DECISION.names).cast(_DECISION), decisions(self.standing)])
        of_photo = pc.index_in(self.seen["sample_id"], value_set=known["sample_id"].combine_chunks())
        count = self.seen.num_rows
        columns = {name: known[name].take(of_photo) for name in _DECISION.names}
        columns |= {name: self.seen[name] for name in ("sample_id", "person_id", "uri", "photo_id")}
        columns |= {
            name: pa.array([value] * count, pa.string())
            for name, value in (
                ("gallery_name", self.register.gallery_name),
                ("contract_id", self.register.contract_id),
                ("run_id", self.run_id),
            )
        }
        return pa.table({name: columns[name] for name in ENROLLMENTS.names})

    @cached_property
    def first_listed(self) -> pa.Table:
        """Of the photos of a sample the one that is listed first: place, name, labels and validity are as it says.

        Columns: sample_id, uri, name, labels, valid_from, valid_to; judged: whether it was decided now; accepted:
        whether it is accepted.
        """
        photos = self.listed.select([*DESCRIBED, "person_id", "photo_id", "sample_id"])
        sample, accepted = samples_of(photos, self.seen), self.accepted
        first = pc.index_in(pc.unique(sample), value_set=sample)
        chosen = (
            photos.select(DESCRIBED).append_column("sample_id", sample).append_column("accepted", accepted).take(first)
        )
        judged = pc.is_in(chosen["sample_id"], value_set=self.judged["sample_id"].combine_chunks())
        return chosen.append_column("judged", judged)

    @cached_property
    def accepted(self) -> pa.Array:
        """Whether the sample of each listed photo is accepted: as it was decided now, else as it stands; null where
        nothing is decided."""
        now = self.enrollments
        of_photo = pc.index_in(version_key(self.listed), value_set=version_key(now).combine_chunks())
        accepted = pc.equal(now["decision"], "accepted")
        return _flat(pc.coalesce(accepted.take(of_photo), self.listed["accepted"]))

    def known_samples(self) -> DataFrame | None:
        """Rows of `gallery` that stand and change, without those that are accepted now."""
        if self.register.samples is None:
            return None
        spark, stands = self.register.samples.sparkSession, self.register.samples
        said = spark.createDataFrame(self.first_listed)
        said = said.select("sample_id", "judged", "accepted", *[F.col(name).alias(f"_{name}") for name in DESCRIBED])
        found = stands.join(said, "sample_id", "left")
        in_force, listed = F.col("withdrawn_at").isNull(), F.col("judged").isNotNull()
        left = F.lit(False)
        if len(self.leave):
            marked = spark.createDataFrame(pa.table({"sample_id": self.leave})).withColumn("_left", F.lit(True))
            found, left = found.join(marked, "sample_id", "left"), F.col("_left").isNotNull()
        leaves = left | (listed & F.col("judged") & ~F.col("accepted") & in_force)
        described = listed & ~F.col("judged") & F.col("accepted")
        differs = ~in_force
        for name in DESCRIBED:
            differs = differs | ~F.col(name).eqNullSafe(F.col(f"_{name}"))
        leaves, stays = F.coalesce(leaves, F.lit(False)), F.coalesce(described & differs, F.lit(False))
        now = F.lit(self.now)
        values: dict[str, Column] = {name: F.col(name) for name in GALLERY.names}
        values |= {name: F.when(F.col("_leaves"), F.col(name)).otherwise(F.col(f"_{name}")) for name in DESCRIBED}
        values["enrolled_at"] = F.when(F.col("_leaves") | in_force, F.col("enrolled_at")).otherwise(now)
        values["withdrawn_at"] = F.when(F.col("_leaves"), now)
        values["run_id"] = F.lit(self.run_id)
        return (
            found.withColumns({"_leaves": leaves, "_stays": stays})
            .where("_leaves OR _stays")
            .select(*[value.alias(name) for name, value in values.items()])
        )

    def accepted_samples(self) -> DataFrame | None:
        """Rows of `gallery` of the samples that are accepted now, as if enrolled now; None if there are none."""
        accepted = self.judged.filter(pc.equal(self.judged["decision"], "accepted"))
        if not accepted.num_rows:
            return None
        of_sample = pc.index_in(accepted["sample_id"], value_set=self.first_listed["sample_id"].combine_chunks())
        said = self.first_listed.select(DESCRIBED).take(of_sample)
        for name in ("person_id", "photo_id", "sample_id"):
            said = said.append_column(name, accepted[name])
        of_all = {
            "gallery_name": F.lit(self.register.gallery_name),
            "contract_id": F.lit(self.register.contract_id),
            "embedding_digest": F.xxhash64("embedding"),
            "enrolled_at": F.lit(self.now),
            "withdrawn_at": F.lit(None).cast("timestamp"),
            "run_id": F.lit(self.run_id),
        }
        return self.faces.beside(said).withColumns(of_all).select(*GALLERY.names)

    @property
    def superseded(self) -> pa.Table:
        """sample_id and photo_id of enrollments that are to be deleted: of where a sample was before it was moved, and
        of photos that could not be read and now have been."""
        noted = self.enrollments.filter(pc.invert(_is_tried_again(self.enrollments)))
        again = _is_tried_again(self.standing)
        of_noted = pc.is_in(self.standing["sample_id"], value_set=_flat(noted["sample_id"]))
        here = pc.is_in(version_key(self.standing), value_set=_flat(version_key(self.listed)))
        read = pc.is_in(place_key(self.standing), value_set=_flat(place_key(noted)))
        gone = self.standing.filter(pc.or_(pc.and_not(of_noted, here), pc.and_(again, read)))
        gone = gone.select(["sample_id", "photo_id"])
        written = pc.is_in(_row(gone), value_set=_flat(_row(self.enrollments)))
        return gone.filter(pc.invert(written))


def _is_tried_again(enrollments: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(enrollments["reason"], value_set=pa.array(TRIED_AGAIN))


def _row(enrollments: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(enrollments["sample_id"], enrollments["photo_id"], "/")


def _flat(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
