#!/usr/bin/env bash
# Builds the machines of the test bed as images, from the base image of the product and Debian's packages:
#   agentopia-testbed:debian-12   a bare server
#   agentopia-testbed:docker      the same with Docker installed
set -euo pipefail
cd "$(dirname "$0")"
# Who comes while they are being built waits, and finds them.
exec 9<build.sh && flock 9
docker build -q -f Dockerfile.debian -t agentopia-testbed:debian-12 .
docker build -q -f Dockerfile.docker -t agentopia-testbed:docker .
