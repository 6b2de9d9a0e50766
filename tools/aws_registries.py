"""Write secure_ml_constructs/network/aws_registries.json from the SageMaker Python SDK's image data.

Usage: python tools/aws_registries.py sagemaker-2.x.y-py3-none-any.whl

The SDK (version 2) ships, for each of AWS's images, the account whose registry holds it in each region.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "secure_ml_constructs" / "network" / "aws_registries.json"


def registries(value: Any) -> Iterator[tuple[str, str]]:
    """Every region and account below a "registries" key, wherever it stands."""
    if isinstance(value, dict):
        yield from value.get("registries", {}).items()
        for child in value.values():
            yield from registries(child)
    elif isinstance(value, list):
        for child in value:
            yield from registries(child)


def main(wheel: Path) -> None:
    accounts: defaultdict[str, set[str]] = defaultdict(set)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("sagemaker/image_uri_config/") and name.endswith(".json"):
                for region, account in registries(json.loads(archive.read(name))):
                    accounts[region].add(account)
    table = {region: sorted(found) for region, found in sorted(accounts.items())}
    source = f"PyPI {'-'.join(wheel.name.split('-')[:2])}, image_uri_config"
    lines = ",\n".join(f"  {json.dumps(region)}: {json.dumps(found)}" for region, found in table.items())
    TARGET.write_text(f'{{\n "source": {json.dumps(source)},\n "accounts": {{\n{lines}\n }}\n}}\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]))
