"""Packs a function of `runtime/` with the packages that it needs, the same bytes each time."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.errors import ConfigurationError, Problem

ARCHITECTURE = "arm64"
RUNTIME = "python3.14"
# AWS Lambda, "Lambda runtimes": the runtimes of Amazon Linux 2023 have glibc 2.34.
_PLATFORMS = ("manylinux_2_28_aarch64", "manylinux2014_aarch64", "manylinux_2_17_aarch64")


def packed(scope: Construct, id: str, module: str) -> lambda_.CfnFunction.CodeProperty:
    """Give the code of a function that needs more than Python and boto3.

    What it needs is pinned by hash beside it, fetched once by pip from the index that pip is set to, and kept
    in the user's cache.

    Args:
        scope: The function's construct.
        id: The asset's id.
        module: A module of `runtime/` that has a file of pinned requirements; its `handler` is called.

    Raises:
        ConfigurationError: The packages can't be fetched.
    """
    code, pins = _files(module)
    try:
        folder = _folder(module, code, pins)
    except (subprocess.CalledProcessError, OSError) as error:
        said = getattr(error, "stderr", None) or str(error)
        problem = Problem(
            "packages",
            f"{module}.txt",
            f"They could not be fetched: {said.strip().splitlines()[-1]}",
            "Let pip reach a package index (pip config, PIP_INDEX_URL), once: they are kept afterwards.",
        )
        raise ConfigurationError(str(child_path(scope, id)), [problem]) from error
    asset = assets.Asset(
        scope, id, path=str(folder), asset_hash=_digest(code, pins), asset_hash_type=AssetHashType.CUSTOM
    )
    return lambda_.CfnFunction.CodeProperty(s3_bucket=asset.s3_bucket_name, s3_key=asset.s3_object_key)


def _files(module: str) -> tuple[bytes, bytes]:
    runtime = resources.files("secure_ml_constructs.runtime")
    return tuple(runtime.joinpath(f"{module}{kind}").read_bytes() for kind in (".py", ".txt"))  # type: ignore[return-value]


def _digest(*parts: bytes) -> str:
    # Length first, so that what moves from one part to the next is seen.
    told = b"".join(len(part).to_bytes(8, "big") + part for part in (*parts, " ".join(_PLATFORMS).encode()))
    return hashlib.sha256(told).hexdigest()


def _folder(module: str, code: bytes, pins: bytes) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "secure-ml-constructs"
    folder = cache / f"{module}-{_digest(code, pins)[:16]}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=cache))
    try:
        _fetch(module, pins, made)
        (made / f"{module}.py").write_bytes(code)
        # Whoever was faster has made the same.
        if not folder.exists():
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _fetch(module: str, pins: bytes, into: Path) -> None:
    print(f"Fetching what {module} needs in AWS Lambda (once)", file=sys.stderr)
    with tempfile.NamedTemporaryFile(suffix=".txt") as requirements:
        requirements.write(pins)
        requirements.flush()
        platforms = [text for each in _PLATFORMS for text in ("--platform", each)]
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"),
                *("--require-hashes", "--no-deps", "--only-binary", ":all:", *platforms),
                *("--python-version", RUNTIME.removeprefix("python"), "--implementation", "cp"),
                *("--target", str(into), "--requirement", requirements.name),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    # Programs name the interpreter that pip ran with.
    shutil.rmtree(into / "bin", ignore_errors=True)
