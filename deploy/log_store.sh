#!/usr/bin/env bash
# Delta's log store for several writers on S3: compiles deploy/S3LogStore.java to dist/log-store.jar. Needs a JDK's javac.
set -euo pipefail
cd "$(dirname "$0")/.."

classes=$(mktemp --directory)
trap 'rm -rf "$classes"' EXIT
jars=$(.venv/bin/python -c '
from jobs.run.jars import kept_jars, spark_jars
from jobs.run.spark_properties import properties
print(":".join([*map(str, kept_jars(properties("local"))), str(spark_jars() / "*")]))')
javac -Werror -Xlint:all,-classfile,-path,-processing --release 17 -cp "$jars" -d "$classes" deploy/S3LogStore.java
mkdir -p dist
jar --create --file dist/log-store.jar -C "$classes" rollcall
