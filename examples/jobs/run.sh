#!/bin/sh
# One run of Mailroom for cron: run.sh hourly, daily or weekly. docs/jobs.md describes what happens if a step fails.
# The exit code is that of the last failed step.
cd "$(dirname "$0")/../.." || exit 1
PATH=$PWD/.venv/bin:$PATH
failed=0
built=
full_refresh=
[ "$1" = weekly ] && full_refresh=--full-refresh

step() {
    "$@" && return
    failed=$?
    echo "$*: exit code $failed" >&2
    return "$failed"
}

step mailroom pull
step dbt build --profiles-dir . --selector "$1" $full_refresh && built=yes
[ "$built" ] && [ "$1" != hourly ] && step mailroom validate
step mailroom push
[ "$built" ] && step mailroom publish
exit "$failed"
