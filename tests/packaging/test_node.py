"""The node that runs is the locked one: a system node may be absent, old or someone else's."""

import os
import subprocess
import sys
from pathlib import Path


def test_cdk_starts_where_no_node_is_on_the_path() -> None:
    environment = os.environ | {"PATH": "/nonexistent", "JSII_NODE": "/nonexistent/node"}
    subprocess.run([sys.executable, "-c", "import aws_cdk; aws_cdk.App()"], env=environment, check=True)


def test_npm_tools_run_on_the_same_node() -> None:
    node = Path(sys.prefix, "bin", "node")
    assert os.environ["JSII_NODE"] == str(node)
    assert node.resolve().is_relative_to(Path(sys.prefix).resolve())
