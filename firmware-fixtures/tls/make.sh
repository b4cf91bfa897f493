#!/bin/sh
# Makes the certificates of the TLS tests; keys here are for tests only. Needs openssl 3.
set -eu
cd "$(dirname "$0")"

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; }

# name, key, issuer, subject, extensions, first and last year
certify() {
  mkdir work
  : > work/index.txt
  cat > work/ca.cnf <<CNF
[ca]
default_ca = default
[default]
new_certs_dir = work
database = work/index.txt
default_md = sha256
rand_serial = yes
policy = policy
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
$5
CNF
  openssl req -new -key "$2.key" -subj "/CN=$4" -out work/request.pem
  if [ "$1" = "$3" ]; then issuer=-selfsign; else issuer="-cert $3.pem"; fi
  # shellcheck disable=SC2086 # two words or one
  openssl ca -batch -notext -config work/ca.cnf $issuer -keyfile "$3.key" -in work/request.pem -out "$1.pem" \
    -startdate "${6}0101000000Z" -enddate "${7}0101000000Z"
  rm -r work
}

root='basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign'
server='subjectAltName = DNS:server.test,DNS:*.wild.test,IP:10.0.2.2
extendedKeyUsage = serverAuth'

for name in ca other-ca intermediate server client; do key $name; done
openssl genrsa -out rsa.key 2048
certify ca ca ca 'Test root' "$root" 2005 2120
certify other-ca other-ca other-ca 'Another root' "$root" 2005 2120
certify intermediate intermediate ca 'Test intermediate' "$root" 2005 2120
certify server server intermediate server.test "$server" 2020 2120
cat intermediate.pem >> server.pem
certify expired server ca server.test "$server" 2010 2020
certify client client ca 'Test client' 'extendedKeyUsage = clientAuth' 2020 2120
certify rsa rsa ca server.test "$server" 2020 2120
openssl pkcs8 -topk8 -in client.key -passout pass:secret -out client-locked.key
openssl genpkey -genparam -algorithm DH -pkeyopt group:modp_2048 -out dh.pem
