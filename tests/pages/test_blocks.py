import io
import re

from PIL import Image

from pages.blocks import blocks


def test_two_pixels_are_one_character() -> None:
    picture = Image.new("RGB", (64, 64), (200, 0, 0))
    picture.paste((0, 0, 200), (0, 32, 64, 64))
    encoded = io.BytesIO()
    picture.save(encoded, "PNG")
    lines = blocks(encoded.getvalue(), columns=16).split("\n")
    assert len(lines) == 8
    assert all(line.count("\u2580") == 16 and line.endswith("\x1b[0m") for line in lines)
    assert set(re.findall(r"38;2;(\d+);\d+;(\d+)m", lines[0])) == {("200", "0")}
    assert set(re.findall(r"48;2;(\d+);\d+;(\d+)m", lines[7])) == {("0", "200")}
