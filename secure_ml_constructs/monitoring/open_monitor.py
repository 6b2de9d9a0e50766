"""The engine that works in every account: a job of SageMaker with our own code, on a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from aws_cdk import Fn
from constructs import Construct

from secure_ml_constructs._acknowledge import WATCH_NAMES
from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.monitoring.job_machine import check_machine
from secure_ml_constructs.monitoring.job_role import JobRole
from secure_ml_constructs.monitoring.logged_machine import LoggedMachine
from secure_ml_constructs.monitoring.plan import Built, WatchPlan
from secure_ml_constructs.monitoring.run_permissions import jobs_arn, run_statements
from secure_ml_constructs.monitoring.run_schedule import RunSchedule
from secure_ml_constructs.monitoring.settings import MOST_PIECES, digest, pieces
from secure_ml_constructs.monitoring.workflow import Machine, Workflow
from secure_ml_constructs.network.ecr_image import EcrImage, trusted_accounts
from secure_ml_constructs.verification.rules.instances import local_storage

__all__ = ["OpenMonitor", "PushedImage"]


class PushedImage(Protocol):
    """An image that a build of ours pushes under a tag that is never moved: a `MonitorImage`."""

    @property
    def repository_arn(self) -> str:
        """The repository's ARN."""

    @property
    def repository_name(self) -> str:
        """Its name."""

    @property
    def repository_uri(self) -> str:
        """Its address, without a tag."""

    @property
    def tag(self) -> str:
        """The tag, which stands for what the image is made of."""

    @property
    def project_name(self) -> str:
        """The CodeBuild project that builds and pushes it."""

    @property
    def project_arn(self) -> str:
        """The project's ARN."""


@dataclass(frozen=True, kw_only=True)
class OpenMonitor:
    """Looks with a processing job of ours, which any account can run.

    EventBridge Scheduler starts a state machine; it finds the image by its tag, or has it built; it makes the
    baseline, or finds the job that made it; it looks at the last window. No step sees data but the jobs.

    Ensures:
        M1: jobs isolated, in the isolated subnets, traffic, volumes and results encrypted, the image by its
            digest.
        I1: a role that reads this endpoint's captures, its labels and its baseline, and writes its results.
        A1: every step in an encrypted log.

    Args:
        image: The image: a `MonitorImage`, or one of yours by its digest
            (`<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:…`), which starts
            `python3 -m open_monitor`.
        instance_type: On what it runs. Default: `ml.m5.xlarge`.
        volume_gb: The disk for captures, 1 to 16,384 GB. Default: 50.
        run_time_seconds: The longest that one job may run. Default: 7,200.

    Example:
        >>> digest = "sha256:" + "0" * 64
        >>> registry = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
        >>> engine = OpenMonitor(image=f"{registry}/open-monitor@{digest}")
    """

    image: PushedImage | str
    instance_type: str = "ml.m5.xlarge"
    volume_gb: int = 50
    run_time_seconds: int = 7200

    def check(self, problems: Problems, plan: WatchPlan) -> None:
        """Record what it can't do.

        Args:
            problems: Where to record.
            plan: What it is told.
        """
        check_machine(
            problems,
            plan.foundation,
            instance_type=self.instance_type,
            volume_gb=self.volume_gb,
            seconds=self.run_time_seconds,
        )
        if isinstance(self.image, str):
            accounts = trusted_accounts(plan.foundation, plan.foundation.perimeter)
            if not (is_token(self.image) and "@sha256:" in self.image):
                EcrImage.check(problems, "engine.image", self.image, accounts=accounts, of_aws=False)
        count = len(pieces(plan))
        if count > MOST_PIECES:
            problems.add(
                "schema",
                f"{count * 256} characters of settings",
                f"A processing job takes {MOST_PIECES * 256}.",
                "Leave the columns of the request to the baseline, or name fewer.",
            )

    def build(self, scope: Construct, plan: WatchPlan) -> Built:
        """Make role, state machine and schedule.

        Args:
            scope: The parent construct.
            plan: What it is told, checked.
        """
        pushed = None if isinstance(self.image, str) else self.image
        job_role = JobRole(scope, "JobRole", plan=plan, repository=self._repository_arn())
        workflow = self._workflow(plan, job_role.arn)
        machine = LoggedMachine(
            scope,
            "Machine",
            foundation=plan.foundation,
            definition=workflow.definition(),
            statements=list(
                run_statements(
                    plan,
                    job_role=job_role.arn,
                    repository=pushed.repository_arn if pushed else "",
                    project=pushed.project_arn if pushed else "",
                )
            ),
            wildcards={jobs_arn(plan): WATCH_NAMES},
            description=f"Starts the jobs that look at {plan.endpoint.name}",
        )
        RunSchedule(scope, "Schedule", plan=plan, machine=machine.arn)
        return Built(job_role_arn=job_role.arn, results_uri=workflow.results)

    def _repository_arn(self) -> Any:
        """The ARN of the image's repository, empty where a token does not tell it."""
        if not isinstance(self.image, str):
            return self.image.repository_arn
        found = EcrImage.read(self.image)
        return found.repository_arn() if found else ""

    def _workflow(self, plan: WatchPlan, job_role: str) -> Workflow:
        foundation, image = plan.foundation, self.image
        lake, keys, network = foundation.lake, foundation.keys, foundation.network
        zone = lake.zones[plan.endpoint.zone]
        uri = lake.zone_uri(plan.endpoint.zone)
        hours, quality = plan.schedule.hours, plan.model_quality
        # Half of what the lake leaves them: a baseline is never older than the half of its life.
        renew = zone.expire_days // 2 if zone.expire_days else 0
        named = {} if isinstance(image, str) else _by_tag(image)
        return Workflow(
            endpoint=plan.endpoint.name,
            jobs=plan.job_prefix,
            digest=digest(plan, image if isinstance(image, str) else image.tag),
            hours=hours,
            captures=f"{uri}{plan.captures}",
            baseline=f"{lake.zone_uri(plan.baseline.zone)}{plan.baseline.path}",
            results=f"{uri}{plan.results}",
            settings=pieces(plan),
            machine=Machine(
                role=job_role,
                subnets=network.isolated_subnet_ids,
                groups=(network.job_security_group_id,),
                volume_key=None if local_storage(self.instance_type) else keys.arn(KeyClass.DATA),
                output_key=keys.arn(zone.key_class),
                instance_type=self.instance_type,
                volume_gb=self.volume_gb,
                seconds=self.run_time_seconds,
            ),
            image=(Fn.sub(image) if "${AWS::" in image else image)
            if isinstance(image, str)
            else image.repository_uri,
            labels=f"{uri}{quality.ground_truth}" if quality else "",
            # Whole windows: captures and labels lie in folders by the hour of the request.
            delay=-(-quality.after_hours // hours) * hours if quality else 0,
            renew_days=renew,
            **named,
        )


def _by_tag(image: PushedImage) -> dict[str, str]:
    return {"repository": image.repository_name, "tag": image.tag, "project": image.project_name}
