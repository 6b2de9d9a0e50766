"""VPCs, routes, endpoints and security groups."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.networks import anywhere, ways_out
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.rules.pack.shared import policy, unreadable
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    HIJACK,
    INSIDER,
    PRESENT,
    SUPPLY_CHAIN,
    THEFT,
    TRUE,
)
from secure_ml_constructs.verification.rules.predicates import absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Absent, Reference, Unresolved, show

_VPC = "AWS::EC2::VPC"
_ENDPOINT = "AWS::EC2::VPCEndpoint"
_GROUP = "AWS::EC2::SecurityGroup"

_endpoint = partial(Rule, resource_type=_ENDPOINT)

# Services whose endpoints take no policy, as DescribeVpcEndpointServices has answered.
_NO_POLICY = ("codepipeline",)
_NEEDED = ("sagemaker.api", "sagemaker.runtime", "sts", "kms", "logs", "ecr.api", "ecr.dkr", "s3")
_ML = (
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::Model",
    "AWS::SageMaker::NotebookInstance",
    "AWS::SageMaker::Pipeline",
)
_PERIMETER = ("aws:PrincipalOrgID", "aws:PrincipalAccount", "aws:ResourceOrgID", "aws:ResourceAccount")


# All ports of a list, give or take the lowest.
_ALMOST_ALL = 65000


def _service(value: Any) -> str:
    """The part of a service's name after the region."""
    name = show(value)
    for prefix in ("com.amazonaws.", "cn.com.amazonaws.", "aws."):
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            return rest.partition(".")[2] if prefix != "aws." else name
    return name


def _default_group_closed(context: Context) -> Iterator[Outcome]:
    """CloudFormation can't empty the default group; a custom resource that names it does."""
    graph, vpc = context.graph, context.resource
    for type_ in graph.by_type:
        if type_.startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
            for resource in graph.named_by(vpc, type_, "SecurityGroupId"):
                named = graph.get(resource, "SecurityGroupId")
                if type(named) is Reference and named.attribute == "DefaultSecurityGroup":
                    return
    yield Fail("leaves its default group open, and no custom resource empties it")


def _of_aws(service: str) -> bool:
    """Whether an endpoint's service is AWS's own, and not somebody's behind a load balancer."""
    return ".vpce." not in service and ("com.amazonaws" in service or service.startswith(("aws.", "$")))


def _flow_logged(context: Context) -> Iterator[Outcome]:
    if not context.graph.named_by(context.resource, "AWS::EC2::FlowLog", "ResourceId"):
        yield Fail("has no flow log")


def _endpoints(context: Context) -> Iterator[Outcome]:
    """A VPC in which SageMaker works has the endpoints that it calls."""
    graph = context.graph
    if not any(graph.by_type.get(type_) for type_ in _ML):
        return
    found = graph.named_by(context.resource, _ENDPOINT, "VpcId")
    names = [_service(graph.get(endpoint, "ServiceName")) for endpoint in found]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        yield Fail(f"has no endpoint for {', '.join(missing)}")


def _restricted_policy(context: Context) -> Iterator[Outcome]:
    problems = list(_open_policy(context))
    if not problems:
        return
    service = context.graph.get(context.resource, "ServiceName")
    if isinstance(service, Unresolved):
        missing = policy(context, "PolicyDocument") is None
        yield from [Unknown(service.reason, "ServiceName", "network")] if missing else problems
    elif _of_aws(show(service)) and _service(service) not in _NO_POLICY:
        # "Control access to VPC endpoints using endpoint policies": those of AWS services have one.
        yield from problems


def _open_policy(context: Context) -> Iterator[Outcome]:
    path = "PolicyDocument"
    found = policy(context, path)
    if found is None:
        yield Fail("is not set, so that the endpoint lets everything through", path)
        return
    yield from unreadable(context, path)
    for statement in found if isinstance(found, list) else ():
        open_to_all = "*" in statement.principals or "aws:*" in statement.principals
        if (
            statement.allow
            and open_to_all
            and not statement.bound(*_PERIMETER, "aws:PrincipalArn")
            and statement.anywhere(account=False)
        ):
            where = f"{path}.Statement[{statement.index}]"
            yield Fail("lets anyone reach anything: no condition names whose", where)


_PRIVATE_NAME = AnyOf(
    At("PrivateDnsEnabled", TRUE),
    At("VpcEndpointType", absent_or("Gateway", "GatewayLoadBalancer", "Resource", "ServiceNetwork")),
)


def _private_name(context: Context) -> Iterator[Outcome]:
    """Somebody's own service has a name only where its owner has proved that the domain is theirs."""
    lacking = _PRIVATE_NAME.check(context)
    if not lacking:
        return
    service = context.graph.get(context.resource, "ServiceName")
    if isinstance(service, Unresolved):
        yield Unknown(service.reason, "ServiceName", "network")
    elif _of_aws(show(service)):
        yield from lacking


