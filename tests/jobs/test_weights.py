"""`rollcall weights` as a person meets it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.weights import command
from udfs.errors import InputError


def test_weights_inside_a_package_have_no_path(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(command, ["verify", "mtcnn"], catch_exceptions=False).output == "mtcnn: digest matches\n"
    for path in (str(tmp_path / "nothing"), ""):
        with pytest.raises(InputError, match=r"inside facenet-pytorch.*leave out --path"):
            run(command, ["verify", "mtcnn", "--path", path], catch_exceptions=False)


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "bad.dat").write_bytes(b"words")
    with pytest.raises(InputError, match=r"bad.dat: not a weights file"):
        CliRunner().invoke(
            command, ["verify", "dlib-resnet-v1", "--path", str(tmp_path / "bad.dat")], catch_exceptions=False
        )
    with pytest.raises(InputError, match="no model is called 'arcface'"):
        CliRunner().invoke(command, ["verify", "arcface", "--path", "x"], catch_exceptions=False)
