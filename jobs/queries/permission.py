"""Which statements only read. What is not known to read is refused, so that a kind of statement which a later Spark
brings is refused as well.
"""

import re
from typing import Any

from pyspark.sql import SparkSession

from jobs.queries.statements import without_contents
from udfs.errors import InputError

_QUERY = frozenset(
    [
        "Aggregate",
        "Distinct",
        "Except",
        "Filter",
        "Generate",
        "GlobalLimit",
        "Intersect",
        "Join",
        "LateralJoin",
        "LocalLimit",
        "LocalRelation",
        "Offset",
        "OneRowRelation",
        "PipeOperator",
        "Pivot",
        "Project",
        "RelationTimeTravel",
        "RepartitionByExpression",
        "Sample",
        "Sort",
        "SubqueryAlias",
        "Union",
        "UnresolvedHaving",
        "UnresolvedHint",
        "UnresolvedInlineTable",
        "UnresolvedQualify",
        "UnresolvedRelation",
        "UnresolvedSubqueryColumnAliases",
        "UnresolvedTVFAliases",
        "UnresolvedTableValuedFunction",
        "UnresolvedWith",
        "Unpivot",
        "WithWindowDefinition",
    ]
)
"""The parts of a query as Spark parses it: of SELECT, WITH, VALUES, FROM, TABLE."""
_ABOUT = frozenset(
    [
        "ShowCatalogsCommand",
        "ShowColumns",
        "ShowCreateTable",
        "ShowCurrentNamespaceCommand",
        "ShowFunctions",
        "ShowNamespacesCommand",
        "ShowPartitions",
        "ShowTableProperties",
        "ShowTables",
        "ShowViews",
        "DescribeColumn",
        "DescribeDeltaDetailCommand",
        "DescribeDeltaHistory",
        "DescribeFunction",
        "DescribeNamespace",
        "DescribeQueryCommand",
        "DescribeRelation",
    ]
)
"""SHOW and DESCRIBE."""
_OF_THE_SESSION = frozenset(
    [
        "CacheTable",
        "CacheTableAsSelect",
        "ClearCacheCommand$",
        "CreateTempViewUsing",
        "CreateVariable",
        "DropVariable",
        "ResetCommand",
        "SetCatalogAndNamespace",
        "SetCommand",
        "SetVariable",
        "UncacheTable",
    ]
)
"""What changes only this session: SET, USE, CACHE, DECLARE."""
_NAMES = frozenset(
    [
        "CurrentNamespace$",
        "UnresolvedFunctionName",
        "UnresolvedIdentifier",
        "UnresolvedNamespace",
        "UnresolvedTable",
        "UnresolvedTableOrView",
    ]
)
"""What such a statement is about."""
_READS = _QUERY | _ABOUT | _OF_THE_SESSION | _NAMES

# Inside a query, and yet they run any program and any method of Java; IDENTIFIER calls a function by a text.
_RUNS_PROGRAMS = re.compile(r"\busing\s*['\"]|\b(try_)?reflect\b|\bjava_method\b|\bidentifier\s*\(", re.IGNORECASE)


def refuse_writes(spark: SparkSession, statement: str) -> None:
    """Raise if a statement may do more than read tables and change this session.

    Raises:
        InputError: it may.
        ParseException: it is not one statement of Spark's SQL.
    """
    plan = spark._jsparkSession.sessionState().sqlParser().parsePlan(statement)
    if _RUNS_PROGRAMS.search(without_contents(statement)) or not _only_reads(plan):
        start = " ".join(without_contents(statement).split())
        start = start if len(start) <= 40 else f"{start[:40]}..."
        raise InputError(f"refused, as it may change more than this session: {start}; to allow it, give --write")


def _only_reads(plan: Any) -> bool:
    kind = plan.getClass().getName().rpartition(".")[2]
    if kind == "ExplainCommand":
        return _only_reads(plan.logicalPlan())
    allowed = "TempView" in plan.viewType().toString() if kind == "CreateViewCommand" else kind in _READS
    children = plan.children()
    return allowed and all(_only_reads(children.apply(place)) for place in range(children.length()))
