#!/usr/bin/env bash
# What executors need if Rollcall is not installed there, in dist/:
#   environment.tar.gz   Python's packages and Rollcall; the interpreter itself must be on each machine, at the same path
#   weights.tar.gz       the weights of the named models, as ROLLCALL_CACHE
#   rollcall.zip         Rollcall alone, for --py-files: for machines that have the packages, but another Rollcall
# Usage: deploy/dist.sh MODELS...      PYTHON names the interpreter
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf build dist/environment* dist/weights* dist/rollcall.zip
mkdir -p dist/weights
.venv/bin/rollcall weights fetch "$@" | xargs --delimiter '\n' cp --target-directory dist/weights
tar --create --gzip --file dist/weights.tar.gz --directory dist/weights .

"${PYTHON:-python3}" -m venv dist/environment
dist/environment/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt .
site=$(dist/environment/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
(cd "$site" && python3 -m zipfile --create "$OLDPWD/dist/rollcall.zip" jobs udfs schemas evaluation training pages conf)

# Left out: Triton, which compiles kernels for torch.compile (not used here); Spark's jars, which a cluster has; pip.
tar --create --use-compress-program "gzip --fast" --file dist/environment.tar.gz --directory dist/environment \
    --exclude '*/site-packages/triton' --exclude '*/pyspark/jars' --exclude '*/site-packages/pip' .

echo "the largest of the environment:"
du --summarize --human-readable "$site"/* | sort --human-numeric-sort --reverse | head -8
rm -rf dist/environment dist/weights
ls --size --human-readable -1 dist
