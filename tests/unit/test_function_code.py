"""Functions with their packages: fetched once, the same bytes each time."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs import _function_code
from secure_ml_constructs._function_code import packed
from secure_ml_constructs.errors import ConfigurationError

pytestmark = pytest.mark.slow

MODULE = "jwt_authorizer"


def content(folder: Path) -> dict[str, str]:
    """A digest of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def made(cache: Path) -> Path:
    (found,) = (cache / "secure-ml-constructs").iterdir()
    return found


def test_it_is_fetched_once_and_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = cdk.Stack()
    keys: list[Any] = []
    for name in ("first", "second"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        keys.append(stack.resolve(packed(stack, name, MODULE).s3_key))
    first, second = (content(made(tmp_path / name)) for name in ("first", "second"))
    assert first == second
    assert keys[0] == keys[1]
    assert "jwt_authorizer.py" in first
    assert "jwt/api_jwt.py" in first
    # For Lambda's processor and interpreter, not for this machine's.
    machine = [name for name in first if name.endswith(".so")]
    assert machine
    assert all("aarch64" in name or "abi3" in name for name in machine)
    assert not any(name.endswith(".pyc") or name.startswith("bin/") for name in first)

    def offline(*_: Any, **__: Any) -> None:
        raise AssertionError("it was fetched already")

    monkeypatch.setattr(subprocess, "run", offline)
    packed(stack, "Third", MODULE)


def test_other_code_or_pins_are_another_asset() -> None:
    code, pins = _function_code._files(MODULE)
    told = {
        _function_code._digest(*parts) for parts in ((code, pins), (code + b"#", pins), (code, pins + b"#"))
    }
    assert len(told) == 3


def test_every_pin_has_a_hash() -> None:
    _, pins = _function_code._files(MODULE)
    lines = [line for line in pins.decode().splitlines() if not line.startswith((" ", "#"))]
    assert {line.split("==")[0] for line in lines} == {"cffi", "cryptography", "pycparser", "pyjwt"}
    assert all(line.endswith(" \\") for line in lines)
    assert "://" not in pins.decode()


def test_what_can_not_be_fetched_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ConfigurationError, match=r"packages='jwt_authorizer\.txt'") as caught:
        packed(cdk.Stack(cdk.App(), "Door"), "Code", MODULE)
    assert str(caught.value).startswith("Door/Code: ")
    assert "No matching distribution" in str(caught.value)
    assert list((tmp_path / "secure-ml-constructs").iterdir()) == []
