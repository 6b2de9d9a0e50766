-- Who put objects into buckets and records into the feature store, from where, and what was refused.
SELECT eventtime,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       eventname AS action,
       coalesce(
           json_extract_scalar(requestparameters, '$.bucketName'),
           json_extract_scalar(requestparameters, '$.featureGroupName')
       ) AS target,
       json_extract_scalar(requestparameters, '$.key') AS object,
       sourceipaddress,
       vpcendpointid,
       coalesce(errorcode, 'done') AS outcome
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND (
    eventsource = 's3.amazonaws.com'
    AND eventname IN ('PutObject', 'CopyObject', 'CreateMultipartUpload', 'CompleteMultipartUpload')
    OR eventsource = 'sagemaker.amazonaws.com'
    AND eventname = 'PutRecord'
  )
ORDER BY eventtime DESC
