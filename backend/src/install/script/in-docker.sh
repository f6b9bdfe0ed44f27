ours() { docker ps -aq --filter "label=agentopia.home=$HOME_DIR" "$@"; }

# The tools go on running meanwhile; the new DTMA takes them over.
remove_containers_of_dtma() {
  for old in $(ours); do
    quietly docker stop --time 20 "$old" || true
    quietly docker rm --force --volumes "$old" || true
  done
}

running_recipe() {
  docker inspect --format '{{.State.Running}} {{index .Config.Labels "agentopia.recipe"}} {{.Image}}' "agentopia-dtma-$TOOLBOX" 2>/dev/null || true
}

engine() { curl --silent --show-error --fail --max-time 30 --unix-socket "$SOCKET" "$@" >>"$LOG" 2>&1; }

run_in_docker() {
  remove_unit
  chown -hR 1000:1000 "$STATE_DIR"
  recipe=$RECIPE-$ROAD-$PORT-$PLAIN
  if [ "$(running_recipe)" = "true $recipe $IMAGE_ID" ]; then
    [ -f "$STATE_DIR/enrolment-token" ] || return 0
    quietly docker restart --time 20 "agentopia-dtma-$TOOLBOX" || give_up 'DTMA could not be restarted' # it reads the token at its start
    return 0
  fi
  remove_containers_of_dtma
  user=1000:1000
  group=$(stat -L -c %g "$SOCKET")
  case $(stat -L -c %a "$SOCKET") in *[67]?) ;; *) user=0:0 group=0 ;; esac
  printf '%s' "$CREATE_BODY" | sed "s/__TOOLBOX__/$TOOLBOX/g; s/__USER__/$user/; s/__GROUP__/$group/; s/__HOST__/$(host_of_road)/; s/__PORT__/$PORT/; s/__ROAD__/$ROAD/; s/__PLAIN__/$PLAIN/; s/$RECIPE/$recipe/; s/\"Image\":\"[^\"]*\"/\"Image\":\"$IMAGE_ID\"/" >"$WORK/create.json"
  engine --header 'content-type: application/json' --data-binary "@$WORK/create.json" \
    "http://docker/containers/create?name=agentopia-dtma-$TOOLBOX" || give_up 'Docker refused to make the container of DTMA'
  quietly docker start "agentopia-dtma-$TOOLBOX" || give_up 'DTMA could not be started'
}

