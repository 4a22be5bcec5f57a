"""Cohorts: faces of strangers, by which scores are normalised."""

import hashlib
from dataclasses import dataclass

import numpy as np
from pyspark.sql import functions as F

from jobs.faces.lookup import MeantFaces
from jobs.inputs.labelled import LabelledPhoto
from jobs.run.context import Context
from schemas.catalog import COHORTS
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import stable_id

Array = np.ndarray

LARGEST = 2000
"""Persons: at 512 dimensions the 4 MB that travel with each task."""
_DEFAULT = 1000
_LEAST = 200
_SHARE = 3


@dataclass(frozen=True)
class Cohort:
    """One face of each of some persons: `vectors` float32 (m, d), in the order of `persons`, who are sorted."""

    cohort_id: str
    persons: tuple[str, ...]
    uris: tuple[str, ...]
    vectors: Array

    @classmethod
    def drawn(
        cls, contract_id: str, photos: list[LabelledPhoto], faces: MeantFaces, size: int | None, seed: int
    ) -> "Cohort | None":
        """Draw persons by the seed, with the first of their photos that shows a face.

        size: how many; 0 for no cohort; None a third of the persons, up to 1,000, if that is 200 or more.

        Raises:
            InputError: there are not twice as many persons.
        """
        there = faces.there[faces.places([photo.uri for photo in photos])]
        first: dict[str, LabelledPhoto] = {}
        for photo, seen in zip(photos, there, strict=True):
            if seen:
                first.setdefault(photo.person, photo)
        if size is None:
            share = len(first) // _SHARE
            size = min(share, _DEFAULT) if share >= _LEAST else 0
        if size == 0:
            return None
        if 2 * size > len(first):
            raise InputError(
                f"--cohort {size:,} needs twice as many persons with a face; there are {len(first):,}. Give more"
                " photos, or ask for fewer"
            )
        chosen = sorted(
            sorted(first, key=lambda name: hashlib.sha256(f"cohort:{seed}:{name}".encode()).digest())[:size]
        )
        uris = tuple(first[person].uri for person in chosen)
        vectors = faces.vectors[faces.places(list(uris))]
        of_vectors = hashlib.sha256(vectors.tobytes()).hexdigest()
        return cls(
            stable_id("cohort", contract_id, of_vectors, *chosen, *uris),
            tuple(chosen),
            uris,
            vectors,
        )

    @classmethod
    def read(cls, context: Context, cohort_id: str) -> "Cohort":
        """The cohort of a calibration.

        Raises:
            InputError: it is not there, or not whole.
        """
        rows = context.tables.read("cohorts").where(F.col("cohort_id") == cohort_id).orderBy("person_id").collect()
        if not rows or len(rows) != rows[0].size:
            raise InputError(
                f"of the cohort {cohort_id} {len(rows):,} persons are left; what was calibrated with it no longer"
                " holds: run `rollcall calibrate` again"
            )
        vectors = np.array([row.embedding for row in rows], np.float32)
        return cls(cohort_id, tuple(row.person_id for row in rows), tuple(row.uri for row in rows), vectors)

    def write(self, context: Context, contract_id: str, run_id: str) -> None:
        """Keep it for `identify` and `evaluate`."""
        rows = [
            (self.cohort_id, person, len(self.persons), contract_id, uri, vector.tolist(), run_id)
            for person, uri, vector in zip(self.persons, self.uris, self.vectors, strict=True)
        ]
        context.tables.append_new("cohorts", local_frame(context.spark, rows, COHORTS.schema))
