"""Functions of SQL over what the tables hold, written in SQL."""

from dataclasses import dataclass

from schemas.literals import quoted


@dataclass(frozen=True)
class Function:
    """One function. `parameters` have their types in Spark DDL; `body` is an expression of them."""

    name: str
    parameters: dict[str, str]
    returns: str
    comment: str
    body: str
    example: tuple[str, str]

    @property
    def signature(self) -> str:
        """Its name, its parameters with their types, and what it returns."""
        return f"{self.name}({self._typed}) -> {self.returns}"

    @property
    def _typed(self) -> str:
        return ", ".join(f"{name} {kind}" for name, kind in self.parameters.items())

    def create(self, called: str, *, temporary: bool) -> str:
        """The statement that makes it, under a name of the session or of a schema."""
        return (
            f"CREATE OR REPLACE {'TEMPORARY ' if temporary else ''}FUNCTION {called}({self._typed})"
            f" RETURNS {self.returns} COMMENT {quoted(self.comment)} RETURN {self.body}"
        )


FACE_SIMILARITY = Function(
    name="face_similarity",
    parameters={"one": "ARRAY<FLOAT>", "other": "ARRAY<FLOAT>"},
    returns="DOUBLE",
    comment="cosine of two embeddings of one contract, to the bit as identify has it; null if their lengths differ",
    # In index order and in double, as `udfs.search.similarity` defines it.
    body="aggregate(zip_with(one, other, (a, b) -> double(a) * double(b)), 0D, (total, product) -> total + product)",
    example=(
        "The unknown faces that are most alike, of one day",
        "SELECT a.face_id, b.face_id AS other_face_id, face_similarity(a.embedding, b.embedding) AS similarity"
        " FROM faces a JOIN faces b ON a.contract_id = b.contract_id AND a.face_id < b.face_id"
        " WHERE a.run_date = DATE'2026-01-31' AND b.run_date = DATE'2026-01-31'"
        " ORDER BY similarity DESC LIMIT 10",
    ),
)

FUNCTIONS = {function.name: function for function in (FACE_SIMILARITY,)}
