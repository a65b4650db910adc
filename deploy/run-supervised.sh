#!/bin/sh
# The bot under a supervisor that starts again whatever ends (Docker's `unless-stopped`): what can't
# get better by trying (exit code 78: the token is wrong) waits here for the owner instead.
# Started by `tini -g`, which hands signals to the whole group.
stopped=no
trap 'stopped=yes' TERM INT
python run.py "$@"
code=$?
if [ "$code" = 78 ] && [ "$stopped" = no ]; then
    echo "Mend .env, then: docker compose -f deploy/compose.yml up -d" >&2
    trap - TERM INT
    exec sleep infinity
fi
exit "$code"
