# Sourced by ci.sh: the images that compose and testcontainers use, built here, for none is pulled.
# apache/kafka:4.3.1 keeps its name, since a stand-in is told by its label penstock.standin.

export KAFKA_IMAGE=apache/kafka:4.3.1
export PROMETHEUS_IMAGE=local/prometheus:debian
export BASE_IMAGE=local/python:3.11-bookworm
DEBIAN_BASE=local/debian:bookworm

inputs_of() { (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16); }

build() { # tag, folder: anew only if the folder's content changed
  local inputs
  inputs=$(inputs_of "$2")
  if [[ $(docker image inspect -f '{{index .Config.Labels "penstock.inputs"}}' "$1" 2>/dev/null) == "$inputs" ]]; then
    say "image $1 is up to date"
    return
  fi
  nice -n 5 docker build -q --label penstock.inputs="$inputs" --label penstock.standin=true \
    --build-arg BASE=$DEBIAN_BASE -t "$1" "$2" >/dev/null
  say "image $1 built"
}

build_debian() {
  if docker image inspect $DEBIAN_BASE >/dev/null 2>&1; then return; fi
  command -v mmdebstrap >/dev/null || apt-get install -yqq --no-install-recommends mmdebstrap >>"$S/apt.log" 2>&1
  # The base trusts what this machine trusts: a site may have an authority of its own.
  nice -n 5 mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --customize-hook='cp /usr/local/share/ca-certificates/*.crt "$1/usr/local/share/ca-certificates/" 2>/dev/null || true' \
    --customize-hook='chroot "$1" update-ca-certificates >/dev/null 2>&1' \
    bookworm "$S/base.tar" "$(debian_mirror)"
  docker import "$S/base.tar" $DEBIAN_BASE >/dev/null
  rm -f "$S/base.tar"
  say "image $DEBIAN_BASE built"
}

build_images() {
  build_debian
  rm -rf "$S/kafka"
  cp -r infra/docker/kafka "$S/kafka"
  "$PYTHON" -m infra.docker.jars "$S/kafka/rootfs/opt/kafka/libs"
  build $KAFKA_IMAGE "$S/kafka"
  build $BASE_IMAGE infra/docker/python
  build $PROMETHEUS_IMAGE infra/docker/prometheus
}
