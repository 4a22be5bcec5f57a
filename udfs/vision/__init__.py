"""From image bytes to embeddings: decode, detect, align, embed, quality. Never Spark."""

import sys

# OpenVINO reports to its maker over the internet whenever it is imported, and Rollcall reaches out to nothing while
# it works. Python takes a module that is None here for one that is not installed; OpenVINO then reports nothing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
