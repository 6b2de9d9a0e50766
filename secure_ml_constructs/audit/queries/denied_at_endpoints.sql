-- Which calls the policies of the VPC endpoints refused: strange credentials, or data on its way out.
SELECT eventtime,
       useridentity.type AS caller_type,
       useridentity.accountid AS caller_account,
       useridentity.arn AS caller,
       eventsource,
       eventname AS action,
       vpcendpointid,
       sourceipaddress,
       errormessage
FROM {network}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND errorcode = 'VpceAccessDenied'
ORDER BY eventtime DESC
