"""What is measured, one measurement a process: `python benchmarks/measure.py NAME [ARGUMENT]` prints JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "environments" / "reference.yaml"
Result = dict[str, Any]


def _context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def _app(**context: Any) -> Any:
    import aws_cdk as cdk

    return cdk.App(
        analytics_reporting=False,
        builtin_cloud_formation_validation=bool(context),
        context={**_context(), **context},
        stack_traces=False,
        tree_metadata=False,
    )


def _warm() -> None:
    """Import everything: Node loads the module of a type when the first of its kind is made."""
    app = _app()
    _environments(app, 1)
    app.synth()


@cache
def _config() -> Any:
    from secure_ml_constructs.environment import load_config

    return load_config(REFERENCE)


def _environments(app: Any, count: int) -> None:
    from secure_ml_constructs.environment import SecureMlEnvironment

    for number in range(count):
        named = _config().model_copy(update={"name": f"ml-{number:02}", **(_shared() if number else {})})
        SecureMlEnvironment(app, f"Environment{number:02}", config=named)


def _shared() -> dict[str, Any]:
    """What a further environment leaves to the first, since the account has it once."""
    from secure_ml_constructs.environment.people_config import AnalyzerSection
    from secure_ml_constructs.identity import Analysis

    config = _config()
    people = {"work_logs": "existing", "analyzer": AnalyzerSection(existing=tuple(Analysis))}
    return {
        "people": config.people.model_copy(update=people),
        "serving": config.serving.model_copy(update={"api_logging": "existing"}),
    }


def _templates(app: Any) -> dict[str, Any]:
    return {
        stack.stack_name: json.loads(Path(stack.template_full_path).read_text())
        for stack in app.synth().stacks
    }


def _timed(app: Any, build: Callable[[], None]) -> Result:
    start = time.perf_counter()
    build()
    built = time.perf_counter()
    app.synth()
    done = time.perf_counter()
    return {"construct": built - start, "synth": done - built, "total": done - start}


def constructs(count: str = "1") -> Result:
    """The reference environment by our constructs, so many times in one app."""
    _warm()
    app = _app()
    result = _timed(app, lambda: _environments(app, int(count)))
    result["python_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result["node_mib"] = _peak_of_children()
    return result


def first() -> Result:
    """The reference environment as the first thing a process makes, Node's start included."""
    import secure_ml_constructs.environment  # noqa: F401

    start = time.perf_counter()
    app = _app()
    _environments(app, 1)
    app.synth()
    return {"total": time.perf_counter() - start}


def bare(templates: str) -> Result:
    """The very same resources, each declared as a bare `CfnResource`."""
    import aws_cdk as cdk

    _warm()
    wanted = json.loads(Path(templates).read_text())
    app = _app()

    def build() -> None:
        for name, template in wanted.items():
            stack = cdk.Stack(app, name)
            made = {}
            for logical_id, raw in template["Resources"].items():
                made[logical_id] = cdk.CfnResource(
                    stack, logical_id, type=raw["Type"], properties=raw.get("Properties", {})
                )
                if "DeletionPolicy" in raw:
                    made[logical_id].apply_removal_policy(cdk.RemovalPolicy.RETAIN)
            for logical_id, raw in template["Resources"].items():
                needs = raw.get("DependsOn", [])
                for other in [needs] if isinstance(needs, str) else needs:
                    made[logical_id].add_resource_dependency(made[other])

    result = _timed(app, build)
    got = _templates(app)
    result["same"] = all(_resources(got[name]) == _resources(wanted[name]) for name in wanted)
    return result


def _resources(template: dict[str, Any]) -> Any:
    return {
        name: (raw["Type"], raw.get("Properties", {}), raw.get("DeletionPolicy"))
        for name, raw in template["Resources"].items()
    }


