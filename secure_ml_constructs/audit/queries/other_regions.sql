-- What was called in regions where the environment is not.
SELECT region,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       eventsource,
       eventname AS action,
       count(*) AS calls,
       max(eventtime) AS last_time
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND region NOT IN ('{region}', 'us-east-1', 'cn-north-1', 'us-gov-west-1')
  AND coalesce(useridentity.type, '') <> 'AWSService'
GROUP BY 1, 2, 3, 4, 5
ORDER BY region, calls DESC
