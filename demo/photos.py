"""A small lake and a small gallery, from photos that packages carry.

Nothing of them is kept in the repository: portraits of public figures from the source distribution of
`face_recognition`, an astronaut and pictures without faces from `scikit-image`, an admiral from `matplotlib`.
"""

import io
import secrets
import shutil
from pathlib import Path

from PIL import Image

from udfs.downloads import sdist_files, wheel_files

RUN_DATE = "2026-01-31"

_PORTRAITS = [
    f"tests/test_images/{name}"
    for name in (
        "obama.jpg",
        "obama2.jpg",
        "obama3.jpg",
        "obama_partial_face.jpg",
        "obama_partial_face2.jpg",
        "biden.jpg",
        "32bit.png",
    )
]
_PICTURES = [f"skimage/data/{name}" for name in ("astronaut.png", "coffee.png", "rocket.jpg")]
_ADMIRAL = "matplotlib/mpl-data/sample_data/grace_hopper.jpg"


def prepare(folder: Path) -> tuple[Path, Path]:
    """Write `lake/RUN_DATE/` and `people/PERSON/` below `folder`, once; returns both folders.

    Raises:
        InputError: a package cannot be fetched.
    """
    lake, people = folder / "lake", folder / "people"
    if lake.exists():
        return lake, people
    found = {
        **sdist_files("face_recognition", "1.3.0", _PORTRAITS),
        **wheel_files("scikit-image", "0.26.0", _PICTURES),
        **wheel_files("matplotlib", "3.10.7", [_ADMIRAL]),
    }
    photo = {path.rpartition("/")[2]: content for path, content in found.items()}
    _write(
        people,
        {
            "barack_obama/portrait.jpg": photo["obama.jpg"],
            "barack_obama/blue_room.jpg": photo["obama3.jpg"],
            "joe_biden/portrait.jpg": photo["biden.jpg"],
            "grace_hopper/portrait.jpg": photo["grace_hopper.jpg"],
        },
    )
    # The lake appears whole, or not at all, also where another process makes it at the same time.
    partial = folder / f"lake.{secrets.token_hex(8)}"
    _write(
        partial / RUN_DATE,
        {
            "speech.jpg": photo["obama2.jpg"],
            "speech_32bit.png": photo["32bit.png"],
            "edge_left.jpg": photo["obama_partial_face.jpg"],
            "edge_right.jpg": photo["obama_partial_face2.jpg"],
            "astronaut.png": photo["astronaut.png"],
            "group.jpg": _side_by_side([photo[name] for name in ("obama2.jpg", "astronaut.png", "biden.jpg")]),
            "lying_on_its_side.jpg": _turned(photo["grace_hopper.jpg"]),
            "coffee.png": photo["coffee.png"],
            "rocket.jpg": photo["rocket.jpg"],
            "cut_off.jpg": photo["obama2.jpg"][: len(photo["obama2.jpg"]) // 2],
            "notes.jpg": b"Remember to label the photos.\n",
            ".empty": b"",
        },
    )
    try:
        partial.rename(lake)
    except OSError:
        if not lake.exists():
            raise
        shutil.rmtree(partial)  # the other one was faster
    return lake, people


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _side_by_side(contents: list[bytes], height: int = 600) -> bytes:
    pictures = [Image.open(io.BytesIO(content)).convert("RGB") for content in contents]
    pictures = [picture.resize((picture.width * height // picture.height, height)) for picture in pictures]
    group = Image.new("RGB", (sum(picture.width for picture in pictures), height))
    left = 0
    for picture in pictures:
        group.paste(picture, (left, 0))
        left += picture.width
    return _jpeg(group)


def _turned(content: bytes) -> bytes:
    """Stored on its side, with the EXIF note that says so: as a phone held upright writes it."""
    picture = Image.open(io.BytesIO(content)).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    return _jpeg(picture, exif)


def _jpeg(picture: Image.Image, exif: Image.Exif | None = None) -> bytes:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=92, exif=exif or Image.Exif())
    return content.getvalue()
