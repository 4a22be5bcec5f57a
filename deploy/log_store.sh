#!/usr/bin/env bash
# Delta's log store for several writers on S3: compiles deploy/S3LogStore.java to dist/log-store.jar. Needs a JDK's javac.
set -euo pipefail
cd "$(dirname "$0")/.."

classes=$(mktemp --directory)
trap 'rm -rf "$classes"' EXIT
jars=$(.venv/bin/python -c '
import pathlib, pyspark
from jobs.run.session import spark_session
delta = spark_session("log-store", "local[1]").conf.get("spark.jars").replace("file://", "").split(",")
print(":".join([*delta, str(pathlib.Path(pyspark.__file__).parent / "jars" / "*")]))')
javac -Werror -Xlint:all,-classfile,-path,-processing --release 17 -cp "$jars" -d "$classes" deploy/S3LogStore.java
mkdir -p dist
jar --create --file dist/log-store.jar -C "$classes" rollcall
