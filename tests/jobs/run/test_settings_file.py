"""A section is added to a settings file of somebody's own."""

import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jobs.run import settings_file

SECTIONS = [
    f'[models.ours{at}]\nof = "facenet-vggface2"\nfile = "/models/{at}.npz"\nsha256 = "{at:064x}"\n' for at in range(8)
]


def models(path: Path) -> set[str]:
    return set(tomllib.loads(path.read_text("utf-8"))["models"])


def test_of_several_at_once_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "rollcall.toml"
    with ThreadPoolExecutor(len(SECTIONS)) as pool:
        list(pool.map(lambda section: settings_file.append(path, section), SECTIONS))
    assert models(path) == {f"ours{at}" for at in range(len(SECTIONS))}
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles" / "rollcall.toml", tmp_path / "rollcall.toml"
    settings_file.append(real, SECTIONS[0])
    link.symlink_to(real)
    settings_file.append(link, SECTIONS[1])
    assert link.is_symlink()
    assert models(real) == {"ours0", "ours1"}
