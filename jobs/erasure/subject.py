"""What is asked to be erased: a person, an image, a source, or all images of earlier dates."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from jobs.inputs import person_ids
from udfs import lake
from udfs.errors import InputError
from udfs.keyed import Keyed

Kind = Literal["person", "image", "source", "before"]


@dataclass(frozen=True)
class Subject:
    """value: the person's id in its normal form, the image's URI, the source's name, or the date. gallery_name: of the
    person, if only one gallery is meant. with_images: whether the images go as well in which the person was found.
    """

    kind: Kind
    value: str
    gallery_name: str | None = None
    with_images: bool = False

    @classmethod
    def asked(
        cls,
        *,
        person: str | None,
        image: str | None,
        source: str | None,
        before: date | None,
        gallery_name: str | None = None,
        with_images: bool = False,
    ) -> "Subject":
        """What the arguments of `rollcall erase` say.

        Raises:
            InputError: none or several of them are given, or one that does not fit.
        """
        if sum(each is not None for each in (person, image, source, before)) != 1:
            raise InputError(
                "say what is to be erased: --person ID, --image URI, --source NAME or --before YYYY-MM-DD; one of them"
            )
        if person is None and (gallery_name is not None or with_images):
            raise InputError("--gallery-name and --with-images are for --person")
        if person is not None:
            normal = person_ids.normal("--person", person)
            if not normal:
                raise InputError("--person: the id is empty")
            return cls("person", normal, gallery_name, with_images)
        if image is not None:
            return cls("image", lake.uri_of(image))
        if source is not None:
            if not source:
                raise InputError("--source: the name is empty")
            return cls("source", source)
        return cls("before", str(before))

    def who(self, keyed: Keyed) -> str:
        """The keyed hash that says in the tables what was asked."""
        return keyed.asked(self.kind, self.value, self.gallery_name or "", "with images" if self.with_images else "")
