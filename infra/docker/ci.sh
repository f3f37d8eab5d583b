#!/usr/bin/env bash
# Docker Compose and testcontainers, really run, on a machine that can pull no image.
# Exit: 0 it ran and passed; 1 it failed; 77 it was NOT RUN for want of an engine, which is 1 with
# REQUIRE_DOCKER=1. The last line is pytest's own. About 5 minutes on 2 cores.
#   PYTHON          interpreter with the dev requirements; default .venv/bin/python
#   DOCKER_SCRATCH  folder with a short path to keep engine and images in; default: one that goes
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-$PWD/.venv/bin/python}
S=${DOCKER_SCRATCH:-$(mktemp -d "${TMPDIR:-/tmp}/penstock-docker.XXXXXX")}
mkdir -p "$S"
# Downloads trust what this machine trusts: a site may have an authority of its own.
bundle=/etc/ssl/certs/ca-certificates.crt
if [[ -f $bundle ]]; then export REQUESTS_CA_BUNDLE=${REQUESTS_CA_BUNDLE:-$bundle}; fi
# shellcheck source=infra/docker/engine.sh
. infra/docker/engine.sh
# shellcheck source=infra/docker/images.sh
. infra/docker/images.sh

# A volume without a name, which Kafka's image asks for, outlives a `down` that keeps the log.
things() { { docker ps -aq && docker volume ls -q --filter name=penstock && docker network ls -q; } 2>/dev/null | sort; }

finish() {
  local code=$? left
  trap - EXIT INT TERM
  if [[ -n ${VERDICT-} ]]; then # after a run that came to its end, nothing of it stays
    left=$(comm -13 <(printf '%s\n' "$HAD") <(things))
    if [[ -n $left ]]; then say "LEFT BEHIND: containers, volumes or networks" $left; code=1; fi
  fi
  stop_engine || code=1
  if pgrep -f -- "$S/" >/dev/null; then say "LEFT RUNNING: $(pgrep -af -- "$S/")"; code=1; fi
  if [[ -z ${DOCKER_SCRATCH-} ]]; then rm -rf "$S"; fi
  say "all of it took $SECONDS s; it is to take 360 at most"
  if [[ -n ${VERDICT-} ]]; then printf '%s\n' "$VERDICT"; fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_engine
HAD=$(things)
provide_compose
say "engine $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short)"
build_images
nice -n 5 docker compose build -q
nice -n 5 docker compose --profile fix build -q fix fix-tls
say "images penstock:local, penstock:fix and penstock-stunnel:local built"

docker compose --profile '*' config -q
docker compose -f compose.cluster.yml --profile '*' config -q
say "both compose files are valid in every profile"
say "NOT RUN: Grafana and Kafka UI, whose images cannot be had here. Their services are checked for"
say "  syntax only; every panel of Grafana's dashboards is asked of the Prometheus of this run"
say "STAND-INS: Kafka's own jars on Debian's Java, Debian's Python and Prometheus"

# The compose suites, each with a project and ports of its own, so that two run at a time; and on Kafka in a container: engines killed and paused, the broker killed and
# restarted, the broker paused, the log's contract. The other days under kills are minutes each;
# `make test` has them on the embedded broker, and PENSTOCK_TEST_BROKER=container runs them here.
paused=test_a_paused_broker_holds_the_day_up_and_nothing_is_lost
suites=(tests/docker tests/integration/test_runtime_processes.py
  tests/contract/test_log_contract.py "tests/faults/test_kills.py::$paused")
export REQUIRE_DOCKER=1 PENSTOCK_TEST_BROKER=container
unset PENSTOCK_BOOTSTRAP
set +e
nice -n 5 "$PYTHON" -m pytest -v --color=no -p no:cacheprovider --durations=8 \
  -n 2 --dist loadfile "${suites[@]}" 2>&1 | tee "$S/pytest.log"
code=${PIPESTATUS[0]}
set -e
VERDICT=$(tail -1 "$S/pytest.log")
exit "$code"
