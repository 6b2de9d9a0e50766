"""Find and load templates: a file, a folder, or what the CDK wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from secure_ml_constructs.verification.templates.errors import TemplateError
from secure_ml_constructs.verification.templates.graph import Templates
from secure_ml_constructs.verification.templates.model import Resource, Template
from secure_ml_constructs.verification.templates.nesting import STACK, instances
from secure_ml_constructs.verification.templates.source import LARGEST, parse

_SUFFIXES = {".json", ".yaml", ".yml", ".template"}
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_NOT_TEMPLATES = {"node_modules", "__pycache__"}


@dataclass
class Loaded:
    """What was found at the paths.

    Attributes:
        templates: The templates, linked.
        assemblies: The folders that the CDK wrote.
        skipped: Files of a folder that are no templates, and why.
    """

    templates: Templates
    assemblies: list[Path] = field(default_factory=list)
    skipped: list[TemplateError] = field(default_factory=list)


def load(paths: Iterable[str | Path]) -> Loaded:
    """Load every template at the paths.

    Args:
        paths: Files, folders, or `cdk.out` folders.

    Raises:
        TemplateError: A file can't be read, or there is nothing at a path.
    """
    loader = _Loader()
    for path in paths:
        loader.add(Path(path))
    return Loaded(Templates(loader.linked()), loader.assemblies, loader.skipped)


class _Loader:
    def __init__(self) -> None:
        self.found: dict[Path, Template] = {}
        self.assemblies: list[Path] = []
        self.skipped: list[TemplateError] = []

    def add(self, path: Path) -> None:
        if not path.exists():
            raise TemplateError(str(path), None, "There is no such file.")
        if path.is_file():
            self._file(path, path.name.split(".")[0])
        elif (path / "manifest.json").is_file():
            self._assembly(path)
        else:
            self._folder(path)

    def _file(self, path: Path, name: str) -> None:
        if path.resolve() not in self.found:
            self.found[path.resolve()] = _read(path, name)

    def _folder(self, folder: Path) -> None:
        before = len(self.found)
        # From the top down: a folder that the CDK wrote is read by its manifest, with all below it.
        for path in sorted(
            folder.rglob("*"), key=lambda path: (len(path.parts), path.name != "manifest.json", path)
        ):
            parts = path.relative_to(folder).parts
            if any(part in _NOT_TEMPLATES or part.startswith(".") for part in parts):
                continue
            if _in_assembly(path, self.assemblies):
                continue
            if path.name == "manifest.json" and _is_assembly(path):
                self._assembly(path.parent)
            elif path.suffix in _SUFFIXES and path.is_file():
                try:
                    self._file(path, path.name.split(".")[0])
                except TemplateError as error:
                    # Other things are written in JSON and YAML too; what means to be a template counts.
                    if _means_to_be_a_template(path):
                        raise
                    self.skipped.append(error)
        if len(self.found) == before:
            raise TemplateError(str(folder), None, "There is no template in this folder.")

    def _assembly(self, folder: Path) -> None:
        manifest = folder / "manifest.json"
        try:
            artifacts = json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {})
            stacks = [
                (name, artifact["type"], artifact.get("properties", {}))
                for name, artifact in artifacts.items()
            ]
        except (ValueError, KeyError, AttributeError, RecursionError) as error:
            raise TemplateError(str(manifest), None, f"This is no manifest of the CDK: {error}.") from None
        self.assemblies.append(folder)
        empty = True
        for name, kind, properties in stacks:
            if kind == "aws:cloudformation:stack" and "templateFile" in properties:
                empty = False
                self._file(folder / properties["templateFile"], str(properties.get("stackName", name)))
            elif kind == "cdk:cloud-assembly" and "directoryName" in properties:
                empty = False
                self._assembly(folder / properties["directoryName"])
        if empty:
            raise TemplateError(str(manifest), None, "It names no stack.")
        # The manifest leaves nested stacks out. One whose parent can't be told is judged all the same.
        for nested in sorted(folder.glob("*.nested.template.json")):
            self._file(nested, nested.name.split(".")[0])

    def linked(self) -> Iterator[Template]:
        """Every template, those of nested stacks with their parent: once for each stack that deploys them."""
        files = dict(self.found)
        nested: dict[Path, dict[str, Path]] = {}
        waiting = list(files)
        while waiting:
            path = waiting.pop()
            if path in nested:
                continue
            nested[path] = {}
            template = files[path]
            for resource in template.resources.values():
                if resource.type == STACK:
                    child = _template_of(resource, path.parent, files)
                    if child is not None:
                        if child not in files:
                            files[child] = _read(
                                child, child.name.split(".")[0], Path(template.path).parent / child.name
                            )
                        nested[path][resource.logical_id] = child
                        waiting.append(child)
        return instances(files, nested)


def _read(path: Path, name: str, shown: Path | None = None) -> Template:
    label = str(shown or path)
    try:
        if path.stat().st_size > LARGEST:
            raise TemplateError(label, None, f"It is larger than {LARGEST // 1024 // 1024} MB.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(label, None, f"This is no UTF-8 text: byte {error.start}.") from None
    except OSError as error:
        raise TemplateError(label, None, f"It can't be read: {error.strerror}.") from None
    body, source = parse(text, label)
    return Template(name, label, body, source)


def _template_of(resource: Resource, folder: Path, files: dict[Path, Template]) -> Path | None:
    """The file of a nested stack: as the CDK notes it, as a local path, or the one file of that name."""
    metadata = resource.body.get("Metadata")
    asset = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
    if isinstance(asset, str) and (folder / asset).is_file():
        return (folder / asset).resolve()
    url: Any = resource.properties.get("TemplateURL")
    if published := _HASH.search(json.dumps(url)):
        # Without the CDK's note: its address ends with the hash that the asset manifest knows.
        return _asset(folder, published.group())
    if not isinstance(url, str) or url.endswith("/"):
        return None
    if "://" not in url and (folder / url).is_file():
        return (folder / url).resolve()
    same = [path for path in files if path.name == url.rsplit("/", 1)[-1]]
    return same[0] if len(same) == 1 else None


def _asset(folder: Path, hash: str) -> Path | None:
    """The file that the CDK publishes under a hash."""
    for manifest in sorted(folder.glob("*.assets.json")):
        try:
            files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
            source = str(files[hash]["source"]["path"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if (folder / source).is_file():
            return (folder / source).resolve()
    return None


def _is_assembly(manifest: Path) -> bool:
    try:
        body = json.loads(manifest.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError):
        return False
    return isinstance(body, dict) and "artifacts" in body


def _in_assembly(path: Path, assemblies: list[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in assemblies)


def _means_to_be_a_template(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            start = file.read(200_000)
    except OSError:
        return True
    return "AWSTemplateFormatVersion" in start or ("Resources" in start and "AWS::" in start)
