"""Persons who were erased are not enrolled again, unless somebody decides so anew."""

from dataclasses import dataclass, replace

from pyspark.sql.types import StringType, StructField, StructType

from jobs.inputs import person_ids
from jobs.inputs.manifest import People
from jobs.run import erased
from jobs.run.context import Context
from jobs.run.ledger import Run
from udfs.arrow import local_frame

_HASH = StructType([StructField("hash", StringType())])


@dataclass(frozen=True)
class Again:
    """left_out: how many persons are not enrolled, as they were erased; photos: how many photos are not, as they were
    erased as images. hashes: of persons who are enrolled again."""

    left_out: int
    photos: int
    hashes: tuple[str, ...]

    def tell(self, context: Context, run: Run) -> None:
        """Say who is left out."""
        if self.left_out:
            run.count("erased", self.left_out)
            context.log.warning(
                f"enroll: {self.left_out:,} persons of the list were erased, and are left out; to register one anew is"
                " a decision of its own: --allow-erased ID"
            )
        if self.photos:
            run.count("erased_photos", self.photos)
            context.log.warning(
                f"enroll: {self.photos:,} photos were erased as images, and are left out; `rollcall ingest"
                " --allow-erased` takes images in again"
            )

    def note(self, context: Context, run: Run) -> None:
        """Note who is allowed, when all else is ready to be written: a run that is refused has forgotten nothing."""
        if self.hashes:
            gone = local_frame(context.spark, [(each,) for each in self.hashes], _HASH)
            erased.allow_again(context, run.run_id, erased.PERSON, gone)
            context.log.info("enroll: persons who were erased are enrolled again, as --allow-erased says")


def without_erased(
    context: Context, listed: People, gallery_name: str, allowed: tuple[str, ...]
) -> tuple[People, Again]:
    """A list without the persons who were erased, but for those that are allowed, and without images that were."""
    again = {person_ids.normal("--allow-erased", person) for person in allowed}
    persons = erased.erased_persons(context, gallery_name, {photo.person_id for photo in listed.photos})
    out = persons.keys() - again
    uris = erased.erased_among(context, {photo.uri for photo in listed.photos if photo.person_id not in out})
    photos = [photo for photo in listed.photos if photo.person_id not in out and photo.uri not in uris]
    without = len(listed.photos) - len(photos) - sum(photo.person_id in out for photo in listed.photos)
    hashes = tuple(each for person in sorted(persons.keys() & again) for each in persons[person])
    return replace(listed, photos=photos), Again(len(out), without, hashes)
