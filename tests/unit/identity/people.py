"""The roles of a synthesized environment, and what stands in the way of each of their requests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from secure_ml_constructs.verification.proofs.iam import Decision, Kind, Policies, decide, parse
from secure_ml_constructs.verification.proofs.iam import Request as OurRequest
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Resource, World

ORGANIZATION = "o-a1b2c3d4e5"
Context = Mapping[str, Any]

# By which endpoint a service is called, where that is not its own name.
_ENDPOINTS = {
    "cloudwatch": "monitoring",
    "ecr": "ecr.api",
    "codeartifact": "codeartifact.api",
    "codeartifact:ReadFromRepository": "codeartifact.repositories",
    # It is asked in the request that the role is passed by.
    "iam:PassRole": "sagemaker.api",
    "sagemaker": "sagemaker.api",
    "sagemaker:InvokeEndpoint": "sagemaker.runtime",
    "sagemaker:GetRecord": "sagemaker.featurestore-runtime",
}
_KMS = ("VolumeKmsKey", "OutputKmsKey")


def open_to(principal: Any) -> dict[str, Any]:
    """The policy of a resource that lets somebody do everything."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


# What leaves it to the account's own policies, as keys and roles have to.
OPEN = open_to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})


class People:
    """What was synthesized, to be asked by both engines.

    Args:
        world: The templates as they would become.
        simulator: The second engine.
    """

    def __init__(self, world: World, simulator: Simulator) -> None:
        self.world = world
        self.simulator = simulator
        self._policies: dict[str, Any] = {}
        self._attached: dict[str, list[Any]] = {}
        for resource in world.resources("AWS::IAM::ManagedPolicy"):
            self._policies[world.ref(resource)] = resource.properties["PolicyDocument"]
            for role in resource.properties.get("Roles", ()):
                self._attached.setdefault(role, []).append(resource.properties["PolicyDocument"])
        self.roles = {self._name_of(role): role for role in world.resources("AWS::IAM::Role")}

    @staticmethod
    def _name_of(role: Resource) -> str:
        path = role.properties.get("Path", "/").strip("/").split("/")
        names = {"ml-administration": "administrator", "ml-emergency": "break-glass"}
        return "/".join(path[2:]) if path[1:2] == ["teams"] else names.get(path[-1], path[-1])

    # -- who and what --------------------------------------------------------------------------------

    def arn(self, who: str) -> str:
        """The ARN of a role: `radiology/training`, `auditor`."""
        return self.world.arn(self.roles[who])

    def identity(self, who: str) -> tuple[Any, ...]:
        """Every policy of a role but its boundary."""
        role = self.roles[who]
        named = (self._policies[each] for each in role.properties["ManagedPolicyArns"])
        return (*named, *self._attached.get(self.world.ref(role), ()))

    def boundary(self, who: str) -> Any:
        """The boundary of a role."""
        return self._policies[self.roles[who].properties["PermissionsBoundary"]]

    def trust(self, who: str) -> Any:
        """The trust policy of a role."""
        return self.roles[who].properties["AssumeRolePolicyDocument"]

    @cached_property
    def endpoints(self) -> Mapping[str, Resource]:
        """The VPC endpoints by service."""
        found = {}
        for each in self.world.resources("AWS::EC2::VPCEndpoint"):
            name = str(each.properties["ServiceName"]).split(f".{REGION}.")[1]
            kind = each.properties["VpcEndpointType"]
            prefix = "sagemaker." if name in ("studio", "notebook", "experiments") else ""
            found["s3-interface" if (name, kind) == ("s3", "Interface") else f"{prefix}{name}"] = each
        return found

    def resource(self, text: str) -> str:
        """The ARN of what a row names in short."""
        kind, _, name = text.partition(":")
        head = f"{REGION}:{ACCOUNT}"
        match kind:
            case "zone":
                bucket = "LakeModel" if name.startswith("models/") else "LakeData"
                return f"{self.world.arn(self.world.one('AWS::S3::Bucket', bucket))}/{name}"
            case "bucket":
                return self.world.arn(self.world.one("AWS::S3::Bucket", name))
            case "key":
                return self.world.arn(self.world.one("AWS::KMS::Key", name))
            case "role":
                return self.arn(name)
            case "packages":
                domain = self.world.one("AWS::CodeArtifact::Domain").properties["DomainName"]
                return f"arn:aws:codeartifact:{head}:{name.replace('DOMAIN', domain)}"
            case "sagemaker" | "athena" | "codeartifact" | "ecr" | "glue":
                return f"arn:aws:{kind}:{head}:{name}"
            case "log":
                return f"arn:aws:logs:{head}:log-group:/aws/sagemaker/{name}"
            case "secret":
                return f"arn:aws:secretsmanager:{head}:secret:{name}"
        return text

    @cached_property
    def job(self) -> Context:
        """What a request for a job says that is in order."""
        world = self.world
        return {
            "VpcSubnets": [world.ref(each) for each in world.resources("AWS::EC2::Subnet", "Isolated")][:2],
            "VpcSecurityGroupIds": [world.ref(world.one("AWS::EC2::SecurityGroup", "Job"))],
            "NetworkIsolation": "true",
            "InterContainerTrafficEncryption": "true",
            "InstanceTypes": ["ml.m5.xlarge"],
            "VolumeKmsKey": self.resource("key:Workspace"),
            "OutputKmsKey": self.resource("key:Data"),
            "MaxRuntimeInSeconds": "3600",
        }

    # -- one request ---------------------------------------------------------------------------------

    def allowed(
        self,
        who: str,
        where: str,
        action: str,
        resource: str,
        context: Context | None = None,
        *,
        also: Any = None,
    ) -> bool:
        """Whether a request is allowed: our evaluator and the simulator have to agree.

        Args:
            who: The role.
            where: `inside` by the service's endpoint, `outside` by none, or `through` a service.
            action: The action.
            resource: Its resource, in short or as an ARN.
            context: What the request says, without `sagemaker:` where that is the service.
            also: A policy that another construct would attach.
        """
        arn = self.resource(resource)
        service = action.partition(":")[0]
        given = {**self._place(where, action), **(context or {})}
        endpoint = self._endpoint(action) if where == "inside" else None
        # The simulator's data knows the second name of a key alone.
        first, request = (
            Request(
                principal=self.arn(who),
                action=action,
                resource=arn,
                resource_account=arn.split(":")[4] if ":ecr:" in arn else ACCOUNT,
                context=_named(given, service, second=second),
                organization=ORGANIZATION,
            )
            for second in (False, True)
        )
        identity = (*self.identity(who), *([also] if also else []))
        answers = {self._ours(who, each, endpoint, identity) for each in (first, request)}
        theirs = self.simulator.decide(
            request,
            identity=identity,
            boundary=(self.boundary(who),),
            resource_policy=self.policy_of(arn),
            endpoint_policies=() if endpoint is None else (endpoint,),
        )
        assert answers == {theirs.allowed}, f"ours {answers}, the simulator's {theirs}"
        return theirs.allowed

    def _place(self, where: str, action: str) -> dict[str, Any]:
        place: dict[str, Any] = {"aws:RequestedRegion": "us-east-1" if action.startswith("iam:") else REGION}
        if where == "inside" and self._service(action) in self.endpoints:
            place["aws:SourceVpce"] = self.world.ref(self.endpoints[self._service(action)])
        if where == "through":
            place["aws:ViaAWSService"] = "true"
        return place

    @staticmethod
    def _service(action: str) -> str:
        service = action.partition(":")[0]
        return _ENDPOINTS.get(action) or _ENDPOINTS.get(service, service)

    def _endpoint(self, action: str) -> Any:
        if action == "iam:PassRole" or self._service(action) not in self.endpoints:
            return None
        return self.endpoints[self._service(action)].properties.get("PolicyDocument")

    def policy_of(self, arn: str) -> Any:
        """The policy of a resource that has one."""
        if arn.startswith("arn:aws:s3:::"):
            for bucket in self.world.resources("AWS::S3::Bucket"):
                if arn.startswith(self.world.arn(bucket)):
                    return self.world.bucket_policy(bucket)
        if ":kms:" in arn:
            for key in self.world.resources("AWS::KMS::Key"):
                if self.world.arn(key) == arn:
                    return key.properties["KeyPolicy"]
        if ":codeartifact:" in arn:
            return self._policy_of_packages(arn)
        if ":role/" in arn:
            for who, role in self.roles.items():
                if self.world.arn(role) == arn:
                    return self.trust(who)
            return OPEN
        if ":ecr:" in arn and f":{ACCOUNT}:" not in arn:
            # Whoever offers an image lets everybody pull it.
            return open_to("*")
        return None

    def _policy_of_packages(self, arn: str) -> Any:
        """The domain's policy, which is asked about everything in it, and the repository's: denies alone."""
        policy = "PermissionsPolicyDocument"
        domain = self.world.one("AWS::CodeArtifact::Domain").properties
        _, name, *path = arn.rpartition(":")[2].split("/")
        if name != domain["DomainName"]:
            return None
        statements = [*domain[policy]["Statement"]]
        for each in self.world.resources("AWS::CodeArtifact::Repository"):
            if path[:1] == [each.properties["RepositoryName"]]:
                statements += each.properties[policy]["Statement"]
        return {**domain[policy], "Statement": statements}

    def _ours(self, who: str, request: Request, endpoint: Any, identity: tuple[Any, ...]) -> bool:
        simulation = request.simulation()
        policy = self.policy_of(request.resource)
        policies = Policies(
            identity=tuple(parse(each, Kind.IDENTITY, "identity") for each in identity),
            boundary=(parse(self.boundary(who), Kind.BOUNDARY, "boundary"),),
            resource=None if policy is None else parse(policy, Kind.RESOURCE, "resource"),
            endpoint=None if endpoint is None else (parse(endpoint, Kind.ENDPOINT, "endpoint"),),
        )
        asked = OurRequest.of(
            request.principal, request.action, request.resource, simulation["contextVariables"]
        )
        answer = decide(policies, asked)
        assert isinstance(answer, Decision), answer
        return answer.allowed


def _named(context: Context, service: str, *, second: bool) -> dict[str, Any]:
    """The context with its service's prefix, and SageMaker's keys of KMS by their first or second name."""
    return {
        key if ":" in key else f"{service}:{key}{'Arn' if second and key in _KMS else ''}": value
        for key, value in context.items()
    }
