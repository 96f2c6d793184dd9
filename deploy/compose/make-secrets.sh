#!/bin/sh
# Makes the secrets of compose.yaml in the folder secrets/; one that is there already stays as it is.
set -eu
cd "$(dirname "$0")/../.."

mkdir -p secrets
# Nobody else gets into the folder.
chmod 700 secrets

random() {
  dd if=/dev/urandom bs=36 count=1 2>/dev/null | base64 | tr '+/' '-_'
}
keep() {
  [ -s "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"
}

keep secret_key "$(random)"
keep jwt_secret_key "$(random)"
keep postgres_password "$(random)"
keep database_password "$(random)"
keep database_url "postgresql://coffee_shop:$(cat secrets/database_password)@database/coffee_shop"
# Until it is edited, mail is printed: docker compose logs worker
keep mail_url console:

# Compose hands them to containers as they are, and these run as other users. Also those of a backup.
chmod 644 secrets/*
