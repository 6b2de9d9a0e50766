"""The engine of accounts that have SageMaker Model Monitor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Annotations, Fn, Stack
from constructs import Construct

from secure_ml_constructs._acknowledge import NO_RESOURCE
from secure_ml_constructs._cdk import account, is_token, partition, region
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.monitoring.aws_images import aws_image, regions
from secure_ml_constructs.monitoring.job_machine import check_machine
from secure_ml_constructs.monitoring.logged_machine import LoggedMachine
from secure_ml_constructs.monitoring.metrics import NAMESPACE
from secure_ml_constructs.monitoring.monitor_jobs import Kind, Settings, add_jobs, kinds_of, schedule_arns
from secure_ml_constructs.monitoring.monitor_outcomes import TERMINAL, states
from secure_ml_constructs.monitoring.monitor_role import MonitorRole
from secure_ml_constructs.monitoring.plan import Built, WatchPlan
from secure_ml_constructs.monitoring.schema import ModelKind
from secure_ml_constructs.monitoring.start_rule import StartRule
from secure_ml_constructs.network.ecr_image import EcrImage, trusted_accounts
from secure_ml_constructs.policy import allow
from secure_ml_constructs.verification.rules.instances import local_storage

__all__ = ["ModelMonitor"]

_FOLDER = re.compile(r"(?:[\w!.'()=-]+/)+", re.ASCII)
_MODEL = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}", re.ASCII)
_CLOSED = (
    "SageMaker Model Monitor is closed to new customers since September 2026: an account that had not used "
    "it can't make its schedules. OpenMonitor works in any account, with the same alarms."
)


@dataclass(frozen=True, kw_only=True)
class ModelMonitor:
    """Looks with SageMaker Model Monitor, in accounts that have it: it is closed to new customers.

    It compares with baselines that its own baselining jobs made (`suggest_baseline`), in one folder: of
    `data-quality/` `constraints.json` and `statistics.json`, of `model-quality/` `constraints.json`, of
    `bias/` and `explainability/` `analysis_config.json` and `analysis.json`. They, and not the plan, hold
    what a violation is. What each run came to is told in the metrics of any engine, so that alarms stay the
    same.

    Ensures:
        M1: jobs of the kinds that are asked for, isolated, in the isolated subnets, traffic, volumes and
            reports encrypted.
        I1: a role that reads captures, labels and baselines of this endpoint, and writes its reports.

    Args:
        baselines: The folder with the baselines, within the zone of the plan's baseline, with a slash at its
            end.
        model_name: The model that attributions are computed of. Needed for explainability: SageMaker starts
            an endpoint of it for each run.
        analyzer_image: The image that looks at data and quality, by its digest. Default: AWS's.
        clarify_image: The image that looks at bias and attributions, by its digest. Default: AWS's.
        instance_type: On what jobs run. Default: `ml.m5.xlarge`.
        volume_gb: Their disk, 1 to 16,384 GB. Default: 50.
        run_time_seconds: The longest that one may run; never until the next begins. Default: 3,600.

    Example:
        >>> engine = ModelMonitor(baselines="risk/2026-11/monitoring/")
    """

    baselines: str
    model_name: str = ""
    analyzer_image: str = ""
    clarify_image: str = ""
    instance_type: str = "ml.m5.xlarge"
    volume_gb: int = 50
    run_time_seconds: int = 3600

    def check(self, problems: Problems, plan: WatchPlan) -> None:
        """Record what it can't do.

        Args:
            problems: Where to record.
            plan: What it is told.
        """
        if not _FOLDER.fullmatch(self.baselines) or ".." in self.baselines.split("/"):
            fix = "Write 'risk/2026-11/monitoring/'."
            problems.add("engine.baselines", self.baselines, "No folder within a zone.", fix)
        check_machine(
            problems,
            plan.foundation,
            instance_type=self.instance_type,
            volume_gb=self.volume_gb,
            seconds=self.run_time_seconds,
        )
        for name, image, needed in self._images(plan):
            self._check_image(problems, plan, name, image, needed)
        self._check_kinds(problems, plan)

    def _images(self, plan: WatchPlan) -> Iterator[tuple[str, str, bool]]:
        kinds = kinds_of(plan)
        yield "analyzer", self.analyzer_image, True
        yield "clarify", self.clarify_image, Kind.BIAS in kinds or Kind.EXPLAINABILITY in kinds

    @staticmethod
    def _check_image(problems: Problems, plan: WatchPlan, name: str, image: str, needed: bool) -> None:
        where = Stack.of(plan.foundation).region
        if image:
            if not is_token(image):
                accounts = trusted_accounts(plan.foundation, plan.foundation.perimeter)
                EcrImage.check(problems, f"engine.{name}_image", image, accounts=accounts)
        elif needed and not is_token(where) and where not in regions(name):
            reason = f"AWS has no such image in {where}."
            problems.add(f"engine.{name}_image", image, reason, "Name a copy of yours by its digest.")

    def _check_kinds(self, problems: Problems, plan: WatchPlan) -> None:
        schema = plan.schema
        if schema.ignore:
            reason = "Model Monitor is told by its baseline which columns it looks at."
            problems.add("schema.ignore", tuple(schema.ignore), reason, "Leave them out of the baseline.")
        if schema.kind is ModelKind.MULTICLASS and plan.model_quality and not schema.prediction:
            reason = "Model Monitor takes no class from several probabilities."
            problems.add("schema.prediction", "", reason, "Name the value that is the class.")
        if plan.bias and not plan.model_quality:
            reason = "Model Monitor computes bias from answers and the truth together."
            problems.add("bias", "without model_quality", reason, "Say where the truth comes to.")
        if plan.explainability and not self.model_name:
            reason = "Model Monitor computes attributions by asking the model, and does not know which."
            problems.add("engine.model_name", "", reason, "Name it.")
        if self.model_name and not is_token(self.model_name) and not _MODEL.fullmatch(self.model_name):
            fix = "Write up to 63 letters, digits and hyphens."
            problems.add("engine.model_name", self.model_name, "No name of a model.", fix)

    def build(self, scope: Construct, plan: WatchPlan) -> Built:
        """Make role, definitions, schedules, and what tells of their runs.

        Args:
            scope: The parent construct.
            plan: What it is told, checked.
        """
        Annotations.of(scope).add_warning_v2("secure-ml:ModelMonitorClosed", _CLOSED)
        role = MonitorRole(
            scope, "JobRole", plan=plan, baselines=self.baselines, model_name=self._explained(plan)
        )
        settings = self._settings(scope, plan, role.arn)
        for schedule in add_jobs(scope, plan, settings):
            # Without it the first run may come before the role may read anything.
            schedule.add_resource_dependency(role.policy)
        self._tell(scope, plan)
        return Built(job_role_arn=role.arn, results_uri=settings.results)

    def _explained(self, plan: WatchPlan) -> str:
        return self.model_name if plan.explainability else ""

    def _settings(self, scope: Construct, plan: WatchPlan, role: str) -> Settings:
        foundation = plan.foundation
        lake, keys, network = foundation.lake, foundation.keys, foundation.network
        zone = plan.endpoint.zone
        uri = lake.zone_uri(zone)
        images = {
            name: (Fn.sub(image) if "${AWS::" in image else image)
            or (aws_image(scope, name) if needed else "")
            for name, image, needed in self._images(plan)
        }
        return Settings(
            baselines=f"{lake.zone_uri(plan.baseline.zone)}{self.baselines}",
            results=f"{uri}{plan.results}",
            truth=f"{uri}{plan.model_quality.ground_truth}" if plan.model_quality else "",
            **images,
            role=role,
            resources={
                "instanceCount": 1,
                "instanceType": self.instance_type,
                "volumeSizeInGb": self.volume_gb,
                **({} if local_storage(self.instance_type) else {"volumeKmsKeyId": keys.arn(KeyClass.DATA)}),
            },
            network={
                "enableNetworkIsolation": True,
                "enableInterContainerTrafficEncryption": True,
                "vpcConfig": {
                    "subnets": list(network.isolated_subnet_ids),
                    "securityGroupIds": [network.job_security_group_id],
                },
            },
            output_key=keys.arn(lake.zones[zone].key_class),
            seconds=self.run_time_seconds,
        )

    @staticmethod
    def _tell(scope: Construct, plan: WatchPlan) -> None:
        metrics = {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}
        machine = LoggedMachine(
            scope,
            "Outcomes",
            foundation=plan.foundation,
            definition=states(plan.endpoint.name, kinds_of(plan), partition()),
            statements=[allow("Tell", "cloudwatch:PutMetricData", condition=metrics)],
            wildcards={"*": NO_RESOURCE},
            description="Tells what runs of Model Monitor came to",
        )
        head = f"arn:{partition()}:sagemaker:{region()}:{account()}"
        StartRule(
            scope,
            "OutcomesRule",
            foundation=plan.foundation,
            pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Processing Job State Change"],
                "detail": {
                    "MonitoringScheduleArn": list(schedule_arns(plan, head)),
                    "ProcessingJobStatus": list(TERMINAL),
                },
            },
            description=f"Tells what runs of Model Monitor over {plan.endpoint.name} came to",
            allowed=allow("Start", "states:StartExecution", machine.arn),
            target_arn=machine.arn,
            told={"input_path": "$.detail"},
        )
