-- Whose calls were denied, of which services, how often: a probe, or a role that lacks something.
SELECT useridentity.sessioncontext.sessionissuer.arn AS role,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       eventsource,
       eventname AS action,
       errorcode,
       count(*) AS calls,
       max(eventtime) AS last_time,
       max(errormessage) AS example
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND (errorcode IN ('AccessDenied', 'UnauthorizedOperation') OR errorcode LIKE '%AccessDenied%')
GROUP BY 1, 2, 3, 4, 5
ORDER BY calls DESC
