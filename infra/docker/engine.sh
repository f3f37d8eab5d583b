# Sourced by ci.sh: a Docker engine and compose v2, found or made, and taken away again.
# Wants $S, a scratch folder with a short path: the engine's socket lives in it.

say() { printf '[docker %4ss] %s\n' "$SECONDS" "$*"; }

not_run() { # the one line that nobody may overlook
  printf '\n!!! DOCKER TESTS NOT RUN: %s\n\n' "$*"
  if [[ ${REQUIRE_DOCKER-} == 1 ]]; then exit 1; fi
  exit 77
}

ENGINE_PID=

install_engine() {
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || not_run "no engine, and not root or no apt"
  # docker.io is the name of Debian's package; RUNLEVEL=1 keeps its service from starting.
  { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -yqq \
    --no-install-recommends docker.io iptables mmdebstrap; } >"$S/apt.log" 2>&1 ||
    not_run "apt could not install an engine: $(tail -1 "$S/apt.log")"
  say "engine installed"
}

start_engine() { # an engine that answers is used as it is; else one of our own on a private socket
  export DOCKER_CONFIG=$S/config
  mkdir -p "$DOCKER_CONFIG/cli-plugins"
  if docker info >/dev/null 2>&1; then say "engine found"; return; fi
  export DOCKER_HOST=unix://$S/docker.sock
  command -v dockerd >/dev/null && command -v docker >/dev/null || install_engine
  # Two engines on one machine give containers the same addresses on the same bridge: clients of one
  # broker then talk to another's. One run at a time, and no other engine beside it.
  exec 8>"${TMPDIR:-/tmp}/penstock-docker.lock"
  flock -w 1800 8 || not_run "another run holds the engine's lock for half an hour"
  if pgrep -x dockerd >/dev/null; then
    not_run "another dockerd runs (pid $(pgrep -x dockerd | head -1)) and does not answer us"
  fi
  { iptables-save -t filter && iptables-save -t nat; } >"$S/iptables" 2>/dev/null || true
  cat /proc/sys/net/ipv4/ip_forward >"$S/ip_forward"
  rm -f "$S/docker.pid" "$S/docker.sock"
  nice -n 5 setsid dockerd -H "$DOCKER_HOST" --data-root "$S/data" --exec-root "$S/exec" \
    --pidfile "$S/docker.pid" >"$S/dockerd.log" 2>&1 8>&- &
  ENGINE_PID=$!
  for _ in $(seq 120); do
    docker info >/dev/null 2>&1 && return
    kill -0 "$ENGINE_PID" 2>/dev/null || break
    sleep 0.5
  done
  not_run "dockerd does not start: $(tail -1 "$S/dockerd.log")"
}

stop_engine() { # ours only, by its process id; the network as it was before
  [[ -n $ENGINE_PID ]] || return 0
  kill "$ENGINE_PID" 2>/dev/null || true
  for _ in $(seq 120); do
    [[ -d /proc/$ENGINE_PID ]] || break
    sleep 0.25
  done
  if [[ -d /proc/$ENGINE_PID ]]; then say "the engine does not end"; return 1; fi
  ENGINE_PID=
  iptables-restore <"$S/iptables" 2>/dev/null || true
  cat "$S/ip_forward" >/proc/sys/net/ipv4/ip_forward 2>/dev/null || true
  if command -v ip >/dev/null; then ip link delete docker0 2>/dev/null || true; fi
  say "engine stopped"
}

debian_mirror() { # of this machine's own apt configuration: no address is written here
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk '$2 == "bookworm" || $2 == "stable" || $2 == "oldstable" { print $1; exit }'
}

provide_compose() { # Debian 12 has no compose v2; the next release's packages are unpacked beside it
  if docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; then return; fi
  local apt=$S/apt mirror
  mirror=$(debian_mirror)
  [[ -n $mirror ]] || not_run "no compose v2, and apt names no Debian mirror"
  mkdir -p "$apt"/{lists,archives}/partial "$apt/unpacked"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" \
    >"$apt/list"
  local options=(-qq -o Dir::Etc::sourcelist="$apt/list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o APT::Sandbox::User=root)
  { apt-get "${options[@]}" update &&
    (cd "$apt" && apt-get "${options[@]}" download docker-compose docker-buildx &&
      for package in docker-*.deb; do dpkg -x "$package" unpacked; done) &&
    cp "$apt"/unpacked/usr/libexec/docker/cli-plugins/* "$DOCKER_CONFIG/cli-plugins/"; } \
    >>"$S/apt.log" 2>&1 || not_run "no compose v2: $(tail -1 "$S/apt.log")"
}
