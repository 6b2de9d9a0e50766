"""The roles of one team: its people, and the work that they start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import LOOKING
from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.personas import Persona, check_team
from secure_ml_constructs.identity.role_foundation import RoleFoundation
from secure_ml_constructs.identity.team_policies import WILDCARDS, TeamPolicies
from secure_ml_constructs.identity.wildcards import accept_wildcards
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Document, Statement, document

__all__ = ["TeamRoles"]

_JOBS = (Persona.TRAINING, Persona.PROCESSING, Persona.ENDPOINT, Persona.MONITORING)


class TeamRoles(Construct):
    """The roles of one team, each reaching what is the team's and its part of that alone.

    | role | zones it reads | zones it writes |
    |---|---|---|
    | data scientist | `reads` and `writes` | those of `writes` that hold data |
    | ML engineer | `writes` and the models of `reads` | those of `writes` that hold data |
    | training, processing | `reads` | `writes` |
    | endpoint | the models of both | none |
    | monitoring | those of `writes` that hold data | those of `writes` that hold data |
    | pipeline | none | none |

    So a model is written by a job, never by hand. What a team makes in SageMaker is named after it: its name
    and a hyphen.

    Ensures:
        I1: a role for each persona; none has `*` on data, and none reaches what is another team's.
        I2: roles that start work carry the guardrails, and pass the team's own roles to SageMaker only.
        I3: boundary on each role; SageMaker assumes it for this account only.
        I9: a workspace's user can be set as source identity, and stays it in the jobs that are started.
        D6: reading and writing by zone.
        S2: one team's roles reach nothing of another team.

    Args:
        scope: The parent construct.
        id: The construct's id.
        foundation: What every team's roles stand on.
        team: The team's name: up to 20 lower-case letters, digits and hyphens.
        reads: Names of the zones that its jobs and people read. Default: none.
        writes: Names of the zones that its jobs write. Default: none.

    Raises:
        ConfigurationError: A name that is none or runs into another team's, a zone that the lake has not.

    Example:
        >>> team = TeamRoles(
        ...     stack, "Radiology", foundation=foundation, team="radiology",
        ...     reads=["curated", "output"], writes=["output", "models"],
        ... )
        >>> team.training.role_arn == team.of(Persona.TRAINING).role_arn
        True
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        foundation: RoleFoundation,
        team: str,
        reads: Sequence[str] = (),
        writes: Sequence[str] = (),
    ) -> None:
        problems = Problems()
        check_team(problems, team, foundation.teams)
        for argument, zones in (("reads", reads), ("writes", writes)):
            _check_zones(problems, argument, zones, tuple(foundation.lake.zones))
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        foundation.teams.append(team)
        self.foundation = foundation
        #: The team's name.
        self.team = team
        self._roles: dict[Persona, iam.IRole] = {}
        policies = TeamPolicies(team=team, volume_keys=foundation.volume_keys)
        # On the role and not the other way round: who names the role of a job waits for its permissions.
        jobs = iam.ManagedPolicy.from_managed_policy_arn(
            self, "JobsImported", self._policy("Jobs", policies.jobs()).ref
        )
        for persona in _JOBS:
            self._roles[persona] = self._role(persona, [*foundation.execution_policies, jobs])
        passed = {persona: role.role_arn for persona, role in self._roles.items()}
        made: Mapping[Persona, Callable[[Mapping[Persona, str]], list[Statement]]] = {
            Persona.PIPELINE: policies.pipeline,
            Persona.DATA_SCIENTIST: policies.data_scientist,
            Persona.ML_ENGINEER: policies.ml_engineer,
        }
        for persona, statements in made.items():
            workspace = [foundation.workspace_policy] if persona.is_person else []
            role = self._role(persona, [*foundation.guardrails.managed_policies, *workspace])
            self._policy(_title(persona), statements(passed)).roles = [role.role_name]
            self._roles[persona] = role
        self._grant(tuple(reads), tuple(writes))

    # -- who -----------------------------------------------------------------------------------------

    def of(self, persona: Persona) -> iam.IRole:
        """Give the role of one persona.

        Args:
            persona: One of a team's.

        Raises:
            KeyError: A persona that belongs to no team.
        """
        return self._roles[persona]

    @property
    def data_scientist(self) -> iam.IRole:
        """Works with data: notebooks, jobs, experiments."""
        return self._roles[Persona.DATA_SCIENTIST]

    @property
    def ml_engineer(self) -> iam.IRole:
        """Approves, deploys and watches models; runs pipelines."""
        return self._roles[Persona.ML_ENGINEER]

    @property
    def training(self) -> iam.IRole:
        """Of training and tuning jobs."""
        return self._roles[Persona.TRAINING]

    @property
    def processing(self) -> iam.IRole:
        """Of processing jobs."""
        return self._roles[Persona.PROCESSING]

    @property
    def pipeline(self) -> iam.IRole:
        """Of pipelines, which start each step with that step's role."""
        return self._roles[Persona.PIPELINE]

    @property
    def endpoint(self) -> iam.IRole:
        """Of models: endpoints and batch transform."""
        return self._roles[Persona.ENDPOINT]

    @property
    def monitoring(self) -> iam.IRole:
        """Of the jobs that watch models."""
        return self._roles[Persona.MONITORING]

    # -- how -----------------------------------------------------------------------------------------

    def _role(self, persona: Persona, policies: Sequence[iam.IManagedPolicy]) -> iam.Role:
        perimeter = self.foundation.perimeter
        role = iam.Role(
            self,
            _title(persona),
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description=f"Team {self.team}: {persona}",
            path=persona.path(perimeter, self.team),
            managed_policies=list(policies),
            permissions_boundary=self.foundation.boundary.managed_policy,
        )
        resource = role.node.default_child
        assert isinstance(resource, iam.CfnRole)
        # Pipelines alone: SageMaker hands such a role to no job and no notebook, whoever passes it.
        for_ = f"pipeline/{self.team}-*" if persona is Persona.PIPELINE else "*"
        resource.assume_role_policy_document = work_trust(perimeter, for_)
        return role

    def _policy(self, id: str, statements: list[Statement]) -> iam.CfnManagedPolicy:
        made = iam.CfnManagedPolicy(
            self,
            f"{id}Policy",
            description=f"Team {self.team}: {id}",
            path=self.foundation.perimeter.role_path,
            policy_document=document(statements),
        )
        accept_wildcards(made, statements, resources=WILDCARDS, actions={"sagemaker:": LOOKING})
        return made

    def _grant(self, reads: Sequence[str], writes: Sequence[str]) -> None:
        lake = self.foundation.lake
        every = tuple(dict.fromkeys((*reads, *writes)))

        def models(zones: Sequence[str], *, are: bool) -> list[str]:
            return [zone for zone in zones if (lake.zones[zone].key_class is KeyClass.MODEL) is are]

        data = models(writes, are=False)
        granted: Mapping[Persona, tuple[Sequence[str], Sequence[str]]] = {
            Persona.DATA_SCIENTIST: (every, data),
            Persona.ML_ENGINEER: (tuple(dict.fromkeys((*writes, *models(reads, are=True)))), data),
            Persona.TRAINING: (reads, writes),
            Persona.PROCESSING: (reads, writes),
            Persona.ENDPOINT: (models(every, are=True), ()),
            Persona.MONITORING: (data, data),
        }
        for persona, (readable, writable) in granted.items():
            for zone in readable:
                lake.grant_read(zone, self._roles[persona], tables=persona.is_person)
            for zone in writable:
                lake.grant_write(zone, self._roles[persona], tables=persona.is_person)


