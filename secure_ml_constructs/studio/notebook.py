"""A notebook instance for those who still need one."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from urllib.parse import SplitResult, urlsplit

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from secure_ml_constructs._cdk import account, child_path, may_lose_data, partition, region
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity import ManagedSecret
from secure_ml_constructs.keys import EnvironmentKeys, KeyClass
from secure_ml_constructs.network.ml_network import MlNetwork
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import allow, document
from secure_ml_constructs.studio.instance_types import NOTEBOOKS, check_type, chosen
from secure_ml_constructs.studio.sign_in import StudioAuth, allow_sign_in, deny_sign_in

_Notebook = sagemaker.CfnNotebookInstance
_Hook = sagemaker.CfnNotebookInstanceLifecycleConfig.NotebookInstanceLifecycleHookProperty
_OPEN = "sagemaker:CreatePresignedNotebookInstanceUrl"
_NEEDED = ("sagemaker.api", "sagemaker.notebook", "sts", "logs", "kms")
_BRANCH = re.compile(r"[A-Za-z0-9._/-]{1,255}")
_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")
# Hooks run as root on every start, whatever users may; systemd is what the platform has for timers.
_ON_START = """#!/bin/bash
set -euo pipefail
cat > /usr/local/bin/stop-when-idle.py <<'PROGRAM'
{program}PROGRAM
systemd-run --unit=stop-when-idle --on-active=5m --on-unit-active=5m \\
    /usr/bin/python3 /usr/local/bin/stop-when-idle.py {minutes}
