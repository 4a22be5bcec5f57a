"""Files of pictures: opened without a pixel being decoded, so that their size can be judged first."""

import io
import math
from abc import ABC, abstractmethod
from dataclasses import replace
from functools import cached_property

import numpy as np
import pillow_heif
from PIL import Image, ImageCms, UnidentifiedImageError

from udfs.vision import jpeg_pixels, png_chunks, tiff_pages
from udfs.vision.exif import Metadata
from udfs.vision.file_format import READABLE, kind, without_stray_bytes
from udfs.vision.pnm_pixels import Pnm
from udfs.vision.rejection import RejectedError
from udfs.vision.sample_range import eight_bits

Array = np.ndarray

# The size of every picture is checked before a pixel is decoded: Pillow's own limit is another number, and raises an
# exception of another family than its other errors.
Image.MAX_IMAGE_PIXELS = None
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

_EIGHT_BIT = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB"}
_MORE_BITS = {"I;16", "I;16L", "I;16B", "I;16N", "I", "F"}
_MOST_SCANS = 100
"""Of a progressive JPEG: cameras and programs write about ten, and each takes as long as all of a baseline JPEG."""

_DECODER_BYTES = {"WEBP": 16, "JPEG2000": 16, "AVIF": 6, "HEIF": 4}
"""What decoders hold of each pixel besides the picture, as measured; of WebP, those that are animated."""
_ONE_BYTE = {"1", "L", "P"}

_COUNTED_GIF = 8 << 20
"""Bytes of the largest GIF whose frames are counted: it does not say how many, and going through them takes a second
for each so many bytes."""

_TEXT_BYTES = 20
"""Held for each byte of numbers that are written as text."""


class PictureFile(ABC):
    """A picture that can be decoded. columns, rows: its size as it is stored."""

    columns: int
    rows: int
    metadata: Metadata
    reducible = False
    """Whether it can be decoded with fewer pixels."""

    @abstractmethod
    def memory(self, reduction: int) -> int:
        """The bytes that decoding takes, the picture included."""

    @abstractmethod
    def decoded(self, reduction: int) -> tuple[Image.Image, str]:
        """The picture in RGB, and what is to be said of it. One for each `reduction` x `reduction` pixels, where it is
        reducible.

        Raises:
            RejectedError: it is damaged. Damage may also raise anything else, here and in `opened`, which
                `udfs.vision.decode` takes for the same.
        """


def opened(content: bytes) -> PictureFile:
    """The picture in some bytes.

    Raises:
        RejectedError: `not_an_image`, `unsupported_format`, `unsupported_mode`, `raw`, `truncated`, or `too_large` (it
            would take too long).
    """
    content = without_stray_bytes(content)
    form = kind(content)
    if form is None:
        raise RejectedError("not_an_image", "it does not begin as a file of a picture does")
    if form not in READABLE:
        raise RejectedError("unsupported_format", f"{form} cannot be read; save it as JPEG, PNG or TIFF")
    if form == "TIFF":
        return _of_tiff(content)
    if form == "PNG":
        content = png_chunks.essential(content)
        if content[24:25] == b"\x10":
            return _DeepPng(content, png_chunks.significant_bits(content))
    if form == "PPM" and (pnm := Pnm.opened(content)) is not None:
        return _Pnm(pnm)
    image = _by_pillow(content, form)
    if form == "WEBP" and getattr(image, "n_frames", 1) == 1:
        return _StillWebp(content, image)
    return _Jpeg(content, image) if form == "JPEG" else _ByPillow(content, image)


def _of_tiff(content: bytes) -> PictureFile:
    found = tiff_pages.opened(content)
    if isinstance(found, tiff_pages.Preview):
        return _Preview(found)
    if isinstance(found, tiff_pages.Page):
        return _TiffPage(found, len(content))
    return _ByPillow(content, _by_pillow(content, "TIFF"), found.said)


