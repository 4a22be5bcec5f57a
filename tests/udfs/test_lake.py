import ast
import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote_from_bytes

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import fs

from tests.support import as_nobody, put_out_of_reach
from udfs import lake, retry
from udfs.errors import InputError, StoreError
from udfs.lake import File, ReadError
from udfs.template import Template

MEGABYTE = 1 << 20

names = st.binary(min_size=1, max_size=40).filter(lambda name: name not in (b".", b"..") and not set(name) & {0, 47})


def put(folder: Path, name: bytes, content: bytes = b"x") -> None:
    (folder / os.fsdecode(name)).write_bytes(content)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(names, min_size=1, max_size=5))
def test_every_name_is_listed_and_read_back(tmp_path_factory: pytest.TempPathFactory, found: set[bytes]) -> None:
    folder = tmp_path_factory.mktemp("lake")
    for name in found:
        put(folder, name, b"content of " + name)
    listed = {file.uri: file for file in lake.list_below(lake.uri_of(str(folder)))}
    assert set(listed) == {f"file://{folder}/" + quote_from_bytes(name, safe="") for name in found}
    for name in found:
        file = listed[f"file://{folder}/" + quote_from_bytes(name, safe="")]
        assert lake.read(file, MEGABYTE) == b"content of " + name


def test_hidden_empty_and_nested_files_are_listed(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    for name in (".hidden", "_SUCCESS", "deep/empty.jpg", "deep/deeper/x"):
        (tmp_path / name).touch()
    found = [file.uri.removeprefix(f"file://{tmp_path}/") for file in lake.list_below(f"file://{tmp_path}")]
    assert sorted(found) == sorted([".hidden", "_SUCCESS", "deep/empty.jpg", "deep/deeper/x"])


def test_one_directory_is_listed_in_order_and_its_halves_apart(tmp_path: Path) -> None:
    for name in ("b", "a b", "c"):
        (tmp_path / name).mkdir()
    for name in ("z.jpg", ".hidden", "c/deep.jpg"):
        (tmp_path / name).touch()
    root = f"file://{tmp_path}"
    listing = lake.list_directory(root)
    assert listing.directories == lake.directories_in(root) == [f"{root}/a%20b", f"{root}/b", f"{root}/c"]
    assert [file.uri for file in listing.files] == [f"{root}/.hidden", f"{root}/z.jpg"]
    assert sorted(lake.files_in(root), key=lambda file: file.uri) == listing.files
    one_file = f"{root}/z.jpg"
    assert (lake.directories_in(one_file), [file.uri for file in lake.files_in(one_file)]) == ([], [one_file])


@pytest.mark.parametrize("listed", [lake.list_directory, lake.directories_in, lambda uri: list(lake.files_in(uri))])
def test_a_directory_that_is_not_there(tmp_path: Path, listed: Callable[[str], object]) -> None:
    with pytest.raises(InputError, match="cannot be listed"):
        listed(f"file://{tmp_path}/missing")


def test_a_pipe_is_listed_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (pipe,) = lake.list_below(f"file://{tmp_path}")
    assert not pipe.regular
    with pytest.raises(ReadError, match="not_an_image"):
        lake.read(pipe, MEGABYTE)  # opening it would wait for ever


def test_a_file_that_became_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ReadError, match="changed"):
        lake.read(File(f"file://{tmp_path}/pipe.jpg", 3, 0), MEGABYTE)


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    file = File(f"file://{tmp_path}/a%00.jpg", 1, 0)
    assert lake.find(file.uri) == File(file.uri, 0, 0)
    with pytest.raises(ReadError, match=r"unreadable: .* NUL"):
        lake.read(file, MEGABYTE)


