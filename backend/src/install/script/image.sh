docker_answers() { command -v docker >/dev/null && docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# At its first boot a machine may be busy with updates of its own: wait for the lock.
apt_install() {
  tries=0
  until quietly apt-get -o DPkg::Lock::Timeout=600 update; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || return 1
    sleep 5
  done
  # Ubuntu's needrestart would restart services of others, or ask.
  quietly env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$@"
}

install_docker() {
  if command -v apt-get >/dev/null; then
    set -- docker.io ca-certificates
    if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then set -- "$@" apparmor; fi
    apt_install "$@"
  elif command -v dnf >/dev/null; then
    quietly dnf install -y moby-engine || quietly dnf install -y docker
  elif command -v apk >/dev/null; then
    quietly apk add docker
  else
    give_up 'Docker is missing, and this system has none of apt-get, dnf and apk: install Docker, then run this again'
  fi
}

# Ubuntu offers Docker as a snap, which is shut in: it sees neither our directories nor our files.
refuse_snap() {
  case $(readlink -f "$(command -v docker)") in
    */snap) give_up 'Docker is installed as a snap here, and cannot use directories of this system: `snap remove docker`, then run this again' ;;
  esac
}

ensure_docker() {
  begin docker 'Docker ...'
  if command -v docker >/dev/null; then refuse_snap; fi
  if ! docker_answers; then
    command -v docker >/dev/null || install_docker || give_up 'Docker could not be installed'
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

# A private registry is asked with what the control plane knows of it, else with what this machine knows. Neither is kept here.
pull_image() {
  set --
  mkdir -p "$WORK/docker"
  if fetch_as_toolbox --output "$WORK/docker/config.json" "$CONTROL_PLANE/dtma/registry-auth" 2>>"$LOG" &&
    ! grep -q '"auths":{}' "$WORK/docker/config.json"; then set -- --config "$WORK/docker"; fi
  quietly docker "$@" pull "$IMAGE_NAME" || give_up "Docker could not pull $IMAGE_NAME"
  rm -rf "$WORK/docker"
}

ensure_image() {
  begin image 'Image of DTMA ...'
  if [ -z "$IMAGE" ]; then
    pull_image
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

# Images of earlier versions, as far as nothing uses them.
remove_old_images() {
  printf '%s\n' "$TAG" >"$HOME_DIR/image"
  for old in $(docker images --format '{{.Repository}}:{{.Tag}}' agentopia-dtma); do
    [ "$old" = "$TAG" ] || quietly docker rmi "$old" || true
  done
}
