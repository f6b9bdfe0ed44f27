UNIT=agentopia-dtma.service
UNIT_FILE=/etc/systemd/system/$UNIT
PROGRAMS=/opt/agentopia
# What DTMA has replaced itself by: all of the programs that it may write.
UPDATES=$PROGRAMS/updates
RUN_AS=agentopia-dtma

require_systemd() {
  [ -d /run/systemd/system ] || give_up 'This machine does not run systemd: choose the installation as a container'
}

# Fetched whole, and used only when it is what the control plane named.
fetch_bundle() { # the directory that it goes to
  fetch --retry 8 --retry-delay 3 --retry-connrefused --max-time 600 --output "$WORK/dtma.cjs.gz" \
    "$CONTROL_PLANE/dtma/bundle/sha256:$BUNDLE" 2>>"$LOG" || give_up 'The bundle could not be fetched from the control plane'
  printf '%s  %s\n' "$BUNDLE" "$WORK/dtma.cjs.gz" | quietly_from_input sha256sum -c - ||
    give_up 'The bundle is not the one that the control plane named: its SHA-256 differs'
  gzip -dc "$WORK/dtma.cjs.gz" >"$1/dtma.cjs"
}

quietly_from_input() { "$@" >>"$LOG" 2>&1; }

# Packages that were not here before are written down, so that they go with us.
ensure_git() {
  if command -v git >/dev/null; then return 0; fi
  command -v dpkg-query >/dev/null || { echo 'git is missing: install it, then run this again'; return 1; }
  dpkg-query -W -f '${Package}\n' | sort >"$WORK/before"
  apt_install git ca-certificates || return 1
  dpkg-query -W -f '${Package}\n' | sort | comm -13 "$WORK/before" - >>"$HOME_DIR/packages"
}

git_here() { quietly env GIT_TERMINAL_PROMPT=0 timeout 300 git -c protocol.ext.allow=never -C "$WORK/source" "$@"; }

fetch_source() {
  ensure_git && mkdir "$WORK/source" && git_here init --quiet || return 1
  git_here fetch --depth 1 "$GIT_URL" "$GIT_COMMIT" || git_here fetch "$GIT_URL" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' || return 1
  git_here checkout --quiet --detach "$GIT_COMMIT"
}

# While the image comes: neither waits for the other.
begin_source() {
  SOURCE=
  [ "$VARIANT" = git ] || return 0
  ls -d "$PROGRAMS/$(program_begins)"-*/dtma.cjs >/dev/null 2>&1 && return 0
  fetch_source >>"$LOG" 2>&1 &
  SOURCE=$!
}

# From the commit and with its lock file, in a container that may do nothing else.
build_from_git() { # the directory that it goes to
  if [ -n "$SOURCE" ]; then wait "$SOURCE" || give_up "There is no commit $GIT_COMMIT to be had from $GIT_URL"
  else fetch_source || give_up "There is no commit $GIT_COMMIT to be had from $GIT_URL"; fi
  say "Building DTMA of $(program_begins) ..."
  chown -R 1000:1000 "$WORK/source/dtma"
  quietly timeout 900 docker run --rm --init --user 1000:1000 --cap-drop ALL --security-opt no-new-privileges --env HOME=/tmp \
    --volume "$WORK/source/dtma:/build" --workdir /build --entrypoint sh "$IMAGE_ID" \
    -c 'npm ci --ignore-scripts --no-audit --no-fund && npm run build' || give_up 'DTMA could not be built'
  cp "$WORK/source/dtma/dist/dtma.cjs" "$1/dtma.cjs"
}

# Node is that of the image, which is here for the tools: one version of it, for the processor of this machine.
node_of_image() { # the directory that it goes to
  box=$(docker create --network none "$IMAGE_ID") || give_up 'Docker could not open the image'
  quietly docker cp "$box:/usr/local/bin/node" "$1/node" || give_up 'The image holds no Node'
  quietly docker rm "$box" || true
  quietly "$1/node" --version || give_up 'The Node of the image does not run on this system: choose the installation as a container'
}

program_begins() { printf '%s' "$BUNDLE$GIT_COMMIT" | cut -c 1-12; }

# Each version has a directory of its own, whole or not at all; `current` names the one that runs.
ensure_program() {
  begin program 'Program of DTMA ...'
  PROGRAM=$(program_begins)-$(short_of "$IMAGE_ID")
  if [ ! -f "$PROGRAMS/$PROGRAM/dtma.cjs" ]; then
    new=$PROGRAMS/$PROGRAM.new
    rm -rf "$new"
    mkdir -p "$new"
    node_of_image "$new"
    if [ "$VARIANT" = git ]; then build_from_git "$new"; else fetch_bundle "$new"; fi
    chmod 755 "$PROGRAMS" "$new" "$new/node"
    chmod 644 "$new/dtma.cjs"
    rm -rf "${PROGRAMS:?}/$PROGRAM" # what somebody has left of it
    mv -T "$new" "$PROGRAMS/$PROGRAM"
  fi
  ln -sfn "$PROGRAM" "$PROGRAMS/current.new"
  mv -T "$PROGRAMS/current.new" "$PROGRAMS/current"
  report done
}

