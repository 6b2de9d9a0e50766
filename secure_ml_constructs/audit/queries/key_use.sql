-- Who used which key through which service, and who changed keys.
SELECT element_at(resources, 1).arn AS key_arn,
       eventname AS action,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       useridentity.invokedby AS through,
       count(*) AS calls,
       count(errorcode) AS refused,
       max(eventtime) AS last_time
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND eventsource = 'kms.amazonaws.com'
  AND eventname NOT IN ('DescribeKey', 'ListAliases', 'ListKeys', 'GetKeyPolicy', 'GetKeyRotationStatus')
GROUP BY 1, 2, 3, 4
ORDER BY calls DESC
