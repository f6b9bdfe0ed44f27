#!/bin/sh
# Makes this Linux machine a toolbox of Agentopia: installs Docker when it is missing, brings DTMA, runs it, and waits until it is
# enrolled. May be run again at any time: it repairs, updates, and changes to the way of installation that it was fetched for.
#
#   install.sh TOOLBOX_ID      enrols; the one-time token is read from standard input
#     --direct PORT            the control plane dials this machine, at this port, over https; without, this machine dials
#     --plain-http             with --direct: without TLS
#   install.sh                 repairs and updates what is installed
#   install.sh --uninstall     takes DTMA, its tools and everything that they kept off this machine; Docker stays
set -eu
umask 077

CONTROL_PLANE='@CONTROL_PLANE@'
PIN='@PIN@'
IMAGE='@IMAGE@'
IMAGE_NAME='@IMAGE_NAME@'
# docker, registry: DTMA in a container; systemd, git: as a service, from a bundle or built here.
VARIANT='@VARIANT@'
RECIPE='@RECIPE@'
CREATE_BODY='@CREATE_BODY@'
BUNDLE='@BUNDLE@'
GIT_URL='@GIT_URL@'
GIT_COMMIT='@GIT_COMMIT@'
FORGET_FIREWALL='@FORGET_FIREWALL@'

HOME_DIR=/var/lib/agentopia
STATE_DIR=$HOME_DIR/dtma
LOG=/var/log/agentopia-install.log
SOCKET=/var/run/docker.sock
ENROL_SECONDS=180
# What cloud-init knows of the machine: from where it has that, and which machine it is. A copy of a disk is another one.
DATASOURCE=/var/lib/cloud/instance/datasource
INSTANCE_ID=/var/lib/cloud/data/instance-id
COPY_UNIT=/etc/systemd/system/agentopia-copy.service

TOOLBOX=
ROAD=tunnel
PORT=@DTMA_PORT@
PLAIN=on
STAGE=docker
WORK=

say() { printf '%s\n' "$*"; printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" >>"$LOG"; }

# Runs a command whose output belongs into the log.
quietly() { "$@" >>"$LOG" 2>&1 </dev/null; }

fetch() {
  # A pin decides alone: the authorities are not asked.
  if [ -n "$PIN" ]; then set -- --insecure --pinnedpubkey "$PIN" "$@"; fi
  curl --fail --silent --show-error --connect-timeout 10 "$@"
}

give_up() {
  say "FAILED: $*"
  tail -n 15 "$LOG" | sed 's/^/  | /' >&2
  say "The whole log is in $LOG. It is safe to run this again."
  report failed
  exit 1
}

# Tells the control plane how far this is. The token travels in a file: no process list shows it.
report() {
  [ -s "$WORK/authorization" ] || return 0
  tail_json=$(tail -n 40 "$LOG" | tail -c 4000 | tr -cd '\11\12\40-\176' | sed 's/\\/\\\\/g; s/"/\\"/g; s/	/ /g' | awk '{printf "%s\\n", $0}')
  tail_json=",\"log\":\"$tail_json\""
  printf '{"toolboxId":"%s","stage":"%s","state":"%s"%s}' "$TOOLBOX" "$STAGE" "$1" "$tail_json" >"$WORK/report"
  fetch --max-time 10 --output /dev/null --header "@$WORK/authorization" --header 'content-type: application/json' \
    --data-binary "@$WORK/report" "$CONTROL_PLANE/dtma/boot" >>"$LOG" 2>&1 || true # a lost report delays nothing
}

begin() { STAGE=$1; say "$2"; report running; }

# Asks the control plane with the one-time token, or with what DTMA got for it.
fetch_as_toolbox() {
  if ! enrolled; then printf 'authorization: Bearer %s' "$(cat "$WORK/token")" >"$WORK/credential"
  else sed -n 's/.*"dtmaBearerToken":"\([^"]*\)".*/authorization: Bearer \1/p' "$STATE_DIR/identity.json" >"$WORK/credential"; fi
  fetch --max-time 20 --header "@$WORK/credential" "$@"
}

short_of() { printf '%s' "${1#sha256:}" | cut -c 1-12; }

# With a token: by that very one. A machine that was locked out enrols anew by a new line.
enrolled() {
  [ -f "$STATE_DIR/identity.json" ] && grep -q "\"toolboxId\":\"$TOOLBOX\"" "$STATE_DIR/identity.json" &&
    { [ ! -s "$WORK/digest" ] || grep -q "\"tokenDigest\":\"$(cat "$WORK/digest")\"" "$STATE_DIR/identity.json"; }
}

# What DTMA listens on, for whoever dials it.
host_of_road() { if [ "$ROAD" = direct ]; then printf 0.0.0.0; else printf 127.0.0.1; fi; }

