"""A team in a Studio domain: a profile and private spaces for each of its people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge, acknowledge_wildcards
from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.errors import ConfigurationError, Problem, Problems
from secure_ml_constructs.identity import Persona, TeamRoles
from secure_ml_constructs.policy import deny, document
from secure_ml_constructs.studio.access import person_statements, wildcards
from secure_ml_constructs.studio.apps import StudioApp, StudioApps
from secure_ml_constructs.studio.cleanup import MAY_GO, RETAINED
from secure_ml_constructs.studio.sign_in import SIGN_IN, StudioAuth, allow_sign_in, deny_sign_in
from secure_ml_constructs.studio.tags import without_tags

if TYPE_CHECKING:
    from secure_ml_constructs.studio.domain import SecureStudioDomain

# In a space's name, which has at most 63 characters, stand the team (20), the user and the app (10).
_USER = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_USER = 30
# A stack has at most 500 resources; beside people there are roles, policies and what monitors them.
_MOST_RESOURCES = 240
_PEOPLE = (Persona.DATA_SCIENTIST, Persona.ML_ENGINEER)
_WORK = (Persona.TRAINING, Persona.PROCESSING, Persona.PIPELINE, Persona.ENDPOINT, Persona.MONITORING)


@dataclass(frozen=True, kw_only=True)
class StudioUser:
    """Somebody who works in Studio.

    Attributes:
        name: A short name in lower case; the profile is called by the team and this.
        persona: With which of the team's roles. Default: as a data scientist.
        identity_center_user: The user's name in IAM Identity Center, where people sign in by it.

    Example:
        >>> StudioUser(name="anna", persona=Persona.ML_ENGINEER).name
        'anna'
    """

    name: str
    persona: Persona = Persona.DATA_SCIENTIST
    identity_center_user: str | None = None


class StudioTeam(Construct):
    """A team's profiles and private spaces, each person in spaces of their own. Made by `studio.add_team`.

    Ensures:
        S1: sign-in denied to the team's roles but by the environment's endpoints and named ranges, or at all
            where people sign in by IAM Identity Center.
        S2: a profile and private spaces for each person, with the team's role; no other team's can be
            opened, changed or seen, nor another person's opened.
        S3: apps and instance types of the domain only.
        I5: one person to a profile.

    Args:
        scope: The parent construct.
        id: The construct's id.
        studio: The domain.
        roles: The team's roles.
        users: Its people, as `StudioUser` or, for data scientists, by their names.

    Raises:
        ConfigurationError: A user twice, a name that is none, a persona that is no person's, an Identity
            Center user missing or of no use, more people than the quota or a stack allows.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        studio: SecureStudioDomain,
        roles: TeamRoles,
        users: Sequence[str | StudioUser],
    ) -> None:
        people = check_team(studio, roles.team, users, child_path(scope, id))
        super().__init__(scope, id)
        studio.people.update({(roles.team, person.name): person for person in people})
        self._studio = studio
        #: The team's name.
        self.name = roles.team
        #: The team's roles.
        self.roles = roles
        self._let_work()
        spaces: list[CfnResource] = []
        #: The name of each person's profile.
        self.profiles: Mapping[str, str] = {person.name: f"{self.name}-{person.name}" for person in people}
        for person in people:
            profile = self._profile(person)
            spaces.extend(self._space(person, app, profile) for app in studio.apps.types)
        if studio.cleanup:
            acknowledge(self, RETAINED, MAY_GO)
            studio.cleanup.before(self, domain_id=studio.domain_id, prefix=f"{self.name}-", spaces=spaces)

    def grant_sign_in(self, role: iam.IRole, *, user: str | None = None) -> None:
        """Let whoever has a role sign in to one profile, from known places only: in IAM mode. (S1)

        Args:
            role: The role that people have from their own identity provider.
            user: Whose profile. Default: of whom the session's source identity names, so that one role
                serves a whole team where the identity provider sets it to the user's name.

        Raises:
            ConfigurationError: No such user, or people sign in by IAM Identity Center.
        """
        studio = self._studio
        problem = None
        if studio.auth.mode != "IAM":
            problem = Problem("role", role, "People sign in by IAM Identity Center.", "Assign them there.")
        elif user is not None and user not in self.profiles:
            known = ", ".join(self.profiles)
            problem = Problem("user", user, "The team has no such user.", f"Write one of {known}.")
        if problem:
            raise ConfigurationError(self.node.path, [problem])
        profile = studio.arn("user-profile", f"{self.name}-{user or '${aws:SourceIdentity}'}")
        others = deny("OtherProfiles", SIGN_IN, profile, principal=None)
        others["NotResource"] = others.pop("Resource")
        iam.CfnManagedPolicy(
            self,
            f"SignIn{role.node.addr[-8:]}",
            path=studio.perimeter.role_path,
            roles=[role.role_name],
            policy_document=document(
                [
                    *allow_sign_in(studio.auth, profile, studio.sign_in_endpoint_ids),
                    others,
                    deny_sign_in(studio.auth, studio.perimeter, studio.sign_in_endpoint_ids),
                ]
            ),
        )

    @cached_property
    def spaces(self) -> Mapping[str, tuple[str, ...]]:
        """The names of each person's spaces."""
        return {
            person: tuple(f"{profile}-{app.value.lower()}" for app in self._studio.apps.types)
            for person, profile in self.profiles.items()
        }

    def _let_work(self) -> None:
        studio = self._studio
        for id, personas, statements in (
            ("People", _PEOPLE, list(person_statements(studio, self.name))),
            # Nobody signs in with these. Said here as well, whatever they are granted elsewhere.
            ("Work", _WORK, [deny_sign_in(studio.auth, studio.perimeter, studio.sign_in_endpoint_ids)]),
        ):
            policy = iam.CfnManagedPolicy(
                self,
                f"{id}Policy",
                path=studio.perimeter.role_path,
                roles=[self.roles.of(persona).role_name for persona in personas],
                policy_document=document(statements),
            )
            if personas is _PEOPLE:
                acknowledge_wildcards(policy, wildcards(studio, self.name))

    def _profile(self, person: StudioUser) -> CfnResource:
        center = person.identity_center_user
        profile = sagemaker.CfnUserProfile(
            self,
            f"Profile-{person.name}",
            domain_id=self._studio.domain_id,
            user_profile_name=self.profiles[person.name],
            single_sign_on_user_identifier="UserName" if center else None,
            single_sign_on_user_value=center,
            user_settings=sagemaker.CfnUserProfile.UserSettingsProperty(
                execution_role=self.roles.of(person.persona).role_arn
            ),
        )
        without_tags(profile)
        profile.apply_removal_policy(self._studio.removal_policy)
        return profile

    def _space(self, person: StudioUser, app: StudioApp, profile: CfnResource) -> CfnResource:
        apps, kind = self._studio.apps, sagemaker.CfnSpace
        machine = kind.ResourceSpecProperty(instance_type=apps.default_instance_type)
        lab, editor = app is StudioApp.JUPYTER_LAB, app is StudioApp.CODE_EDITOR
        space = kind(
            self,
            f"Space-{person.name}-{app.value}",
            domain_id=self._studio.domain_id,
            space_name=f"{self.profiles[person.name]}-{app.value.lower()}",
            ownership_settings=kind.OwnershipSettingsProperty(
                owner_user_profile_name=self.profiles[person.name]
            ),
            space_sharing_settings=kind.SpaceSharingSettingsProperty(sharing_type="Private"),
            space_settings=kind.SpaceSettingsProperty(
                app_type=app.value,
                remote_access="DISABLED",
                space_storage_settings=kind.SpaceStorageSettingsProperty(
                    ebs_storage_settings=kind.EbsStorageSettingsProperty(ebs_volume_size_in_gb=apps.volume_gb)
                ),
                jupyter_lab_app_settings=kind.SpaceJupyterLabAppSettingsProperty(
                    default_resource_spec=machine
                )
                if lab
                else None,
                code_editor_app_settings=kind.SpaceCodeEditorAppSettingsProperty(
                    default_resource_spec=machine
                )
                if editor
                else None,
            ),
        )
        without_tags(space)
        # Named as text: the profile has to be there first, and the space has to go before it.
        space.add_resource_dependency(profile)
        space.apply_removal_policy(self._studio.removal_policy)
        return space


