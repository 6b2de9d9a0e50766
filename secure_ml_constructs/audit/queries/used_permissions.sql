-- Which actions each role used in 90 days, as a policy names them: what it really needs.
SELECT useridentity.sessioncontext.sessionissuer.arn AS role,
       CASE split_part(eventsource, '.', 1)
           WHEN 'monitoring' THEN 'cloudwatch'
           ELSE split_part(eventsource, '.', 1)
       END || ':' || CASE
           WHEN eventname IN ('ListObjects', 'ListObjectsV2', 'HeadBucket') THEN 'ListBucket'
           WHEN eventname = 'ListObjectVersions' THEN 'ListBucketVersions'
           WHEN eventname = 'HeadObject' THEN 'GetObject'
           WHEN eventname IN (
               'CopyObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'
           ) THEN 'PutObject'
           WHEN eventname = 'DeleteObjects' THEN 'DeleteObject'
           ELSE regexp_replace(eventname, '20[0-9]+(v[0-9]+)?$', '')
       END AS action,
       count(*) AS calls,
       count(DISTINCT day) AS days,
       max(eventtime) AS last_time
FROM {trail}
WHERE day >= date_format(current_date - INTERVAL '90' DAY, '%Y/%m/%d')
  AND useridentity.sessioncontext.sessionissuer.type = 'Role'
  AND coalesce(errorcode, '') NOT LIKE '%AccessDenied%'
  AND coalesce(errorcode, '') <> 'UnauthorizedOperation'
GROUP BY 1, 2
ORDER BY role, action
