#!/usr/bin/env bash
# Builds a stand-in for python:3-slim, on which DTMA builds Python packages, on machines that cannot pull images: Debian's
# Python and pip on top of the base image that build.sh makes, without its Node. Needs Docker and a Debian mirror.
set -euo pipefail
image=${1:-python:3-slim}
base=${2:-node:24-slim}
docker build -q -t "$image" - <<DOCKERFILE
FROM $base
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /usr/share/doc/*
ENTRYPOINT []
CMD ["python3"]
DOCKERFILE
docker run --rm --network none "$image" python3 --version
