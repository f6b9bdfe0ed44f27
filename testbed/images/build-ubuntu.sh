#!/usr/bin/env bash
# Builds bare servers with Ubuntu as images agentopia-testbed:ubuntu-22.04 and :ubuntu-24.04, from an Ubuntu mirror that the caller names:
#   UBUNTU_MIRROR=http://mirror/ubuntu build-ubuntu.sh [22.04|24.04 ...]
# Needs root, debootstrap and Docker. Signatures of the base are not checked, as its keys are in it: nothing of this is shipped.
set -euo pipefail
cd "$(dirname "$0")"
: "${UBUNTU_MIRROR:?the address of an Ubuntu mirror}"
[ $# -gt 0 ] || set -- 22.04 24.04
for version; do
  case $version in 22.04) suite=jammy ;; 24.04) suite=noble ;; *) echo "no Ubuntu $version" >&2; exit 64 ;; esac
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  debootstrap --variant=minbase --no-check-gpg --components=main,universe "$suite" "$work/root" "$UBUNTU_MIRROR" /usr/share/debootstrap/scripts/gutsy
  printf 'deb %s %s main universe\ndeb %s %s-updates main universe\n' "$UBUNTU_MIRROR" "$suite" "$UBUNTU_MIRROR" "$suite" >"$work/root/etc/apt/sources.list"
  rm -rf "$work"/root/var/cache/apt/*
  tar -C "$work/root" --numeric-owner -c . | docker import - "agentopia-testbed:ubuntu-$version-base" >/dev/null
  docker build -q --build-arg "BASE=agentopia-testbed:ubuntu-$version-base" -f Dockerfile.ubuntu -t "agentopia-testbed:ubuntu-$version" .
  rm -rf "$work"
done