def check_team(
    studio: SecureStudioDomain, team: str, users: Sequence[str | StudioUser], where: object
) -> list[StudioUser]:
    """Give a team's people, or raise with all that is wrong with them.

    Args:
        studio: The domain.
        team: The team's name.
        users: What the caller gave.
        where: What refuses.
    """
    problems = Problems()
    people = check_people(problems, team, users, auth=studio.auth, apps=studio.apps, others=studio.people)
    problems.raise_if_any(where)
    return people


def check_people(
    problems: Problems,
    team: str,
    users: Sequence[str | StudioUser],
    *,
    auth: StudioAuth,
    apps: StudioApps,
    others: Mapping[tuple[str, str], StudioUser],
) -> list[StudioUser]:
    """Give a team's people, and record all that is wrong with them.

    Args:
        problems: Where to record.
        team: The team's name.
        users: What the caller gave.
        auth: How people sign in.
        apps: The domain's apps.
        others: Who is in the domain already, by team and name.
    """
    if isinstance(users, str) or not users:
        problems.add("users", users, "No list of users.", "Write ['anna', 'ben'].")
        users = ()
    people = [StudioUser(name=each) if isinstance(each, str) else each for each in users]
    if team in {other for other, _ in others}:
        problems.add("name", team, "The domain has such a team.", "Name all of its users at once.")
    by_center = {each.identity_center_user: key for key, each in others.items()}
    seen: set[str] = set()
    for index, person in enumerate(people):
        _check_person(problems, f"users[{index}]", person, auth)
        if person.name in seen:
            problems.add(f"users[{index}].name", person.name, "This user is named twice.", "Name each once.")
        seen.add(person.name)
        center = person.identity_center_user
        if center and center in by_center:
            other = "-".join(by_center[center])
            problems.add(
                f"users[{index}].identity_center_user",
                center,
                f"A person has one profile in a domain, and {other} is this one's.",
                "Give the person one team here; for another, make a second domain.",
            )
        by_center[center] = (team, person.name)
    resources = len(people) * (1 + len(apps.types))
    if resources > _MOST_RESOURCES:
        problems.add(
            "users",
            f"{len(people)} of them",
            f"They take {resources} resources, and with roles and policies more than a stack should have.",
            f"Name at most {_MOST_RESOURCES // (1 + len(apps.types))} in a team.",
        )
    total = len(people) + len(others)
    if total > apps.profiles_quota:
        problems.add(
            "users",
            f"{total} profiles in the domain",
            f"The account may have {apps.profiles_quota} (Service Quotas, L-AC46C40F).",
            "Ask for more, and say in StudioApps(profiles_quota=...) what was granted.",
        )
    return people


def _check_person(problems: Problems, at: str, person: StudioUser, auth: StudioAuth) -> None:
    if not _USER.fullmatch(person.name) or len(person.name) > _LONGEST_USER:
        problems.add(
            f"{at}.name",
            person.name,
            f"It stands in ARNs, and case makes no difference to SageMaker: 1 to {_LONGEST_USER} lower-case "
            "letters, digits and single hyphens, a letter first.",
            "Write for instance 'anna'.",
        )
    if person.persona not in _PEOPLE:
        problems.add(
            f"{at}.persona",
            person.persona,
            "No person works with this role.",
            f"Write one of {', '.join(f'Persona.{each.name}' for each in _PEOPLE)}.",
        )
    if auth.mode == "SSO" and not person.identity_center_user:
        problems.add(
            f"{at}.identity_center_user",
            person.identity_center_user,
            "A profile without a user could be given to anyone.",
            f"Write StudioUser(name={person.name!r}, identity_center_user='anna@hospital.example').",
        )
    if auth.mode == "IAM" and person.identity_center_user:
        problems.add(
            f"{at}.identity_center_user",
            person.identity_center_user,
            "People of this domain sign in by IAM.",
            "Leave it out, or make the domain with StudioAuth.identity_center().",
        )
