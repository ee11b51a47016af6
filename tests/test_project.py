"""The habits of the project hold together: workflows, hooks, versions."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from claimx import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def requirements(*extras: str) -> list[str]:
    """Return what the package and some of its extras need of other packages."""
    listed = list(PROJECT["dependencies"])
    for extra in extras:
        for one in PROJECT["optional-dependencies"][extra]:
            own = re.fullmatch(r"claimx\[(.+)\]", one)
            listed += requirements(*own[1].split(",")) if own else [one]
    return listed


def test_the_lowest_versions_are_those_that_the_project_allows():
    """Of what `make lowest` installs."""
    pinned = dict(
        line.split("==")
        for line in (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    allowed = {
        found[1]: found[2]
        for one in requirements("train", "dev")
        if (found := re.match(r"([\w.-]+)(?:\[[^]]*\])?>=([\d.]+)", one))
    }
    assert set(pinned) == set(allowed)
    for name, version in pinned.items():
        lowest = allowed[name].split(".")
        # pip finds no wheel of a few of the very first releases, and takes the next one.
        assert version.split(".")[: len(lowest)] >= lowest, name


def test_every_extra_has_known_versions():
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    extras = PROJECT["optional-dependencies"]
    names = {
        re.match(r"[\w.-]+", one)[0].lower().replace("_", "-") for one in requirements(*extras)
    }
    assert names <= pinned


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_is_there(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert commands
    for command in commands:
        match shlex.split(command):
            case ["make", target, *_]:
                assert target in targets
            case ["bash", script]:
                assert (ROOT / script).is_file()
            case ["python", "-m", module, *_]:
                assert module in {"pip", "pytest"}
            case _:
                pytest.fail(f"nobody knows whether this works: {command}")


def test_the_workflows_try_every_python_that_the_project_names():
    classifiers = {
        found[1] for one in PROJECT["classifiers"] if (found := re.search(r":: (3\.\d+)$", one))
    }
    tried = set()
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            tried |= set(job.get("strategy", {}).get("matrix", {}).get("python", []))
    assert tried == classifiers


def test_every_hook_runs_a_tool_that_make_test_runs_too():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert hooks
    for hook in hooks:
        tool, *words = hook["entry"].replace(".venv/bin", "$(BIN)").split()
        wanted = " ".join([tool, *(word for word in words if word != "--force-exclude")])
        assert wanted in makefile, hook["id"]


def test_issue_templates_can_be_filled_in():
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.stem != "config":
            ids = [field["id"] for field in form["body"]]
            assert form["name"]
            assert form["description"]
            assert len(ids) == len(set(ids))


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
