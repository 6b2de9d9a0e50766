"""What outsiders could reach, and what roles never use: found by IAM Access Analyzer, told to a topic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from weakref import WeakKeyDictionary

from aws_cdk import Stack
from aws_cdk import aws_accessanalyzer as accessanalyzer
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.detection import AlertRule
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.perimeter import DataPerimeter

_ARN = re.compile(r"arn:\S+")
_RULE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,254}")
_SHORTEST_REASON = 40
# CreateArchiveRule takes that many values for one criterion.
_MOST_VALUES = 20


class Analysis(StrEnum):
    """What an analyzer looks for."""

    EXTERNAL = "external"
    UNUSED = "unused"
    INTERNAL = "internal"


_TYPES = {
    Analysis.EXTERNAL: "ACCOUNT",
    Analysis.UNUSED: "ACCOUNT_UNUSED_ACCESS",
    Analysis.INTERNAL: "ACCOUNT_INTERNAL_ACCESS",
}
# Amazon EventBridge: AWS Identity and Access Management Access Analyzer events.
_DETAIL_TYPES = {
    Analysis.EXTERNAL: "Access Analyzer Finding",
    Analysis.UNUSED: "Unused Access Finding for IAM entities",
    Analysis.INTERNAL: "Internal Access Finding",
}
# The analyses that an app makes, by account and region: AWS has one of a type in each.
_MADE: WeakKeyDictionary[IConstruct, set[tuple[str, str, Analysis]]] = WeakKeyDictionary()


@dataclass(frozen=True, kw_only=True)
class ArchiveRule:
    """Findings that are wanted: they are put away without an alert.

    Args:
        name: The rule's name in Access Analyzer.
        reason: Why the access is wanted; at least 40 characters. Stands in the template's metadata.
        resources: ARNs of the resources that it is about, 1 to 20.
        principals: ARNs or accounts that may reach them, up to 20. Default: whoever it is.
        analysis: Whose findings. Default: those of external access.

    Example:
        >>> rule = ArchiveRule(
        ...     name="partner-results",
        ...     reason="The partner hospital collects its results, under contract 2026-17.",
        ...     resources=("arn:aws:s3:::results-for-partner",),
        ...     principals=("444455556666",),
        ... )
    """

    name: str
    reason: str
    resources: tuple[str, ...]
    principals: tuple[str, ...] = ()
    analysis: Analysis = Analysis.EXTERNAL


class AccessAnalyzer(Construct):
    """IAM Access Analyzer for the account: external and unused access, each active finding told to a topic.

    Ensures:
        I4: external and unused access are analyzed, and findings alerted; what is put away has a name, a
            resource and a reason.
        R6: an analyzer that the account has is taken as it is; a second one is refused.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Where roles for services stand.
        topic: Whom findings are told to: `AlertTopic.topic`, or one as `AlertRule` takes it.
        unused_days: Days after which access counts as unused, 1 to 365. Default: 90.
        archive: Findings that are wanted. Default: none.
        internal_resources: ARNs of buckets and tables of which Access Analyzer tells who inside the account
            reaches them; each costs by the month. Default: none.
        existing: Analyses that the account has already: they are alerted and not made. Default: none.

    Raises:
        ConfigurationError: An analysis made before in this app, account and region; days out of range; an
            archive rule without a reason, or for every resource.

    Example:
        >>> from secure_ml_constructs import AlertTopic
        >>> alerts = AlertTopic(stack, "Alerts", perimeter=perimeter, key=keys.logs)
        >>> analyzer = AccessAnalyzer(stack, "Access", perimeter=perimeter, topic=alerts.topic)
        >>> sorted(analyzer.analyzer_arns)
        [<Analysis.EXTERNAL: 'external'>, <Analysis.UNUSED: 'unused'>]
    """

    #: The ARNs of the analyzers made here.
    analyzer_arns: Mapping[Analysis, str]

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        topic: sns.ITopic,
        unused_days: int = 90,
        archive: Sequence[ArchiveRule] = (),
        internal_resources: Sequence[str] = (),
        existing: Iterable[Analysis] = (),
    ) -> None:
        existing = set(existing)
        wanted = [Analysis.EXTERNAL, Analysis.UNUSED, *([Analysis.INTERNAL] if internal_resources else [])]
        made = [analysis for analysis in wanted if analysis not in existing]
        problems = Problems()
        if not 1 <= unused_days <= 365:
            problems.add(
                "unused_days",
                unused_days,
                "Access Analyzer looks back a year at the most.",
                "Write 1 to 365.",
            )
        _check_archive(problems, archive, made)
        _check_internal(problems, internal_resources, existing)
        _refuse_second(problems, scope, made)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        _MADE.setdefault(scope.node.root, set()).update(_places(scope, made))
        arns: dict[Analysis, str] = {}
        for analysis in made:
            rules = [rule for rule in archive if rule.analysis is analysis]
            analyzer = accessanalyzer.CfnAnalyzer(
                self,
                analysis.capitalize(),
                type=_TYPES[analysis],
                analyzer_configuration=_configuration(analysis, unused_days, internal_resources),
                archive_rules=[_archive_rule(rule) for rule in rules] or None,
            )
            if rules:
                analyzer.add_metadata("secure-ml:archived", {rule.name: rule.reason for rule in rules})
            arns[analysis] = analyzer.attr_arn
        self.analyzer_arns = MappingProxyType(arns)
        told = [_DETAIL_TYPES[analysis] for analysis in Analysis if analysis in {*made, *existing}]
        AlertRule(
            self,
            "Findings",
            perimeter=perimeter,
            topic=topic,
            pattern={
                "source": ["aws.access-analyzer"],
                "detail-type": told,
                "detail": {"status": ["ACTIVE"]},
            },
            description="Findings of IAM Access Analyzer",
        )


def _configuration(
    analysis: Analysis, unused_days: int, resources: Sequence[str]
) -> accessanalyzer.CfnAnalyzer.AnalyzerConfigurationProperty | None:
    made = accessanalyzer.CfnAnalyzer
    match analysis:
        case Analysis.UNUSED:
            unused = made.UnusedAccessConfigurationProperty(unused_access_age=unused_days)
            return made.AnalyzerConfigurationProperty(unused_access_configuration=unused)
        case Analysis.INTERNAL:
            criteria = made.InternalAccessAnalysisRuleCriteriaProperty(resource_arns=list(resources))
            internal = made.InternalAccessConfigurationProperty(
                internal_access_analysis_rule=made.InternalAccessAnalysisRuleProperty(inclusions=[criteria])
            )
            return made.AnalyzerConfigurationProperty(internal_access_configuration=internal)
    return None


def _archive_rule(rule: ArchiveRule) -> accessanalyzer.CfnAnalyzer.ArchiveRuleProperty:
    criteria = {"resource": rule.resources, "principal.AWS": rule.principals}
    return accessanalyzer.CfnAnalyzer.ArchiveRuleProperty(
        rule_name=rule.name,
        filter=[
            accessanalyzer.CfnAnalyzer.FilterProperty(property=property_, eq=list(values))
            for property_, values in criteria.items()
            if values
        ],
    )


def _check_archive(problems: Problems, archive: Sequence[ArchiveRule], made: Sequence[Analysis]) -> None:
    for index, rule in enumerate(archive):
        where = f"archive[{index}]"
        if not _RULE_NAME.fullmatch(rule.name):
            problems.add(
                f"{where}.name",
                rule.name,
                "This is no name of a rule.",
                "Write for instance 'partner-results'.",
            )
        if rule.name in [other.name for other in archive[:index]]:
            problems.add(f"{where}.name", rule.name, "Another rule has it.", "Write another name.")
        if len(rule.reason) < _SHORTEST_REASON:
            problems.add(
                f"{where}.reason",
                rule.reason,
                "An auditor can't judge it: findings that it puts away are told to nobody.",
                f"Write a sentence of at least {_SHORTEST_REASON} characters.",
            )
        if not rule.resources:
            problems.add(
                f"{where}.resources",
                rule.resources,
                "It would put away the findings of every resource.",
                "Name the resources by their ARNs.",
            )
        for name, values in (("resources", rule.resources), ("principals", rule.principals)):
            _check_values(problems, f"{where}.{name}", values)
        if rule.principals and rule.analysis is Analysis.UNUSED:
            problems.add(
                f"{where}.principals",
                rule.principals,
                "Unused access has no principal beside the resource, which is the role.",
                "Leave it out.",
            )
        if rule.analysis not in made:
            problems.add(
                f"{where}.analysis",
                rule.analysis,
                "No analyzer of this kind is made here.",
                "Add the rule where the analyzer is made, or leave it out.",
            )


def _check_values(problems: Problems, argument: str, values: Sequence[str]) -> None:
    if isinstance(values, str):
        problems.add(argument, values, "One string where a tuple belongs.", f"Write ({values!r},).")
        return
    if len(values) > _MOST_VALUES:
        reason = f"Access Analyzer takes {_MOST_VALUES} values."
        problems.add(argument, len(values), reason, "Make two rules of it.")
    for value in values:
        if "*" in value:
            problems.add(argument, value, "It is compared as it stands, without wildcards.", "Write it out.")


def _check_internal(problems: Problems, resources: Sequence[str], existing: set[Analysis]) -> None:
    if isinstance(resources, str):
        problems.add(
            "internal_resources", resources, "One string where a list belongs.", f"Write [{resources!r}]."
        )
        return
    for index, arn in enumerate(resources):
        if "${Token[" not in arn and not _ARN.fullmatch(arn):
            problems.add(
                f"internal_resources[{index}]", arn, "This is no ARN.", "Write 'arn:aws:s3:::<bucket>'."
            )
    if resources and Analysis.INTERNAL in existing:
        problems.add(
            "internal_resources",
            list(resources),
            "The analyzer of internal access is said to exist, and is not changed here.",
            "Name the resources where it is made, or take it out of existing.",
        )


def _places(scope: Construct, made: Iterable[Analysis]) -> set[tuple[str, str, Analysis]]:
    stack = Stack.of(scope)
    # Unused access is the same from each region, and paid for in each.
    return {
        (stack.account, "" if analysis is Analysis.UNUSED else stack.region, analysis) for analysis in made
    }


def _refuse_second(problems: Problems, scope: Construct, made: Sequence[Analysis]) -> None:
    second = _places(scope, made) & _MADE.get(scope.node.root, set())
    for analysis in sorted(each for _, _, each in second):
        problems.add(
            "existing",
            [],
            f"This app makes an analyzer of {analysis} access for the account already.",
            f"Give existing=[Analysis.{analysis.upper()}], or make one of them only.",
        )