def _by_pillow(content: bytes, form: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=READABLE)
    except UnidentifiedImageError as error:
        raise RejectedError("truncated", f"it begins as {form}, and its header is damaged or ends early") from error
    if image.mode not in _EIGHT_BIT | _MORE_BITS:
        raise RejectedError("unsupported_mode", f"colour mode {image.mode}")
    return image


class _ByPillow(PictureFile):
    """What Pillow decodes as a whole."""

    def __init__(self, content: bytes, image: Image.Image, said: str | None = None) -> None:
        self._content, self._image, self._said = content, image, said
        self.columns, self.rows = image.size

    @cached_property
    def metadata(self) -> Metadata:  # type: ignore[override]
        # A TIFF Pillow turns by itself, and names its size as it will be then.
        return replace(self._said_by_file, orientation=1) if self._image.format == "TIFF" else self._said_by_file

    @cached_property
    def _said_by_file(self) -> Metadata:
        return Metadata.of(self._image)

    def memory(self, reduction: int) -> int:
        # Pillow keeps a pixel of several channels in 4 bytes; what is not RGB is converted into a second picture.
        first = 0 if self._image.mode == "RGB" else 1 if self._image.mode in _ONE_BYTE else 4
        decoder = _DECODER_BYTES.get(self._image.format or "", 0)
        copies = 2 if self._image.format == "PNG" else 1  # see `png_chunks.essential`
        turned = 4 if self._said_by_file.turns and not self.metadata.turns else 0
        return copies * len(self._content) + (4 + max(first, turned) + decoder) * self.columns * self.rows

    def decoded(self, reduction: int) -> tuple[Image.Image, str]:
        image = self._image
        _ = self.metadata  # now, as the file of a TIFF is closed afterwards
        if self._said is None:
            self._said = _said_of_frames(image, len(self._content))
        image.load()
        return _rgb(image), self._said


class _Jpeg(PictureFile):
    """A JPEG, which its decoder can reduce."""

    reducible = True

    def __init__(self, content: bytes, image: Image.Image) -> None:
        self._content, self._image = content, image
        self.columns, self.rows = image.size
        self.metadata = Metadata.of(image)
        self._layers = getattr(image, "layer", [(1, 1, 1, 0)])
        self._progressive = jpeg_pixels.is_progressive(content)
        count = len(list(jpeg_pixels.scans(content))) if self._progressive else 1
        if count > _MOST_SCANS:
            raise RejectedError("too_large", f"it is progressive with {count} scans, more than {_MOST_SCANS}")

    def memory(self, reduction: int) -> int:
        columns, rows = self._size(reduction)
        channels = 4 if self._image.mode == "CMYK" else 3
        coefficients = 0
        if self._progressive:
            coefficients = math.ceil(2 * jpeg_pixels.coefficients(self._layers) * self.columns * self.rows)
        return len(self._content) + max((channels + 4) * columns * rows, channels * columns * rows + coefficients)

    def decoded(self, reduction: int) -> tuple[Image.Image, str]:
        columns, rows = self._size(reduction)
        pixels, said = jpeg_pixels.decoded(self._content, columns, rows, self._image.mode)
        return _rgb(Image.fromarray(pixels, "CMYK" if pixels.shape[2] == 4 else "RGB")), said

    def _size(self, reduction: int) -> tuple[int, int]:
        return math.ceil(self.columns / reduction), math.ceil(self.rows / reduction)


class _StillWebp(PictureFile):
    """A WebP of one frame, which Pillow would decode as an animation, in twice the memory."""

    def __init__(self, content: bytes, image: Image.Image) -> None:
        self._content = content
        self.columns, self.rows = image.size
        self.metadata = Metadata.of(image)
        self._bytes = 7 if image.mode == "RGB" else 11

    def memory(self, reduction: int) -> int:
        return len(self._content) + self._bytes * self.columns * self.rows

    def decoded(self, reduction: int) -> tuple[Image.Image, str]:
        import imagecodecs

        return of_channels(imagecodecs.webp_decode(self._content)[..., :3]), ""


