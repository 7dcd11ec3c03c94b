#!/bin/sh
# Reads the services' addresses, which hold passwords, from files: `DATABASE_URL_FILE`, `REDIS_URL_FILE`,
# `EMAIL_URL_FILE`. Every other secret X is read from X_FILE by the settings themselves.
set -eu
for name in DATABASE_URL REDIS_URL EMAIL_URL; do
  eval "file=\${${name}_FILE:-}"
  if [ -n "$file" ]; then
    value=$(cat "$file")
    export "$name=$value"
  fi
done
exec "$@"
