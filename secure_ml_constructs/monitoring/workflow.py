"""What a run does, as a state machine's definition in the Amazon States Language with JSONata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs._cdk import partition
from secure_ml_constructs.monitoring.metrics import ENDPOINT, NAMESPACE, WatchMetric

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_ROOT = "/opt/ml/processing"
State = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """On what jobs run.

    Attributes:
        role: The ARN of the jobs' role.
        subnets: Ids of the isolated subnets.
        groups: Ids of the security groups.
        volume_key: The ARN of the disks' key; None where the disks are the instance's own.
        output_key: The ARN of the results' key.
        instance_type: The type.
        volume_gb: The size of the disk.
        seconds: The longest that one may run.
    """

    role: str
    subnets: Sequence[str]
    groups: Sequence[str]
    volume_key: str | None
    output_key: str
    instance_type: str
    volume_gb: int
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A run, step by step: the image, the baseline, the window, and quality where the truth is known.

    Attributes:
        endpoint: The endpoint's name.
        jobs: What the names of jobs begin with.
        digest: What stands for all that the baseline is made by.
        hours: The length of a window.
        captures: Where captures lie (`s3://…/`), above the folders by date.
        baseline: The baseline's data (`s3://…`).
        results: Where results go (`s3://…/`).
        settings: The settings of the job, in pieces.
        machine: On what jobs run.
        image: The image by its digest, or its repository's address where it is found by a tag.
        repository: The name of that repository; empty where the image is given by its digest.
        tag: The tag.
        project: The CodeBuild project that builds it.
        labels: Where the truth comes to (`s3://…/`); empty where it is not known.
        delay: After how many hours it has come, a multiple of `hours`.
        renew_days: After how many days the baseline is made anew, before the lake lets it expire; 0 is never.
    """

    endpoint: str
    jobs: str
    digest: str
    hours: int
    captures: str
    baseline: str
    results: str
    settings: Sequence[str]
    machine: Machine
    image: str
    repository: str = ""
    tag: str = ""
    project: str = ""
    labels: str = ""
    delay: int = 0
    renew_days: int = 0

    def definition(self) -> dict[str, Any]:
        """Give the definition."""
        states = {
            "Window": self._window(),
            "FindRun": self._find("$run", "FindsRun", {"ran": f"{{% {_same('$run')} %}}"}),
            "FindsRun": _choice("$ran", "AlreadyRan", self._first_of_image),
            "AlreadyRan": {"Type": "Succeed"},
            **self._image_states(),
            **self._baseline_states(),
            "Watch": self._job(
                "monitor",
                "$run",
                {
                    "captures": f"{{% '{self.captures}' & $window.folder %}}",
                    "baseline": self._baseline_folder,
                },
                f"{{% '{self.results}reports/' & $window.folder & $window.hour %}}",
                ["--until", "{% $window.until %}", "--hours", str(self.hours)],
                {"Next": "Measure" if self.labels else "Done"},
            ),
            **self._quality_states(),
            "Done": {"Type": "Succeed"},
            "TellFailure": self._tell(),
            "Failed": {"Type": "Fail", "Error": "WatchFailed", "Cause": "{% $cause %}"},
        }
        if self.labels:
            # What drifted and what is wrong are two findings: the one is told whether or not the other is.
            states["Watch"]["Catch"] = [_caught("Measure")]
        return {
            "Comment": f"Looks at {self.endpoint}",
            "QueryLanguage": "JSONata",
            "StartAt": "Window",
            "TimeoutSeconds": 3 * self.machine.seconds + 7200,
            "States": states,
        }

    # -- when ----------------------------------------------------------------------------------------

    def _window(self) -> State:
        """The last whole window before the time that the schedule said, in UTC, and that of quality."""
        assigned = {
            "window": self._window_before(0),
            "run": f"{{% '{self.jobs}-w-' & {_stamp(self.hours, 0)} %}}",
            "made": f"{{% '{self.jobs}-b-{self.digest}-' & {_stamp(self.hours, 0)} %}}",
            "cause": "{% '' %}",
        }
        if self.labels:
            assigned["truth"] = self._window_before(self.delay)
            assigned["measure"] = f"{{% '{self.jobs}-q-' & {_stamp(self.hours, self.delay)} %}}"
        return {"Type": "Pass", "Assign": assigned, "Next": "FindRun"}

    def _window_before(self, delay: int) -> str:
        folder = "[Y0001]/[M01]/[D01]/" + ("[H01]/" if self.hours == 1 else "")
        # A folder of reports for each window; that of an hour's captures has the hour already.
        hour = "''" if self.hours == 1 else "$fromMillis($begin, '[H01]/')"
        return (
            f"{{% ( $end := {_end(self.hours, delay)}; $begin := $end - {self.hours * _HOUR}; "
            f"{{ 'until': $fromMillis($end, '[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z'), "
            f"'folder': $fromMillis($begin, '{folder}'), "
            f"'hour': {hour} }} ) %}}"
        )

    # -- the image -----------------------------------------------------------------------------------

    @property
    def _first_of_image(self) -> str:
        return "FindImage" if self.repository else "FindBaseline"

    def _image_states(self) -> Mapping[str, State]:
        if not self.repository:
            return {}
        find: State = {
            "Type": "Task",
            "Resource": _sdk("ecr", "describeImages"),
            "Arguments": {"RepositoryName": self.repository, "ImageIds": [{"ImageTag": self.tag}]},
            "Assign": {"image": f"{{% '{self.image}@' & $states.result.ImageDetails[0].ImageDigest %}}"},
            "Next": "FindBaseline",
        }
        absent = {"ErrorEquals": ["Ecr.ImageNotFoundException"]}
        return {
            "FindImage": {
                **find,
                "Retry": [{**absent, "MaxAttempts": 0}, _PATIENT],
                "Catch": [{**absent, "Next": "BuildImage"}, _caught("TellFailure")],
            },
            "BuildImage": {
                "Type": "Task",
                "Resource": f"arn:{partition()}:states:::codebuild:startBuild.sync",
                "Arguments": {"ProjectName": self.project},
                "TimeoutSeconds": 7200,
                "Catch": [_caught("TellFailure")],
                "Next": "FindBuiltImage",
            },
            "FindBuiltImage": {**find, "Retry": [_PATIENT], "Catch": [_caught("TellFailure")]},
        }

    # -- the baseline --------------------------------------------------------------------------------

    @property
    def _baseline_folder(self) -> str:
        return f"{self.results}baseline/{self.digest}/"

    def _baseline_states(self) -> Mapping[str, State]:
        # Who starts jobs reaches no data: that a baseline is there is told by the job that made it.
        since = f"$fromMillis($toMillis($states.context.Execution.StartTime) - {self.renew_days * _DAY})"
        return {
            "FindBaseline": self._find(
                f"'{self.jobs}-b-{self.digest}-'",
                "FindsBaseline",
                {"has": "{% $count($states.result.ProcessingJobSummaries) > 0 %}"},
                StatusEquals="Completed",
                **({"CreationTimeAfter": f"{{% {since} %}}"} if self.renew_days else {}),
            ),
            "FindsBaseline": _choice("$has", "Watch", "MakeBaseline"),
            "MakeBaseline": self._job(
                "baseline", "$made", {"data": self.baseline}, self._baseline_folder, [], {"Next": "Watch"}
            ),
        }

    # -- quality -------------------------------------------------------------------------------------

    def _quality_states(self) -> Mapping[str, State]:
        if not self.labels:
            return {}
        inputs = {
            "captures": f"{{% '{self.captures}' & $truth.folder %}}",
            "labels": f"{{% '{self.labels}' & $truth.folder %}}",
            "baseline": self._baseline_folder,
        }
        return {
            "Measure": self._job(
                "measure",
                "$measure",
                inputs,
                f"{{% '{self.results}quality/' & $truth.folder & $truth.hour %}}",
                ["--until", "{% $truth.until %}", "--hours", str(self.hours)],
                {"Next": "Verdict"},
            ),
            "Verdict": _choice("$cause != ''", "TellFailure", "Done"),
        }

    # -- tasks ---------------------------------------------------------------------------------------

    def _find(self, name: str, then: str, assign: Mapping[str, str], **more: str) -> State:
        return {
            "Type": "Task",
            "Resource": _sdk("sagemaker", "listProcessingJobs"),
            "Arguments": {"NameContains": f"{{% {name} %}}", **more},
            "Assign": dict(assign),
            "Retry": [_PATIENT],
            "Catch": [_caught("TellFailure")],
            "Next": then,
        }

    def _job(
        self,
        command: str,
        name: str,
        inputs: Mapping[str, str],
        output: str,
        arguments: Sequence[str],
        then: Mapping[str, str],
    ) -> State:
        machine = self.machine
        cluster: dict[str, Any] = {
            "InstanceCount": 1,
            "InstanceType": machine.instance_type,
            "VolumeSizeInGB": machine.volume_gb,
        }
        if machine.volume_key:
            cluster["VolumeKmsKeyId"] = machine.volume_key
        return {
            "Type": "Task",
            "Resource": f"arn:{partition()}:states:::sagemaker:createProcessingJob.sync",
            "Arguments": {
                "ProcessingJobName": f"{{% {name} %}}",
                "RoleArn": machine.role,
                "AppSpecification": {
                    "ImageUri": "{% $image %}" if self.repository else self.image,
                    "ContainerEntrypoint": ["python3", "-m", "open_monitor"],
                    "ContainerArguments": [command, *arguments, "--settings", *self.settings],
                },
                "ProcessingInputs": [_input(key, uri) for key, uri in inputs.items()],
                "ProcessingOutputConfig": {
                    "KmsKeyId": machine.output_key,
                    "Outputs": [
                        {
                            "OutputName": "results",
                            "S3Output": {
                                "S3Uri": output,
                                "LocalPath": f"{_ROOT}/output",
                                "S3UploadMode": "EndOfJob",
                            },
                        }
                    ],
                },
                "ProcessingResources": {"ClusterConfig": cluster},
                "StoppingCondition": {"MaxRuntimeInSeconds": machine.seconds},
                "NetworkConfig": {
                    "EnableNetworkIsolation": True,
                    "EnableInterContainerTrafficEncryption": True,
                    "VpcConfig": {
                        "Subnets": list(machine.subnets),
                        "SecurityGroupIds": list(machine.groups),
                    },
                },
            },
            "TimeoutSeconds": machine.seconds + 1800,
            "Catch": [_caught("TellFailure")],
            **then,
        }

    def _tell(self) -> State:
        """Jobs that began tell themselves that they failed; those that never did can't."""
        about = [{"Name": ENDPOINT, "Value": self.endpoint}]
        return {
            "Type": "Task",
            "Resource": _sdk("cloudwatch", "putMetricData"),
            "Arguments": {
                "Namespace": NAMESPACE,
                "MetricData": [{"MetricName": WatchMetric.FAILED.value, "Value": 1, "Dimensions": about}],
            },
            "Retry": [_PATIENT],
            "Next": "Failed",
        }


