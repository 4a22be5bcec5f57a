import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

_USE = """
import sys
from udfs.vision.runtime import cpu_precisions
cpu_precisions()
loaded = [name for name, module in sys.modules.items() if name.startswith("openvino_telemetry") and module is not None]
print(*loaded)
"""


def test_openvino_is_loaded_without_its_telemetry() -> None:
    done = subprocess.run([sys.executable, "-c", _USE], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