def templates(out: str, count: str = "1") -> Result:
    """Write the templates of so many reference environments."""
    app = _app()
    _environments(app, int(count))
    found = _templates(app)
    Path(out).write_text(json.dumps(found))
    return {"resources": sum(len(template["Resources"]) for template in found.values())}


def calls() -> Result:
    """Count the calls into Node that building the reference environment takes."""
    from collections import Counter

    from jsii._kernel.providers import process

    _warm()
    counted: Counter[str] = Counter()
    send = process._NodeProcess.send

    def counting(self: Any, request: Any, response: Any) -> Any:
        counted[type(request).__name__.removesuffix("Request")] += 1
        return send(self, request, response)

    process._NodeProcess.send = counting  # type: ignore[method-assign, assignment]
    _environments(_app(), 1)
    return {"calls": sum(counted.values()), **counted}


def imports() -> Result:
    """Import the package with the CDK."""
    start = time.perf_counter()
    import secure_ml_constructs.environment  # noqa: F401

    return {"total": time.perf_counter() - start}


def rules(path: str) -> Result:
    """Load templates, follow their references, and put every rule to them."""
    from secure_ml_constructs.verification.rules import Engine, pack, prepare
    from secure_ml_constructs.verification.templates import Templates

    text = Path(path).read_text()
    engine = Engine(pack())
    start = time.perf_counter()
    graph = Templates.of(json.loads(text))
    prepare(graph)
    loaded = time.perf_counter()
    findings = engine.check(graph)
    done = time.perf_counter()
    return {"load": loaded - start, "check": done - loaded, "findings": len(findings)}


