#!/usr/bin/env bash
# Makes a test authority, and a server's and a client's certificate of it, in $MQTT_ASSAY_LAB/certificates. Does nothing
# if they are there. They are for loopback addresses, and worth nothing elsewhere.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${MQTT_ASSAY_LAB:-$root/target/lab}/certificates
[ -f "$folder/server.p12" ] && exit
if ! command -v openssl >/dev/null; then
    echo "the lab's certificates need openssl, which is not installed" >&2
    exit 2
fi
mkdir -p "$(dirname "$folder")"
# All or nothing: two brokers may be started at the same time.
new=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$new"' EXIT
cd "$new"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=mqtt-assay lab, test authority" \
    -keyout ca.key -out ca.crt 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >names
for who in server client; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$([ $who = server ] && echo localhost || echo client)" \
        -keyout $who.key -out $who.csr 2>/dev/null
    openssl x509 -req -in $who.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile names \
        -out $who.crt 2>/dev/null
done
# For those who want the certificate and its key in one file.
cat server.crt server.key >server.pem
openssl pkcs12 -export -inkey server.key -in server.crt -certfile ca.crt -passout pass:changeit -out server.p12
rm -f names ./*.csr ./*.srl
# A broker may run as a user of its own.
chmod 755 . && chmod 644 ./*
mv -T "$new" "$folder" 2>/dev/null || [ -f "$folder/server.p12" ]
