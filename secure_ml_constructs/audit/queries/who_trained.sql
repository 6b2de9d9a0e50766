-- Who started training, tuning, processing, batch and pipeline jobs, on which data, image and role.
SELECT eventtime,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       eventname AS action,
       coalesce(
           json_extract_scalar(requestparameters, '$.trainingJobName'),
           json_extract_scalar(requestparameters, '$.hyperParameterTuningJobName'),
           json_extract_scalar(requestparameters, '$.autoMLJobName'),
           json_extract_scalar(requestparameters, '$.processingJobName'),
           json_extract_scalar(requestparameters, '$.transformJobName'),
           json_extract_scalar(requestparameters, '$.pipelineName')
       ) AS job,
       json_extract_scalar(requestparameters, '$.roleArn') AS execution_role,
       coalesce(
           json_extract_scalar(requestparameters, '$.algorithmSpecification.trainingImage'),
           json_extract_scalar(requestparameters, '$.appSpecification.imageUri')
       ) AS image,
       coalesce(
           json_extract_scalar(requestparameters, '$.inputDataConfig[0].dataSource.s3DataSource.s3Uri'),
           json_extract_scalar(requestparameters, '$.processingInputs[0].s3Input.s3Uri'),
           json_extract_scalar(requestparameters, '$.transformInput.dataSource.s3DataSource.s3Uri')
       ) AS first_input,
       coalesce(
           json_extract_scalar(requestparameters, '$.enableNetworkIsolation'),
           json_extract_scalar(requestparameters, '$.networkConfig.enableNetworkIsolation')
       ) AS isolated,
       coalesce(errorcode, 'done') AS outcome
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND eventsource = 'sagemaker.amazonaws.com'
  AND eventname IN (
      'CreateTrainingJob', 'CreateHyperParameterTuningJob', 'CreateAutoMLJob', 'CreateAutoMLJobV2',
      'CreateProcessingJob', 'CreateTransformJob', 'StartPipelineExecution', 'UpdateTrainingJob'
  )
ORDER BY eventtime DESC
