"""Notebook instances, lifecycle scripts and Git repositories."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.networks import IsolatedSubnets, OurGroups
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    HIJACK,
    INSIDER,
    SUPPLY_CHAIN,
    THEFT,
    approved_host,
    customer_key,
    instance_type,
)
from secure_ml_constructs.verification.rules.predicates import Equals
from secure_ml_constructs.verification.rules.requirements import At, Code, Every
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.rules.secrets import SafeScript
from secure_ml_constructs.verification.templates import Absent, Reference, Text, show

_NOTEBOOK = "AWS::SageMaker::NotebookInstance"
_notebook = partial(Rule, resource_type=_NOTEBOOK)


def _repository_secret(context: Context) -> Iterator[Outcome]:
    address = context.graph.get(context.resource, "GitConfig", "RepositoryUrl")
    secret = context.graph.get(context.resource, "GitConfig", "SecretArn")
    # "Associate Git repositories with SageMaker AI notebook instances": CodeCommit takes no secret.
    if not isinstance(secret, Absent) or "codecommit" in show(address):
        return
    if isinstance(address, str) or (isinstance(address, Text) and show(address).startswith("http")):
        yield Fail("is not set", "GitConfig.SecretArn")
    elif not isinstance(address, Reference) or "CodeCommit" not in address.resource.type:
        yield Unknown(
            "Whether the repository takes a secret is known with its address.", "GitConfig.SecretArn"
        )


RULES = (
    _notebook(
        id="SageMakerNotebookNoDirectInternet",
        requirement=At("DirectInternetAccess", Equals("Disabled")),
        severity=ERROR,
        control="S4",
        threats=(INSIDER, SUPPLY_CHAIN),
        title="A notebook instance has no internet of its own",
        why="SageMaker gives it a network card outside the VPC, past every control of ours.",
        fix="Set DirectInternetAccess to Disabled.",
        standards=("SageMaker.1",),
    ),
    _notebook(
        id="SageMakerNotebookInVpc",
        requirement=At("SubnetId", IsolatedSubnets()),
        severity=ERROR,
        control="S4",
        threats=(INSIDER,),
        title="A notebook instance is in an isolated subnet",
        why="Outside the VPC nothing of the environment's network holds.",
        fix="Set SubnetId to an isolated subnet.",
        standards=("SageMaker.2",),
    ),
    _notebook(
        id="SageMakerNotebookSecurityGroups",
        requirement=At("SecurityGroupIds", OurGroups()),
        severity=WARNING,
        control="N4",
        threats=(INSIDER,),
        title="A notebook instance has a security group of ours",
        why="The default group lets it talk to everything else that uses the default.",
        fix="Set SecurityGroupIds to groups of the environment.",
    ),
    _notebook(
        id="SageMakerNotebookNoRoot",
        requirement=At("RootAccess", Equals("Disabled")),
        severity=ERROR,
        control="S4",
        threats=(HIJACK, INSIDER),
        title="Users of a notebook instance are not root",
        why="Root can undo every hardening script, and read what its agents hold. The default is Enabled.",
        fix="Set RootAccess to Disabled.",
        standards=("SageMaker.3",),
    ),
    customer_key(
        "SageMakerNotebookCustomerKey",
        _NOTEBOOK,
        "KmsKeyId",
        "The volume of a notebook instance is",
        standards=("SageMaker.21",),
    ),
    _notebook(
        id="SageMakerNotebookImdsV2",
        requirement=At(
            "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion", Equals("2")
        ),
        severity=ERROR,
        control="S4",
        threats=(INSIDER, HIJACK),
        title="A notebook instance gives its credentials by IMDSv2 only",
        why="By version 1 a request forged through a web page in the notebook reads the role's credentials.",
        fix='Set MinimumInstanceMetadataServiceVersion to "2".',
    ),
    _notebook(
        id="SageMakerNotebookPlatform",
        requirement=At("PlatformIdentifier", Equals("notebook-al2023-v1")),
        severity=WARNING,
        control="S4",
        threats=(SUPPLY_CHAIN,),
        title="A notebook instance runs a supported platform",
        why="Older platforms get no security updates any more. The default is an old one.",
        fix="Set PlatformIdentifier to notebook-al2023-v1.",
        standards=("SageMaker.8",),
    ),
    approved_host(
        "SageMakerNotebookRepository", _NOTEBOOK, "DefaultCodeRepository", "The code in a notebook instance"
    ),
    approved_host(
        "SageMakerNotebookMoreRepositories",
        _NOTEBOOK,
        "AdditionalCodeRepositories[*]",
        "The code in a notebook instance",
    ),
    instance_type("SageMakerNotebookInstanceType", _NOTEBOOK, "InstanceType"),
    Rule(
        id="SageMakerNotebookLifecycleScript",
        resource_type="AWS::SageMaker::NotebookInstanceLifecycleConfig",
        requirement=Every(At("OnStart[*].Content", SafeScript()), At("OnCreate[*].Content", SafeScript())),
        severity=ERROR,
        control="E5",
        threats=(SUPPLY_CHAIN, INSIDER),
        title="Lifecycle scripts of notebooks hold no secret and fetch no code",
        why="They run as root on every start, and everyone who may describe them reads them.",
        fix="Read secrets from Secrets Manager; install from the private repository.",
    ),
    Rule(
        id="SageMakerStudioLifecycleScript",
        resource_type="AWS::SageMaker::StudioLifecycleConfig",
        requirement=At("StudioLifecycleConfigContent", SafeScript()),
        severity=ERROR,
        control="E5",
        threats=(SUPPLY_CHAIN, INSIDER),
        title="Lifecycle scripts of Studio hold no secret and fetch no code",
        why="They run in every app that starts, and everyone who may describe them reads them.",
        fix="Read secrets from Secrets Manager; install from the private repository.",
    ),
    Rule(
        id="SageMakerCodeRepositorySecret",
        resource_type="AWS::SageMaker::CodeRepository",
        requirement=Code(_repository_secret, "CodeCommit, where IAM signs in, is known by its address."),
        severity=ERROR,
        control="S4",
        threats=(SUPPLY_CHAIN, THEFT),
        title="A Git repository is attached through a secret",
        why="Otherwise it is a public one, or its password lies in an address or a notebook.",
        fix="Set GitConfig.SecretArn to a secret of Secrets Manager.",
    ),
    approved_host(
        "SageMakerCodeRepositoryHost", "AWS::SageMaker::CodeRepository", "GitConfig.RepositoryUrl", "Code"
    ),
)
