"""What an ONNX file says of its network, and whether that can be an embedder: without running it.

The format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (messages) and docs/IR.md there.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from udfs import lake
from udfs.errors import InputError
from udfs.vision.own import Layout

if TYPE_CHECKING:
    import onnx

LARGEST = 2**31 - 1
"""Bytes of the largest file that protobuf, the form of ONNX files, can have."""

_RANDOM = ("RandomNormal", "RandomUniform", "Multinomial", "Bernoulli")
_EXPORT = "export the network again, e.g. with torch.onnx.export"


def read_new(file: str) -> bytes:
    """The content of a file that is to be declared.

    Raises:
        InputError: it cannot be read, is too large (which is found out before it is read), or is cut off.
    """
    size = lake.find(lake.uri_of(file)).size
    if size > LARGEST:
        raise InputError(
            f"{file}: has {size / 1e9:.1f} GB, and an ONNX file can have 2 GB at most; take a smaller network, or"
            " store its weights as float16"
        )
    content = lake.read_anything(file)
    _refuse_damaged(content, file)
    return content


def layout_of(content: bytes, file: str, side: int) -> Layout:
    """Whether the network takes its channels first or last.

    side: pixels of the crops it is to see.

    Raises:
        InputError: not a network with crops of this size in, and one vector a crop out, all in one file.
    """
    model = _parsed(content, file)
    _refuse_newer(model, file)
    _refuse_elsewhere(model, file)
    _refuse_random(model, file)
    _refuse_outputs(model, file)
    return _layout(model, file, side)


def _refuse_damaged(content: bytes, file: str) -> None:
    """Walk over the fields of the outermost message: each is a tag, and a value whose length is known before it."""
    from onnx import ModelProto

    known = {field.number for field in ModelProto.DESCRIPTOR.fields}
    at, fields = 0, set()
    while at < len(content):
        tag, at = _varint(content, at, file)
        kind = tag & 7
        if tag >> 3 not in known:
            raise _no_onnx(file)
        if kind == 0:
            _, at = _varint(content, at, file)
        elif kind == 2:
            length, at = _varint(content, at, file)
            if length > len(content) - at:
                raise InputError(
                    f"{file}: one of its parts claims {length:,} bytes, and the file ends {len(content) - at:,} bytes"
                    " later; it is cut off or damaged: copy or download it again"
                )
            at += length
        else:  # no field of ONNX's has another kind
            raise _no_onnx(file)
        fields.add(tag >> 3)
    if 7 not in fields:  # the graph
        raise _no_onnx(file)


def _varint(content: bytes, at: int, file: str) -> tuple[int, int]:
    """A number in groups of seven bits, and where it ends."""
    value = 0
    for position in range(10):
        if at + position >= len(content):
            break
        byte = content[at + position]
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return value, at + position + 1
    raise _no_onnx(file)


def _no_onnx(file: str) -> InputError:
    return InputError(f"{file}: not an ONNX file, or a damaged one; {_EXPORT}, or copy it again")


def _parsed(content: bytes, file: str) -> "onnx.ModelProto":
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return onnx.load_model_from_string(content)
    except DecodeError as error:
        raise _no_onnx(file) from error


def _refuse_newer(model: "onnx.ModelProto", file: str) -> None:
    """OpenVINO takes operators of a version it does not know for those of the newest that it does."""
    from onnx import IR_VERSION, defs

    known = defs.onnx_opset_version()
    for used in model.opset_import:
        if used.domain in ("", "ai.onnx") and used.version > known:
            raise InputError(
                f"{file}: uses version {used.version} of ONNX's operators (opset), and up to {known} are known here;"
                " export it with opset_version=17"
            )
    if model.ir_version > IR_VERSION:
        raise InputError(
            f"{file}: has version {model.ir_version} of ONNX's file format (IR), and up to {IR_VERSION} are known here;"
            " export it with an older release of the exporter, or upgrade Rollcall"
        )


def _refuse_elsewhere(model: "onnx.ModelProto", file: str) -> None:
    from onnx.external_data_helper import uses_external_data

    for tensor in _tensors(model.graph):
        if uses_external_data(tensor):
            elsewhere = {entry.key: entry.value for entry in tensor.external_data}.get("location", "another file")
            raise InputError(
                f"{file}: its weights are in another file ({elsewhere}), and must be in the same; join them:"
                f" python -c \"import onnx; onnx.save(onnx.load('{file}'), 'whole.onnx')\""
            )


def _refuse_random(model: "onnx.ModelProto", file: str) -> None:
    for node in _nodes(model.graph):
        if node.op_type.startswith(_RANDOM):
            raise InputError(
                f"{file}: draws random numbers ({node.op_type}), so its vectors differ from run to run; export it in"
                " evaluation mode (module.eval() in torch)"
            )
        # Since opset 12 dropout is active only where its third input, training_mode, is true.
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            raise InputError(
                f"{file}: was exported in training mode (its dropout is active); export it in evaluation mode"
                " (module.eval() in torch)"
            )


def _refuse_outputs(model: "onnx.ModelProto", file: str) -> None:
    outputs = [output.name for output in model.graph.output]
    given = model.graph.input[0].name if model.graph.input else "INPUT"
    if len(outputs) != 1:
        raise InputError(
            f"{file}: has {len(outputs)} outputs ({', '.join(outputs)[:100]}), as detectors have, and an embedder has"
            ' one, the vector; keep that alone: python -c "import onnx.utils;'
            f" onnx.utils.extract_model('{file}', 'one.onnx', ['{given}'], ['OUTPUT'])\""
        )
    last = next((node for node in reversed(model.graph.node) if outputs[0] in node.output), None)
    if last is not None and last.op_type in ("Softmax", "LogSoftmax", "Hardmax", "ArgMax"):
        raise InputError(classifier(file, f"its last operator is {last.op_type}"))


def classifier(file: str, because: str) -> str:
    """What to say of a network that gives classes."""
    return (
        f"{file}: a classifier and not an embedder ({because}); export the layer before its classes, whose output is"
        " the embedding"
    )


def _layout(model: "onnx.ModelProto", file: str, side: int) -> Layout:
    from onnx import TensorProto

    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [given for given in model.graph.input if given.name not in weights]
    if len(inputs) != 1:
        raise InputError(f"{file}: has {len(inputs)} inputs, and an embedder has one, the crops; {_EXPORT}")
    kind = inputs[0].type.tensor_type
    if kind.elem_type not in (TensorProto.FLOAT, TensorProto.FLOAT16):
        name = TensorProto.DataType.Name(kind.elem_type)
        raise InputError(f"{file}: takes {name}, and must take FLOAT or FLOAT16; {_EXPORT}, with such an input")
    shape = [size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim]
    shown = " x ".join("?" if size is None else str(size) for size in shape)
    layouts: dict[Layout, int] = {"nchw": 1, "nhwc": 3}
    found = [layout for layout, at in layouts.items() if len(shape) == 4 and shape[at] == 3]
    if not found:
        raise InputError(
            f"{file}: takes {shown or 'no tensor'}, and must take batch x 3 x height x width, or batch x height x width"
            f" x 3 (colours); {_EXPORT}, with such an input"
        )
    height, width = shape[2:] if found[0] == "nchw" else shape[1:3]
    if height is not None and width is not None and height != width:
        raise InputError(
            f"{file}: takes pictures of {width} x {height} pixels, and crops are square; take another model"
        )
    if any(size not in (None, side) for size in (height, width)):
        raise InputError(
            f"{file}: takes pictures of {height or width} pixels, not of {side}; add --side {height or width}"
        )
    return found[0]


def _nodes(graph: "onnx.GraphProto") -> "Iterator[onnx.NodeProto]":
    """Those of the graph and of the graphs inside it (branches and loops)."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def _tensors(graph: "onnx.GraphProto") -> "Iterator[onnx.TensorProto]":
    """The weights and constants of the graph and of the graphs inside it."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)
