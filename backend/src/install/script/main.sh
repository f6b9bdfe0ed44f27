prepare_state() {
  mkdir -p "$STATE_DIR"
  chmod 711 "$HOME_DIR"
  chmod 700 "$STATE_DIR"
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

uninstall() {
  if docker_answers; then
    remove_unit
    remove_containers_of_dtma
    OWNER=$(cat "$STATE_DIR/owner" 2>/dev/null || true)
    if [ -n "$OWNER" ]; then
      for container in $(docker ps -aq --filter "label=dtma.owner=$OWNER"); do quietly docker rm --force --volumes "$container" || true; done
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
  begin_source
  ensure_image
  case $VARIANT in systemd | git) ensure_program ;; esac
  ensure_dtma
  remove_old_images
  case $VARIANT in systemd | git) remove_old_programs ;; esac
  say "Done: this machine is the toolbox $TOOLBOX. It shows as active on $CONTROL_PLANE within seconds."
}

main "$@"
