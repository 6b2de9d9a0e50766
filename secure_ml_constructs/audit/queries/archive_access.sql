-- Who read the log archive, or tried to change or empty it.
SELECT eventtime,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
       json_extract_scalar(requestparameters, '$.key') AS object,
       useridentity.invokedby AS through,
       sourceipaddress,
       vpcendpointid,
       coalesce(errorcode, 'done') AS outcome
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND eventsource = 's3.amazonaws.com'
  AND json_extract_scalar(requestparameters, '$.bucketName') IN ({archive})
  AND coalesce(useridentity.type, '') <> 'AWSService'
ORDER BY eventtime DESC
