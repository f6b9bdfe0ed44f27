#!/bin/sh
# Makes this Linux machine a toolbox of Agentopia: installs Docker when it is missing, fetches the image of DTMA, runs it, and
# waits until it is enrolled. May be run again at any time: it repairs and updates.
#
#   install.sh TOOLBOX_ID      enrols; the one-time token is read from standard input
#   install.sh                 repairs and updates what is installed
#   install.sh --uninstall     takes DTMA, its tools and everything that they kept off this machine; Docker stays
set -eu
umask 077

CONTROL_PLANE='@CONTROL_PLANE@'
PIN='@PIN@'
IMAGE='@IMAGE@'
IMAGE_NAME='@IMAGE_NAME@'
RECIPE='@RECIPE@'
CREATE_BODY='@CREATE_BODY@'

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

# A droplet with a fresh disk finds a token in its user-data that is spent. What makes it good once more is a tag that
# DigitalOcean shows to this droplet alone.
shown_tag() {
  grep -qs DigitalOcean "$DATASOURCE" || return 0
  curl --silent --fail --max-time 5 http://169.254.169.254/metadata/v1.json | grep -o 'agentopia-boot-[0-9a-f]\{64\}' | head -n 1 || true
}

is_copy() { [ -s "$HOME_DIR/instance" ] && [ -s "$INSTANCE_ID" ] && ! cmp -s "$HOME_DIR/instance" "$INSTANCE_ID"; }

# The disk may be copied, and the copy boots with Docker, DTMA and its key: there it is forgotten before Docker starts.
guard_copies() {
  [ -s "$INSTANCE_ID" ] || return 0
  cp "$INSTANCE_ID" "$HOME_DIR/instance"
  command -v systemctl >/dev/null || return 0
  cat >"$COPY_UNIT" <<UNIT
[Unit]
Description=Forgets the key of DTMA on a copy of its machine
After=cloud-init.service cloud-init-network.service
Before=docker.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c '[ ! -s $INSTANCE_ID ] || [ ! -s $HOME_DIR/instance ] || cmp -s $INSTANCE_ID $HOME_DIR/instance || rm -f $STATE_DIR/identity.json'
[Install]
WantedBy=multi-user.target
UNIT
  chmod 644 "$COPY_UNIT"
  quietly systemctl daemon-reload && quietly systemctl enable agentopia-copy.service || say 'Copies of this disk are not guarded: systemd did not take the unit'
}

