-- Who changed policies, trusts, keys, endpoints and the trail itself.
SELECT eventtime,
       coalesce(useridentity.sessioncontext.sourceidentity, useridentity.arn, useridentity.invokedby) AS who,
       useridentity.sessioncontext.sessionissuer.arn AS role,
       eventsource,
       eventname AS action,
       requestparameters,
       coalesce(errorcode, 'done') AS outcome
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '30' DAY, '%Y/%m/%d')
  AND eventname IN (
      'AttachRolePolicy', 'DetachRolePolicy', 'PutRolePolicy', 'DeleteRolePolicy',
      'CreatePolicyVersion', 'SetDefaultPolicyVersion', 'UpdateAssumeRolePolicy',
      'PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary', 'CreateUser', 'CreateAccessKey',
      'PutBucketPolicy', 'DeleteBucketPolicy', 'PutBucketLifecycle',
      'PutBucketLifecycleConfiguration', 'PutBucketObjectLockConfiguration', 'PutBucketVersioning',
      'PutBucketReplication', 'PutBucketPublicAccessBlock', 'PutKeyPolicy', 'CreateGrant',
      'DisableKey', 'ScheduleKeyDeletion', 'ModifyVpcEndpoint', 'DeleteVpcEndpoints',
      'CreateInternetGateway', 'AttachInternetGateway', 'AuthorizeSecurityGroupEgress',
      'AuthorizeSecurityGroupIngress', 'CreateRoute', 'StopLogging', 'UpdateTrail', 'DeleteTrail',
      'PutEventSelectors', 'PutInsightSelectors', 'DeleteLogGroup', 'PutRetentionPolicy',
      'DeleteRetentionPolicy'
  )
ORDER BY eventtime DESC
