"""What a run does: the definition is valid, and each run's window, names and places are right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from secure_ml_constructs.monitoring import OpenMonitor, Schedule
from tests.support.templates import World, new_app, synth
from tests.support.workflows import Workflows
from tests.unit.monitoring import watches

pytestmark = pytest.mark.slow

Definition = dict[str, Any]
LAKE = "s3://lakedata97ef135c-3a177f/output/"
ENDPOINT = "serving-risk-c8a1b2c3d4"
CAPTURES = f"{LAKE}captures/{ENDPOINT}/main/"


def definition(build: Callable[..., None], **more: Any) -> Definition:
    app = new_app()
    build(app, **more)
    machine = World(synth(app)).one("AWS::StepFunctions::StateMachine")
    found: Definition = json.loads(machine.properties["DefinitionString"])
    return found


def build_hourly(app: Any) -> None:
    schedule = Schedule.hourly()
    watches.watch(app, OpenMonitor(image=watches.GIVEN), **{**watches.FULL, "schedule": schedule})


@pytest.fixture(scope="module")
def plain() -> Definition:
    return definition(watches.build)


@pytest.fixture(scope="module")
def full() -> Definition:
    return definition(watches.build_full)


@pytest.fixture(scope="module")
def hourly() -> Definition:
    return definition(build_hourly)


@pytest.fixture(scope="module")
def workflows() -> Iterator[Workflows]:
    process = Workflows()
    yield process
    process.close()


@pytest.fixture(params=["plain", "full", "hourly"])
def each(request: pytest.FixtureRequest) -> Definition:
    found: Definition = request.getfixturevalue(request.param)
    return found


# -- the definition -----------------------------------------------------------------------------------------


def test_it_is_valid(each: Definition, workflows: Workflows) -> None:
    assert workflows.errors(each) == []


def test_the_schema_notices(full: Definition, workflows: Workflows) -> None:
    states = full["States"]
    for broken in (
        {**states, "Watch": {**states["Watch"], "Next": "Nowhere"}},
        {**states, "Done": {"Type": "Suceed"}},
        {name: state for name, state in states.items() if name != "Failed"},
    ):
        assert workflows.errors({**full, "States": broken})


def follow(state: dict[str, Any]) -> Iterator[str]:
    for part in (state, *state.get("Catch", ()), *state.get("Choices", ())):
        for key in ("Next", "Default"):
            if key in part:
                yield part[key]


def test_every_state_is_reached_and_every_task_is_caught(each: Definition) -> None:
    states, seen, waiting = each["States"], set[str](), [each["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += follow(states[name])
    assert seen == set(states)
    for name, state in states.items():
        if state["Type"] == "Task" and name != "TellFailure":
            assert {"States.ALL"} == set(state["Catch"][-1]["ErrorEquals"]), name
        if "Resource" in state and state["Resource"].endswith(".sync"):
            assert state["TimeoutSeconds"] < each["TimeoutSeconds"]


def test_an_image_by_its_digest_is_neither_looked_up_nor_built(plain: Definition, full: Definition) -> None:
    assert not {"FindImage", "BuildImage", "FindBuiltImage"} & set(plain["States"])
    assert "ecr" not in json.dumps(plain["States"]["FindRun"])
    image = plain["States"]["Watch"]["Arguments"]["AppSpecification"]["ImageUri"]
    assert image.startswith("111122223333.dkr.ecr.eu-central-1.amazonaws.com/open-monitor@sha256:")
    assert full["States"]["BuildImage"]["Arguments"] == {"ProjectName": "open-monitor-build"}


# -- when, and of what --------------------------------------------------------------------------------------


def run(workflows: Workflows, told: Definition, time: str) -> dict[str, Any]:
    """What a run at a time has assigned before its first task."""
    states = {"input": {"time": time}}
    assigned = workflows.evaluate(told["States"]["Window"]["Assign"], {"states": states})
    assert isinstance(assigned, dict)
    return {**assigned, "image": "image"}


def job(workflows: Workflows, told: Definition, state: str, variables: dict[str, Any]) -> dict[str, Any]:
    arguments = workflows.evaluate(told["States"][state]["Arguments"], variables)
    assert isinstance(arguments, dict)
    return arguments


def inputs(arguments: dict[str, Any]) -> dict[str, str]:
    return {each["InputName"]: each["S3Input"]["S3Uri"] for each in arguments["ProcessingInputs"]}


def window(arguments: dict[str, Any]) -> list[str]:
    found: list[str] = arguments["AppSpecification"]["ContainerArguments"][1:5]
    return found


@pytest.mark.parametrize(
    ("time", "day", "until"),
    [
        ("2026-01-31T02:20:00Z", "2026/01/30/", "2026-01-31T00:00:00Z"),
        ("2026-02-01T02:20:00Z", "2026/01/31/", "2026-02-01T00:00:00Z"),
        ("2026-03-01T02:20:00Z", "2026/02/28/", "2026-03-01T00:00:00Z"),
        ("2028-03-01T02:20:00Z", "2028/02/29/", "2028-03-01T00:00:00Z"),
        ("2027-01-01T02:20:07Z", "2026/12/31/", "2027-01-01T00:00:00Z"),
        ("2026-01-31T23:59:59Z", "2026/01/30/", "2026-01-31T00:00:00Z"),
        ("2026-01-31T00:00:00Z", "2026/01/30/", "2026-01-31T00:00:00Z"),
    ],
)
def test_a_day_is_the_day_before(
    workflows: Workflows, plain: Definition, time: str, day: str, until: str
) -> None:
    arguments = job(workflows, plain, "Watch", run(workflows, plain, time))
    assert inputs(arguments)["captures"] == f"{CAPTURES}{day}"
    assert window(arguments) == ["--until", until, "--hours", "24"]
    stamp = f"{day.replace('/', '')}t00"
    assert arguments["ProcessingJobName"] == f"{ENDPOINT}-3f9d24d6-w-{stamp}"
    [output] = arguments["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == f"{LAKE}monitoring/{ENDPOINT}/reports/{day}00/"


@pytest.mark.parametrize(
    ("time", "folder", "until", "truth", "truth_until"),
    [
        (
            "2026-02-01T00:20:00Z",
            "2026/01/31/",
            "2026-02-01T00:00:00Z",
            "2026/01/30/",
            "2026-01-30T18:00:00Z",
        ),
        (
            "2026-02-01T06:20:00Z",
            "2026/02/01/",
            "2026-02-01T06:00:00Z",
            "2026/01/30/",
            "2026-01-31T00:00:00Z",
        ),
        (
            "2026-02-01T12:20:00Z",
            "2026/02/01/",
            "2026-02-01T12:00:00Z",
            "2026/01/31/",
            "2026-01-31T06:00:00Z",
        ),
        (
            "2026-02-01T18:20:00Z",
            "2026/02/01/",
            "2026-02-01T18:00:00Z",
            "2026/01/31/",
            "2026-01-31T12:00:00Z",
        ),
    ],
)
def test_six_hours_lie_in_one_day(
    workflows: Workflows,
    full: Definition,
    time: str,
    folder: str,
    until: str,
    truth: str,
    truth_until: str,
) -> None:
    variables = run(workflows, full, time)
    watched = job(workflows, full, "Watch", variables)
    assert inputs(watched)["captures"] == f"{CAPTURES}{folder}"
    assert window(watched) == ["--until", until, "--hours", "6"]
    # After 25 hours: of windows of six, after five.
    measured = job(workflows, full, "Measure", variables)
    assert inputs(measured)["captures"] == f"{CAPTURES}{truth}"
    assert inputs(measured)["labels"] == f"{LAKE}labels/risk/{truth}"
    assert window(measured) == ["--until", truth_until, "--hours", "6"]
    assert measured["ProcessingJobName"] != watched["ProcessingJobName"]


def test_an_hour_is_read_by_its_folder(workflows: Workflows, hourly: Definition) -> None:
    variables = run(workflows, hourly, "2026-02-01T00:20:00Z")
    watched = job(workflows, hourly, "Watch", variables)
    assert inputs(watched)["captures"] == f"{CAPTURES}2026/01/31/23/"
    assert window(watched) == ["--until", "2026-02-01T00:00:00Z", "--hours", "1"]
    [output] = watched["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == f"{LAKE}monitoring/{ENDPOINT}/reports/2026/01/31/23/"
    measured = job(workflows, hourly, "Measure", variables)
    assert inputs(measured)["labels"] == f"{LAKE}labels/risk/2026/01/30/22/"


def test_names_of_jobs_are_names_and_another_for_each_window(workflows: Workflows, full: Definition) -> None:
    seen = set()
    for hour in range(0, 48, 6):
        variables = run(workflows, full, f"2026-01-{30 + hour // 24}T{hour % 24:02}:20:00Z")
        for state in ("MakeBaseline", "Watch", "Measure"):
            name = job(workflows, full, state, variables)["ProcessingJobName"]
            # CreateProcessingJob, ProcessingJobName.
            assert len(name) <= 63
            assert all(part.isalnum() for part in name.split("-"))
            assert name.startswith(f"{ENDPOINT}-")
            seen.add(name)
    assert len(seen) == 8 * 3


# -- what is there already ----------------------------------------------------------------------------------


def assigned(workflows: Workflows, told: Definition, state: str, variables: dict[str, Any]) -> Any:
    return workflows.evaluate(told["States"][state]["Assign"], variables)


def test_a_window_is_never_looked_at_twice(workflows: Workflows, full: Definition) -> None:
    variables = run(workflows, full, "2026-02-01T06:20:00Z")
    find = job(workflows, full, "FindRun", variables)
    assert find == {"NameContains": variables["run"]}
    [choice] = full["States"]["FindsRun"]["Choices"]
    for names, expected in (([], False), (["another"], False), (["another", variables["run"]], True)):
        result = {"ProcessingJobSummaries": [{"ProcessingJobName": name} for name in names]}
        told = assigned(workflows, full, "FindRun", {**variables, "states": {"result": result}})
        assert told == {"ran": expected}
        assert workflows.evaluate(choice["Condition"], told) is expected
    assert choice["Next"] == "AlreadyRan"


def test_a_baseline_is_made_once_and_again_before_it_expires(workflows: Workflows, full: Definition) -> None:
    variables = run(workflows, full, "2026-02-01T06:20:00Z")
    began = {"context": {"Execution": {"StartTime": "2026-07-15T06:20:01Z"}}}
    find = job(workflows, full, "FindBaseline", {**variables, "states": began})
    assert variables["made"].startswith(find["NameContains"])
    assert find["StatusEquals"] == "Completed"
    # The zone lets go of objects after 365 days.
    assert find["CreationTimeAfter"].startswith("2026-01-14T06:20:01")
    for count in (0, 1):
        result = {"ProcessingJobSummaries": [{"ProcessingJobName": "made"}] * count}
        told = assigned(workflows, full, "FindBaseline", {**variables, "states": {"result": result}})
        assert told == {"has": bool(count)}


def test_other_settings_are_another_baseline(plain: Definition, full: Definition) -> None:
    def folder(told: Definition) -> str:
        [output] = told["States"]["MakeBaseline"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
        return str(output["S3Output"]["S3Uri"])

    assert folder(plain) != folder(full)
    for told in (plain, full):
        watched = told["States"]["Watch"]["Arguments"]["ProcessingInputs"]
        [baseline] = [each["S3Input"]["S3Uri"] for each in watched if each["InputName"] == "baseline"]
        assert baseline == folder(told)


def test_the_image_is_known_by_the_digest_of_its_tag(workflows: Workflows, full: Definition) -> None:
    digest = "sha256:" + "0a" * 32
    result = {"ImageDetails": [{"imageDigest": "other", "ImageDigest": digest}]}
    for state in ("FindImage", "FindBuiltImage"):
        told = assigned(workflows, full, state, {"states": {"result": result}})
        assert told["image"].endswith(f"/open-monitor@{digest}")
    catch = full["States"]["FindImage"]["Catch"][0]
    assert catch == {"ErrorEquals": ["Ecr.ImageNotFoundException"], "Next": "BuildImage"}


# -- what fails ---------------------------------------------------------------------------------------------


def test_quality_is_measured_even_where_the_watch_failed_and_the_failure_is_told(
    workflows: Workflows, full: Definition
) -> None:
    states = full["States"]
    [caught] = states["Watch"]["Catch"]
    assert caught["Next"] == states["Watch"]["Next"] == "Measure"
    error = {"states": {"errorOutput": {"Error": "States.TaskFailed", "Cause": "x" * 2000}}}
    cause = workflows.evaluate(caught["Assign"], error)["cause"]
    assert cause.startswith("States.TaskFailed: xxx")
    assert len(cause) < 600
    [verdict] = states["Verdict"]["Choices"]
    assert verdict["Next"] == "TellFailure"
    assert workflows.evaluate(verdict["Condition"], {"cause": cause}) is True
    assert workflows.evaluate(verdict["Condition"], {"cause": ""}) is False


def test_a_failure_is_told_under_the_metric_that_alarms_watch(full: Definition) -> None:
    told = full["States"]["TellFailure"]["Arguments"]
    [metric] = told["MetricData"]
    assert (told["Namespace"], metric["MetricName"]) == ("SecureMl/ModelWatch", "Failed")
    assert metric["Dimensions"] == [{"Name": "Endpoint", "Value": ENDPOINT}]
    assert full["States"]["TellFailure"]["Next"] == "Failed"
