#!/usr/bin/env bash
# Tells Spark which GPUs this machine has: {"name": "gpu", "addresses": ["0", "1"]}.
# Named by spark.worker.resource.gpu.discoveryScript and spark.executor.resource.gpu.discoveryScript; Spark runs it.
set -euo pipefail
indexes=$(nvidia-smi --query-gpu=index --format=csv,noheader)
addresses=$(sed 's/.*/"&"/' <<<"$indexes" | paste -sd,)
echo "{\"name\": \"gpu\", \"addresses\": [$addresses]}"
