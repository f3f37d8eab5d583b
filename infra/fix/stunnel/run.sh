#!/bin/sh
# stunnel within the network of the gateway's container. When that container starts anew it has another
# network, and here the interface is gone: end, and be started again, into the new one. Without this
# clients knock at a door behind which nobody is, while every health check says that all is well.
stunnel "$1" &
stunnel=$!
trap 'kill $stunnel; exit 0' TERM INT
while kill -0 $stunnel 2>/dev/null && [ -e /sys/class/net/eth0 ]; do
  sleep 1 &
  wait $!
done
kill $stunnel 2>/dev/null
exit 1
