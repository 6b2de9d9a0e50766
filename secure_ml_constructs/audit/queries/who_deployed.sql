-- Who registered, approved, deployed, changed and removed models and endpoints.
SELECT eventtime,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       eventname AS action,
       coalesce(
           json_extract_scalar(requestparameters, '$.endpointName'),
           json_extract_scalar(requestparameters, '$.endpointConfigName'),
           json_extract_scalar(requestparameters, '$.inferenceComponentName'),
           json_extract_scalar(requestparameters, '$.modelName'),
           json_extract_scalar(requestparameters, '$.modelPackageArn'),
           json_extract_scalar(requestparameters, '$.modelPackageGroupName')
       ) AS target,
       json_extract_scalar(requestparameters, '$.modelApprovalStatus') AS approval,
       coalesce(
           json_extract_scalar(requestparameters, '$.primaryContainer.modelDataUrl'),
           json_extract_scalar(requestparameters, '$.containers[0].modelDataUrl')
       ) AS model_data,
       coalesce(errorcode, 'done') AS outcome
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND eventsource = 'sagemaker.amazonaws.com'
  AND eventname IN (
      'CreateModel', 'DeleteModel', 'CreateModelPackage', 'UpdateModelPackage', 'DeleteModelPackage',
      'CreateEndpointConfig', 'DeleteEndpointConfig', 'CreateEndpoint', 'UpdateEndpoint',
      'UpdateEndpointWeightsAndCapacities', 'DeleteEndpoint', 'CreateInferenceComponent',
      'UpdateInferenceComponent', 'DeleteInferenceComponent'
  )
ORDER BY eventtime DESC
