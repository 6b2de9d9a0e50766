"""How fast the library is, compared in one run: `make bench`.

Each measurement is a process of its own; those that are compared run in turn, A B A B, and what is quoted is
the median of the ratios, pair by pair, so that a machine that slows down slows both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

MEASURE = Path(__file__).with_name("measure.py")
GOAL = 1.8
Result = dict[str, Any]


def measure(name: str, *arguments: str) -> Result:
    """Take one measurement in a process of its own."""
    done = subprocess.run(
        [sys.executable, MEASURE, name, *arguments],
        cwd=MEASURE.parents[1],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(pairs: int, console: Console) -> Result:
    """The reference environment by our constructs against bare resources."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "templates.json"))
        resources = measure("templates", path)["resources"]
        ours, bare = [], []
        for number in range(pairs):
            console.print(f"  pair {number + 1} of {pairs}", style="dim")
            ours.append(measure("constructs"))
            bare.append(measure("bare", path))
    assert all(result["same"] for result in bare), "the two sides made different resources"
    ratios = [one["total"] / other["total"] for one, other in zip(ours, bare, strict=True)]
    calls = measure("calls")
    return {
        "resources": resources,
        "calls_per_resource": calls["calls"] / resources,
        "ours_seconds": median(result["total"] for result in ours),
        "bare_seconds": median(result["total"] for result in bare),
        "ratio": median(ratios),
        "ratio_lowest": min(ratios),
        "ratio_highest": max(ratios),
    }


def growth(counts: tuple[int, ...]) -> list[Result]:
    """Time and memory of so many environments in one app."""
    return [{"environments": count, **measure("constructs", str(count))} for count in counts]


def parts() -> Result:
    """What a user waits for besides."""
    result = {
        "import": measure("imports")["total"],
        "first environment of a process, with Node's start": measure("first")["total"],
        "synth alone": measure("checks", "none")["total"],
    }
    for name in ("CloudFormation", "AwsSolutions", "HIPAA.Security", "NIST.800.53.R5"):
        result[f"synth with {name}"] = measure("checks", name)["total"]
    return result


def judging(pairs: int, environments: int = 28) -> Result:
    """Our rules against cdk-nag on the same app, and the command against a bare Python."""
    with tempfile.TemporaryDirectory() as folder:
        many, few = str(Path(folder, "many.json")), Path(folder, "few.template.json")
        resources = measure("templates", many, str(environments))["resources"]
        ours = [measure("rules", many) for _ in range(pairs)]
        nag = [measure("checks", "AwsSolutions", str(environments))["added"] for _ in range(pairs)]
        merged: Result = {"Resources": {}}
        for stack, template in json.loads(Path(many).read_text()).items():
            for name, resource in template["Resources"].items():
                if len(merged["Resources"]) < 500:
                    merged["Resources"][f"{stack}{name}".replace("-", "")] = resource
        few.write_text(json.dumps(merged))
        bare = ["-c", "import json, sys; json.load(open(sys.argv[1]))", str(few)]
        command = ["-m", "secure_ml_constructs.cli", "check", str(few), "--format", "json"]
        times = [(_seconds(command), _seconds(bare)) for _ in range(pairs)]
    return {
        "resources": resources,
        "load": median(result["load"] for result in ours),
        "check": median(result["check"] for result in ours),
        "nag": median(nag),
        "command": median(one for one, _ in times),
        "command_ratio": median(one / other for one, other in times),
    }


def proving(counts: tuple[int, ...]) -> list[Result]:
    """Every question about so many environments in one app."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for count in counts:
            path = str(Path(folder, f"{count}.json"))
            measure("templates", path, str(count))
            found.append({"environments": count, **measure("proofs", path)})
        return found


def _seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], cwd=MEASURE.parents[1], stdout=subprocess.DEVNULL, check=False
    )
    return time.perf_counter() - start


def main() -> None:
    """Measure, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--environments", type=int, nargs="+", default=[1, 5, 10, 20])
    parser.add_argument("--rows", type=int, default=10_000_000, help="captured rows to monitor")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    arguments = parser.parse_args()
    console = Console(highlight=False)

    console.print("The reference environment, by our constructs and as bare CfnResource, imports excluded")
    compared = compare(arguments.pairs, console)
    table = Table("", "median", box=None)
    table.columns[1].justify = "right"
    table.add_row("our constructs", f"{compared['ours_seconds']:.3f} s")
    table.add_row("bare CfnResource", f"{compared['bare_seconds']:.3f} s")
    spread = f"({compared['ratio_lowest']:.2f} to {compared['ratio_highest']:.2f}; goal at most {GOAL})"
    console.print(table)
    console.print(
        f"  ratio, median of {arguments.pairs} pairs: [bold]{compared['ratio']:.2f}[/bold] {spread}"
    )
    calls = f"{compared['calls_per_resource']:.1f} calls into Node a resource"
    console.print(f"  {compared['resources']} resources, {calls}\n")

    console.print("Many environments in one app")
    grown = growth(tuple(arguments.environments))
    table = Table("environments", "seconds", "per environment", "Python MiB", "Node MiB", box=None)
    for row in grown:
        table.add_row(
            str(row["environments"]),
            f"{row['total']:.2f}",
            f"{row['total'] / row['environments']:.3f}",
            f"{row['python_mib']:.0f}",
            f"{row['node_mib']:.0f}",
        )
    console.print(table)

    console.print("\nBeside it")
    beside = parts()
    table = Table("", "seconds", box=None)
    for name, seconds in beside.items():
        table.add_row(name, f"{seconds:.2f}")
    console.print(table)

    console.print("\nThe rules, over many environments")
    judged = judging(arguments.pairs)
    table = Table("", "seconds", "", box=None)
    share = f"{judged['load'] / judged['nag']:.2f} of cdk-nag's time; goal at most 0.50"
    table.add_row(f"loading {judged['resources']} resources", f"{judged['load']:.3f}", share)
    table.add_row("every rule over them", f"{judged['check']:.3f}", "goal at most 0.15")
    table.add_row("cdk-nag AwsSolutions on the same app", f"{judged['nag']:.3f}", "")
    ratio = f"{judged['command_ratio']:.1f} times a bare Python that loads it; goal at most 20"
    table.add_row("secure-ml check, 500 resources", f"{judged['command']:.3f}", ratio)
    console.print(table)

    console.print("\nThe proofs: every question about so many environments in one app")
    proved = proving(tuple(arguments.environments))
    table = Table("environments", "seconds", "per environment", "questions", "median ms", "95th ms", box=None)
    for row in proved:
        table.add_row(
            str(row["environments"]),
            f"{row['total']:.2f}",
            f"{row['total'] / row['environments']:.2f}",
            str(row["questions"]),
            f"{row['median'] * 1000:.1f}",
            f"{row['95th'] * 1000:.1f}",
        )
    console.print(table)
    console.print(
        "  goals: one environment 5 s, a question 20 ms at the median and 100 ms at the 95th percentile"
    )

    console.print("\nOpenMonitor: captured rows of 30 features, one a line, with a label for a tenth")
    watched = measure("captures", str(arguments.rows))
    table = Table("rows", "seconds", "rows a second", "MiB", box=None)
    table.add_row(
        str(watched["rows"]),
        f"{watched['total']:.0f}",
        f"{watched['rows'] / watched['total']:.0f}",
        f"{watched['python_mib']:.0f}",
    )
    console.print(table)
    console.print("  goal: ten million rows within 4096 MiB")
    if arguments.json:
        figures = {
            "compared": compared,
            "growth": grown,
            "beside": beside,
            "judging": judged,
            "proving": proved,
            "watching": watched,
        }
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
