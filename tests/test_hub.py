"""Finding models: folders, packaged and installed ones, and what is said where there is none."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from claimx.errors import CheckpointError
from claimx.hub import find_model, known_models


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder that looks like a model's."""
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text("{}")
    return path


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """A folder of installed packages."""
    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    return path


def install(site: Path, distribution: str, name: str, module: str, *, files: bool = True) -> Path:
    """Install a package that offers a model, and would fail if it were imported."""
    information = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n"
    )
    (information / "entry_points.txt").write_text(f"[claimx.models]\n{name} = {module}\n")
    package = site / module
    if files:
        package.mkdir()
        (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
        (package / "config.json").write_text("{}")
    return package


def test_the_packaged_model_is_the_default():
    assert find_model(None) == find_model("claimx-en")
    assert find_model(None).name == "claimx-en"


def test_a_folder_in_the_working_directory_is_not_the_default(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    folder.rename("claimx-en")
    assert find_model(None) != Path("claimx-en")
    assert find_model("claimx-en") == Path("claimx-en")  # a folder was asked for


def test_a_folder_is_found_by_its_path(folder, monkeypatch):
    assert find_model(folder) == folder
    monkeypatch.chdir(folder.parent)
    assert find_model("model").resolve() == folder.resolve()


def test_a_folder_with_a_model_inside_names_it(folder):
    with pytest.raises(CheckpointError, match=f"but {folder} in it is one: name that$"):
        find_model(folder.parent)
    (folder.parent / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(CheckpointError, match=f"or pip install {folder.parent}$"):
        find_model(folder.parent)


def test_a_file_is_no_model(folder):
    with pytest.raises(CheckpointError, match="is a file; a model is a folder"):
        find_model(folder / "config.json")


@pytest.mark.parametrize("name", ["no-such-model", "./no/such", "/no/such/folder", "a/b/c"])
def test_a_model_that_is_nowhere_is_named_with_those_that_are_known(name, site):
    install(site, "mine-news", "mine-news", "claimx_model_mine_news")
    with pytest.raises(
        CheckpointError, match=r"no model.*known by name are claimx-en, .*mine-news.*pip install"
    ):
        find_model(name)


def test_a_hub_name_without_a_network_is_one_sentence():
    with pytest.raises(CheckpointError, match="hub") as raised:
        find_model("nobody/no-such-model")
    assert "\n" not in str(raised.value)


# ---- installed packages -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling", ["Mine.News-EN", "mine-news-en", "mine_news_en", "MINE.news.en"]
)
def test_an_installed_model_is_found_however_its_name_is_spelt(site, spelling):
    package = install(site, "mine-news-en", "Mine.News-EN", "claimx_model_mine")
    assert find_model(spelling) == package
    assert "claimx_model_mine" not in sys.modules
    assert "Mine.News-EN" in known_models()


def test_two_packages_with_one_model_name_are_both_named(site):
    install(site, "first-one", "news", "claimx_model_first")
    install(site, "second-one", "News", "claimx_model_second")
    with pytest.raises(CheckpointError, match="first-one, second-one; uninstall all but one"):
        find_model("news")


@pytest.mark.parametrize(
    "module", ["claimx_model_gone", "json", "json.decoder", "no module", "sys"]
)
def test_an_installed_package_without_its_files_is_said(site, module):
    install(site, "gone", "gone", module, files=False)
    with pytest.raises(CheckpointError, match="no model folder.*reinstall"):
        find_model("gone")


def test_a_package_cannot_take_the_place_of_the_packaged_model(site):
    package = install(site, "claimx-en", "claimx-en", "claimx_model_claimx_en")
    assert find_model("claimx-en") != package


def test_a_folder_of_the_same_name_wins_only_if_it_holds_a_model(site, tmp_path, monkeypatch):
    package = install(site, "news", "news", "claimx_model_news")
    monkeypatch.chdir(tmp_path)
    Path("news").mkdir()
    assert find_model("news") == package
    shutil.copy(package / "config.json", "news")
    assert find_model("news") == Path("news")