"""


@dataclass(frozen=True, kw_only=True)
class GitRepository:
    """Code that a notebook instance starts with.

    Attributes:
        url: Its address, by HTTPS and without credentials.
        secret: User and password, as a secret with the field `username`. CodeCommit, where the role signs
            in, takes none; everything else needs one.
        branch: Which branch. Default: `main`.

    Example:
        >>> code = GitRepository(url="https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/triage")
        >>> code.in_code_commit
        True
    """

    url: str
    secret: ManagedSecret | None = None
    branch: str = "main"

    @property
    def in_code_commit(self) -> bool:
        """Whether it is one of AWS CodeCommit, where IAM signs in."""
        host = _parts(self.url).hostname or ""
        return bool(re.fullmatch(r"git-codecommit\.[a-z0-9-]+\.amazonaws\.com(\.cn)?", host))


@dataclass(frozen=True, kw_only=True)
class NotebookMachine:
    """On what a notebook instance runs.

    Attributes:
        instance_type: The instance type. Default: `ml.t3.medium`.
        allowed_types: Types or families (`ml.t3.*`) that it has to be one of. Default: general types of up to
            8 vCPUs, and single-GPU types.
        volume_gb: The size of its volume in GB, 5 to 16,384. Default: 20.
        idle_minutes: Minutes without use until it is stopped, 15 to 1,440 (a day). Default: 60.

    Example:
        >>> NotebookMachine(instance_type="ml.m5.xlarge", idle_minutes=120).volume_gb
        20
    """

    instance_type: str = "ml.t3.medium"
    allowed_types: Sequence[str] = (
        *("ml.t3.*", "ml.m5.xlarge", "ml.m5.2xlarge", "ml.g4dn.xlarge", "ml.g5.xlarge"),
    )
    volume_gb: int = 20
    idle_minutes: int = 60


class SecureNotebook(Construct):
    """A notebook instance in an isolated subnet, without internet or root, that stops when nobody uses it.

    Prefer Studio: a notebook instance has one role for whoever opens it.

    Ensures:
        S4: no direct internet, no root, IMDSv2 only, under the workspace key, on the supported platform; a
            Git repository is attached through a secret.
        S1: opened from the environment's endpoints only.
        S3: stopped when idle; instance types limited.
        S5: kept with its volume unless losing it is asked for twice.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who is trusted.
        keys: The environment's keys.
        network: Where it runs.
        role: The role that it works with, such as `TeamRoles.data_scientist`.
        machine: On what it runs. Default: `NotebookMachine()`.
        repository: The code that it starts with. Default: none.
        removal_policy: `DESTROY` deletes it with its volume; it needs the context flag
            `secure-ml:allow-data-loss` as well. Default: `RETAIN`.

    Raises:
        ConfigurationError: An instance type that notebook instances do not have or that is not allowed,
            sizes or minutes out of range, a repository by another way than HTTPS, with credentials in its
            address or without a secret, an endpoint that is missing, destruction without the flag.

    Example:
        >>> from secure_ml_constructs import Endpoints, SecureVpc
        >>> network = SecureVpc(
        ...     stack, "Network", perimeter=perimeter, logs_key=keys.logs,
        ...     endpoints=Endpoints(extra=("sagemaker.notebook",)),
        ... )
        >>> notebook = SecureNotebook(
        ...     stack, "Notebook", perimeter=perimeter, keys=keys, network=network, role=role,
        ... )
        >>> notebook.grant_open(role)
    """

    #: The instance's ARN.
    notebook_arn: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        keys: EnvironmentKeys,
        network: MlNetwork,
        role: iam.IRole,
        machine: NotebookMachine | None = None,
        repository: GitRepository | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        machine = machine or NotebookMachine()
        problems = Problems()
        _check_machine(problems, machine)
        if repository:
            _check_repository(problems, repository)
        missing = [name for name in _NEEDED if name not in network.endpoint_ids]
        if missing:
            problems.add(
                "network",
                f"without endpoints for {', '.join(missing)}",
                "The instance would not work, or nobody could open it.",
                f"Name them: Endpoints(extra={tuple(missing)!r}).",
            )
        if removal_policy is not RemovalPolicy.RETAIN and not may_lose_data(scope):
            problems.add(
                "removal_policy",
                removal_policy.name,
                "What is on its volume would be lost with the stack.",
                "Leave the argument out, or set the context flag 'secure-ml:allow-data-loss' as well.",
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self._perimeter = perimeter
        self._endpoints = [network.endpoint_ids[name] for name in ("sagemaker.api", "sagemaker.notebook")]
        idle = sagemaker.CfnNotebookInstanceLifecycleConfig(
            self, "StopWhenIdle", on_start=[_Hook(content=_encoded(on_start(machine.idle_minutes)))]
        )
        notebook = _Notebook(
            self,
            "Resource",
            instance_type=machine.instance_type,
            role_arn=role.role_arn,
            subnet_id=network.isolated_subnet_ids[0],
            security_group_ids=[network.workload_security_group_id],
            direct_internet_access="Disabled",
            root_access="Disabled",
            kms_key_id=keys.arn(KeyClass.WORKSPACE),
            platform_identifier="notebook-al2023-v1",
            instance_metadata_service_configuration=_Notebook.InstanceMetadataServiceConfigurationProperty(
                minimum_instance_metadata_service_version="2"
            ),
            volume_size_in_gb=machine.volume_gb,
            lifecycle_config_name=idle.attr_notebook_instance_lifecycle_config_name,
            default_code_repository=self._repository(repository, role) if repository else None,
        )
        notebook.apply_removal_policy(removal_policy)
        name = notebook.attr_notebook_instance_name
        self.notebook_arn = f"arn:{partition()}:sagemaker:{region()}:{account()}:notebook-instance/{name}"
        self._allow(role, "Stops", [allow("StopItself", "sagemaker:StopNotebookInstance", self.notebook_arn)])

    def grant_open(self, role: iam.IRole) -> None:
        """Let a role start, stop and open the instance, from the environment's endpoints only. (S1)

        Args:
            role: The role of a person. Who opens the instance works with the instance's own role.
        """
        inside = StudioAuth.iam()
        use = ("DescribeNotebookInstance", "StartNotebookInstance", "StopNotebookInstance")
        self._allow(
            role,
            "Opens",
            [
                allow("Use", [f"sagemaker:{action}" for action in use], self.notebook_arn),
                *allow_sign_in(inside, self.notebook_arn, self._endpoints, _OPEN),
                deny_sign_in(inside, self._perimeter, self._endpoints, _OPEN),
            ],
        )

    def _allow(self, role: iam.IRole, what: str, statements: list[dict[str, object]]) -> None:
        iam.CfnManagedPolicy(
            self,
            f"{what}{role.node.addr[-8:]}",
            path=self._perimeter.role_path,
            roles=[role.role_name],
            policy_document=document(statements),
        )

    def _repository(self, repository: GitRepository, role: iam.IRole) -> str:
        if repository.secret:
            repository.secret.grant_read(role)
        made = sagemaker.CfnCodeRepository(
            self,
            "Repository",
            git_config=sagemaker.CfnCodeRepository.GitConfigProperty(
                repository_url=repository.url,
                branch=repository.branch,
                secret_arn=repository.secret.secret_arn if repository.secret else None,
            ),
        )
        return made.attr_code_repository_name


def on_start(idle_minutes: int) -> str:
    """Give the script that stops an instance when it is idle."""
    program = resources.files("secure_ml_constructs.runtime").joinpath("notebook_idle_stop.py").read_text()
    return _ON_START.format(program=program, minutes=idle_minutes)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _check_machine(problems: Problems, machine: NotebookMachine) -> None:
    known = Problems()
    check_type(known, "instance_type", NOTEBOOKS, machine.instance_type)
    problems.extend("machine", known)
    allowed = chosen(NOTEBOOKS, machine.allowed_types)
    if not known and machine.instance_type not in allowed:
        problems.add(
            "machine.instance_type",
            machine.instance_type,
            "It is not among allowed_types.",
            "Add it there, or write one of them.",
        )
    for argument, value, least, most in (
        ("volume_gb", machine.volume_gb, 5, 16_384),
        ("idle_minutes", machine.idle_minutes, 15, 1_440),
    ):
        if not least <= value <= most:
            problems.add(f"machine.{argument}", value, "It is out of range.", f"Write {least} to {most}.")


def _parts(url: str) -> SplitResult:
    # A token stands for something that is known when it is deployed, a region for instance.
    return urlsplit(_TOKEN.sub("token", url))


def _check_repository(problems: Problems, repository: GitRepository) -> None:
    parts = _parts(repository.url)
    if _TOKEN.match(repository.url):
        pass
    elif parts.scheme != "https" or not parts.hostname:
        problems.add(
            "repository.url",
            repository.url,
            "SageMaker reads repositories by HTTPS.",
            "Write 'https://git.hospital.example/team/code.git'.",
        )
    elif parts.username or parts.password:
        problems.add(
            "repository.url",
            f"https://…@{parts.hostname}",
            "Whoever may read the template would read the password.",
            "Keep it in a ManagedSecret and give that as secret.",
        )
    elif repository.in_code_commit and repository.secret:
        problems.add(
            "repository.secret", "a secret", "CodeCommit takes none: the role signs in.", "Leave it out."
        )
    elif not repository.in_code_commit and not repository.secret:
        problems.add(
            "repository.secret",
            None,
            "Without one the code is public, or its password lies in a notebook.",
            "Give a ManagedSecret with fields={'username': ...}.",
        )
    if not _BRANCH.fullmatch(repository.branch):
        problems.add(
            "repository.branch", repository.branch, "This is no branch.", "Write for instance 'main'."
        )
