"""Lists of boxes, as people and WIDER FACE write them."""

from pathlib import Path

import pytest

from jobs.inputs.marked_faces import read_marked_photos
from jobs.run.context import Context
from tests.support import MakeContext
from udfs import lake
from udfs.errors import InputError


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    return make_context()


WIDER = """0--Parade/b.jpg
2
10 20 30 40 0 0 0 0 0 0
1 2 0 4 1 0 0 1 0 0
0--Parade/a b.jpg
0
0 0 0 0 0 0 0 0 0 0
"""


def test_a_table_and_the_list_of_wider_face_say_the_same(context: Context, tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(
        "image;x;y;w;h\n0--Parade/b.jpg;10;20;30.0;40\n0--Parade/a b.jpg;;;;\n0--Parade/b.jpg;1;2;0;4\n"
    )
    (tmp_path / "wider.txt").write_text(WIDER)
    (tmp_path / "table.txt").write_text(
        "image\tx\ty\tw\th\n0--Parade/b.jpg\t10\t20\t30\t40\n0--Parade/a b.jpg\t\t\t\t\n"
    )
    for name in ("boxes.csv", "wider.txt", "table.txt"):
        empty, marked = read_marked_photos(context, str(tmp_path / name), str(tmp_path))
        assert (empty.name, empty.boxes.shape) == ("0--Parade/a b.jpg", (0, 4))
        assert empty.uri == lake.uri_of(str(tmp_path / "0--Parade" / "a b.jpg"))
        assert marked.boxes.tolist() == [[10, 20, 40, 60]]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "image,x,y,w\na.jpg,1,2,3\n", "has no column h"),
        ("a.csv", "image,x,y,w,h\na.jpg,1,two,3,4\n", "line 2: y is 'two'; write pixels as a number"),
        ("a.csv", "image,x,y,w,h\na.jpg,1,nan,3,4\n", "line 2: y is 'nan'"),
        ("a.csv", "image,x,y,w,h\na.jpg,1,2,-3,4\n", "line 2: the box is -3 pixels wide and 4 high; write its size"),
        ("a.csv", "image,x,y,w,h\n,1,2,3,4\n", "line 2: image must not be empty"),
        ("a.csv", "image,x,y,w,h\n", "lists no photos; give a table with the columns image, x, y, w and h"),
        ("a.txt", "a.jpg\n3\n1 2 3 4\n", "line 2: '3' is not how many lines of faces follow"),
        ("a.txt", "a.jpg\n1\n1 2 3 x\n", "line 3: h is 'x'"),
        ("a.txt", "a.jpg\n1\n10,20,30,40\n", "line 3: '10,20,30,40' is no face; write x y w h, with spaces between"),
    ],
)
def test_what_is_wrong_is_named(context: Context, tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=said):
        read_marked_photos(context, str(tmp_path / name), str(tmp_path))


def test_no_list(context: Context, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"boxes.csv.*cannot be read"):
        read_marked_photos(context, str(tmp_path / "boxes.csv"), str(tmp_path))
