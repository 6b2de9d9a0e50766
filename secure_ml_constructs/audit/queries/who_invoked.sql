-- Who invoked which endpoint how often, from where, and what failed.
SELECT day,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       json_extract_scalar(requestparameters, '$.endpointName') AS endpoint,
       vpcendpointid,
       sourceipaddress,
       count(*) AS calls,
       count(errorcode) AS failed
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND eventsource = 'sagemaker.amazonaws.com'
  AND eventname IN ('InvokeEndpoint', 'InvokeEndpointAsync', 'InvokeEndpointWithResponseStream')
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY day DESC, calls DESC
