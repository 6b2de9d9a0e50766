"""Who calls an API, what of a request is looked at, and what signs callers in."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    ADVERSARIAL,
    API_ABUSE,
    HIJACK,
    INSIDER,
    PRESENT,
    TAMPERING,
    THEFT,
    TRUE,
    WALLET,
)
from secure_ml_constructs.verification.rules.predicates import Bounded, Equals, Items, absent_or
from secure_ml_constructs.verification.rules.requirements import At, Code, Every, When
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Absent, Reference

_METHOD = "AWS::ApiGateway::Method"
_PLAN = "AWS::ApiGateway::UsagePlan"
_POOL = "AWS::Cognito::UserPool"
_CLIENT = "AWS::Cognito::UserPoolClient"
_LEAST_PASSWORD = 12


def _metered(context: Context) -> Iterator[Outcome]:
    """A quota counts by API key: a method that asks for none is outside of it."""
    method, graph = context.resource, context.graph
    api = graph.get(method, "RestApiId")
    if type(api) is not Reference or graph.get(method, "HttpMethod") == "OPTIONS":
        return
    for plan in graph.resources(_PLAN):
        for stage in graph.items(plan, "ApiStages"):
            named = graph.at(plan.template, stage, ("ApiId",))
            if type(named) is Reference and named.resource is api.resource:
                yield from At("ApiKeyRequired", TRUE).check(context)
                return


def _headers(context: Context) -> Iterator[Outcome]:
    """What a method demands of headers and queries is demanded by its validator."""
    method, graph = context.resource, context.graph
    wanted = graph.get(method, "RequestParameters")
    if not isinstance(wanted, dict) or True not in wanted.values():
        return
    validator = graph.get(method, "RequestValidatorId")
    if isinstance(validator, Absent):
        yield Fail("are demanded, and no validator is set", "RequestParameters")
    elif type(validator) is Reference and (
        graph.get(validator.resource, "ValidateRequestParameters") is not True
    ):
        yield Fail("are demanded, and the validator does not look at them", "RequestParameters")


RULES = (
    Rule(
        id="ApiMethodMetered",
        resource_type=_METHOD,
        requirement=Code(_metered, "The usage plan is another resource."),
        severity=ERROR,
        control="G3",
        threats=(WALLET, THEFT),
        title="A method of an API with a usage plan asks for a key",
        why="Rate and quota are counted by API key: a method that asks for none has neither.",
        fix="Set ApiKeyRequired to true.",
    ),
    Rule(
        id="ApiUsagePlanNamesStages",
        resource_type=_PLAN,
        requirement=At("ApiStages", Items(1)),
        severity=ERROR,
        control="G3",
        threats=(WALLET, THEFT),
        title="A usage plan is one of a stage",
        why="A plan that names no stage counts nothing.",
        fix="Name API and stage in ApiStages.",
    ),
    Rule(
        id="ApiHeadersValidated",
        resource_type=_METHOD,
        requirement=Code(_headers, "The validator is another resource."),
        severity=WARNING,
        control="G5",
        threats=(ADVERSARIAL, API_ABUSE),
        title="The headers that a method demands are looked for",
        why="By the content type API Gateway chooses the schema: what names none may be looked at by none.",
        fix="Set RequestValidatorId to one with ValidateRequestParameters.",
    ),
    Rule(
        id="ApiPassthroughNever",
        resource_type=_METHOD,
        # "Integration passthrough behaviors": the default passes on what no template is for.
        requirement=When(
            At("Integration.RequestTemplates", PRESENT),
            At("Integration.PassthroughBehavior", Equals("NEVER")),
        ),
        severity=WARNING,
        control="G5",
        threats=(ADVERSARIAL, API_ABUSE),
        title="A request of a type that no template is for is refused",
        why="It would reach the model as it came, past the schema, which is chosen by the type as well.",
        fix="Set Integration.PassthroughBehavior to NEVER.",
    ),
    Rule(
        id="ApiTraced",
        resource_type="AWS::ApiGateway::Stage",
        requirement=At("TracingEnabled", TRUE),
        severity=WARNING,
        control="G6",
        threats=(API_ABUSE,),
        title="Calls of an API are traced",
        why="Without a trace nobody can tell where on its way a call was held up or changed.",
        fix="Set TracingEnabled to true.",
        standards=("APIGateway.3",),
    ),
    Rule(
        id="CognitoNoSelfSignUp",
        resource_type=_POOL,
        requirement=At("AdminCreateUserConfig.AllowAdminCreateUserOnly", TRUE),
        severity=ERROR,
        control="G2",
        threats=(API_ABUSE, THEFT),
        title="Nobody signs up by themselves",
        why="Whoever can make a user of their own has passed authentication.",
        fix="Set AdminCreateUserConfig.AllowAdminCreateUserOnly to true.",
    ),
    Rule(
        id="CognitoPasswords",
        resource_type=_POOL,
        requirement=Every(
            At("Policies.PasswordPolicy.MinimumLength", Bounded(_LEAST_PASSWORD)),
            *(
                At(f"Policies.PasswordPolicy.Require{kind}", TRUE)
                for kind in ("Lowercase", "Numbers", "Symbols", "Uppercase")
            ),
        ),
        severity=WARNING,
        control="I6",
        threats=(API_ABUSE, HIJACK),
        title="Passwords are long and mixed",
        why="Eight characters, the default, are guessed.",
        fix=f"Set MinimumLength of PasswordPolicy to {_LEAST_PASSWORD} or more, and each Require… to true.",
        standards=("Cognito.3",),
    ),
    Rule(
        id="CognitoPoolProtected",
        resource_type=_POOL,
        requirement=At("DeletionProtection", Equals("ACTIVE")),
        severity=WARNING,
        control="G8",
        threats=(TAMPERING, INSIDER),
        title="A user pool is protected from deletion",
        why="One call would shut every caller out, and what their tokens meant could not be told.",
        fix="Set DeletionProtection to ACTIVE.",
        standards=("Cognito.6",),
    ),
    Rule(
        id="CognitoTokensRevocable",
        resource_type=_CLIENT,
        requirement=At("EnableTokenRevocation", absent_or(True)),
        severity=WARNING,
        control="I6",
        threats=(API_ABUSE, HIJACK),
        title="Tokens can be revoked",
        why="A stolen refresh token would be good until it ends.",
        fix="Leave EnableTokenRevocation out: the default is true.",
    ),
    Rule(
        id="CognitoUsersHidden",
        resource_type=_CLIENT,
        requirement=At("PreventUserExistenceErrors", Equals("ENABLED")),
        severity=WARNING,
        control="I6",
        threats=(API_ABUSE,),
        title="An error does not say whether a user exists",
        why="By the errors one learns whom to attack. The default is LEGACY, which tells.",
        fix="Set PreventUserExistenceErrors to ENABLED.",
    ),
)
