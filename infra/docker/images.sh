# Sourced by ci.sh: the images that compose and testcontainers use, built here, for none is pulled.
# apache/kafka:4.3.1 keeps its name, since a stand-in is told by its label penstock.standin.

export KAFKA_IMAGE=apache/kafka:4.3.1
export PROMETHEUS_IMAGE=local/prometheus:debian
export BASE_IMAGE=local/python:3.11-bookworm
export DEBIAN_IMAGE=local/debian:bookworm

inputs_of() { (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16); }

build() { # tag, folder: anew only if the folder's content changed
  local inputs
  inputs=$(inputs_of "$2")
  if [[ $(docker image inspect -f '{{index .Config.Labels "penstock.inputs"}}' "$1" 2>/dev/null) == "$inputs" ]]; then
    say "image $1 is up to date"
    return
  fi
  nice -n 5 docker build -q --label penstock.inputs="$inputs" --label penstock.standin=true \
    --build-arg BASE=$DEBIAN_IMAGE -t "$1" "$2" >/dev/null
  say "image $1 built"
}

build_debian() {
  if docker image inspect $DEBIAN_IMAGE >/dev/null 2>&1; then return; fi
  command -v mmdebstrap >/dev/null || apt-get install -yqq --no-install-recommends mmdebstrap >>"$S/apt.log" 2>&1
  # The base trusts what this machine trusts: a site may have an authority of its own.
  nice -n 5 mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --customize-hook='cp /usr/local/share/ca-certificates/*.crt "$1/usr/local/share/ca-certificates/" 2>/dev/null || true' \
    --customize-hook='chroot "$1" update-ca-certificates >/dev/null 2>&1' \
    bookworm "$S/base.tar" "$(debian_mirror)"
  docker import "$S/base.tar" $DEBIAN_IMAGE >/dev/null
  rm -f "$S/base.tar"
  say "image $DEBIAN_IMAGE built"
}

lend_quickfix() { # the tests' environment has built its wheel; the compiler's minutes are not spent twice
  local wheels
  wheels=$("$PYTHON" -c 'import sys; print(sys.prefix)')/wheels
  if ! compgen -G "$wheels/quickfix-*.whl" >/dev/null; then
    say "no wheel of QuickFIX in $wheels: the image compiles it, for minutes"
    return
  fi
  mkdir -p "$S/wheels"
  cp "$wheels"/quickfix-*.whl "$S/wheels/"
  printf 'FROM %s\nCOPY quickfix-*.whl /opt/wheels/\n' "$BASE_IMAGE" >"$S/wheels/Dockerfile"
  BASE_IMAGE=local/python:fix
  docker build -q -t $BASE_IMAGE "$S/wheels" >/dev/null
}

build_images() {
  build_debian
  rm -rf "$S/kafka"
  cp -r infra/docker/kafka "$S/kafka"
  "$PYTHON" -m infra.docker.jars "$S/kafka/rootfs/opt/kafka/libs"
  build $KAFKA_IMAGE "$S/kafka"
  build local/python:3.11-bookworm infra/docker/python
  build $PROMETHEUS_IMAGE infra/docker/prometheus
  lend_quickfix
}
