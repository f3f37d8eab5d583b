"""docker: the compose files, really run. infra/docker/ci.sh makes an engine and images first."""
