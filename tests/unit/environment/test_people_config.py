"""The people's part of a configuration: every problem at once, each with its path in the file."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from secure_ml_constructs.environment.config import parse_config
from secure_ml_constructs.errors import ConfigurationError
from tests.support.templates import ROOT

REFERENCE: dict[str, Any] = yaml.safe_load((ROOT / "environments" / "reference.yaml").read_text())


def problems(change: Callable[[dict[str, Any]], None]) -> dict[str, str]:
    """What is wrong with the reference after a change: the reason, by path."""
    raw = copy.deepcopy(REFERENCE)
    change(raw)
    try:
        parse_config(raw, where="file")
    except ConfigurationError as error:
        return {problem.argument: problem.reason for problem in error.problems}
    return {}


def test_the_reference_is_accepted() -> None:
    assert problems(lambda raw: None) == {}


def test_a_team_may_begin_as_the_environment_does() -> None:
    """Up to a hyphen it is another name."""
    assert problems(lambda raw: raw["people"]["teams"][1].update(name="hospitality")) == {}


Change = Callable[[dict[str, Any]], None]


def people(**values: Any) -> Change:
    return lambda raw: raw["people"].update(values)


def team(number: int, **values: Any) -> Change:
    return lambda raw: raw["people"]["teams"][number].update(values)


def user(number: int, **values: Any) -> Change:
    return lambda raw: raw["people"]["teams"][0]["users"][number].update(values)


CASES: dict[str, tuple[Change, str, str]] = {
    "an unknown zone": (team(0, reads=["raww"]), "people.teams[0].reads[0]", "no such zone"),
    "writing an unknown zone": (team(1, writes=["x"]), "people.teams[1].writes[0]", "no such zone"),
    "a team twice": (team(1, name="radiology"), "people.teams[1].team", "There is such a team"),
    "a team within another's name": (
        team(1, name="radiology-chest"),
        "people.teams[1].team",
        "nobody could tell",
    ),
    "a team to which the environment's models would belong": (
        team(1, name="hospital"),
        "people.teams[1].name",
        "so would what is named after",
    ),
    "a team within the environment's name": (
        team(1, name="hospital-ml-serving"),
        "people.teams[1].name",
        "so would what is named after",
    ),
    "a team's name": (team(0, name="Radiology"), "people.teams[0].team", "stands in ARNs"),
    "a user twice": (user(1, name="anna"), "people.teams[0].users[1].name", "named twice"),
    "a user's name": (user(0, name="Anna B"), "people.teams[0].users[0].name", "stands in ARNs"),
    "a profile without its user": (
        user(0, identity_center_user=None),
        "people.teams[0].users[0].identity_center_user",
        "could be given to anyone",
    ),
    "one person in two teams": (
        lambda raw: raw["people"]["teams"][1]["users"][0].update(
            identity_center_user="anna@hospital.example"
        ),
        "people.teams[1].users[0].identity_center_user",
        "one profile in a domain",
    ),
    "a persona that is no person's": (
        user(0, persona="training"),
        "people.teams[0].users[0].persona",
        "Input should be",
    ),
    "an instance type that is none": (
        people(work={"instance_types": ["ml.m5.huge"]}),
        "people.work.instance_types[0]",
        "no such size",
    ),
    "an app's instance type that is none": (
        lambda raw: raw["people"]["studio"].update(apps={"instance_types": ["ml.m5.huge"]}),
        "people.studio.apps.instance_types[0]",
        "no such instance type",
    ),
    "more people than the account may have": (
        lambda raw: raw["people"]["studio"].update(apps={"profiles_quota": 3}),
        "people.teams[1].users",
        "The account may have 3",
    ),
    "a range of the whole internet": (
        lambda raw: raw["people"]["studio"].update(sign_in="iam", ranges=["0.0.0.0/0"]),
        "people.studio.ranges[0]",
        "internet",
    ),
    "ranges with Identity Center": (
        lambda raw: raw["people"]["studio"].update(ranges=["203.0.113.0/24"]),
        "people.studio",
        "identity provider says",
    ),
    "a secret twice": (
        team(0, secrets=[{"name": "pacs"}, {"name": "pacs"}]),
        "people.teams[0].secrets[1].name",
        "one of this name",
    ),
    "teams without Studio": (people(studio=None), "people", "teams work in Studio"),
    "no sign-in": (people(privileged={"sign_in": {}}), "people.privileged.sign_in", "either by"),
    "a provider without a mark": (
        people(privileged={"sign_in": {"saml_provider": "arn:aws:iam::111122223333:saml-provider/H"}}),
        "people.privileged.sign_in",
        "second factor",
    ),
    "a role that is none": (
        people(privileged={"sign_in": {"roles": ["admin"]}}),
        "people.privileged.sign_in.arns[0]",
        "",
    ),
    "packages without endpoints": (
        lambda raw: raw["network"].update(endpoints={"profile": "minimal"}),
        "packages",
        "codeartifact.api",
    ),
    "our own packages by a wildcard": (
        lambda raw: raw.update(packages={"pip": {"internal": ["hospital*"]}}),
        "packages[0].internal[0]",
        "",
    ),
    "what nobody knows": (people(teems=[]), "people.teems", "Extra inputs"),
}


@pytest.mark.parametrize(("change", "path", "reason"), CASES.values(), ids=CASES.keys())
def test_what_is_refused(change: Change, path: str, reason: str) -> None:
    found = problems(change)
    assert path in found, found
    assert reason in found[path]


def test_all_is_told_at_once() -> None:
    def change(raw: dict[str, Any]) -> None:
        for number in (0, 1):
            team(number, reads=["nowhere"])(raw)
        people(work={"instance_types": ["m5.large"]})(raw)

    assert len(problems(change)) == 3
