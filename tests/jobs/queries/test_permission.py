"""What only reads is allowed; all else is refused, however it is written."""

import pytest
from pyspark.errors import ParseException
from pyspark.sql import SparkSession

from jobs.queries.permission import refuse_writes
from schemas.catalog import TABLES
from udfs.errors import InputError

READS = """
SELECT 1
/* DROP TABLE t */ SELECT 'DROP TABLE t' -- INSERT
SELECT a, count(*) FROM t JOIN u USING (id) WHERE a IN (SELECT b FROM v) GROUP BY a HAVING count(*) > 1 LIMIT 3 OFFSET 1
WITH c AS (SELECT 1) SELECT * FROM c
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r
VALUES (1, 2)
TABLE t
FROM t SELECT a
FROM t |> WHERE a > 1 |> AGGREGATE count(*) GROUP BY b
(SELECT 1) UNION ALL (SELECT 2) EXCEPT SELECT 3 INTERSECT SELECT 4
SELECT * FROM t VERSION AS OF 3
SELECT * FROM t TABLESAMPLE (10 PERCENT)
SELECT * FROM t PIVOT (sum(a) FOR b IN (1, 2))
SELECT * FROM t UNPIVOT (a FOR b IN (x, y))
SELECT x FROM t LATERAL VIEW explode(y) AS z
SELECT * FROM t, LATERAL (SELECT 1)
SELECT /*+ BROADCAST(t) */ DISTINCT transform(xs, x -> x + 1) FROM t JOIN u USING (id) ORDER BY 1
SELECT a, row_number() OVER w FROM t WINDOW w AS (ORDER BY a)
SELECT * FROM t QUALIFY row_number() OVER (ORDER BY a) = 1
SELECT * FROM range(10) AS r(x)
SELECT * FROM (VALUES (1), (2)) AS v(x)
SELECT * FROM delta.`/a/b`
SELECT a FROM t DISTRIBUTE BY a SORT BY a
SHOW TABLES
SHOW VIEWS
SHOW COLUMNS IN t
SHOW TBLPROPERTIES t
SHOW CREATE TABLE t
SHOW DATABASES
SHOW FUNCTIONS
DESCRIBE t
DESCRIBE EXTENDED t
DESCRIBE t a
DESCRIBE HISTORY t
DESCRIBE DETAIL t
DESCRIBE FUNCTION abs
EXPLAIN SELECT 1
EXPLAIN EXTENDED WITH c AS (SELECT 1) SELECT * FROM c
SET spark.sql.shuffle.partitions=3
SET TIME ZONE 'UTC'
RESET spark.sql.shuffle.partitions
DECLARE x INT DEFAULT 1
SET VAR x = 1
USE d
CREATE TEMPORARY VIEW v AS SELECT 1
CREATE OR REPLACE TEMP VIEW v AS WITH c AS (SELECT 1) SELECT * FROM c
CACHE TABLE t
CACHE LAZY TABLE c AS SELECT 1
UNCACHE TABLE t
CLEAR CACHE
"""
WRITES = """
INSERT INTO t VALUES (1)
-- SELECT 1 /* INSERT
/* SELECT */ insert into t select 1
INSERT OVERWRITE t SELECT 1
INSERT INTO t WITH c AS (SELECT 1) SELECT * FROM c
WITH c AS (SELECT 1) INSERT INTO t SELECT * FROM c
FROM t INSERT INTO u SELECT a INSERT INTO v SELECT b
FROM t INSERT INTO u SELECT a
INSERT INTO identifier('t') SELECT 1
INSERT INTO delta.`/x` SELECT 1
INSERT OVERWRITE DIRECTORY '/tmp/x' USING parquet SELECT 1
INSERT OVERWRITE LOCAL DIRECTORY '/tmp/x' USING csv SELECT 1
UPDATE t SET a = 1
UPDATE delta.`/x` SET a = 1
DELETE FROM t
MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE
WITH c AS (SELECT 1) MERGE INTO t USING c ON true WHEN MATCHED THEN DELETE
EXPLAIN INSERT INTO t SELECT 1
EXPLAIN EXTENDED DROP TABLE t
DROP TABLE t
DROP VIEW v
DROP TABLE identifier('t')
DROP DATABASE d CASCADE
ALTER TABLE t ADD COLUMNS (a int)
ALTER TABLE t DROP FEATURE deletionVectors
CREATE TABLE t (a int) USING delta
CREATE TABLE t AS SELECT 1
CREATE OR REPLACE TABLE t AS SELECT 1
CREATE TABLE t SHALLOW CLONE u
CREATE VIEW v AS SELECT 1
CREATE OR REPLACE VIEW v AS SELECT 1
CREATE DATABASE d
CREATE FUNCTION f AS 'a.b.C'
CREATE TEMPORARY FUNCTION f AS 'a.b.C' USING JAR '/x.jar'
TRUNCATE TABLE t
OPTIMIZE t
OPTIMIZE delta.`/x` ZORDER BY (a)
VACUUM t
VACUUM delta.`/x` RETAIN 0 HOURS
RESTORE TABLE t TO VERSION AS OF 1
REORG TABLE t APPLY (PURGE)
CONVERT TO DELTA parquet.`/x`
GENERATE symlink_format_manifest FOR TABLE t
REFRESH TABLE t
REFRESH '/x'
MSCK REPAIR TABLE t
LOAD DATA INPATH '/x' INTO TABLE t
ANALYZE TABLE t COMPUTE STATISTICS
COMMENT ON TABLE t IS 'x'
EXECUTE IMMEDIATE 'DROP TABLE t'
CALL p(1)
ADD JAR '/x.jar'
BEGIN DROP TABLE t; END
SELECT TRANSFORM(a) USING 'rm' FROM t
SELECT (SELECT TRANSFORM(a) USING /* */ 'rm' FROM t)
SELECT TRANSFORM(a) USING "rm" FROM t
WITH c AS (SELECT TRANSFORM(a) USING r'rm' FROM t) SELECT * FROM c
SELECT reflect('java.lang.System', 'exit', 1)
SELECT IDENTIFIER('reflect')('java.lang.System', 'exit', 1)
SELECT identifier ('ref' || 'lect')('java.lang.System', 'exit', 1)
SELECT * FROM t WHERE 1 = (SELECT `Java_Method`('java.lang.System', 'exit', 1))
SELECT system.builtin.try_reflect('a', 'b')
CREATE TEMPORARY VIEW v AS SELECT TRANSFORM(a) USING 'rm' FROM t
SELECT * FROM STREAM t
"""


def listed(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if not line.startswith("--")]


@pytest.mark.parametrize("statement", listed(READS))
def test_reading_is_allowed(spark: SparkSession, statement: str) -> None:
    refuse_writes(spark, statement)


@pytest.mark.parametrize("statement", listed(WRITES))
def test_all_else_is_refused(spark: SparkSession, statement: str) -> None:
    with pytest.raises(InputError, match=r"^refused, as it may change more than this session: .*; .* give --write$"):
        refuse_writes(spark, statement)


def test_examples_of_the_tables_are_allowed(spark: SparkSession) -> None:
    for table in TABLES.values():
        for _, query in table.examples:
            refuse_writes(spark, query)


def test_two_statements_are_not_one(spark: SparkSession) -> None:
    with pytest.raises(ParseException):
        refuse_writes(spark, "SELECT 1; DROP TABLE t")
