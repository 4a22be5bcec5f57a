"""Runs a network of one's own from its ONNX file: OpenVINO on a CPU, ONNX Runtime on a GPU. torch takes no part.

On a CPU nothing is kept from one process to the next, as with packaged models: OpenVINO sets FaceNet up from ONNX in
1.0 s, from its own files in 0.9 s, and each process reads the file anyway, to check its digest.
"""

from typing import TYPE_CHECKING

import numpy as np

from udfs.errors import InputError
from udfs.vision import known_answer, own_file
from udfs.vision.own import OnnxDeclaration
from udfs.vision.runtime import Network, on_cpu, refuse_absent_precision
from udfs.vision.spec import VisionSpec

if TYPE_CHECKING:
    import openvino

Array = np.ndarray

_CUDA = "CUDAExecutionProvider"


def onnx_network(own: OnnxDeclaration, spec: VisionSpec) -> Network:
    """The network of a declaration, from the declared file or the copy that `spec.weights` names.

    Raises:
        InputError: another file than was declared, an absent device or package, a precision or a batch that it does
            not compute in, or another answer than the known one.
    """
    content = own_file.read(own, dict(spec.weights).get(own.name))
    network = of_content(content, own, spec)
    known_answer.check(network, own, spec.batch_size)
    return network


def of_content(content: bytes, own: OnnxDeclaration, spec: VisionSpec) -> Network:
    """The network in the content of a file, whatever its digest and its answers.

    Raises:
        InputError: an absent device or package, a precision or a batch that it does not compute in.
    """
    if spec.device.startswith("cuda"):
        return _on_gpu(content, own, spec)
    return _on_cpu(content, own, spec)


def _on_cpu(content: bytes, own: OnnxDeclaration, spec: VisionSpec) -> Network:
    import openvino

    refuse_absent_precision(spec)
    try:
        model = openvino.Core().read_model(content)
    except RuntimeError as error:  # all that OpenVINO raises
        raise InputError(
            f"{own.name}: OpenVINO cannot read its file ({_reason(error)}); export it with ONNX's own operators, e.g."
            " with opset_version=17"
        ) from error
    _refuse_inputs(own, len(model.inputs))
    side = [own.side, own.side]
    try:
        model.reshape([spec.batch_size, 3, *side] if own.layout == "nchw" else [spec.batch_size, *side, 3])
        return on_cpu(_with_preprocessing(model, own), spec)
    except RuntimeError as error:
        raise InputError(
            f"{own.name}: OpenVINO cannot compute it on {spec.batch_size} crops of {own.side} pixels at once"
            f" ({_reason(error)}); its batch may be fixed: export it with a dynamic one (dynamic_axes in"
            " torch.onnx.export)"
        ) from error


def _with_preprocessing(model: "openvino.Model", own: OnnxDeclaration) -> "openvino.Model":
    """uint8 (n, side, side, 3), RGB, in; float32 out."""
    import openvino
    from openvino.preprocess import PrePostProcessor

    around = PrePostProcessor(model)
    given = around.input()
    given.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    given.model().set_layout(openvino.Layout(own.layout.upper()))
    given.preprocess().convert_element_type(openvino.Type.f32)
    if own.colour == "bgr":
        given.preprocess().reverse_channels()
    given.preprocess().mean(own.shift).scale(own.scale)
    around.output().tensor().set_element_type(openvino.Type.f32)
    return around.build()


def _refuse_inputs(own: OnnxDeclaration, count: int) -> None:
    if count != 1:
        raise InputError(f"{own.name}: its file has {count} inputs; export it with one, the image")


def _reason(error: Exception) -> str:
    """What OpenVINO found wrong, in one line. It lists operators behind dashes; places in its source are left out."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    listed = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    places = ("Exception from", "Check '", "While validating")
    told = listed or [line for line in lines if not line.startswith(places)] or lines
    return "; ".join(told)[:200]


def _on_gpu(content: bytes, own: OnnxDeclaration, spec: VisionSpec) -> Network:
    """ONNX Runtime computes in the precision of the file."""
    if spec.precision != "fp32":
        raise InputError(
            f"vision.precision is {spec.precision}, but on a GPU {own.name} is always computed in the precision of its"
            " own file; set vision.precision to fp32, whatever that is"
        )
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise InputError(
            f"on a GPU {own.name} needs ONNX Runtime, which is not installed here; run pip install"
            " 'onnxruntime-gpu[cuda,cudnn]', or set vision.device to cpu"
        ) from error
    device = int(spec.device.partition(":")[2] or 0)
    if _CUDA not in onnxruntime.get_available_providers():
        raise InputError(
            f"on a GPU {own.name} needs onnxruntime-gpu, and the onnxruntime that is installed here computes on CPUs"
            " only; replace it with onnxruntime-gpu, or set vision.device to cpu"
        )
    onnxruntime.preload_dlls()  # pip puts CUDA where nobody else looks for it
    try:
        session = onnxruntime.InferenceSession(content, providers=[(_CUDA, {"device_id": device, "use_tf32": 0})])
    except Exception as error:
        raise InputError(
            f"{own.name}: ONNX Runtime cannot read its file ({_reason(error)}); export it with ONNX's own operators,"
            " e.g. with opset_version=17"
        ) from error
    if _CUDA not in session.get_providers():  # it would go on, on the CPU
        raise InputError(
            "vision.device is cuda, and ONNX Runtime cannot use a GPU here; see its messages above, or set it to cpu"
        )
    _refuse_inputs(own, len(session.get_inputs()))
    (given,) = session.get_inputs()
    if isinstance(given.shape[0], int) and given.shape[0] != spec.batch_size:
        raise InputError(
            f"{own.name}: its file fixes the batch at {given.shape[0]}, and vision.batch_size is {spec.batch_size}; on"
            f" a GPU the two must be the same: set vision.batch_size to {given.shape[0]}, or export it with a dynamic"
            " batch"
        )
    kind = np.float16 if given.type == "tensor(float16)" else np.float32

    def run(pixels: Array) -> list[Array]:
        outputs = session.run(None, {given.name: _seen(pixels, own).astype(kind)})
        return [np.asarray(output, np.float32) for output in outputs]

    return run


def _seen(pixels: Array, own: OnnxDeclaration) -> Array:
    """What the network sees of crops: uint8 (n, side, side, 3) -> float32, in its layout."""
    ordered = pixels[..., ::-1] if own.colour == "bgr" else pixels
    seen = (ordered.astype(np.float32) - np.float32(own.shift)) / np.float32(own.scale)
    return np.ascontiguousarray(seen.transpose(0, 3, 1, 2) if own.layout == "nchw" else seen)
