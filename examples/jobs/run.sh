#!/bin/sh
# One run of Mailroom for cron: run.sh hourly, daily or weekly. docs/jobs.md says what happens when a step fails.
# The exit code is that of the last step that failed.
cd "$(dirname "$0")/../.." || exit 1
PATH=$PWD/.venv/bin:$PATH
failed=0
built=
afresh=
[ "$1" = weekly ] && afresh=--full-refresh

step() {
    "$@" && return
    failed=$?
    echo "$*: exit code $failed" >&2
    return "$failed"
}

step mailroom pull
step dbt build --profiles-dir . --selector "$1" $afresh && built=yes
[ "$built" ] && [ "$1" != hourly ] && step mailroom validate
step mailroom push
[ "$built" ] && step mailroom publish
exit "$failed"
