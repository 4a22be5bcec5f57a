"""The record of an investigation: who asked what, why, of what, and what was found."""

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.run import ledger
from jobs.run.context import Context
from jobs.run.wording import no_investigation
from schemas.catalog import INVESTIGATIONS
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.redaction import redacted
from udfs.vision.contract import settings_id


@dataclass(frozen=True)
class Investigation:
    """name: None where only the ledger is to know of the question."""

    name: str | None
    asked_by: str
    purpose: str
    case_id: str | None

    @classmethod
    def of(
        cls, context: Context, name: str | None, asked_by: str | None, purpose: str | None, case_id: str | None
    ) -> "Investigation":
        """What whoever asks has said.

        Raises:
            InputError: no purpose where the settings ask for one, or an investigation of this name that there is.
        """
        if context.settings.investigation.purpose_required and not (purpose or "").strip():
            raise InputError(
                "add --purpose TEXT to say what this is for: the setting investigation.purpose_required demands it"
            )
        if name is not None:
            if not name.strip():
                raise InputError("--investigation: the name is empty; give one, or leave the option out")
            known = context.tables.read_or_empty("investigations").where(F.col("investigation") == name).first()
            if known is not None:
                asked_at = f"{ledger.utc(known.asked_at):%Y-%m-%d %H:%M} UTC"
                raise InputError(
                    f"there is an investigation {name!r}, of {known.asked_by} at {asked_at}; give this one another name"
                )
        return cls(name, asked_by or user(), (purpose or "").strip(), case_id)

    def write(
        self,
        context: Context,
        run: ledger.Run,
        *,
        kind: str,
        question: dict[str, str],
        contract_id: str,
        searched: int,
        findings: DataFrame,
        count: int,
    ) -> None:
        """Write findings, then the investigation; nothing if it has no name. Findings without it, as a killed run
        leaves them, are of no investigation, and the name is still to be had.

        findings: columns of `findings` but investigation, contract_id and run_id; there are `count`.

        Raises:
            InputError: another run has made an investigation of this name meanwhile.
        """
        if self.name is None:
            return
        of_all = {"investigation": self.name, "contract_id": contract_id, "run_id": run.run_id}
        context.tables.append(
            "findings", findings.select("*", *[F.lit(value).alias(name) for name, value in of_all.items()])
        )
        row = {
            **of_all,
            "kind": kind,
            "asked_by": self.asked_by,
            "purpose": self.purpose,
            "case_id": self.case_id,
            "asked_at": datetime.now(UTC),
            "question": question,
            "settings_id": settings_id(context.settings.spec()),
            "digests": run.digests,
            "searched": searched,
            "findings": count,
            "closed_at": None,
            "closed_by": None,
        }
        context.tables.append_new("investigations", local_frame(context.spark, [row], INVESTIGATIONS.schema))
        if recorded(context, self.name).run_id != run.run_id:
            raise InputError(
                f"another run has made an investigation {self.name!r} meanwhile; give this one another name"
            )


def recorded(context: Context, name: str) -> Row:
    """The investigation of a name.

    Raises:
        InputError: there is none.
    """
    table = context.tables.read_or_empty("investigations")
    row = table.where(F.col("investigation") == name).first()
    if row is None:
        raise InputError(no_investigation(name, table))
    return row


def user() -> str:
    """Who works on this machine.

    Raises:
        InputError: nobody has a name.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # as in a container, where the number of the user has no name
        raise InputError("add --by NAME: this machine has no name for the user who runs this") from error


_ABOUT = ("investigation", "purpose", "asked_by", "for_case", "form", "output", "numbered", "plan")
"""Arguments that say who asks and what is made of the answer, and not what is asked."""


def asked_of(context: Context) -> dict[str, str]:
    """The arguments of a job that say what is asked."""
    given = {name: value for name, value in context.arguments.items() if name not in _ABOUT}
    return {
        name: redacted(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
        for name, value in given.items()
        if not (value is None or value is False or value == ())
    }
