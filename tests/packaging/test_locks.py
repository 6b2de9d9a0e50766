"""The lock files: complete, exact, hashed, and silent about where the packages come from."""

import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PYTHON_LOCK = ROOT / "requirements" / "dev.txt"
NODE_LOCK = ROOT / "package-lock.json"

LOCKED = re.compile(r"(?P<pin>[a-z0-9-]+==\S+)( ; [^\\]+?)?(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)")
ADDRESS = re.compile(r"://|\b[\w-]+\.(?:com|dev|io|net|org)\b|--(?:extra-)?index-url|--find-links")
PERMISSIVE = re.compile(r"\b(?:MIT|BSD|Apache|PSF|Python Software Foundation)\b")


def python_pins() -> Iterator[re.Match[str]]:
    text = PYTHON_LOCK.read_text().replace(" \\\n    ", " ")
    for line in text.splitlines():
        if not line.startswith("#"):
            match = LOCKED.fullmatch(line)
            assert match, f"not an exact version with hashes: {line}"
            yield match


def node_packages() -> dict[str, Any]:
    packages: dict[str, Any] = json.loads(NODE_LOCK.read_text())["packages"]
    return {path.removeprefix("node_modules/"): package for path, package in packages.items() if path}


def declared() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_python_package_is_exact_and_hashed() -> None:
    assert len(list(python_pins())) > 20


def test_python_lock_answers_pyproject() -> None:
    locked = [Requirement(match["pin"]) for match in python_pins()]
    versions = {pin.name: Version(next(iter(pin.specifier)).version) for pin in locked}
    project = declared()
    for line in project["project"]["dependencies"] + project["dependency-groups"]["dev"]:
        wanted = Requirement(line)
        assert versions[canonicalize_name(wanted.name)] in wanted.specifier, f"`make lock` is due: {line}"


def test_every_node_package_is_hashed() -> None:
    for name, package in node_packages().items():
        assert package["integrity"].startswith("sha512-"), name


def test_node_lock_answers_package_json() -> None:
    manifest = json.loads((ROOT / "package.json").read_text())
    locked = node_packages()
    for name, version in (manifest["dependencies"] | manifest["devDependencies"]).items():
        assert locked[name]["version"] == version


def test_lock_files_name_no_address() -> None:
    assert not ADDRESS.findall(PYTHON_LOCK.read_text())
    # Where a package's authors take donations is nowhere it is fetched from.
    fetched = [
        {key: package[key] for key in package if key != "funding"} for package in node_packages().values()
    ]
    assert not ADDRESS.findall(json.dumps(fetched))
    assert not any("resolved" in package for package in node_packages().values())


def test_copyleft_stays_among_the_tests_tools() -> None:
    for name, package in node_packages().items():
        assert package.get("dev") or PERMISSIVE.search(package["license"]), name


def test_all_that_users_install_is_permissively_licensed() -> None:
    waiting, seen = [Requirement(line) for line in declared()["project"]["dependencies"]], set[str]()
    while waiting:
        wanted = waiting.pop()
        if wanted.name in seen or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        seen.add(wanted.name)
        package = distribution(wanted.name)
        metadata = package.metadata
        licences = [metadata[field] for field in ("License-Expression", "License") if field in metadata]
        licences += [c for c in metadata.get_all("Classifier", []) if c.startswith("License ::")]
        assert PERMISSIVE.search(" ".join(licences)), f"{wanted.name}: {licences}"
        waiting += map(Requirement, package.requires or [])
