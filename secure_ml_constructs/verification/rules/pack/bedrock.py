"""Bedrock and its agents."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.shared import public_statements
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    API_ABUSE,
    HIJACK,
    INJECTION,
    INSIDER,
    PRESENT,
    THEFT,
    TRUE,
    WALLET,
    customer_key,
)
from secure_ml_constructs.verification.rules.predicates import Equals, Matches, absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.rules.secrets import NoSecret
from secure_ml_constructs.verification.templates import Reference, Unresolved

_GUARDRAIL = "AWS::Bedrock::Guardrail"
_AGENT = "AWS::Bedrock::Agent"

_guardrail = partial(Rule, resource_type=_GUARDRAIL)
_agent = partial(Rule, resource_type=_AGENT)


def _prompt_attack(context: Context) -> Iterator[Outcome]:
    path = "ContentPolicyConfig.FiltersConfig"
    for where, item in values(context, f"{path}[*]"):
        get = partial(context.graph.at, context.resource.template, item)
        if get(("Type",)) == "PROMPT_ATTACK":
            strength = get(("InputStrength",))
            if strength != "HIGH":
                yield Fail(f"is {strength or 'not set'}, not HIGH", f"{where}.InputStrength")
            return
    yield Fail("has no filter of type PROMPT_ATTACK", path)


def _pinned_version(context: Context) -> Iterator[Outcome]:
    """The version of a guardrail version resource, or a number."""
    path = "GuardrailConfiguration.GuardrailVersion"
    value = context.graph.get(context.resource, *path.split("."))
    if type(value) is Reference and value.resource.type == "AWS::Bedrock::GuardrailVersion":
        return
    if isinstance(value, Unresolved):
        return
    yield from At(path, Matches(r"^\d+$", "is no numbered version: the draft changes without notice")).check(
        context
    )


def _full_access(context: Context) -> Iterator[Outcome]:
    yield from public_statements(context, "PolicyDocument", accounts=True)


def _public_tool(context: Context) -> Iterator[Outcome]:
    for path, value in values(context, "DataSourceConfiguration.WebConfiguration"):
        if isinstance(value, dict):
            filters = context.graph.at(
                context.resource.template, value, ("CrawlerConfiguration", "InclusionFilters")
            )
            if not filters:
                yield Fail("is not set", f"{path}.CrawlerConfiguration.InclusionFilters")


_KEYS = (
    ("BedrockGuardrailCustomerKey", _GUARDRAIL, "KmsKeyArn", "A guardrail is", ()),
    ("BedrockAgentCustomerKey", _AGENT, "CustomerEncryptionKeyArn", "An agent is", ()),
    ("BedrockFlowCustomerKey", "AWS::Bedrock::Flow", "CustomerEncryptionKeyArn", "A flow is", ()),
    ("BedrockPromptCustomerKey", "AWS::Bedrock::Prompt", "CustomerEncryptionKeyArn", "A prompt is", ()),
    ("BedrockSessionCustomerKey", "AWS::Bedrock::Session", "EncryptionKeyArn", "A session is", ()),
    (
        "BedrockDataSourceCustomerKey",
        "AWS::Bedrock::DataSource",
        "ServerSideEncryptionConfiguration.KmsKeyArn",
        "What a knowledge base takes in is",
        ("Bedrock.1",),
    ),
    (
        "BedrockDataAutomationCustomerKey",
        "AWS::Bedrock::DataAutomationProject",
        "KmsKeyId",
        "A data automation project is",
        (),
    ),
    ("BedrockBlueprintCustomerKey", "AWS::Bedrock::Blueprint", "KmsKeyId", "A blueprint is", ()),
    (
        "BedrockReasoningPolicyCustomerKey",
        "AWS::Bedrock::AutomatedReasoningPolicy",
        "KmsKeyId",
        "An automated reasoning policy is",
        (),
    ),
    (
        "BedrockAgentCoreMemoryCustomerKey",
        "AWS::BedrockAgentCore::Memory",
        "EncryptionKeyArn",
        "The memory of an agent is",
        ("BedrockAgentCore.3",),
    ),
    (
        "BedrockAgentCoreGatewayCustomerKey",
        "AWS::BedrockAgentCore::Gateway",
        "KmsKeyArn",
        "The gateway of an agent is",
        ("BedrockAgentCore.4",),
    ),
    (
        "BedrockAgentCorePolicyEngineCustomerKey",
        "AWS::BedrockAgentCore::PolicyEngine",
        "EncryptionKeyArn",
        "A policy engine is",
        (),
    ),
)


def _in_vpc(id: str, resource_type: str, what: str, number: int) -> Rule:
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=At("NetworkConfiguration.NetworkMode", Equals("VPC")),
        severity=ERROR,
        control="P2",
        threats=(INSIDER, INJECTION),
        title=f"{what} runs in the VPC",
        why="An agent that was talked into it can send what it reads anywhere on the internet.",
        fix="Set NetworkConfiguration.NetworkMode to VPC.",
        standards=(f"BedrockAgentCore.{number}",),
    )


RULES = (
    _guardrail(
        id="BedrockGuardrailPromptAttack",
        requirement=Code(_prompt_attack, "It looks for one filter among several."),
        severity=ERROR,
        control="P2",
        threats=(INJECTION,),
        title="A guardrail stops prompt attacks",
        why="Text in a document or a question can otherwise take over what the model does.",
        fix="Add a filter of type PROMPT_ATTACK with InputStrength HIGH.",
    ),
    _guardrail(
        id="BedrockGuardrailFiltersBlock",
        requirement=Every(
            At("ContentPolicyConfig.FiltersConfig[*].InputAction", absent_or("BLOCK")),
            At("ContentPolicyConfig.FiltersConfig[*].InputEnabled", absent_or(True)),
        ),
        severity=ERROR,
        control="P2",
        threats=(INJECTION,),
        title="The filters of a guardrail block",
        why="A filter whose action is NONE only takes notes.",
        fix="Leave InputAction and InputEnabled out, or set them to BLOCK and true.",
    ),
    _guardrail(
        id="BedrockGuardrailSensitiveInformation",
        requirement=Every(
            At("SensitiveInformationPolicyConfig.PiiEntitiesConfig", PRESENT),
            At(
                "SensitiveInformationPolicyConfig.PiiEntitiesConfig[*].OutputAction",
                absent_or("BLOCK", "ANONYMIZE"),
            ),
            At(
                "SensitiveInformationPolicyConfig.PiiEntitiesConfig[*].Action",
                absent_or("BLOCK", "ANONYMIZE"),
            ),
        ),
        severity=ERROR,
        control="P2",
        threats=(INSIDER, INJECTION),
        title="A guardrail holds personal data back",
        why="A model repeats what it was trained on or given, to whoever asks in the right way.",
        fix="List entities in SensitiveInformationPolicyConfig.PiiEntitiesConfig, to BLOCK or ANONYMIZE.",
    ),
    _guardrail(
        id="BedrockGuardrailGrounding",
        requirement=Every(
            At("ContextualGroundingPolicyConfig.FiltersConfig", PRESENT),
            At("ContextualGroundingPolicyConfig.FiltersConfig[*].Action", absent_or("BLOCK")),
        ),
        severity=WARNING,
        control="P2",
        threats=(INJECTION,),
        title="A guardrail checks that answers rest on their sources",
        why="An answer with no ground in the sources is an invention, or an instruction that slipped in.",
        fix="Set ContextualGroundingPolicyConfig with thresholds and the action BLOCK.",
    ),
    Rule(
        id="BedrockEnforcedGuardrail",
        resource_type="AWS::Bedrock::EnforcedGuardrailConfiguration",
        requirement=At("GuardrailIdentifier", PRESENT),
        severity=WARNING,
        control="P2",
        threats=(INJECTION, INSIDER),
        title="The enforced guardrail names a guardrail",
        why="Without one nothing is enforced.",
        fix="Set GuardrailIdentifier.",
    ),
    _agent(
        id="BedrockAgentGuardrail",
        requirement=At("GuardrailConfiguration.GuardrailIdentifier", PRESENT),
        severity=ERROR,
        control="P2",
        threats=(INJECTION,),
        title="An agent is behind a guardrail",
        why="An agent acts: a prompt attack on it is one on every tool that it holds.",
        fix="Set GuardrailConfiguration.GuardrailIdentifier and a numbered GuardrailVersion.",
    ),
    _agent(
        id="BedrockAgentGuardrailVersion",
        requirement=Code(_pinned_version),
        severity=WARNING,
        control="P2",
        threats=(INJECTION,),
        title="An agent uses a numbered version of its guardrail",
        why="The draft changes under the agent without a deployment.",
        fix="Set GuardrailConfiguration.GuardrailVersion to a number.",
    ),
    _agent(
        id="BedrockAgentRoleSet",
        requirement=At("AgentResourceRoleArn", PRESENT),
        severity=ERROR,
        control="I1",
        threats=(HIJACK, INJECTION),
        title="An agent has a role of its own",
        why="What the role may do, an attacker who steers the agent may do.",
        fix="Set AgentResourceRoleArn to a role for this agent.",
    ),
    *(
        customer_key(id, type_, path, of, severity=WARNING, control="P2", standards=standards)
        for id, type_, path, of, standards in _KEYS
    ),
    customer_key(
        "BedrockKnowledgeBaseCustomerKey",
        "AWS::Bedrock::KnowledgeBase",
        "KnowledgeBaseConfiguration.ManagedKnowledgeBaseConfiguration"
        ".ServerSideEncryptionConfiguration.KmsKeyArn",
        "A managed knowledge base is",
        severity=WARNING,
        control="P2",
        within="KnowledgeBaseConfiguration.ManagedKnowledgeBaseConfiguration",
    ),
    Rule(
        id="BedrockDataSourceCrawler",
        resource_type="AWS::Bedrock::DataSource",
        requirement=Code(_public_tool, "Only web sources have a crawler."),
        severity=WARNING,
        control="P2",
        threats=(INJECTION,),
        title="A crawler stays on the pages that are named",
        why="A page that anyone can write puts its instructions into the answers.",
        fix="Set CrawlerConfiguration.InclusionFilters.",
    ),
    *(
        Rule(
            id=id,
            resource_type=type_,
            requirement=Code(_full_access),
            severity=ERROR,
            control="P2",
            threats=(THEFT, API_ABUSE),
            title="A policy of Bedrock is open to accounts of ours only",
            why="Whoever it names can ask the model and read its sources, at our cost.",
            fix="Name principals of this account or of the setting trusted_accounts.",
        )
        for id, type_ in (
            ("BedrockKnowledgeBasePolicy", "AWS::Bedrock::KnowledgeBasePolicy"),
            ("BedrockResourcePolicy", "AWS::Bedrock::ResourcePolicy"),
        )
    ),
    _in_vpc("BedrockAgentCoreRuntimeInVpc", "AWS::BedrockAgentCore::Runtime", "An agent's runtime", 1),
    Rule(
        id="BedrockAgentCoreGatewayAuthorizer",
        resource_type="AWS::BedrockAgentCore::Gateway",
        requirement=At("AuthorizerType", Equals("CUSTOM_JWT", "AWS_IAM")),
        severity=ERROR,
        control="P2",
        threats=(API_ABUSE, HIJACK),
        title="The gateway of an agent asks who calls",
        why="With NONE anyone on the internet can use every tool behind it.",
        fix="Set AuthorizerType to CUSTOM_JWT or AWS_IAM.",
        standards=("BedrockAgentCore.2",),
    ),
    Rule(
        id="BedrockAgentCoreGatewayNoDebug",
        resource_type="AWS::BedrockAgentCore::Gateway",
        requirement=At("ExceptionLevel", absent_or()),
        severity=WARNING,
        control="P2",
        threats=(API_ABUSE,),
        title="The gateway of an agent tells callers no internals",
        why="DEBUG shows callers how the tools behind the gateway are built.",
        fix="Leave ExceptionLevel out.",
    ),
    _in_vpc("BedrockAgentCoreBrowserInVpc", "AWS::BedrockAgentCore::BrowserCustom", "An agent's browser", 5),
    Rule(
        id="BedrockAgentCoreBrowserRecorded",
        resource_type="AWS::BedrockAgentCore::BrowserCustom",
        requirement=Every(
            At("RecordingConfig.Enabled", TRUE),
            AnyOf(
                At("RecordingConfig.S3Location.Bucket", PRESENT), At("RecordingConfig.S3Location", PRESENT)
            ),
        ),
        severity=WARNING,
        control="P2",
        threats=(INJECTION,),
        title="What an agent does in its browser is recorded",
        why="Without a recording nobody can tell what a page made the agent do.",
        fix="Set RecordingConfig.Enabled to true and S3Location to a bucket of the environment.",
        standards=("BedrockAgentCore.6",),
    ),
    _in_vpc(
        "BedrockAgentCoreInterpreterInVpc",
        "AWS::BedrockAgentCore::CodeInterpreterCustom",
        "An agent's code interpreter",
        7,
    ),
    Rule(
        id="BedrockAgentCoreClientSecret",
        resource_type="AWS::BedrockAgentCore::OAuth2CredentialProvider",
        requirement=At(
            "Oauth2ProviderConfigInput.CustomOauth2ProviderConfig.ClientSecret", NoSecret(always=True)
        ),
        severity=ERROR,
        control="E5",
        threats=(INSIDER, WALLET),
        title="The client secret of a credential provider is not in the template",
        why="A template is read by many, and kept for years.",
        fix="Use ClientSecretConfig with a secret of Secrets Manager.",
    ),
)
