"""Packages of models: what is built is found by name, and nothing is left where it fails."""

from __future__ import annotations

import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.version import Version

from claimx import __version__, storage
from claimx.checkpoint import FORMAT, load_checkpoint, save_checkpoint
from claimx.errors import ConfigError
from claimx.extractor import Extractor
from claimx.folder import weights_hash
from claimx.hub import find_model, known_models
from tests.tiny import random_model, wordpiece
from training import package as packages
from training.package import FIRST_VERSION, main, package

CARD = "---\nlanguage: en\nlicense: {}\n---\n\n# The card\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_checkpoint(folder, random_model(name="My.News", version="1.2"), wordpiece(), {"steps": 5})
    return folder


@pytest.fixture(scope="module")
def wheel(written, tmp_path_factory) -> Path:
    return package(written, tmp_path_factory.mktemp("dist"), licence="cc-by-4.0")


@pytest.fixture
def model(tmp_path) -> Path:
    folder = tmp_path / "model"
    save_checkpoint(folder, random_model(name="news", version="1"), wordpiece(), {})
    return folder


def project_of(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def metadata_of(wheel: Path) -> dict:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith("METADATA"))
        return dict(Parser().parsestr(archive.read(name).decode()).items())


# ---- what is built ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["My.News", "my-news"])
def test_an_unpacked_wheel_is_a_model_that_is_found_by_name(
    wheel, written, name, tmp_path, monkeypatch
):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "My.News" in known_models()
    assert find_model(name) == tmp_path / "claimx_model_my_news"
    loaded = Extractor.from_pretrained(name, device="cpu")
    assert loaded.model_name == load_checkpoint(written).name
    assert loaded("Ines Okafor said that 40 boats left.").error is None


def test_the_wheel_says_what_it_is_and_what_it_needs(wheel):
    metadata = metadata_of(wheel)
    assert metadata["Name"] == "My.News"
    assert metadata["Version"] == "1.2"
    assert metadata["License-Expression"] == "CC-BY-4.0"
    assert metadata["Requires-Dist"] == "claimx>=0.1.0"


def test_every_format_has_a_first_version_that_is_not_yet_to_come():
    assert FIRST_VERSION.keys() == set(range(1, FORMAT + 1))
    assert all(Version(first) <= Version(__version__) for first in FIRST_VERSION.values())


def test_the_project_folder_holds_the_same_files_as_the_wheel(wheel):
    module = wheel.parent / "My.News" / "claimx_model_my_news"
    with zipfile.ZipFile(wheel) as archive:
        for path in module.iterdir():
            assert archive.read(f"{module.name}/{path.name}") == path.read_bytes()
    assert sorted(path.name for path in wheel.parent.iterdir()) == sorted(["My.News", wheel.name])


def test_name_and_version_are_those_that_records_carry(model, tmp_path):
    folder = package(model, tmp_path / "dist", name="other", version="2.0.0", wheel=False)
    assert folder == tmp_path / "dist" / "other"
    copied, original = load_checkpoint(folder / "claimx_model_other"), load_checkpoint(model)
    assert copied.name == f"other 2.0.0 ({original.weights_hash[:8]})"


def test_weights_are_stored_anew_if_asked(model, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "LEAST_VALUES", 100)
    folder = package(model, tmp_path, storage="int8", wheel=False)
    assert load_checkpoint(folder / "claimx_model_news").storage == "int8"
    assert load_checkpoint(model).storage == "float16"


def test_weights_in_8_bits_stay_as_they_are_by_default(model, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "LEAST_VALUES", 100)
    first = package(model, tmp_path / "a", storage="int8", wheel=False) / "claimx_model_news"
    second = package(first, tmp_path / "b", wheel=False) / "claimx_model_news"
    assert weights_hash(first) == weights_hash(second)


def test_the_card_becomes_the_readme_and_names_the_licence(model, tmp_path):
    (model / "README.md").write_text(CARD.format("apache-2.0"))
    folder = package(model, tmp_path / "dist", wheel=False)
    assert (folder / "README.md").read_text() == CARD.format("apache-2.0")
    assert project_of(folder)["license"] == "Apache-2.0"


@pytest.mark.parametrize(
    ("card", "asked", "licence"),
    [("other", None, "LicenseRef-other"), ("mit", "CC0-1.0", "CC0-1.0"), ("mit", None, "MIT")],
)
def test_the_licence_is_what_was_asked_for_or_the_cards(model, tmp_path, card, asked, licence):
    (model / "README.md").write_text(CARD.format(card))
    folder = package(model, tmp_path / "dist", licence=asked, wheel=False)
    assert project_of(folder)["license"] == licence


def test_a_model_without_a_card_gets_a_readme_and_a_warning_about_its_licence(
    model, tmp_path, caplog
):
    folder = package(model, tmp_path / "dist", wheel=False)
    assert 'from_pretrained("news")' in (folder / "README.md").read_text()
    assert "license" not in project_of(folder)
    assert "states no licence" in caplog.text


def test_a_project_folder_is_replaced_by_the_next(model, tmp_path):
    for version in ("1", "2"):
        folder = package(model, tmp_path / "dist", version=version, wheel=False)
    assert project_of(folder)["version"] == "2"


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "my news"}, "cannot be the name of a package"),
        ({"name": "../news"}, "cannot be the name of a package"),
        ({"name": "Claimx_EN"}, "part of claimx itself"),
        ({"version": "final"}, "cannot be the version"),
        ({"licence": "free for all"}, "no SPDX licence"),
        ({"storage": "int4"}, "storage is one of"),
    ],
)
def test_what_cannot_be_written_on_a_package_is_refused(model, tmp_path, options, words):
    with pytest.raises(ConfigError, match=words):
        package(model, tmp_path / "dist", **options)
    assert not list((tmp_path / "dist").glob("*"))


def test_a_wheel_that_indexes_do_not_take_is_refused_with_its_size(model, tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "LARGEST_WHEEL", 1_000)
    with pytest.raises(ConfigError, match=r"the wheel has [\d,]+ bytes .* take 1,000"):
        package(model, tmp_path / "dist")
    assert list((tmp_path / "dist").iterdir()) == []


def test_a_folder_that_is_no_package_is_not_replaced(model, tmp_path, capsys):
    (tmp_path / "dist" / "news").mkdir(parents=True)
    (tmp_path / "dist" / "news" / "thesis.tex").touch()
    assert main([str(model), "--output", str(tmp_path / "dist")]) == 2
    assert "something else" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "dist").rglob("*")] == ["news", "thesis.tex"]


def test_a_missing_build_backend_is_one_sentence(model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([str(model), "--output", str(tmp_path / "dist")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: building a wheel needs")


def test_a_model_that_is_not_there_is_one_sentence(tmp_path, capsys):
    assert main([str(tmp_path / "gone")]) == 2
    assert "error: no model" in capsys.readouterr().err


def test_the_command_prints_where_the_project_is(model, tmp_path, capsys):
    arguments = [str(model), "--name", "mine", "--license", "MIT", "--no-wheel"]
    assert main([*arguments, "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'mine'}\n"