docker_answers() { command -v docker >/dev/null && docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

install_packages() {
  if command -v apt-get >/dev/null; then
    # At its first boot a machine may be busy with updates of its own: wait for the lock.
    tries=0
    until quietly apt-get -o DPkg::Lock::Timeout=600 update; do
      tries=$((tries + 1))
      [ "$tries" -lt 60 ] || return 1
      sleep 5
    done
    if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then set -- "$@" apparmor; fi
    quietly env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends docker.io "$@"
  elif command -v dnf >/dev/null; then
    quietly dnf install -y moby-engine || quietly dnf install -y docker
  elif command -v apk >/dev/null; then
    quietly apk add docker
  else
    give_up 'Docker is missing, and this system has none of apt-get, dnf and apk: install Docker, then run this again'
  fi
}

ensure_docker() {
  begin docker 'Docker ...'
  if ! docker_answers; then
    command -v docker >/dev/null || install_packages ca-certificates || give_up 'Docker could not be installed'
    if command -v systemctl >/dev/null; then quietly systemctl enable --now docker || true
    else quietly service docker start || true; fi
    waited=0
    until docker_answers; do
      waited=$((waited + 1))
      [ "$waited" -le 60 ] || give_up 'Docker is installed, but does not answer: see `journalctl -u docker`'
      sleep 1
    done
  fi
  report done
}

short_of() { printf '%s' "${1#sha256:}" | cut -c 1-12; }

ensure_image() {
  begin image 'Image of DTMA ...'
  if [ -z "$IMAGE" ]; then
    quietly docker pull "$IMAGE_NAME" || give_up "Docker could not pull $IMAGE_NAME"
    TAG=$IMAGE_NAME
  else
    TAG=agentopia-dtma:$(short_of "$IMAGE")
    if ! docker image inspect "$TAG" >/dev/null 2>&1; then
      fetch --retry 8 --retry-delay 3 --retry-connrefused --max-time 1200 --output "$WORK/image.tar.gz" \
        "$CONTROL_PLANE/dtma/image/$IMAGE" 2>>"$LOG" || give_up 'The image could not be fetched from the control plane'
      docker load --input "$WORK/image.tar.gz" >"$WORK/loaded" 2>>"$LOG" || give_up 'Docker could not load the image'
      rm -f "$WORK/image.tar.gz"
      docker tag "$(sed -n 's/^Loaded image\( ID\)\{0,1\}: //p' "$WORK/loaded" | tail -n 1)" "$TAG" || give_up 'Docker lost the image'
    fi
  fi
  IMAGE_ID=$(docker image inspect --format '{{.Id}}' "$TAG")
  report done
}

ours() { docker ps -aq --filter "label=agentopia.home=$HOME_DIR" "$@"; }

running_recipe() {
  docker inspect --format '{{.State.Running}} {{index .Config.Labels "agentopia.recipe"}}' "agentopia-dtma-$TOOLBOX" 2>/dev/null || true
}

enrolled() { [ -f "$STATE_DIR/identity.json" ] && grep -q "\"toolboxId\":\"$TOOLBOX\"" "$STATE_DIR/identity.json"; }

engine() { curl --silent --show-error --fail --max-time 30 --unix-socket "$SOCKET" "$@" >>"$LOG" 2>&1; }

ensure_dtma() {
  begin dtma 'DTMA ...'
  mkdir -p "$STATE_DIR"
  chmod 711 "$HOME_DIR"
  chmod 700 "$STATE_DIR"
  chown 1000:1000 "$STATE_DIR"
  guard_copies
  if [ -s "$WORK/token" ] && ! enrolled; then
    cp "$WORK/token" "$STATE_DIR/enrolment-token.new"
    chown 1000:1000 "$STATE_DIR/enrolment-token.new"
    mv "$STATE_DIR/enrolment-token.new" "$STATE_DIR/enrolment-token"
  fi
  if [ "$(running_recipe)" != "true $RECIPE" ]; then
    # The tools go on running meanwhile; the new DTMA takes them over.
    for old in $(ours); do
      quietly docker stop --time 20 "$old" || true
      quietly docker rm --force "$old" || true
    done
    user=1000:1000
    group=$(stat -L -c %g "$SOCKET")
    case $(stat -L -c %a "$SOCKET") in *[67]?) ;; *) user=0:0 group=0 ;; esac
    printf '%s' "$CREATE_BODY" | sed "s/__TOOLBOX__/$TOOLBOX/g; s/__USER__/$user/; s/__GROUP__/$group/; s/\"Image\":\"[^\"]*\"/\"Image\":\"$IMAGE_ID\"/" >"$WORK/create.json"
    engine --header 'content-type: application/json' --data-binary "@$WORK/create.json" \
      "http://docker/containers/create?name=agentopia-dtma-$TOOLBOX" || give_up 'Docker refused to make the container of DTMA'
    quietly docker start "agentopia-dtma-$TOOLBOX" || give_up 'DTMA could not be started'
  fi
  printf '%s\n' "$TOOLBOX" >"$HOME_DIR/toolbox"
  waited=0
  until enrolled; do
    waited=$((waited + 1))
    if [ "$waited" -gt "$ENROL_SECONDS" ]; then
      docker logs --tail 15 "agentopia-dtma-$TOOLBOX" >>"$LOG" 2>&1 || true
      give_up "DTMA runs, but was not enrolled within $ENROL_SECONDS s: the token may be used or expired; make a new line"
    fi
    sleep 1
  done
  rm -f "$STATE_DIR/enrolment-token"
  # Images of earlier versions, as far as nothing uses them.
  for old in $(docker images --format '{{.Repository}}:{{.Tag}}' agentopia-dtma); do
    [ "$old" = "$TAG" ] || quietly docker rmi "$old" || true
  done
}