def proofs(path: str) -> Result:
    """Ask every question about templates, and take the time of each."""
    from secure_ml_constructs.enforcement import trust_of
    from secure_ml_constructs.verification.proofs import environment
    from secure_ml_constructs.verification.proofs.iam.prove import Answer, Question, prove
    from secure_ml_constructs.verification.proofs.questions import ask as questions
    from secure_ml_constructs.verification.proofs.questions import summarize
    from secure_ml_constructs.verification.templates import Templates

    times: list[float] = []

    def timed(question: Question) -> Answer:
        start = time.perf_counter()
        answer = prove(question)
        times.append(time.perf_counter() - start)
        return answer

    # Nobody else has a reason to put another prover in its place.
    questions.Prover.__init__.__defaults__ = (timed,)
    graph = Templates.of(json.loads(Path(path).read_text()))
    trust = trust_of(_config().perimeter.value())
    start = time.perf_counter()
    answers = environment.ask(graph, trust)
    total = time.perf_counter() - start
    times.sort()
    return {
        "total": total,
        "questions": len(times),
        "median": times[len(times) // 2],
        "95th": times[len(times) * 95 // 100],
        "answers": summarize(answers),
    }


def checks(name: str, count: str = "1") -> Result:
    """Synthesize reference environments with one rule pack, the CDK's validation, or nothing."""
    from aws_cdk import Validations

    from secure_ml_constructs.enforcement.enforce import _CHECKS, Pack

    _warm()
    validation = {"@aws-cdk/core:validateAgainstDefaultRules": True} if name == "CloudFormation" else {}
    app = _app(**validation)
    _environments(app, int(count))
    app.synth()
    start = time.perf_counter()
    app.synth(force=True)
    alone = time.perf_counter() - start
    if name in list(Pack):
        Validations.of(app).add_plugins(_CHECKS[Pack(name)](app))
    start = time.perf_counter()
    app.synth(force=True)
    total = time.perf_counter() - start
    # Both in one process, so that the difference is the pack's and not the machine's.
    return {"total": total, "added": total - alone}


def captures(count: str = "10000000") -> Result:
    """Monitor so many captured rows of 30 features; a tenth is written, and read under ten names."""
    import tempfile
    from contextlib import redirect_stdout
    from io import StringIO

    from secure_ml_constructs.runtime.open_monitor import job

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _captured(folder, int(count))
        common = ["--config", str(folder / "config.json")]
        with redirect_stdout(StringIO()):
            job.main(["baseline", *common, "--data", str(folder / "data.csv"), "--output", scratch])
            watched = ["--baseline", str(folder / "baseline.json"), "--captures", str(folder / "captures")]
            watched += ["--labels", str(folder / "labels"), "--output", str(folder / "out")]
            start = time.perf_counter()
            job.main(["monitor", *common, *watched])
            total = time.perf_counter() - start
        report = json.loads((folder / "out" / "report.json").read_text())
    return {
        "rows": report["rows"],
        "labels": report["quality"]["matched"],
        "violations": len(report["violations"]),
        "total": total,
        "python_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _captured(folder: Path, count: int) -> None:
    """Write a tenth of the captures, one row a line, and ten names for each file."""
    import numpy as np

    die, names = np.random.default_rng(0), [f"feature_{number:02}" for number in range(30)]
    output = {"columns": ["score"]}
    settings = {"kind": "binary", "probabilities": ["score"], "label": "outcome", "output": output}
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "captures").mkdir()
    (folder / "labels").mkdir()
    head = '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"'
    middle = '","encoding":"CSV"},"endpointOutput":{"observedContentType":"text/csv","mode":"OUTPUT","data":"'
    tail = '","encoding":"CSV"}},"eventMetadata":{"eventId":"%s","inferenceTime":"2026-03-02T10:00:00Z"},'
    tail += '"eventVersion":"0"}\n'
    truth = '{"groundTruthData":{"data":"%d","encoding":"CSV"},"eventMetadata":{"eventId":"%s"},'
    truth += '"eventVersion":"0"}\n'
    with (folder / "data.csv").open("w") as data:
        data.write(",".join([*names, "score", "outcome"]) + "\n")
        for row, score in _drawn(die, 100_000):
            data.write(f"{row},{score:.6f},{die.random() < score:d}\n")
    rows = max(count // 10, 1)
    with (folder / "file.jsonl").open("w") as file, (folder / "labels" / "file.jsonl").open("w") as labels:
        for number, (row, score) in enumerate(_drawn(die, rows)):
            event = f"6c74bcd1-{number:08x}-4c1b-9d5e-0f0e2e9f8a11"
            file.write(f"{head}{row}{middle}{score:.6f}{tail % event}")
            labels.write(truth % (die.random() < score, event))
    for number in range(10):
        os.link(folder / "file.jsonl", folder / "captures" / f"{number}.jsonl")


def _drawn(die: Any, count: int) -> Iterator[tuple[str, float]]:
    import numpy as np

    for start in range(0, count, 10_000):
        values = die.normal(size=(min(10_000, count - start), 30))
        scores = 1 / (1 + np.exp(-values[:, :5].sum(axis=1)))
        for row, score in zip(values.tolist(), scores.tolist(), strict=True):
            yield ",".join(f"{value:.5f}" for value in row), score


def _peak_of_children() -> float:
    """The peak resident memory, in MiB, of the largest process below this one: the jsii kernel."""
    parents: dict[int, int] = {}
    peaks: dict[int, float] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            lines = (entry / "status").read_text().splitlines()
        except OSError:
            continue
        status = dict(line.split(":", 1) for line in lines if ":" in line)
        parents[int(entry.name)] = int(status["PPid"])
        peaks[int(entry.name)] = int(status.get("VmHWM", "0 kB").split()[0]) / 1024

    def below(process: int) -> bool:
        while process in parents:
            process = parents[process]
            if process == os.getpid():
                return True
        return False

    return max((peak for process, peak in peaks.items() if below(process)), default=0.0)


_MEASUREMENTS: dict[str, Callable[..., Result]] = {
    measurement.__name__: measurement
    for measurement in (bare, calls, captures, checks, constructs, first, imports, proofs, rules, templates)
}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(json.dumps(_MEASUREMENTS[name](*arguments)))