def work_trust(perimeter: DataPerimeter, resource: str = "*") -> Document:
    """Give the trust of a role that SageMaker works with, for this account and in the user's name. (I3, I9)

    Args:
        perimeter: Whom roles trust.
        resource: For which of the account's resources SageMaker may take it. Default: any.

    Amazon SageMaker AI: Monitoring user resource access from SageMaker AI Studio with sourceIdentity. A
    source identity stays through role chaining, so that the roles of jobs have to let it be set as well.
    Cross-service confused deputy prevention says which resource each of SageMaker's parts acts for.
    """
    trust = perimeter.service_trust(
        "sagemaker.amazonaws.com",
        source_arn=f"arn:${{AWS::Partition}}:sagemaker:${{AWS::Region}}:${{AWS::AccountId}}:{resource}",
    )
    for statement in trust["Statement"]:
        statement["Action"] = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    return trust


def _check_zones(problems: Problems, argument: str, zones: Sequence[str], known: Sequence[str]) -> None:
    if isinstance(zones, str):
        problems.add(argument, zones, "One string where a list belongs.", f"Write [{zones!r}].")
        return
    for index, zone in enumerate(zones):
        if zone not in known:
            problems.add(
                f"{argument}[{index}]",
                zone,
                "The lake has no such zone.",
                f"Write one of {', '.join(known)}.",
            )


def _title(persona: Persona) -> str:
    return "".join(part.capitalize() for part in persona.split("-"))