version_of() { timeout 5 sed -n '1s,^// agentopia-dtma ,,p' "$1" 2>/dev/null || true; }

# Whether DTMA has replaced itself by a later version than what is installed now: then that stays. Nothing goes back by itself.
update_is_later() {
  updated=$(version_of "$UPDATES/current/dtma.cjs")
  installed=$(version_of "$PROGRAMS/current/dtma.cjs")
  [ -n "$updated" ] && [ "$updated" != "$installed" ] &&
    [ "$(printf '%s\n' "$updated" "$installed" | sort -V | tail -n 1)" = "$updated" ]
}

prepare_updates() { # user
  if [ -n "$(ls -A "$UPDATES" 2>/dev/null)" ] && ! update_is_later; then
    quietly systemctl stop "$UNIT" || true # it may be replacing itself now
    rm -rf "$UPDATES"
  fi
  mkdir -p "$UPDATES"
  chmod 755 "$UPDATES"
  chown -hR "$1:$1" "$UPDATES"
}

# What a process needs that holds a tunnel and speaks to Docker's socket, and nothing more.
unit_text() { # user, group of the socket
  cat <<TEXT
# $PROGRAM
[Unit]
Description=DTMA, which runs the tools of the toolbox $TOOLBOX
Wants=network-online.target docker.service
After=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/bin/sh -c 'program=$UPDATES/current/dtma.cjs; [ -s "\$\$program" ] || program=$PROGRAMS/current/dtma.cjs; exec $PROGRAMS/current/node --optimize-for-size --max-semi-space-size=2 "\$\$program"'
User=$1
SupplementaryGroups=$2
Environment="AGENTOPIA_API_BASE_URL=$CONTROL_PLANE" "TOOLBOX_ID=$TOOLBOX" "CONTROL_PLANE_PIN=$PIN"
Environment="HOST=$(host_of_road)" "PORT=$PORT" "DTMA_ROAD=$ROAD" "DTMA_PLAIN_HTTP=$PLAIN" "MALLOC_ARENA_MAX=1" "DTMA_STATE_DIR=$STATE_DIR" "ENROLMENT_TOKEN_FILE=$STATE_DIR/enrolment-token"
Environment="DTMA_RUNNER_IMAGE=$TAG" "DTMA_PROGRAMS_DIR=$UPDATES"
Restart=always
RestartSec=1
RestartPreventExitStatus=78
TimeoutStopSec=20
OOMScoreAdjust=-900
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ReadWritePaths=$STATE_DIR $UPDATES
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged

[Install]
WantedBy=multi-user.target
TEXT
}

run_under_systemd() {
  remove_containers_of_dtma
  id "$RUN_AS" >/dev/null 2>&1 || quietly useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$RUN_AS" ||
    give_up "The user $RUN_AS could not be made"
  user=$RUN_AS
  group=$(stat -L -c %g "$SOCKET")
  # Where the group of the socket may not use it, its owner must: root, with no right of root's but that.
  case $(stat -L -c %a "$SOCKET") in *[67]?) ;; *) user=root group=0 ;; esac
  chown -hR "$user:$user" "$STATE_DIR"
  prepare_updates "$user"
  unit_text "$user" "$group" >"$WORK/unit"
  # It reads a token at its start.
  if ! cmp -s "$WORK/unit" "$UNIT_FILE" || ! systemctl --quiet is-active "$UNIT" || [ -f "$STATE_DIR/enrolment-token" ]; then
    install -m 644 "$WORK/unit" "$UNIT_FILE"
    quietly systemctl daemon-reload
    quietly systemctl enable "$UNIT" || give_up 'systemd refused the unit of DTMA'
    quietly systemctl restart "$UNIT" || give_up 'DTMA could not be started'
  fi
}

# Programs of earlier versions. The one before stays, to go back to by hand.
remove_old_programs() {
  for old in $(ls -1t "$PROGRAMS" | grep -vx -e current -e updates -e "$PROGRAM" | tail -n +2); do rm -rf "${PROGRAMS:?}/$old"; done
}

remove_unit() {
  [ -f "$UNIT_FILE" ] || [ -d "$PROGRAMS" ] || return 0
  quietly systemctl disable --now "$UNIT" || true
  rm -f "$UNIT_FILE"
  quietly systemctl daemon-reload || true
  quietly systemctl reset-failed "$UNIT" || true
  rm -rf "$PROGRAMS"
  if id "$RUN_AS" >/dev/null 2>&1; then quietly userdel "$RUN_AS" || true; fi
}

remove_packages() {
  [ -s "$HOME_DIR/packages" ] || return 0
  # Those that something else needs by now stay.
  quietly_from_input xargs dpkg --purge <"$HOME_DIR/packages" || say "Some of these packages are needed by others now, and stay: $(tr '\n' ' ' <"$HOME_DIR/packages")"
}

