"""Thirty files nobody wishes for: thirty outcomes, and no job fails."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.embed import embed
from jobs.ingest import ingest
from tests.support import MakeContext
from udfs.lake import quoted


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and has no pixels to speak of."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.slow
def test_thirty_hostile_files(make_context: MakeContext, demo_photos: tuple[Path, Path], tmp_path: Path) -> None:
    face = Image.open(next(demo_photos[0].rglob("astronaut.png"))).convert("RGB").crop((100, 0, 356, 256))
    jpeg = encoded(face, "JPEG")
    grey16 = Image.fromarray(np.asarray(face.convert("L")).astype(np.uint16) << 8)
    files: dict[bytes, tuple[bytes, str]] = {
        b"empty.jpg": (b"", "rejected:empty"),
        b"truncated.jpg": (jpeg[: len(jpeg) // 2], "rejected:truncated"),
        b"truncated.png": (encoded(face, "PNG")[:5000], "rejected:truncated"),
        b"header_only.jpg": (jpeg[:20], "rejected:truncated"),
        b"dot.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), "rejected:too_small"),
        b"line.png": (encoded(Image.new("RGB", (20_000, 1)), "PNG"), "rejected:too_small"),
        b"strip.png": (encoded(Image.new("RGB", (20_000, 100)), "PNG"), "no_face"),
        b"cmyk.jpg": (encoded(face.convert("CMYK"), "JPEG"), "faces"),
        b"sixteen.png": (encoded(grey16, "PNG"), "faces"),
        b"palette.png": (encoded(face.quantize(64), "PNG"), "faces"),
        b"animated.gif": (encoded(face, "GIF", save_all=True, append_images=[Image.new("RGB", (256, 256))]), "faces"),
        b"bomb.png": (png_header(50_000, 50_000), "rejected:too_large"),
        b"photo.jxl": (b"\xff\x0a" + bytes(99), "rejected:unsupported_format"),
        b"really_a_png.jpg": (encoded(face, "PNG"), "faces"),
        b"text.jpg": (b"just words", "rejected:not_an_image"),
        b"zeros.jpg": (b"\0" * 4096, "rejected:not_an_image"),
        b"no_suffix": (jpeg, "faces"),
        b"_begins_with_underscore.jpg": (jpeg, "faces"),
        b".begins_with_dot.jpg": (jpeg, "faces"),
        b"with space.jpg": (jpeg, "faces"),
        b"with'quotes\".jpg": (jpeg, "faces"),
        b"with:colon.jpg": (jpeg, "faces"),
        b"[1].jpg": (jpeg, "faces"),
        b"ha#sh.jpg": (jpeg, "faces"),
        b"per%20cent.jpg": (jpeg, "faces"),
        "\N{GRINNING FACE}.jpg".encode(): (jpeg, "faces"),
        b"new\nline.jpg": (jpeg, "faces"),
        b"\xff\xfe not utf-8.jpg": (jpeg, "faces"),
    }
    folder = tmp_path / "lake"
    folder.mkdir()
    for name, (content, _) in files.items():
        (folder / os.fsdecode(name)).write_bytes(content)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "leads_nowhere.jpg").symlink_to("/nowhere")

    context = make_context()
    assert ingest(context, source=str(folder))["new"] == 30
    embed(context, all_pending=True)

    outcomes = context.tables.read("image_outcomes").join(context.tables.read("images"), ["image_id", "run_date"])
    found = {row.uri: row.outcome for row in outcomes.select("uri", "outcome").collect()}
    wanted = {quoted(os.fsdecode(name)): outcome for name, (_, outcome) in files.items()}
    wanted |= {"pipe.jpg": "rejected:not_an_image", "leads_nowhere.jpg": "rejected:gone"}
    assert found == {f"file://{folder}/{name}": outcome for name, outcome in wanted.items()}
    assert len(found) == 30
    one_jpeg = {
        f"file://{folder}/{quoted(os.fsdecode(name))}" for name, (content, _) in files.items() if content is jpeg
    }
    faces = context.tables.read("faces").join(context.tables.read("images"), "image_id").collect()
    assert len({tuple(row.embedding) for row in faces if row.uri in one_jpeg}) == 1