def test_a_link_that_leads_nowhere_is_gone(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("/nowhere")
    (link,) = lake.list_below(f"file://{tmp_path}")
    with pytest.raises(ReadError, match="gone"):
        lake.read(link, MEGABYTE)


def test_a_link_to_its_own_parent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(InputError, match="its own parent"):
        list(lake.list_below(f"file://{tmp_path}"))


def listed_and_passed_over(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the files below a folder, and why parts of it could not be listed."""
    root = f"file://{folder}"
    problems: list[str] = []
    found = lake.list_below(root, pass_over=lambda error: problems.append(str(error)))
    files = sorted(file.uri.removeprefix(f"{root}/") for file in found)
    return files, [problem.removeprefix(root) for problem in problems]


@pytest.mark.parametrize("target", [".", "..", "../deep", "../..", "/"])
def test_a_link_to_a_folder_it_is_in_is_passed_over(tmp_path: Path, target: str) -> None:
    folder = tmp_path / "lake" / "deep"
    folder.mkdir(parents=True)
    for name in ("a.jpg", "z.jpg"):
        (folder / name).touch()
    (folder / "loop").symlink_to(target)
    files, problems = listed_and_passed_over(folder)
    assert files == ["a.jpg", "z.jpg"]
    assert problems == ["/loop: a link leads back to its own parent; remove it, or name its target"]


def test_two_links_that_lead_to_each_other(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.jpg").touch()
        (tmp_path / name / "other").symlink_to(f"../{other}")
    files, problems = listed_and_passed_over(tmp_path)
    assert files == ["a/a.jpg", "a/other/b.jpg", "b/b.jpg", "b/other/a.jpg"]
    assert sorted(problem.partition(":")[0] for problem in problems) == ["/a/other/other", "/b/other/other"]


def test_folders_deeper_than_a_path_may_be(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    put_out_of_reach(tmp_path / "deep")
    (tmp_path / "late.jpg").touch()
    files, (problem,) = listed_and_passed_over(tmp_path)
    assert files == ["late.jpg"]
    assert "cannot be listed: File name too long; check the name" in problem


def test_a_file_whose_path_is_too_long(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    names = ["d" * 250] * ((4090 - len(os.fsencode(tmp_path))) // 251)
    for name in names:
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("f" * 255, os.O_CREAT, dir_fd=here))
    os.close(here)
    (file,) = lake.list_below(f"file://{tmp_path}")
    assert file == File(f"file://{tmp_path}/" + "/".join([*names, "f" * 255]), 0, 0)
    with pytest.raises(ReadError, match=r"unreadable: .*too long"):
        lake.read(file, MEGABYTE)


def test_folders_deeper_than_calls_may_be(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("a.jpg", os.O_CREAT, dir_fd=here))
    os.close(here)
    found = listed_and_passed_over(tmp_path)
    subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # which pytest could not: it calls itself for each
    assert found == (["d/" * 1500 + "a.jpg"], [])


def test_folders_that_may_not_be_read(tmp_path: Path) -> None:
    for name in ("closed/a.jpg", "names only/b.jpg", "names only/below/c.jpg", "open/d.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "closed").chmod(0)
    (tmp_path / "names only").chmod(0o444)
    files, problems = ast.literal_eval(as_nobody(lambda: listed_and_passed_over(tmp_path)))
    assert files == ["names%20only/b.jpg", "open/d.jpg"]  # what is named has its outcome: it may not be read
    assert [problem.split("; ")[0] for problem in problems] == [
        "/closed: cannot be listed: Permission denied",
        "/names%20only/below: cannot be listed: Permission denied",
    ]


@pytest.mark.parametrize("becomes", ["nothing", "a file"])
def test_a_folder_that_goes_between_its_listing_and_a_look_at_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, becomes: str
) -> None:
    for name in ("going/a.jpg", "staying/b.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    look = lake._local_file

    def too_late(path: bytes) -> File:
        if b"going" in path and (tmp_path / "going").is_dir():
            shutil.rmtree(tmp_path / "going")
            if becomes == "a file":
                (tmp_path / "going").touch()
        return look(path)

    monkeypatch.setattr(lake, "_local_file", too_late)
    assert listed_and_passed_over(tmp_path) == (["staying/b.jpg"], [])


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    for name, target in (("there", "here"), ("lost", "nowhere"), ("itself", "itself")):
        (tmp_path / name).symlink_to(target)
    found = {name: lake.leads_nowhere(f"file://{tmp_path}/{name}") for name in ("here", "there", "lost", "itself")}
    assert found == {"here": False, "there": False, "lost": True, "itself": True}


def test_a_link_to_itself_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("a.jpg")
    (link,) = lake.list_below(f"file://{tmp_path}")
    assert link.uri == f"file://{tmp_path}/a.jpg"
    with pytest.raises(ReadError, match=r"unreadable: .*symbolic links"):
        lake.read(link, MEGABYTE)


def test_what_goes_while_it_is_listed_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "b.jpg").touch()
    (tmp_path / "folder").mkdir()
    scandir = os.scandir

    @contextmanager
    def then_remove(path: bytes) -> Iterator[list[os.DirEntry[bytes]]]:
        with scandir(path) as entries:
            found = list(entries)
        for entry in found:
            entry.is_dir()  # what a scan of most file systems knows
        (tmp_path / "a.jpg").unlink()
        (tmp_path / "folder").rmdir()
        yield found

    monkeypatch.setattr(os, "scandir", then_remove)
    assert [file.uri for file in lake.list_below(f"file://{tmp_path}")] == [f"file://{tmp_path}/b.jpg"]
    assert list(lake.list_below(f"file://{tmp_path}/folder", missing_ok=True)) == []
    with pytest.raises(InputError, match="No such file"):
        list(lake.list_below(f"file://{tmp_path}/folder"))


def test_times_beyond_the_calendar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "far.jpg").write_bytes(b"x")
    stat = os.stat

    def far(path: bytes, **how: object) -> SimpleNamespace:  # few file systems keep such a time
        found = stat(path, **how)
        year_14645 = 400_000_000_000 * 10**9
        return SimpleNamespace(**{name: getattr(found, name) for name in dir(found)} | {"st_mtime_ns": year_14645})

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", far)
        (file,) = lake.list_below(f"file://{tmp_path}")
        content = lake.read(file, MEGABYTE)
    assert datetime(1970, 1, 1) + timedelta(microseconds=file.modified_us) == datetime.max
    assert content == b"x"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"longer", "changed"), (b"abd", "changed"), (None, "gone"), (b"", "changed")]
)
def test_a_file_that_is_another_now(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"abc")
    os.utime(path, ns=(1, 10**15))
    (listed,) = lake.list_below(f"file://{tmp_path}")
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ReadError, match=reason):
        lake.read(listed, MEGABYTE)


def test_limits_of_size(tmp_path: Path) -> None:
    put(tmp_path, b"large", b"12345")
    put(tmp_path, b"none", b"")
    large, none = sorted(lake.list_below(f"file://{tmp_path}"), key=lambda file: file.uri)
    with pytest.raises(ReadError, match="too_large"):
        lake.read(large, 4)
    with pytest.raises(ReadError, match="empty"):
        lake.read(none, 4)


def test_a_file_that_may_not_be_read_is_forbidden(tmp_path: Path) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(b"x")
    path.chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    (file,) = lake.list_below(f"file://{tmp_path}")

    def reason() -> str:
        try:
            lake.read(file, MEGABYTE)
        except ReadError as error:
            return error.reason
        return "read"

    assert as_nobody(reason) == "forbidden"


def test_what_cannot_be_listed_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        lake.list_directory(lake.uri_of(str(tmp_path / "missing")))


@pytest.mark.parametrize(
    ("typed", "uri"),
    [
        ("/my photos/100%/a%20b", "file:///my%20photos/100%25/a%2520b"),
        ("file:///my photos/ü", "file:///my%20photos/%C3%BC"),
        ("file:///my%20photos/%c3%bc", "file:///my%20photos/%C3%BC"),
        ("file://localhost/photos/", "file:///photos/"),
        ("s3://lake/a b/", "s3://lake/a%20b/"),
        ("s3://lake/a%20b/", "s3://lake/a%20b/"),
        ("S3A://lake/a:b", "s3://lake/a%3Ab"),
        ("s3://lake/100%", "s3://lake/100%25"),
        ("s3://lake/a%2520b", "s3://lake/a%2520b"),
        ("s3://lake/{run_date}/%7Ba%7D {source}/", "s3://lake/{run_date}/%7Ba%7D%20{source}/"),
    ],
)
def test_one_place_has_one_uri(typed: str, uri: str) -> None:
    assert lake.uri_of(typed) == uri
    assert lake.uri_of(uri) == uri


@pytest.mark.parametrize("typed", ["my photos", "my%20photos"])
def test_a_uri_finds_its_folder_whichever_way_it_is_typed(tmp_path: Path, typed: str) -> None:
    (tmp_path / "my photos").mkdir()
    (tmp_path / "my photos" / "a b.jpg").touch()
    source = lake.uri_of(f"file://{tmp_path}/{typed}/{{source}}")
    template = Template(source)
    (file,) = lake.list_below(template.root)
    assert template.parse(file.uri) == {"source": "a b.jpg"}


@pytest.mark.parametrize(
    "source",
    ["s3://bucket/a?b", "s3://bucket/a#b", "s3://", "file://photos/a", "s3://[bucket/a", "s3://bucket/a\nb", "s3:///a"],
)
def test_uris_that_say_too_much_or_too_little(source: str) -> None:
    with pytest.raises(InputError):
        lake.uri_of(source)


def test_a_remote_store_keeps_odd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any store but the local disk goes through pyarrow's file systems: here, one that is a folder."""
    monkeypatch.setattr(
        lake,
        "_store",
        lambda scheme, authority: (fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), authority),
    )
    (tmp_path / "bucket" / "in ner").mkdir(parents=True)
    odd = ["per%20cent.jpg", "ha#sh.jpg", "a b?.jpg", "[1].jpg", "in ner/ü.jpg"]
    for name in odd:
        (tmp_path / "bucket" / name).write_text(name)
    listed = {file.uri: file for file in lake.list_below("memory://bucket")}
    assert set(listed) == {"memory://bucket/" + quote_from_bytes(name.encode()) for name in odd}
    assert {lake.read(file, MEGABYTE).decode() for file in listed.values()} == set(odd)
    (tmp_path / "bucket" / "ha#sh.jpg").unlink()
    with pytest.raises(ReadError, match="gone"):
        lake.read(listed["memory://bucket/ha%23sh.jpg"], MEGABYTE)


class ListsMilliseconds(fs.FileSystemHandler):
    """A store with one file, as MinIO shows it: listed with milliseconds, asked for in whole seconds."""

    def __init__(self) -> None:
        self.content, self.modified_ns = b"abc", 1_770_000_000_987_000_000

    def _info(self, path: str, unit: int) -> fs.FileInfo:
        modified = self.modified_ns // unit * unit
        return fs.FileInfo(path, fs.FileType.File, size=len(self.content), mtime_ns=modified)

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        return [
            self._info(path, 10**9) if path.endswith(".jpg") else fs.FileInfo(path, fs.FileType.Directory)
            for path in paths
        ]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        return [self._info(f"{selector.base_dir}/a.jpg", 10**6)]

    def open_input_stream(self, path: str) -> pa.NativeFile:
        return pa.BufferReader(self.content)

    def get_type_name(self) -> str:
        return "lists-milliseconds"

    def normalize_path(self, path: str) -> str:
        return path

    def _never(self, *arguments: object) -> None:
        raise NotImplementedError

    open_input_file = open_output_stream = open_append_stream = _never
    create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = delete_file = move = copy_file = _never


def test_a_store_that_lists_finer_times_than_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    store = ListsMilliseconds()
    monkeypatch.setattr(lake, "_store", lambda scheme, authority: (fs.PyFileSystem(store), authority))
    (listed,) = lake.list_below("memory://bucket")
    assert listed.modified_us % 10**6 == 987_000
    assert lake.read(listed, MEGABYTE) == b"abc"
    store.modified_ns += 10**9
    with pytest.raises(ReadError, match="changed"):
        lake.read(listed, MEGABYTE)
    store.modified_ns -= 10**9
    store.content = b"abcd"
    with pytest.raises(ReadError, match="changed"):
        lake.read(listed, MEGABYTE)


class Fails(ListsMilliseconds):
    """The same store, which first fails some times."""

    def __init__(self, times: int, error: str) -> None:
        super().__init__()
        self.times, self.error = times, error

    def _fail(self) -> None:
        if self.times:
            self.times -= 1
            raise OSError(self.error)

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        self._fail()
        return super().get_file_info(paths)

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        self._fail()
        return super().get_file_info_selector(selector)

    def open_input_stream(self, path: str) -> pa.NativeFile:
        self._fail()
        return super().open_input_stream(path)


def failing(monkeypatch: pytest.MonkeyPatch, error: str = "AWS Error SLOW_DOWN (HTTP status 503)") -> Fails:
    store = Fails(0, error)
    monkeypatch.setattr(lake, "_store", lambda scheme, authority: (fs.PyFileSystem(store), authority))
    monkeypatch.setattr(retry, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(retry, "_failing_since", {})
    return store


def test_a_store_that_fails_for_a_while_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    store = failing(monkeypatch)
    store.times = 5
    (listed,) = lake.list_below("memory://bucket")
    store.times = 5
    assert lake.read(listed, MEGABYTE) == b"abc"
    store.times = 5
    assert lake.find(listed.uri).size == 3
    store.times = 5
    assert lake.read_anything(listed.uri) == b"abc"


def test_a_store_that_does_not_answer_is_no_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    store = failing(monkeypatch)
    (listed,) = lake.list_below("memory://bucket")
    monkeypatch.setattr(retry, "PATIENCE", 0.01)
    store.times = 1000
    with pytest.raises(StoreError, match="memory://bucket: cannot be listed: AWS Error SLOW_DOWN"):
        lake.list_directory("memory://bucket")
    with pytest.raises(StoreError, match="cannot be read"):
        lake.read_anything(listed.uri)
    with pytest.raises(ReadError, match="unreadable: AWS Error SLOW_DOWN"):
        lake.read(listed, MEGABYTE)


def test_a_store_that_refuses_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "AWS Error ACCESS_DENIED during ListObjectsV2 operation").times = 1000
    with pytest.raises(InputError, match="cannot be listed: AWS Error ACCESS_DENIED"):
        lake.list_directory("memory://bucket")


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EACCES, InputError), (errno.EIO, StoreError), (errno.ESTALE, StoreError)]
)
def test_a_network_disk_that_fails_is_no_wrong_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "scandir", fail)
    with pytest.raises(kind, match=os.strerror(number)):
        lake.list_directory(lake.uri_of(str(tmp_path)))
