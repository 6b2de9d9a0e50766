"""What needs no CDK loads none: verification answers in milliseconds, on machines without node."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CDK = {"aws_cdk", "cdk_nag", "constructs", "jsii"}

# The import-linter contract reads the code; this sees what is really loaded, lazy exports included.
WITHOUT_CDK = {"cli", "controls", "errors", "testing", "verification"}


def loaded_by(*modules: str) -> set[str]:
    code = f"import sys, {', '.join(modules)}\nprint(*(name.partition('.')[0] for name in sys.modules))"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


def modules_without_cdk() -> list[str]:
    files = [file.relative_to(ROOT) for file in (ROOT / "secure_ml_constructs").rglob("*.py")]
    return [
        ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        for file in files
        if file.with_suffix("").parts[1] in WITHOUT_CDK
    ]


def test_importing_the_package_loads_no_cdk() -> None:
    assert not loaded_by("secure_ml_constructs") & CDK


def test_the_verification_wing_loads_no_cdk() -> None:
    assert not loaded_by(*modules_without_cdk()) & CDK
