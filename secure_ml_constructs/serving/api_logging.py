"""What API Gateway writes its logs with: one role for an account and region."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from secure_ml_constructs._acknowledge import acknowledge_wildcards
from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import allow, document, sub

__all__ = ["ApiLogging"]

# What API Gateway asks for when it is given the role. (AmazonAPIGatewayPushToCloudWatchLogs)
_WRITE = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
)
_GROUPS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*"
# Of no group in particular. (Actions, resources, and condition keys for Amazon CloudWatch Logs)
_LIST = "logs:DescribeLogGroups"
_ANY_GROUP = (
    "One role serves every API of the account and region, whose log groups have names that API Gateway and "
    "CloudFormation give; API Gateway refuses a role that may do less."
)
# The accounts and regions for which an app sets the role: AWS has one in each.
_MADE: WeakKeyDictionary[IConstruct, set[tuple[str, str]]] = WeakKeyDictionary()


class ApiLogging(Construct):
    """The account's role for the logs of API Gateway, made once; every door of the environment waits for it.

    Ensures:
        G6: stages can log, from the first request on.
        I3: a role that API Gateway alone assumes, and that can write logs of its account and region only.
        R6: an account has one: a second is refused, and one that is there already is taken.
        X8: role and setting stay when the stack goes, as every other API of the account logs with them.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Where roles for services stand.

    Raises:
        ConfigurationError: This app makes one for the account and region already.

    Example:
        >>> logging = ApiLogging(stack, "ApiLogging", perimeter=perimeter)
        >>> other = ApiLogging.existing(stack, "ApiLoggingOfTheAccount")
    """

    def __init__(self, scope: Construct, id: str, *, perimeter: DataPerimeter) -> None:
        stack = Stack.of(scope)
        place, made = (stack.account, stack.region), _MADE.setdefault(scope.node.root, set())
        problems = Problems()
        if place in made:
            problems.add(
                "scope",
                id,
                "This app sets the role for the account and region already: the later one would win.",
                "Give that one to every door, or ApiLogging.existing(...) in other stacks.",
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        made.add(place)
        policy = iam.CfnManagedPolicy(
            self,
            "Allowed",
            path=perimeter.service_role_path,
            policy_document=document([allow("Write", _WRITE, sub(_GROUPS)), allow("List", _LIST)]),
        )
        role = iam.CfnRole(
            self,
            "Role",
            path=perimeter.service_role_path,
            description="API Gateway writes the logs of every API of the account and region with it",
            # API Gateway is not documented to say for whom it assumes this role.
            # (Amazon API Gateway: Set up CloudWatch logging for REST APIs)
            assume_role_policy_document=perimeter.service_trust_without_source("apigateway.amazonaws.com"),
            managed_policy_arns=[policy.ref],
            permissions_boundary=policy.ref,
        )
        account = apigateway.CfnAccount(self, "Resource", cloud_watch_role_arn=role.attr_arn)
        # The setting outlives the stack whatever is done (AWS::ApiGateway::Account), and must not name a role
        # that is gone.
        for each in (policy, role, account):
            each.apply_removal_policy(RemovalPolicy.RETAIN)
        acknowledge_wildcards(policy, dict.fromkeys((_GROUPS, "*"), _ANY_GROUP))
        self._account: CfnResource | None = account

    @staticmethod
    def existing(scope: Construct, id: str) -> ApiLogging:
        """Take the role that the account and region have already; nothing is made.

        Args:
            scope: The parent construct.
            id: The construct's id.
        """
        return _Existing(scope, id)

    def before(self, stage: CfnResource) -> None:
        """Have a stage wait: API Gateway makes none that logs before the account has a role."""
        if self._account is not None:
            stage.add_resource_dependency(self._account)


class _Existing(ApiLogging):
    def __init__(self, scope: Construct, id: str) -> None:
        Construct.__init__(self, scope, id)
        self._account = None
