"""The wheel: all of the package and nothing else, and it works where the checkout is not."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "secure_ml_constructs"
EXAMPLE = re.compile(r"<!-- example: wheel -->\s*```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command that must succeed, out of reach of the checkout."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=inherited | environment, text=True, capture_output=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, and of the development environment only the dependencies."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    install = ("install", "--quiet", "--no-deps", "--no-index")
    run(sys.executable, "-m", "pip", "--python", python, *install, wheel, cwd=home)
    # A directory added by a .pth file has its own .pth files ignored: the editable checkout stays out.
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = {Path(name) for name in archive.namelist() if ".dist-info/" not in name}
    kept = {
        file.relative_to(ROOT)
        for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert Path("secure_ml_constructs/py.typed") in held
    assert held == kept


def test_metadata_carries_the_licence(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        information = {name.partition(".dist-info/")[2]: archive.read(name) for name in archive.namelist()}
    assert message_from_bytes(information["METADATA"])["License-Expression"] == "Apache-2.0"
    assert information["licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_import_comes_from_the_wheel(python: Path, tmp_path: Path) -> None:
    file = run(python, "-c", "import secure_ml_constructs as s; print(s.__file__)", cwd=tmp_path)
    assert Path(file).is_relative_to(python.parents[1])


def test_readme_example_synthesizes_from_the_wheel(python: Path, tmp_path: Path) -> None:
    example = EXAMPLE.search((ROOT / "README.md").read_text())
    assert example, "README.md has no python block right after `<!-- example: wheel -->`"
    (tmp_path / "app.py").write_text(example[1])
    run(python, "app.py", cwd=tmp_path, CDK_OUTDIR=str(tmp_path / "cdk.out"))
    assert list((tmp_path / "cdk.out").glob("*.template.json"))


@pytest.mark.deep
def test_type_checker_reads_the_types_from_the_wheel(python: Path, tmp_path: Path) -> None:
    mistake = "from secure_ml_constructs.errors import ConfigurationError\nConfigurationError(0, 0)\n"
    (tmp_path / "app.py").write_text(mistake)
    command = (sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), "app.py")
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True)
    assert "missing library stubs or py.typed marker" not in done.stdout
    assert "app.py:2: error:" in done.stdout