_PATIENT = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "MaxAttempts": 3, "BackoffRate": 2}


def _sdk(service: str, action: str) -> str:
    return f"arn:{partition()}:states:::aws-sdk:{service}:{action}"


def _caught(then: str) -> State:
    error = "{% $states.errorOutput.Error & ': ' & $substring($string($states.errorOutput.Cause), 0, 500) %}"
    return {"ErrorEquals": ["States.ALL"], "Assign": {"cause": error}, "Next": then}


def _choice(condition: str, then: str, otherwise: str) -> State:
    return {
        "Type": "Choice",
        "Choices": [{"Condition": f"{{% {condition} %}}", "Next": then}],
        "Default": otherwise,
    }


def _input(name: str, uri: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{_ROOT}/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def _same(name: str) -> str:
    return f"$count($states.result.ProcessingJobSummaries[ProcessingJobName = {name}]) > 0"


def _end(hours: int, delay: int) -> str:
    length = hours * _HOUR
    return f"$floor($toMillis($states.input.time) / {length}) * {length} - {delay * _HOUR}"


def _stamp(hours: int, delay: int) -> str:
    """The begin of a window, as names of jobs take it."""
    return f"$fromMillis({_end(hours, delay)} - {hours * _HOUR}, '[Y0001][M01][D01]t[H01]')"
