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

prepare_state() {
  mkdir -p "$STATE_DIR"
  chmod 711 "$HOME_DIR"
  chmod 700 "$STATE_DIR"
  guard_copies
  if [ -s "$WORK/token" ] && ! enrolled; then
    cp "$WORK/token" "$STATE_DIR/enrolment-token.new"
    mv "$STATE_DIR/enrolment-token.new" "$STATE_DIR/enrolment-token"
  fi
  printf '%s\n' "$TOOLBOX" >"$HOME_DIR/toolbox"
  printf '%s\n' "$ROAD $PORT $PLAIN" >"$HOME_DIR/road"
}

last_words() {
  case $VARIANT in
    systemd | git) journalctl --no-pager --lines 15 --unit "$UNIT" ;;
    *) docker logs --tail 15 "agentopia-dtma-$TOOLBOX" ;;
  esac >>"$LOG" 2>&1 || true
}

ensure_dtma() {
  begin dtma 'DTMA ...'
  prepare_state
  case $VARIANT in systemd | git) run_under_systemd ;; *) run_in_docker ;; esac
  waited=0
  until enrolled; do
    waited=$((waited + 1))
    if [ "$waited" -gt "$ENROL_SECONDS" ]; then
      last_words
      give_up "DTMA runs, but was not enrolled within $ENROL_SECONDS s: the token may be used or expired; make a new line"
    fi
    sleep 1
  done
  rm -f "$STATE_DIR/enrolment-token"
}

remove_all() { # kind, then the command that removes one
  kind=$1
  shift
  for thing in $(docker "$kind" ls -q --filter "label=dtma.owner=$OWNER"); do quietly docker "$@" "$thing" || true; done
}

# DTMA's rules hold without it, and would cut off whoever is given the address of its gateway next.
remove_firewall() {
  table=dtma-$(printf '%.12s' "$OWNER")
  if command -v nft >/dev/null && quietly nft delete table inet "$table"; then return 0; fi
  quietly docker run --rm --network host --cap-drop ALL --cap-add NET_ADMIN --security-opt no-new-privileges:true --user 0:0 --entrypoint perl \
    "$(cat "$HOME_DIR/image" 2>/dev/null || true)" -e "$FORGET_FIREWALL" "$table" ||
    say "The table $table could not be taken out of the firewall of this machine. It goes with the next boot."
}

uninstall() {
  if docker_answers; then
    remove_unit
    remove_containers_of_dtma
    OWNER=$(cat "$STATE_DIR/owner" 2>/dev/null || true)
    if [ -n "$OWNER" ]; then
      for container in $(docker ps -aq --filter "label=dtma.owner=$OWNER"); do quietly docker rm --force --volumes "$container" || true; done
      remove_firewall
      remove_all network network rm
      remove_all volume volume rm --force
      remove_all image rmi --force
    fi
    for image in $(docker images --format '{{.Repository}}:{{.Tag}}' agentopia-dtma); do quietly docker rmi --force "$image" || true; done
    if [ -s "$HOME_DIR/image" ]; then quietly docker rmi --force "$(cat "$HOME_DIR/image")" || true; fi
    remove_packages
  elif [ -d "$STATE_DIR" ] && command -v docker >/dev/null; then
    give_up 'Docker does not answer, so its containers cannot be removed: start it, then run this again'
  fi
  if [ -f "$COPY_UNIT" ]; then quietly systemctl disable agentopia-copy.service || true; rm -f "$COPY_UNIT"; fi
  rm -rf "$HOME_DIR"
  say 'DTMA and its tools are gone from this machine. Docker stays.'
  rm -f "$LOG"
}

# Whoever switched a firewall on decides what it lets in.
name_firewall() {
  [ "$ROAD" = direct ] && command -v ufw >/dev/null || return 0
  case $(ufw status 2>/dev/null) in
    'Status: active'*) say "The firewall ufw is active here. Let the control plane in: \`ufw allow $PORT/tcp\`" ;;
  esac
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
  if [ "${1:-}" = --direct ]; then
    ROAD=direct PLAIN=off PORT=${2:-}
    case $PORT in '' | *[!0-9]*) printf 'usage: install.sh --direct PORT [--plain-http] TOOLBOX_ID\n' >&2; exit 64 ;; esac
    shift 2
    if [ "${1:-}" = --plain-http ]; then PLAIN=on; shift; fi
  elif [ -z "${1:-}" ] && [ -s "$HOME_DIR/road" ]; then
    read -r ROAD PORT PLAIN <"$HOME_DIR/road"
  fi
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
    sha256sum <"$WORK/token" | cut -d ' ' -f 1 >"$WORK/digest"
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
  mkdir -p "$HOME_DIR"
  case $VARIANT in systemd | git) require_systemd ;; esac
  name_firewall
  begin_source
  ensure_image
  case $VARIANT in systemd | git) ensure_program ;; esac
  ensure_dtma
  remove_old_images
  case $VARIANT in systemd | git) remove_old_programs ;; esac
  say "Done: this machine is the toolbox $TOOLBOX. It shows as active on $CONTROL_PLANE within seconds."
}

main "$@"
