#!/usr/bin/env bash
# Builds the image of OpenMonitor. It is given its tag when its scan has found nothing critical: what has the tag is used.
set -euo pipefail

released() {
  aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=$TAG" > /dev/null 2>&1
}

if released; then
  echo "$TAG is there already."
  exit 0
fi

# On the way in the token stands in the environment of one process; it is in no file and no layer.
token="$(aws codeartifact get-authorization-token --domain "$PACKAGES_DOMAIN" \
  --duration-seconds 900 --query authorizationToken --output text)"
PIP_INDEX_URL="https://aws:${token}@${PACKAGES_INDEX}" python3 -m pip download \
  --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: --implementation cp \
  --python-version 3.13 --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 \
  --platform manylinux_2_17_x86_64 --dest wheels --requirement open_monitor.txt

for registry in "${REPOSITORY_URI%%/*}" "${BASE%%/*}"; do
  aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
done

# Tags never move: an attempt that failed keeps its own.
candidate="candidate-$TAG-$BUILD_NUMBER"
docker build --network none --build-arg "BASE=$BASE" --tag "$REPOSITORY_URI:$candidate" \
  --file open_monitor_image/Dockerfile .
docker push --quiet "$REPOSITORY_URI:$candidate"

findings() {
  aws ecr describe-image-scan-findings --repository-name "$REPOSITORY" --image-id "imageTag=$candidate" \
    --query "$1" --output text
}
status=PENDING
for ((attempt = 0; attempt < 60; attempt++)); do
  # Until the scan is entered there is none to describe.
  status="$(findings imageScanStatus.status 2> /dev/null || echo PENDING)"
  case "$status" in
    # Enhanced scanning goes on for as long as the image is there, and says ACTIVE.
    COMPLETE | ACTIVE) break ;;
    PENDING | IN_PROGRESS) sleep "${SCAN_WAIT_SECONDS:-10}" ;;
    *) break ;;
  esac
done
if [[ "$status" != COMPLETE && "$status" != ACTIVE ]]; then
  echo "The image was not scanned: $status. It gets no tag." >&2
  exit 1
fi
critical="$(findings 'imageScanFindings.findingSeverityCounts.CRITICAL || `0`')"
if [[ "$critical" != 0 ]]; then
  echo "The scan of $candidate found $critical critical vulnerabilities. It gets no tag: take a newer base image." >&2
  exit 1
fi

manifest="$(aws ecr batch-get-image --repository-name "$REPOSITORY" --image-ids "imageTag=$candidate" \
  --query 'images[0].imageManifest' --output text)"
# Another build may have been faster.
aws ecr put-image --repository-name "$REPOSITORY" --image-tag "$TAG" --image-manifest "$manifest" > /dev/null || released
echo "$TAG is there."
