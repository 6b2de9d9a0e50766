-- Who read objects, from which bucket, how often, from where.
SELECT day,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
       vpcendpointid,
       sourceipaddress,
       count(*) AS calls,
       count(errorcode) AS refused
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND eventsource = 's3.amazonaws.com'
  AND eventname IN ('GetObject', 'HeadObject', 'ListObjects', 'SelectObjectContent')
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY day DESC, calls DESC
