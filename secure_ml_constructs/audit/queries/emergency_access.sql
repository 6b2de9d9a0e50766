-- What break-glass roles and the root user did, and who tried to become a break-glass role.
SELECT eventtime,
       useridentity.type AS caller_type,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       eventsource,
       eventname AS action,
       requestparameters,
       sourceipaddress,
       coalesce(errorcode, 'done') AS outcome
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND (useridentity.type = 'Root'{break_glass})
ORDER BY eventtime DESC
