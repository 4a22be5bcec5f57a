"""A gallery as it stands, and the samples of it that are searched on a date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from shlex import quote
from typing import Any

from pyspark.sql import Column, DataFrame, GroupedData
from pyspark.sql import functions as F

from jobs.registry.activation import activated
from jobs.registry.galleries import known_galleries, label_was_known
from jobs.registry.set_aside import without_set_aside
from jobs.run.context import Context
from schemas.catalog import SEARCHED_SAMPLES
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.vision.contract import contract


@dataclass(frozen=True)
class GallerySnapshot:
    """The samples of one gallery that are neither withdrawn nor set aside, all of the contract in force.

    digest: of all that decides who is found: samples, persons, validity, labels, embeddings. bounded: whether one of
    the samples is valid from or to some date only. embedder: as the settings call it, where it is theirs: one's own may
    have been renamed.
    """

    name: str
    contract_id: str
    embedder: str
    dimension: int
    samples: DataFrame
    digest: str
    count: int
    persons: int
    bounded: bool

    @classmethod
    def open(cls, context: Context, name: str | None) -> "GallerySnapshot":
        """Open the gallery of this name, or the only one there is: of those with samples, if any has some.

        A gallery that was enrolled, and of which nobody is in force any more, has no samples: so nobody is found.

        Raises:
            InputError: no gallery, not this one, none named where there are several, or several contracts of which
            none is activated.
        """
        # Samples are read several times: for their digest, to be packed, to be noted.
        every = _every_sample(context)
        table = without_set_aside(context, every.where(F.col("withdrawn_at").isNull()))
        asked = F.lit(True) if name is None else F.col("gallery_name") == name
        decisive = ("sample_id", "person_id", "valid_from", "valid_to", "labels", "embedding_digest")
        held = digests_of(table.where(asked).groupBy("gallery_name", "contract_id"), *decisive)
        contracts: dict[str, set[str]] = {}
        for of_gallery, contract_id in held:
            contracts.setdefault(of_gallery, set()).add(contract_id)
        if not contracts:
            contracts = known_galleries(context.tables)
        name = _one_of(sorted(contracts), name)
        contract_id = _in_force(context, name, contracts[name], every)
        samples = table.where((F.col("gallery_name") == name) & (F.col("contract_id") == contract_id))
        found = held.get((name, contract_id), _NO_SAMPLES)
        noted = context.tables.read("contracts").where(F.col("contract_id") == contract_id).first()
        assert noted is not None
        digest = stable_id("gallery", name, contract_id, found.digest)
        of_settings = contract(context.settings.spec())
        embedder = of_settings.embedder if of_settings.contract_id == contract_id else noted.embedder
        return cls(
            name,
            contract_id,
            embedder,
            noted.dimension,
            samples,
            digest,
            found.samples,
            found.persons,
            found.bounded,
        )

    def described(self) -> DataFrame:
        """The samples without their embeddings, as rows of `searched_samples`."""
        of_all = [F.lit(self.digest).alias("gallery_digest"), F.array_sort("labels").alias("labels")]
        own = [name for name in SEARCHED_SAMPLES.names if name not in ("gallery_digest", "labels")]
        return self.samples.select(*of_all, *own)

    def refuse_unknown_labels(self, context: Context, labels: Sequence[str]) -> None:
        """Stop where nobody could ever be found by one of the labels.

        One that a sample had and has no longer is known: whoever was found by it is to be found no more.

        Raises:
            InputError: no sample has or had such a label.
        """
        if not labels:
            return
        rows = self.samples.select(F.explode("labels").alias("label")).distinct().collect()
        carried = sorted(row.label for row in rows)
        for label in labels:
            if label not in carried and not label_was_known(context.tables, self.name, label):
                there = f"there are: {', '.join(carried)}" if carried else "none has any; leave out --label"
                raise InputError(f"no sample of gallery {self.name!r} has the label {label!r}; {there}")


def _every_sample(context: Context) -> DataFrame:
    """The rows of `gallery`, those of withdrawn samples as well; none where all photos were refused so far.

    Raises:
        InputError: nothing has been enrolled yet.
    """
    if not context.tables.exists("gallery") and context.tables.exists("enrollments"):
        return context.tables.read_or_empty("gallery")
    return context.tables.read_fixed("gallery")


def _one_of(names: list[str], name: str | None) -> str:
    """The gallery that is meant."""
    if name is None and len(names) > 1:
        raise InputError(f"there are several galleries; say --gallery-name {' or '.join(map(quote, names))}")
    if not names:
        raise InputError("nobody has been enrolled in a gallery yet; run `rollcall enroll` first")
    if name is not None and name not in names:
        raise InputError(f"there is no gallery {name!r}; there are: {', '.join(names)}")
    return name or names[0]


def _in_force(context: Context, name: str, contracts: set[str], every: DataFrame) -> str:
    """The contract a gallery is searched under: the only one it has samples of, else the activated one.

    The activated one as well where its last sample has been withdrawn: those who were taken out are not to be found by
    samples that they still have under another contract.

    contracts: those it has samples of; or where it has none, those it ever had.
    """
    chosen = activated(context) if len(contracts) > 1 or context.tables.exists("activations") else None
    if chosen is not None:
        under_it = (F.col("gallery_name") == name) & (F.col("contract_id") == chosen)
        if chosen in contracts or not every.where(under_it).isEmpty():
            return chosen
    if len(contracts) == 1:
        return next(iter(contracts))
    raise InputError(
        f"gallery {name!r} holds samples of several contracts, which cannot be compared:"
        f" {', '.join(sorted(contracts))}; choose one: rollcall activate CONTRACT"
    )


def searched(samples: DataFrame, run_date: date, labels: Sequence[str]) -> DataFrame:
    """The samples that are valid on a date, and carry one of the labels where any are named."""
    day = F.lit(run_date)
    valid = F.coalesce(F.col("valid_from") <= day, F.lit(True)) & F.coalesce(F.col("valid_to") >= day, F.lit(True))
    wanted = F.arrays_overlap("labels", F.array(*map(F.lit, labels))) if labels else F.lit(True)
    return samples.where(valid & wanted)


@dataclass(frozen=True)
class SamplesDigest:
    """A digest of samples, whatever their order and partitions; how many there are, and of how many persons; and
    whether one of them is valid from or to some date only, if that is in the digest.
    """

    digest: str
    samples: int
    persons: int
    bounded: bool


_NO_SAMPLES = SamplesDigest(stable_id("samples"), 0, 0, bounded=False)


def digest_of(samples: DataFrame, *columns: str) -> SamplesDigest:
    """The digest of some columns of samples. No two samples may be alike in them."""
    return digests_of(samples.groupBy(), *columns)[()]


def digests_of(samples: GroupedData, *columns: str) -> dict[tuple[Any, ...], SamplesDigest]:
    """The digests of groups of samples, by what they are grouped by, in one pass.

    SHA-256 a sample, joined by exclusive or in four lanes. No two samples are alike, so none cancels another.
    """
    said = F.to_json(F.struct(*[_canonical(name) for name in columns]), {"ignoreNullFields": "false"})
    sha = F.sha2(said, 256)
    lanes: list[Column] = [
        F.bit_xor(F.conv(F.substring(sha, 1 + 15 * at, 15), 16, 10).cast("bigint")) for at in range(4)
    ]
    is_bounded = F.col("valid_from").isNotNull() | F.col("valid_to").isNotNull()
    bounded = F.bool_or(is_bounded) if "valid_from" in columns else F.lit(False)
    found = {}
    for row in samples.agg(F.count("*"), *lanes, F.count_distinct("person_id"), bounded).collect():
        *group, count, one, two, three, four, persons, some_bounded = row
        digest = stable_id("samples", *[str(value) for value in (count, one, two, three, four)])
        found[tuple(group)] = SamplesDigest(digest, count, persons, bool(some_bounded))
    return found


def _canonical(name: str) -> Column:
    return F.array_sort(name).alias(name) if name == "labels" else F.col(name)
