"""How a picture is to be turned, and when it was taken, as its metadata says."""

from dataclasses import dataclass
from datetime import UTC, datetime

from PIL import ExifTags, Image

TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""
_TURNING = {5, 6, 7, 8}


@dataclass(frozen=True)
class Metadata:
    """orientation: 1 to 8, as EXIF has it. captured_at: None where it does not say."""

    orientation: int = 1
    captured_at: datetime | None = None

    @classmethod
    def of(cls, image: Image.Image) -> "Metadata":
        """What an image's EXIF says; nothing where it is damaged, as the pixels are judged on their own."""
        try:
            # Of a PNG Pillow's own would first decode the picture, to look for it behind the pixels (see `png_chunks`).
            exif = Image.Image.getexif(image)
            # The main directory's alone counts: that of the EXIF directory in it is there by mistake.
            orientation = exif.get(ExifTags.Base.Orientation, 1)
            of_camera = exif.get_ifd(ExifTags.IFD.Exif)
        except Exception:  # noqa: BLE001 - damaged metadata may raise anything
            return cls()
        return cls(orientation if orientation in TRANSPOSE else 1, _captured_at({**exif, **of_camera}))

    @property
    def turns(self) -> bool:
        """Whether the picture is another one once it is upright."""
        return self.orientation in TRANSPOSE

    def upright(self, image: Image.Image) -> Image.Image:
        """The picture as it was taken."""
        method = TRANSPOSE.get(self.orientation)
        return image if method is None else image.transpose(method)

    def upright_size(self, columns: int, rows: int) -> tuple[int, int]:
        """Width and height as it was taken, from those of the file."""
        return (rows, columns) if self.orientation in _TURNING else (columns, rows)


def _captured_at(exif: dict[int, object]) -> datetime | None:
    """When it was taken, else when it was changed last: in UTC where EXIF states the offset of that time, else its wall
    clock taken as UTC."""
    of = ExifTags.Base
    found = (
        _time(exif, *names) for names in ((of.DateTimeOriginal, of.OffsetTimeOriginal), (of.DateTime, of.OffsetTime))
    )
    return next((time for time in found if time is not None), None)


def _time(exif: dict[int, object], name: int, name_of_offset: int) -> datetime | None:
    try:
        taken = datetime.strptime(str(exif.get(name)).strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    offset = str(exif.get(name_of_offset, "")).strip("\0 ")
    try:
        zone = datetime.strptime(offset, "%z").tzinfo
    except ValueError:
        zone = None
    try:
        return taken.replace(tzinfo=zone or UTC).astimezone(UTC)
    except OverflowError:  # the first or the last day there is, in another zone
        return None