remove_all() { # kind, then the command that removes one
  kind=$1
  shift
  for thing in $(docker "$kind" ls -q --filter "label=dtma.owner=$OWNER"); do quietly docker "$@" "$thing" || true; done
}

uninstall() {
  if docker_answers; then
    for container in $(ours); do
      quietly docker stop --time 20 "$container" || true
      quietly docker rm --force --volumes "$container" || true
    done
    OWNER=$(cat "$STATE_DIR/owner" 2>/dev/null || true)
    if [ -n "$OWNER" ]; then
      for container in $(docker ps -aq --filter "label=dtma.owner=$OWNER"); do quietly docker rm --force --volumes "$container" || true; done
      remove_all network network rm
      remove_all volume volume rm --force
      remove_all image rmi --force
    fi
    for image in $(docker images --format '{{.Repository}}:{{.Tag}}' agentopia-dtma); do quietly docker rmi --force "$image" || true; done
  elif [ -d "$STATE_DIR" ] && command -v docker >/dev/null; then
    give_up 'Docker does not answer, so its containers cannot be removed: start it, then run this again'
  fi
  if [ -f "$COPY_UNIT" ]; then quietly systemctl disable agentopia-copy.service || true; rm -f "$COPY_UNIT"; fi
  rm -rf "$HOME_DIR"
  say 'DTMA and its tools are gone from this machine. Docker stays.'
  rm -f "$LOG"
}

main() {
  if [ "$(id -u)" != 0 ]; then
    printf '%s\n' 'This needs root: run it with sudo.' >&2
    exit 1
  fi
  touch "$LOG"
  WORK=$(mktemp -d)
  trap 'rm -rf "$WORK"' EXIT
  trap 'exit 130' INT TERM HUP

  if is_copy; then
    say 'The disk of this machine is a copy of a toolbox: what that had goes first.'
    ensure_docker
    uninstall
    touch "$LOG"
  fi
  installed=$(cat "$HOME_DIR/toolbox" 2>/dev/null || true)
  case ${1:-} in
    --uninstall) uninstall; return ;;
    '') TOOLBOX=$installed ;;
    toolbox_*) TOOLBOX=$1 ;;
    *) printf 'usage: install.sh [--uninstall | TOOLBOX_ID]\n' >&2; exit 64 ;;
  esac
  case $TOOLBOX in
    *[!a-z0-9_]*) printf 'That is no id of a toolbox.\n' >&2; exit 64 ;;
    '') printf 'Nothing is installed here yet: paste the line that the page shows for a new toolbox.\n' >&2; exit 64 ;;
  esac
  if [ -n "$installed" ] && [ "$installed" != "$TOOLBOX" ]; then
    printf 'This machine is the toolbox %s already. Take it off first, with --uninstall.\n' "$installed" >&2
    exit 1
  fi
  token=
  if [ ! -t 0 ]; then read -r token || true; fi
  if [ -n "$token" ]; then
    shown=$(shown_tag)
    token=$token${shown:+.${shown#agentopia-boot-}}
    printf '%s' "$token" >"$WORK/token"
    printf 'authorization: Bearer %s' "$token" >"$WORK/authorization"
    token=
  fi
  if [ ! -s "$WORK/token" ] && [ ! -f "$STATE_DIR/identity.json" ]; then
    printf 'The one-time token is missing: paste the whole line that the page shows.\n' >&2
    exit 64
  fi
  if enrolled; then rm -f "$WORK/authorization"; fi # nothing to tell: it is a repair

  say "Agentopia: this machine becomes the toolbox $TOOLBOX of $CONTROL_PLANE"
  ensure_docker
  ensure_image
  ensure_dtma
  say "Done: this machine is the toolbox $TOOLBOX. It shows as active on $CONTROL_PLANE within seconds."
}

main "$@"
