"""A model behind an endpoint of SageMaker: isolated, in the VPC, under our keys, watched and rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from aws_cdk import Fn, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge, standard_packs
from secure_ml_constructs._cdk import account, child_path, partition, region
from secure_ml_constructs.detection.alarms import Alarms, Alerts
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.serving.capacity import Capacity, Rollout, default_rollout
from secure_ml_constructs.serving.copies import Capture, Shadow, check_endpoint
from secure_ml_constructs.serving.endpoint_alarms import EndpointLimits, watch
from secure_ml_constructs.serving.names import physical_name
from secure_ml_constructs.serving.scaling import scale_component, scale_variant
from secure_ml_constructs.serving.served_model import Container, ServedModel
from secure_ml_constructs.serving.serving_role import ServingRole
from secure_ml_constructs.serving.tenants import TenantModels
from secure_ml_constructs.verification.rules.instances import local_storage

__all__ = ["ModelEndpoint"]

VARIANT = "main"
_NO_PACKAGE = (
    "Its image is named by its digest, and its data lie in the lake's zone of models, which keeps every "
    "version and which named roles alone write. from_package serves an approved version of the registry."
)
_OWN_DISKS = (
    "The type has disks of its own, which hardware encrypts; SageMaker refuses a key for them "
    "(CreateEndpointConfig: KmsKeyId)."
)
_CAPTURES = "captures/"
_Config = sagemaker.CfnEndpointConfig
_Endpoint = sagemaker.CfnEndpoint
_Component = sagemaker.CfnInferenceComponent


class ModelEndpoint(Construct):
    """A model that answers within the network: what `GuardedEndpoint` puts its door in front of.

    Ensures:
        G1: isolated, in the isolated subnets, volumes and captures under customer keys, images by digest,
            data from the lake; nobody opens a session on the instances.
        G8: within bounds, and rolled back by its alarms.
        G9: an inference pipeline, or a shadow variant.
        G11: one component for each tenant.
        M3: alarms on errors, latency and saturation.

    Args:
        scope: The parent construct.
        id: The construct's id; part of the endpoint's name.
        foundation: What the environment's roles share; with it lake, keys and network.
        model: What it serves: a `ServedModel`, or `TenantModels`.
        alerts: Whom its alarms tell.
        capacity: On how many instances. Default: two to four `ml.m5.large`.
        rollout: How a new model takes over. Default: a tenth first, for ten minutes.
        capture: What is kept of requests and answers. Default: all, in the zone `output`.
        shadow: A second model beside the first. Default: none.
        limits: What is too slow and too often wrong. Default: `EndpointLimits()`.
        models_zone: The zone of the lake that models lie in. Default: `models`.
        fallback: The last good model, kept ready for `RollBack`: it costs nothing until it serves. Default:
            none.
        component_names: Names of tenants' components, where something else names them as well. Default:
            names of their own.

    Raises:
        ConfigurationError: An image by tag or from an unknown registry, data outside the zone, a zone that
            the lake does not have, a rollout in parts of one instance, a shadow beside tenants or pipelines.

    Example:
        >>> endpoint = ModelEndpoint(
        ...     stack, "Risk", foundation=foundation, model=model, alerts=Alerts(high=topic)
        ... )
    """

    #: The endpoint's name.
    endpoint_name: str
    #: Its ARN.
    endpoint_arn: str
    #: The name of each tenant's component.
    components: Mapping[str, str]
    #: Its alarms.
    alarms: Alarms

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        foundation: RoleFoundation,
        model: ServedModel | TenantModels,
        alerts: Alerts,
        capacity: Capacity | None = None,
        rollout: Rollout | None = None,
        capture: Capture | None = None,
        shadow: Shadow | None = None,
        limits: EndpointLimits | None = None,
        models_zone: str = "models",
        fallback: ServedModel | None = None,
        component_names: Mapping[str, str] | None = None,
    ) -> None:
        capacity, capture = capacity or Capacity(), capture or Capture()
        rollout = rollout or default_rollout(capacity)
        problems = Problems()
        check_endpoint(problems, foundation, model, capacity, rollout, capture, shadow, models_zone, fallback)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.foundation = foundation
        self._model, self._capacity, self._capture = model, capacity, capture
        self._zone = models_zone
        self._fallback = ""
        self.endpoint_name = physical_name(self, id)
        self.endpoint_arn = (
            f"arn:{partition()}:sagemaker:{region()}:{account()}:endpoint/{self.endpoint_name}"
        )
        # By its name it can be there before the endpoint, which would make one under no key of ours.
        self._log = logs.CfnLogGroup(
            self,
            "Log",
            log_group_name=f"/aws/sagemaker/Endpoints/{self.endpoint_name}",
            kms_key_id=foundation.keys.arn(KeyClass.LOGS),
            retention_in_days=365,
        )
        self._log.apply_removal_policy(RemovalPolicy.RETAIN)
        served = [each for each in (model, shadow and shadow.model, fallback) if each]
        self._role = ServingRole(
            self,
            "Role",
            foundation=foundation,
            containers=tuple(each for one in served for each in _containers(one)),
            packaged=any(isinstance(each, ServedModel) and each.package for each in served),
            zone=models_zone,
            captures=(capture.zone, f"{self.capture_prefix}*"),
            log=self._log.attr_arn,
        )
        self.alarms = Alarms(self, "Alarms", alerts=alerts)
        rollback = watch(self.alarms, self.endpoint_name, VARIANT, capacity, limits or EndpointLimits())
        if isinstance(model, TenantModels):
            self._endpoint = self._make(rollout, rollback, [self._bare_variant()])
            self.components = self._add_components(model, component_names or {}, rollback)
        else:
            variants = [self._variant(VARIANT, model, capacity.minimum, 1)]
            shadows = None
            if shadow:
                # The weights say how the copies compare with the requests.
                shadows = [self._variant("shadow", shadow.model, shadow.instances, shadow.percent / 100)]
            self._endpoint = self._make(rollout, rollback, variants, shadows)
            self.components = {}
            if fallback:
                kept = [self._variant(VARIANT, fallback, capacity.minimum, 1, id="ModelFallback")]
                self._fallback = self._add_config("ConfigFallback", kept).attr_endpoint_config_name
            scale_variant(self, "Scaling", self.endpoint_name, VARIANT, capacity).add_resource_dependency(
                self._endpoint
            )

    @cached_property
    def role(self) -> iam.IRole:
        """The role of its models."""
        return iam.Role.from_role_arn(self, "ImportedRole", self._role.arn, mutable=False)

    @property
    def fallback_config(self) -> str:
        """The name of the configuration with the last good model: what `RollBack` goes back to.

        Raises:
            ConfigurationError: There is none.
        """
        problems = Problems()
        if not self._fallback:
            problems.add("fallback", None, "No model was given to go back to.", "Give one as fallback.")
        problems.raise_if_any(self.node.path)
        return self._fallback

    @property
    def capture_prefix(self) -> str:
        """Where captures lie within their zone, with the slash at its end."""
        return _CAPTURES

    @property
    def capture_uri(self) -> str:
        """Where captures lie (`s3://…`), below the endpoint's name and the variant's."""
        return f"{self.foundation.lake.zone_uri(self._capture.zone)}{self.capture_prefix}"

    # -- models --------------------------------------------------------------------------------------

    def _variant(
        self, name: str, model: ServedModel, instances: int, weight: float, *, id: str = ""
    ) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
        made = self._add_model(id or f"Model{name.capitalize()}", model)
        return _Config.ProductionVariantProperty(
            variant_name=name,
            model_name=made.attr_model_name,
            initial_instance_count=instances,
            initial_variant_weight=weight,
            instance_type=self._capacity.instance_type,
            container_startup_health_check_timeout_in_seconds=600,
            model_data_download_timeout_in_seconds=600,
        )

    def _bare_variant(self) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
        capacity = self._capacity
        return _Config.ProductionVariantProperty(
            variant_name=VARIANT,
            initial_instance_count=capacity.minimum,
            instance_type=capacity.instance_type,
            container_startup_health_check_timeout_in_seconds=600,
            model_data_download_timeout_in_seconds=600,
            managed_instance_scaling=_Config.ManagedInstanceScalingProperty(
                status="ENABLED",
                min_instance_count=capacity.minimum,
                max_instance_count=capacity.maximum,
            ),
            routing_config=_Config.RoutingConfigProperty(routing_strategy="LEAST_OUTSTANDING_REQUESTS"),
        )

    def _add_model(self, id: str, model: ServedModel) -> sagemaker.CfnModel:
        network = self.foundation.network
        containers = (
            [sagemaker.CfnModel.ContainerDefinitionProperty(model_package_name=model.package)]
            if model.package
            else [self._container(each) for each in model.containers]
        )
        made = sagemaker.CfnModel(
            self,
            id,
            execution_role_arn=self._role.arn,
            enable_network_isolation=True,
            vpc_config=sagemaker.CfnModel.VpcConfigProperty(
                subnets=list(network.isolated_subnet_ids),
                security_group_ids=[network.workload_security_group_id],
            ),
            primary_container=containers[0] if len(containers) == 1 else None,
            containers=containers if len(containers) > 1 else None,
            inference_execution_config=sagemaker.CfnModel.InferenceExecutionConfigProperty(mode="Serial")
            if len(containers) > 1
            else None,
        )
        if not model.package:
            acknowledge(made, "SecureMl::SageMakerModelFromRegistry", _NO_PACKAGE)
        # Without it SageMaker may ask for the data before the role may read them.
        for each in self._role.ready:
            made.add_resource_dependency(each)
        return made

    def _container(self, given: Container) -> sagemaker.CfnModel.ContainerDefinitionProperty:
        source = None
        if given.data:
            whole = given.data.endswith("/")
            source = sagemaker.CfnModel.ModelDataSourceProperty(
                s3_data_source=sagemaker.CfnModel.S3DataSourceProperty(
                    s3_uri=f"{self.foundation.lake.zone_uri(self._zone)}{given.data}",
                    s3_data_type="S3Prefix" if whole else "S3Object",
                    compression_type="None" if whole else "Gzip",
                )
            )
        return sagemaker.CfnModel.ContainerDefinitionProperty(
            image=_placed(given.image), model_data_source=source, environment=dict(given.environment) or None
        )

    # -- the endpoint --------------------------------------------------------------------------------

    def _add_config(
        self,
        id: str,
        variants: list[sagemaker.CfnEndpointConfig.ProductionVariantProperty],
        shadows: list[sagemaker.CfnEndpointConfig.ProductionVariantProperty] | None = None,
    ) -> sagemaker.CfnEndpointConfig:
        lake, keys, network = self.foundation.lake, self.foundation.keys, self.foundation.network
        type_ = self._capacity.instance_type
        is_bare = isinstance(self._model, TenantModels)
        capture_key = keys.arn(lake.zones[self._capture.zone].key_class)
        config = _Config(
            self,
            id,
            production_variants=variants,
            shadow_production_variants=shadows,
            # Disks of such types are encrypted by hardware, and a key for them is refused.
            kms_key_id=None if local_storage(type_) else keys.arn(KeyClass.MODEL),
            execution_role_arn=self._role.arn if is_bare else None,
            enable_network_isolation=True if is_bare else None,
            vpc_config=_Config.VpcConfigProperty(
                subnets=list(network.isolated_subnet_ids),
                security_group_ids=[network.workload_security_group_id],
            )
            if is_bare
            else None,
            data_capture_config=_Config.DataCaptureConfigProperty(
                enable_capture=True,
                initial_sampling_percentage=self._capture.percent,
                destination_s3_uri=self.capture_uri.removesuffix("/"),
                kms_key_id=capture_key,
                capture_options=[
                    _Config.CaptureOptionProperty(capture_mode=mode) for mode in ("Input", "Output")
                ],
                capture_content_type_header=_Config.CaptureContentTypeHeaderProperty(
                    csv_content_types=["text/csv"], json_content_types=["application/json"]
                ),
            ),
        )
        if local_storage(type_):
            acknowledge(config, standard_packs("SageMakerEndpointConfigurationKMSKeyConfigured"), _OWN_DISKS)
        for each in self._role.ready:
            config.add_resource_dependency(each)
        return config

    def _make(
        self,
        rollout: Rollout,
        rollback: list[str],
        variants: list[sagemaker.CfnEndpointConfig.ProductionVariantProperty],
        shadows: list[sagemaker.CfnEndpointConfig.ProductionVariantProperty] | None = None,
    ) -> sagemaker.CfnEndpoint:
        is_bare = isinstance(self._model, TenantModels)
        config = self._add_config("Config", variants, shadows)
        made = _Endpoint(
            self,
            "Resource",
            endpoint_name=self.endpoint_name,
            endpoint_config_name=config.attr_endpoint_config_name,
            # A new model keeps the instances that the requests of the hour have asked for.
            retain_all_variant_properties=None if is_bare else True,
            exclude_retained_variant_properties=None
            if is_bare
            else [_Endpoint.VariantPropertyProperty(variant_property_type="DataCaptureConfig")],
            deployment_config=_Endpoint.DeploymentConfigProperty(
                auto_rollback_configuration=_Endpoint.AutoRollbackConfigProperty(
                    alarms=[_Endpoint.AlarmProperty(alarm_name=name) for name in rollback]
                ),
                blue_green_update_policy=None if is_bare else rollout.policy(),
                rolling_update_policy=_in_halves() if is_bare else None,
            ),
        )
        made.add_resource_dependency(self._log)
        return made

    def _add_components(
        self, tenants: TenantModels, names: Mapping[str, str], rollback: list[str]
    ) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for tenant, container in tenants.models.items():
            pascal = "".join(part.capitalize() for part in tenant.split("-"))
            model = self._add_model(f"Model{pascal}", ServedModel((container,)))
            name = names.get(tenant) or physical_name(self, tenant)
            made = _Component(
                self,
                f"Component{pascal}",
                inference_component_name=name,
                endpoint_name=self.endpoint_name,
                variant_name=VARIANT,
                specification=_Component.InferenceComponentSpecificationProperty(
                    model_name=model.attr_model_name,
                    compute_resource_requirements=(
                        _Component.InferenceComponentComputeResourceRequirementsProperty(
                            number_of_cpu_cores_required=tenants.cpus,
                            min_memory_required_in_mb=tenants.memory_mb,
                            max_memory_required_in_mb=tenants.memory_mb,
                            number_of_accelerator_devices_required=tenants.accelerators or None,
                        )
                    ),
                ),
                runtime_config=_Component.InferenceComponentRuntimeConfigProperty(copy_count=tenants.copies),
                deployment_config=_Component.InferenceComponentDeploymentConfigProperty(
                    rolling_update_policy=_Component.InferenceComponentRollingUpdatePolicyProperty(
                        maximum_batch_size=_Component.InferenceComponentCapacitySizeProperty(
                            type="COPY_COUNT", value=1
                        ),
                        wait_interval_in_seconds=300,
                    ),
                    auto_rollback_configuration=_Component.AutoRollbackConfigurationProperty(
                        alarms=[_Component.AlarmProperty(alarm_name=name) for name in rollback]
                    ),
                ),
            )
            made.add_resource_dependency(self._endpoint)
            scale_component(self, f"Scaling{pascal}", name, tenants).add_resource_dependency(made)
            found[tenant] = name
        return found


def _in_halves() -> sagemaker.CfnEndpoint.RollingUpdatePolicyProperty:
    # Amazon SageMaker AI: "Use rolling deployments": half of the instances at the most go at once.
    return _Endpoint.RollingUpdatePolicyProperty(
        maximum_batch_size=_Endpoint.CapacitySizeProperty(type="CAPACITY_PERCENT", value=50),
        wait_interval_in_seconds=300,
    )


def _containers(model: ServedModel | TenantModels) -> tuple[Container, ...]:
    return tuple(model.models.values()) if isinstance(model, TenantModels) else model.containers


def _placed(image: str) -> str:
    return Fn.sub(image) if "${AWS::" in image else image