def _closed(context: Context, direction: str) -> Iterator[Outcome]:
    for path, rule in values(context, f"{direction}[*]"):
        if isinstance(rule, dict):
            yield from _rule_of_group(context, rule, path)


def _rule_of_group(context: Context, rule: dict[str, Any], path: str) -> Iterator[Outcome]:
    get = partial(context.graph.at, context.resource.template, rule)
    for name in ("CidrIp", "CidrIpv6"):
        cidr = get((name,))
        if anywhere(cidr):
            yield Fail(f"is {cidr}, which is everywhere", f"{path}.{name}" if path else name)


def _no_ingress(context: Context) -> Iterator[Outcome]:
    yield from _closed(context, "SecurityGroupIngress")


def _no_egress(context: Context) -> Iterator[Outcome]:
    path = "SecurityGroupEgress"
    egress = context.graph.get(context.resource, path)
    if isinstance(egress, Absent):
        # "AWS::EC2::SecurityGroup": without egress rules EC2 adds one that allows all.
        yield Fail("is not set, so that everything may leave", path)
    yield from _closed(context, path)


def _single(context: Context) -> Iterator[Outcome]:
    yield from _rule_of_group(context, context.resource.properties, "")


def _default_group(context: Context) -> Iterator[Outcome]:
    group = context.graph.get(context.resource, "GroupId")
    if type(group) is Reference and group.attribute == "DefaultSecurityGroup":
        yield Fail("adds a rule to the default group of a VPC", "GroupId")


def _isolated(context: Context) -> Iterator[Outcome]:
    """The subnets that ML resources name have no route out; told once, at the subnet."""
    graph, subnet = context.graph, context.resource
    used = any(
        graph.named_by(subnet, type_, *path.split("."))
        for type_, path in (
            ("AWS::SageMaker::Domain", "SubnetIds"),
            ("AWS::SageMaker::Model", "VpcConfig.Subnets"),
            ("AWS::SageMaker::NotebookInstance", "SubnetId"),
            ("AWS::SageMaker::Cluster", "VpcConfig.Subnets"),
            ("AWS::SageMaker::EndpointConfig", "VpcConfig.Subnets"),
            ("AWS::SageMaker::ProcessingJob", "NetworkConfig.VpcConfig.Subnets"),
        )
    )
    if used:
        for out in ways_out(context, subnet):
            if out.startswith("a route table"):
                yield Unknown(f"It uses {out}.", kind="network")
            else:
                yield Fail(f"is used by SageMaker, and its route {out} leaves the VPC")


def _acl(context: Context) -> Iterator[Outcome]:
    """An entry that lets all protocols in or out from everywhere makes the list worth nothing."""
    get = partial(context.graph.get, context.resource)
    if get("RuleAction") != "allow":
        return
    first, last = get("PortRange", "From"), get("PortRange", "To")
    ports = isinstance(first, int) and isinstance(last, int) and last - first > _ALMOST_ALL
    every = "protocol" if get("Protocol") in (-1, "-1") else "port" if ports else ""
    for name in ("CidrBlock", "Ipv6CidrBlock"):
        if every and anywhere(get(name)):
            yield Fail(f"allows every {every} for {get(name)}", name)


