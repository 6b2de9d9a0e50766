"""Stops the notebook instance that it runs on when nobody has used it for a while.

This file is written to the instance as it stands and started every few minutes, as root, with the system's
Python: it asks Jupyter on the same machine, and calls SageMaker with the instance's own role.
"""

from __future__ import annotations

import json
import pathlib
import ssl
import subprocess
import sys
import time
import urllib.request
from datetime import datetime
from typing import Any

JUPYTER = "https://localhost:8443/api/"
METADATA = "/opt/ml/metadata/resource-metadata.json"
UPTIME = "/proc/uptime"


def ask(what: str) -> Any:
    """Give what Jupyter says of `sessions` or `terminals`."""
    # It is this machine, under a certificate of its own.
    unchecked = ssl._create_unverified_context() if JUPYTER.startswith("https:") else None
    with urllib.request.urlopen(JUPYTER + what, timeout=10, context=unchecked) as answer:
        return json.load(answer)


def idle_seconds(sessions: list[dict[str, Any]], terminals: list[dict[str, Any]], up: float) -> float:
    """Give for how long nothing has happened.

    Args:
        sessions: Jupyter's sessions, each with its kernel.
        terminals: Jupyter's terminals.
        up: For how long the instance has been up, in seconds: nobody can have used it before.
    """
    kernels = [session["kernel"] for session in sessions]
    if any(kernel["execution_state"] == "busy" for kernel in kernels):
        return 0
    used = [each["last_activity"] for each in (*kernels, *terminals) if each.get("last_activity")]
    times = [datetime.fromisoformat(each.replace("Z", "+00:00")).timestamp() for each in used]
    return min(up, *(time.time() - each for each in times)) if times else up


def main(minutes: int) -> None:
    """Stop the instance when it has been idle for so long."""
    up = float(pathlib.Path(UPTIME).read_text().split()[0])
    idle = idle_seconds(ask("sessions"), ask("terminals"), up)
    print(f"idle for {idle / 60:.0f} of {minutes} minutes")
    if idle < minutes * 60:
        return
    itself = json.loads(pathlib.Path(METADATA).read_text())
    region = itself["ResourceArn"].split(":")[3]
    stop = ["aws", "sagemaker", "stop-notebook-instance", "--region", region]
    subprocess.run([*stop, "--notebook-instance-name", itself["ResourceName"]], check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
