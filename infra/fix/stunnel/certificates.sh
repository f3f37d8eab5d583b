#!/usr/bin/env bash
# An authority of one's own with a certificate for the server and one for a client, for trials and tests:
#   infra/fix/stunnel/certificates.sh FOLDER [SERVER_NAME]
set -euo pipefail
folder=$1 name=${2:-localhost}
mkdir -p "$folder"
cd "$folder"
umask 077
make_key() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$2" "${@:3}"; }
make_key authority "penstock trial authority" -x509 -days 30 -out authority.pem 2>/dev/null
for role in server client; do
  subject=$name
  [[ $role == client ]] && subject=client
  make_key $role "$subject" -out $role.csr 2>/dev/null
  openssl x509 -req -in $role.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 30 \
    -extfile <(echo "subjectAltName=DNS:$subject") -out $role.crt 2>/dev/null
  cat $role.crt $role.key > $role.pem
  rm $role.csr $role.crt $role.key
done
