#!/usr/bin/env bash
# Standard Webhooks with curl and openssl alone.
#
#   webhook.sh send SECRETS_FILE URL BODY_FILE        signs with every secret of the file, posts, prints the status
#   webhook.sh verify SECRETS_FILE HEADERS BODY_FILE  HEADERS as `curl -D` writes them; says yes by its exit status
#
# HMAC is spelled out because `openssl dgst -hmac KEY` would show the key to everyone who lists processes.
set -euo pipefail

sha256() { openssl dgst -sha256 -binary; }

# padded HEX BYTE: the key of HMAC, filled up to a block of 64 bytes, each xor BYTE
padded() {
    local hex=$1 byte=$2 out="" i
    while ((${#hex} < 128)); do hex+=00; done
    for ((i = 0; i < 128; i += 2)); do
        printf -v out '%s\\x%02x' "$out" $((16#${hex:i:2} ^ byte))
    done
    printf "$out"
}

# signature SECRET ID SECONDS BODY_FILE
signature() {
    local hex
    hex=$(printf '%s' "${1#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
    {
        padded "$hex" 0x5c
        { padded "$hex" 0x36; printf '%s.%s.' "$2" "$3"; cat "$4"; } | sha256
    } | sha256 | openssl base64 -A | sed 's/^/v1,/'
}

header() { tr -d '\r' < "$2" | sed -n "s/^$1: *//Ip"; }

case $1 in
send)
    id=msg_$(openssl rand -hex 12) seconds=$(date +%s) signatures=""
    while read -r secret; do signatures+="${signatures:+ }$(signature "$secret" "$id" "$seconds" "$4")"; done < "$2"
    curl -sS -o /dev/null -w '%{http_code}\n' --data-binary "@$4" -H 'content-type: application/json' \
        -H "webhook-id: $id" -H "webhook-timestamp: $seconds" -H "webhook-signature: $signatures" "$3"
    ;;
verify)
    id=$(header webhook-id "$3") seconds=$(header webhook-timestamp "$3") now=$(date +%s)
    [[ $id =~ ^[A-Za-z0-9_-]+$ && $seconds =~ ^[1-9][0-9]{0,11}$ ]] || { echo "not a signed message"; exit 1; }
    ((seconds >= now - 300 && seconds <= now + 60)) || { echo "too old, or from the future"; exit 1; }
    while read -r secret; do
        right=$(signature "$secret" "$id" "$seconds" "$4")
        for one in $(header webhook-signature "$3"); do
            [[ $one == "$right" ]] && { echo "verified $id"; exit 0; }
        done
    done < "$2"
    echo "no signature fits"
    exit 1
    ;;
esac
