"""The guardrails of SageMaker: no work but in our network, under our keys, isolated and within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.guardrails.held import (
    ACTIONS,
    KEYS,
    Setting,
    Who,
    left_to,
    on_types,
    that_must,
    that_must_inline,
    that_must_unless_local,
)
from secure_ml_constructs.identity.guardrails.limits import DEFAULT_RUN_TIME_SECONDS, WorkLimits
from secure_ml_constructs.identity.guardrails.packing import MANAGED_POLICY_SIZE, pack, shortened
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Condition, Document, Statement, deny

__all__ = ["SageMakerGuardrails"]

_SUBNET = re.compile(r"subnet-[0-9a-f]{8,17}")
_GROUP = re.compile(r"sg-[0-9a-f]{8,17}")
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+", re.ASCII)
_ROLE = re.compile(
    r"arn:(?:aws[a-z-]*|\$\{AWS::Partition\}):iam::(?:\d{12}|\$\{AWS::AccountId\}):role/[^*?\s]\S*", re.ASCII
)
# So many that each statement fits into an organization's policy.
_MOST = 20
# What the statements about values that are given speak of: where an action has no such key, they say nothing.
_ALL = "sagemaker:*"


@dataclass(frozen=True, kw_only=True)
class SageMakerGuardrails:
    """Denies SageMaker work that is not in our network, under our keys, isolated and within bounds.

    The statements are Denies alone, so that they can stand in a permissions boundary, in managed policies of
    the people's roles or in a service control policy. Where a key of KMS is asked for, they hold under
    either name that its condition key has. The table in `docs/sagemaker-actions.md` says action
    by action what is held and why.

    Ensures:
        I2: every action that creates or changes something in SageMaker is held by what its request can
            carry; what no request can carry is left to the pipeline and deploying roles, or to nobody.
        T1: jobs run in the environment's subnets and groups, isolated.
        E3: volumes, outputs and feature stores under the environment's keys.
        E4: traffic between containers encrypted.
        S1: domains in `VpcOnly` mode.
        S4: notebooks without internet and root, with IMDSv2.

    Args:
        perimeter: Who deploys.
        subnets: Ids of the subnets that work runs in (`subnet-…`).
        security_groups: Ids of the groups that work may be in (`sg-…`).
        keys: ARNs of the keys for volumes, outputs and feature stores; no aliases.
        limits: Instance types, run time and file systems. Default: `WorkLimits()`.
        pipeline_roles: Roles that may define pipelines, and start work that no key holds. Default: none.
        approving_roles: Roles that may approve a model for deployment. Default: none, so that only
            deploying roles may.

    Raises:
        ConfigurationError: An id or ARN that is none, an empty list, or one of more than 20.

    Example:
        >>> guardrails = SageMakerGuardrails(
        ...     perimeter=perimeter,
        ...     subnets=("subnet-0a1b2c3d4e5f60718",),
        ...     security_groups=("sg-0a1b2c3d4e5f60718",),
        ...     keys=("arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-0000-0000-000000000000",),
        ... )
        >>> len(guardrails.documents())
        3
    """

    perimeter: DataPerimeter
    subnets: Sequence[str]
    security_groups: Sequence[str]
    keys: Sequence[str]
    limits: WorkLimits = field(default_factory=WorkLimits)
    pipeline_roles: Sequence[str] = ()
    approving_roles: Sequence[str] = ()

    def __post_init__(self) -> None:
        problems = Problems()
        _check(problems, "subnets", self.subnets, _SUBNET, "a subnet's id", "Write 'subnet-…'.")
        _check(problems, "security_groups", self.security_groups, _GROUP, "a group's id", "Write 'sg-…'.")
        _check(
            problems,
            "keys",
            self.keys,
            _KEY,
            "the ARN of a key",
            "Write 'arn:aws:kms:<region>:<account>:key/<id>'; SageMaker hands on the ARN, never an alias.",
        )
        for name in ("pipeline_roles", "approving_roles"):
            roles: Sequence[str] = getattr(self, name)
            if roles:
                _check(problems, name, roles, _ROLE, "the ARN of a role", "Write 'arn:…:role/<name>'.")
        problems.raise_if_any("SageMakerGuardrails")

    def documents(self, limit: int = MANAGED_POLICY_SIZE) -> tuple[Document, ...]:
        """Give the statements as policy documents.

        Args:
            limit: The most characters of a document. Default: those of a managed policy of IAM, 6,144.
        """
        return pack(self.statements(), limit)

    def statements(self) -> tuple[Statement, ...]:
        """Give every statement, each a Deny without a principal."""
        return (
            *self._network(),
            *self._isolation(),
            *self._keys(),
            *self._bounds(),
            *self._workspaces(),
            *self._left(),
        )

    # -- what a request has to say -------------------------------------------------------------------

    def _network(self) -> Iterator[Statement]:
        for setting, ours in ((Setting.SUBNETS, self.subnets), (Setting.GROUPS, self.security_groups)):
            key = _key(setting)
            yield from _missing(setting, {"Null": {key: "true"}})
            other: Condition = {"ForAnyValue:StringNotEquals": {key: list(ours)}}
            yield _deny(f"Other{_SIDS[setting]}", _ALL, other)

    def _isolation(self) -> Iterator[Statement]:
        # An endpoint configuration that names models may say "false" for all we know: it is not asked.
        for setting in (Setting.ISOLATION, Setting.TRAFFIC):
            yield from _missing(setting, {"BoolIfExists": {_key(setting): "false"}})

    def _keys(self) -> Iterator[Statement]:
        for setting in (Setting.VOLUME, Setting.OUTPUT):
            yield from _missing(setting, {"Null": dict.fromkeys(_names(setting), "true")})
        yield self._no_key_unless_local()
        # As text: what an Arn operator makes of an alias or an id is written nowhere.
        for setting in (Setting.VOLUME, Setting.OUTPUT):
            for number, key in enumerate(_names(setting), start=1):
                other: Condition = {"Null": {key: "false"}, "StringNotEquals": {key: list(self.keys)}}
                yield _deny(f"Other{_SIDS[setting]}{number}", _ALL, other)
        # A negated operator holds where the key is absent: under neither name is one of our keys given.
        online = {"Bool": {"sagemaker:FeatureGroupEnableOnlineStore": "true"}}
        offline = {"Null": {"sagemaker:FeatureGroupOfflineStoreConfig": "false"}}
        for setting, asked in ((Setting.ONLINE, online), (Setting.OFFLINE, offline)):
            theirs = {key: list(self.keys) for key in _names(setting)}
            condition: Condition = {**asked, "StringNotEquals": theirs}
            yield _deny(f"Other{_SIDS[setting]}", "sagemaker:CreateFeatureGroup", condition)

    def _no_key_unless_local(self) -> Statement:
        # CreateTrainingJob, ResourceConfig: "You can't request a VolumeKmsKeyId when using an instance type
        # with local storage". One type without is enough to ask for a key.
        condition: Condition = {"Null": dict.fromkeys(_names(Setting.VOLUME), "true")}
        types = self.limits.local_types or ["-"]
        condition["ForAnyValue:StringNotLike"] = {_key(Setting.TYPES): types}
        return _deny("NoVolumeKeyUnlessLocal", that_must_unless_local(Setting.VOLUME), condition)

    def _bounds(self) -> Iterator[Statement]:
        types, run_time = _key(Setting.TYPES), _key(Setting.RUN_TIME)
        yield _deny("NoTypes", that_must(Setting.TYPES), {"Null": {types: "true"}})
        others: Condition = {"ForAnyValue:StringNotLike": {types: self.limits.all_types}}
        yield _deny("OtherTypes", _ALL, others)
        seconds = str(self.limits.run_time_seconds)
        yield _deny("RunsTooLong", _ALL, {"NumericGreaterThan": {run_time: seconds}})
        if self.limits.run_time_seconds < DEFAULT_RUN_TIME_SECONDS:
            # Who says nothing gets a day.
            bounded = [
                f"sagemaker:{each}" for each, held in ACTIONS.items() if Setting.RUN_TIME in held.given
            ]
            yield _deny("NoRunTime", bounded, {"Null": {run_time: "true", types: "false"}})
        files: Condition = {"Null": {_key(Setting.FILES): "false"}}
        if self.limits.file_systems:
            files["StringNotEquals"] = {_key(Setting.FILES): list(self.limits.file_systems)}
        yield _deny("OtherFiles", _ALL, files)
        yield _deny("Serverless", _ALL, {"Null": {_key(Setting.SERVERLESS): "false"}})
        yield _deny("NoModel", that_must(Setting.MODEL), {"Null": {_key(Setting.MODEL): "true"}})

    def _workspaces(self) -> Iterator[Statement]:
        yield _deny("RemoteDebug", _ALL, {"Bool": {_key(Setting.DEBUG): "true"}})
        for setting, wanted, refused in (
            (Setting.REMOTE, "", "ENABLED"),
            (Setting.INTERNET, "Disabled", ""),
            (Setting.ROOT, "Disabled", "Enabled"),
            (Setting.METADATA, "2", "1"),
            (Setting.APP_NETWORK, "VpcOnly", "PublicInternetOnly"),
        ):
            key, name = _key(setting), _SIDS[setting]
            if wanted:
                # What is not said is the unsafe choice in each of them.
                yield _deny(f"No{name}", that_must(setting), {"StringNotEquals": {key: wanted}})
            if refused:
                yield _deny(f"Other{name}", _ALL, {"StringEquals": {key: refused}})

    # -- what is left to some ------------------------------------------------------------------------

    def _left(self) -> Iterator[Statement]:
        deploying = (*self.perimeter.deploying_roles, *self.perimeter.break_glass_roles)
        approved: Condition = {"StringEquals": {_key(Setting.APPROVAL): "Approved"}}
        approving = self.perimeter.not_roles((*self.approving_roles, *deploying))
        yield _deny("Approves", _ALL, {**approved, **approving})
        yield _deny("LeftToNobody", _short(Who.NOBODY), None)
        pipelines = self.perimeter.not_roles((*self.pipeline_roles, *deploying))
        yield _deny("LeftToPipelines", _short(Who.PIPELINES), pipelines)
        yield _deny("LeftToDeploying", _short(Who.DEPLOYING), self.perimeter.not_roles(deploying))


_SIDS = {
    Setting.SUBNETS: "Subnets",
    Setting.GROUPS: "Groups",
    Setting.ISOLATION: "Isolation",
    Setting.TRAFFIC: "TrafficEncryption",
    Setting.VOLUME: "VolumeKey",
    Setting.OUTPUT: "OutputKey",
    Setting.ONLINE: "OnlineKey",
    Setting.OFFLINE: "OfflineKey",
    Setting.REMOTE: "Remote",
    Setting.INTERNET: "Internet",
    Setting.ROOT: "Root",
    Setting.METADATA: "Metadata",
    Setting.APP_NETWORK: "AppNetwork",
}


def _missing(setting: Setting, condition: Condition) -> Iterator[Statement]:
    """Deny what has to say something and does not, or says that it is off.

    Schedules have to where they name instance types; jobs have to name them. So the two share a statement.
    """
    inline = that_must_inline(setting)
    shared = on_types(that_must(setting)) if inline else []
    actions = [action for action in that_must(setting) if action not in shared]
    if actions:
        yield _deny(f"No{_SIDS[setting]}", actions, condition)
    if inline:
        typed = {**condition.get("Null", {}), _key(Setting.TYPES): "false"}
        yield _deny(f"No{_SIDS[setting]}OnTypes", [*shared, *inline], {**condition, "Null": typed})


def _names(setting: Setting) -> list[str]:
    return [f"sagemaker:{key}" for key in KEYS[setting]]


def _key(setting: Setting) -> str:
    return _names(setting)[0]


def _deny(sid: str, actions: Sequence[str] | str, condition: Condition | None) -> Statement:
    return deny(sid, actions, "*", principal=None, condition=condition)


def _short(who: Who) -> list[str]:
    return shortened(left_to(who), (f"sagemaker:{name}" for name in ACTIONS))


def _check(
    problems: Problems, argument: str, given: Iterable[str], form: re.Pattern[str], what: str, fix: str
) -> None:
    if isinstance(given, str) or not given:
        problems.add(argument, given, "No list.", f"Write a tuple of one or more. {fix}")
        return
    given = list(given)
    if len(given) > _MOST:
        problems.add(argument, f"{len(given)} of them", f"More than {_MOST} fit no policy.", "Name fewer.")
    for index, each in enumerate(given):
        if not is_token(each) and not form.fullmatch(each):
            problems.add(f"{argument}[{index}]", each, f"This is not {what}.", fix)