RULES = (
    Rule(
        id="VpcFlowLogged",
        resource_type=_VPC,
        requirement=Code(_flow_logged, "The flow log is another resource."),
        severity=ERROR,
        control="N6",
        threats=(INSIDER, HIJACK),
        title="A VPC has a flow log",
        why="Without it nobody sees what was sent, where to, and how much.",
        fix="Add an AWS::EC2::FlowLog for the VPC.",
        standards=("EC2.6",),
    ),
    Rule(
        id="VpcFlowLogAllTraffic",
        resource_type="AWS::EC2::FlowLog",
        requirement=At("TrafficType", absent_or("ALL")),
        severity=WARNING,
        control="N6",
        threats=(INSIDER,),
        title="A flow log records all traffic",
        why="What was let through is what left; what was refused is who tried.",
        fix="Set TrafficType to ALL.",
    ),
    Rule(
        id="VpcDefaultGroupClosed",
        resource_type=_VPC,
        requirement=Code(_default_group_closed, "What empties the group is another resource."),
        severity=WARNING,
        control="N4",
        threats=(INSIDER, HIJACK),
        title="The default security group of a VPC is empty",
        why="Whatever names no group gets the default one, in which everything reaches everything.",
        fix="Empty it by a custom resource whose SecurityGroupId is the VPC's DefaultSecurityGroup.",
        standards=("EC2.2",),
    ),
    Rule(
        id="VpcEndpointsPresent",
        resource_type=_VPC,
        requirement=Code(_endpoints, "The endpoints are other resources."),
        severity=WARNING,
        control="N2",
        threats=(INSIDER,),
        title="A VPC for ML has the endpoints that SageMaker calls",
        why="Each one that is missing is a reason to open a way to the internet, or fails with a timeout.",
        fix="Add AWS::EC2::VPCEndpoint for each service that is named.",
    ),
    Rule(
        id="SubnetNoPublicAddress",
        resource_type="AWS::EC2::Subnet",
        requirement=At("MapPublicIpOnLaunch", absent_or(False)),
        severity=WARNING,
        control="N1",
        threats=(INSIDER, HIJACK),
        title="Nothing in a subnet gets a public address by itself",
        why="A public address is half of a way in.",
        fix="Leave MapPublicIpOnLaunch out.",
        standards=("EC2.15",),
    ),
    Rule(
        id="SubnetIsolated",
        resource_type="AWS::EC2::Subnet",
        requirement=Code(_isolated),
        severity=ERROR,
        control="N1",
        threats=(INSIDER, SUPPLY_CHAIN),
        title="A subnet that SageMaker uses has no route out of the VPC",
        why="Whatever runs there could send out data and fetch code, past every endpoint policy.",
        fix="Use a subnet whose routes lead to endpoints only, or to a firewall's endpoint.",
    ),
    _endpoint(
        id="VpcEndpointPolicy",
        requirement=Code(_restricted_policy),
        severity=ERROR,
        control="N3",
        threats=(INSIDER, THEFT),
        title="An endpoint lets through our principals and our resources only",
        why="The default policy lets anyone's credentials carry our data into anyone's bucket.",
        fix="Set PolicyDocument with conditions on aws:PrincipalOrgID and aws:ResourceOrgID, or accounts.",
    ),
    _endpoint(
        id="VpcEndpointPrivateDns",
        requirement=Code(_private_name, "Whose service it is follows from its name."),
        severity=WARNING,
        control="N2",
        threats=(INSIDER,),
        title="An interface endpoint answers for the service's own name",
        why="Otherwise every SDK asks for the public address, and fails or finds another way.",
        fix="Set PrivateDnsEnabled to true.",
    ),
    _endpoint(
        id="VpcEndpointSecurityGroup",
        requirement=AnyOf(
            At("VpcEndpointType", absent_or("Gateway", "GatewayLoadBalancer")),
            At("SecurityGroupIds", PRESENT),
        ),
        severity=WARNING,
        control="N4",
        threats=(INSIDER,),
        title="An interface endpoint has a security group of its own",
        why="Without one it gets the default group, which everything else may share.",
        fix="Set SecurityGroupIds.",
    ),
    Rule(
        id="SecurityGroupIngressNamed",
        resource_type=_GROUP,
        requirement=Code(_no_ingress, "Addresses are read as networks."),
        severity=ERROR,
        control="N4",
        threats=(HIJACK, INSIDER),
        title="A security group lets nobody in from everywhere",
        why="0.0.0.0/0 is everyone, and two halves of it are everyone as well.",
        fix="Name a security group, or the network that needs it.",
        standards=("EC2.18", "EC2.19"),
    ),
    Rule(
        id="SecurityGroupEgressNamed",
        resource_type=_GROUP,
        requirement=Code(_no_egress, "Addresses are read as networks."),
        severity=ERROR,
        control="N4",
        threats=(INSIDER, SUPPLY_CHAIN),
        title="A security group lets nothing out to everywhere",
        why="What may leave for everywhere leaves with the data. No stock rule looks at egress.",
        fix="List the endpoints' groups, and prefix lists for S3 and DynamoDB, in SecurityGroupEgress.",
    ),
    *(
        Rule(
            id=id,
            resource_type=type_,
            requirement=Every(Code(_single), Code(_default_group)),
            severity=ERROR,
            control="N4",
            threats=(INSIDER, HIJACK),
            title="A rule of a security group names a group or a network",
            why="A rule beside the group opens it as widely as one within.",
            fix="Name a security group, a prefix list, or the network that needs it.",
        )
        for id, type_ in (
            ("SecurityGroupIngressRuleNamed", "AWS::EC2::SecurityGroupIngress"),
            ("SecurityGroupEgressRuleNamed", "AWS::EC2::SecurityGroupEgress"),
        )
    ),
    Rule(
        id="NetworkAclNamed",
        resource_type="AWS::EC2::NetworkAclEntry",
        requirement=Code(_acl, "Addresses are read as networks."),
        severity=WARNING,
        control="N5",
        threats=(INSIDER,),
        title="A network ACL names what it allows for everywhere",
        why="Such an entry makes the list worth nothing.",
        fix="Allow 443 out and ephemeral ports in, and name what else is needed.",
    ),
)