class _DeepPng(PictureFile):
    """A PNG with samples of 16 bits, of which Pillow keeps the upper eight, whatever the file says."""

    def __init__(self, content: bytes, bits: int | None) -> None:
        self._content, self._bits = content, bits
        self.columns, self.rows = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        self._channels = {0: 1, 2: 3, 4: 2, 6: 4}.get(content[25], 0)
        if not self._channels:
            raise RejectedError("truncated", "a PNG with samples of 16 bits has no such colours")

    @cached_property
    def metadata(self) -> Metadata:  # type: ignore[override]
        try:
            return Metadata.of(Image.open(io.BytesIO(self._content), formats=["PNG"]))
        except Exception:  # noqa: BLE001 - as of `Metadata.of`: damage may raise anything, and the pixels are judged apart
            return Metadata()

    def memory(self, reduction: int) -> int:
        return 2 * len(self._content) + (5 * self._channels + 4) * self.columns * self.rows

    def decoded(self, reduction: int) -> tuple[Image.Image, str]:
        import imagecodecs

        samples = np.atleast_3d(imagecodecs.png_decode(self._content))
        return of_channels(eight_bits(samples[..., :3] if self._channels > 2 else samples[..., :1], self._bits)), ""


class _TiffPage(PictureFile):
    """A page of a TIFF that Pillow cannot read, or reads wrongly."""

    def __init__(self, page: tiff_pages.Page, size: int) -> None:
        self._page, self._size = page, size
        self.columns, self.rows = page.columns, page.rows
        self.metadata = Metadata(page.orientation, None)

    def memory(self, reduction: int) -> int:
        return self._size + self._page.memory + 4 * self.columns * self.rows

    def decoded(self, reduction: int) -> tuple[Image.Image, str]:
        return of_channels(self._page.pixels()), self._page.said


class _Pnm(PictureFile):
    """A file of Netpbm's that Pillow reads slowly, or not at all."""

    metadata = Metadata()

    def __init__(self, pnm: Pnm) -> None:
        self._pnm = pnm
        self.columns, self.rows = pnm.columns, pnm.rows

    def memory(self, reduction: int) -> int:
        samples = self._pnm.channels * self.columns * self.rows
        return len(self._pnm.content) * (_TEXT_BYTES if self._pnm.is_text else 1) + 7 * samples

    def decoded(self, reduction: int) -> tuple[Image.Image, str]:
        return of_channels(self._pnm.pixels()), ""


class _Preview(_Jpeg):
    """The JPEG in a camera's raw file."""

    def __init__(self, preview: tiff_pages.Preview) -> None:
        try:
            image = Image.open(io.BytesIO(preview.content), formats=["JPEG"])
        except UnidentifiedImageError as error:
            raise RejectedError("raw", "a camera's raw file whose preview is damaged; convert it to JPEG") from error
        super().__init__(preview.content, image)
        self.metadata = Metadata(preview.orientation, self.metadata.captured_at)

    def decoded(self, reduction: int) -> tuple[Image.Image, str]:
        image, said = super().decoded(reduction)
        return image, "; ".join(filter(None, ["the preview in a camera's raw file", said]))


def of_channels(pixels: Array) -> Image.Image:
    """uint8 (h, w, 1 or 3) as a picture in RGB."""
    return _rgb(Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))


def _said_of_frames(image: Image.Image, size: int) -> str:
    """That a file of so many bytes has other frames than the one that is seen."""
    if image.format == "GIF" and size > _COUNTED_GIF:
        return "frame 1 of several" if image.is_animated else ""  # type: ignore[attr-defined]
    frames = getattr(image, "n_frames", 1)
    return f"frame 1 of {frames}" if frames > 1 else ""


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode in _MORE_BITS:  # Pillow's own conversion clips at 255 instead of scaling
        image = Image.fromarray(eight_bits(np.asarray(image)))
    if image.mode == "LAB":
        to_rgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        converted = ImageCms.applyTransform(image, to_rgb)
        assert converted is not None
        return converted
    return image.convert("RGB")
