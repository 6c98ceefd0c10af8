#!/bin/sh
# The management console: install, run, sample data, backup, diagnostics, update, clean.
cd "$(dirname "$0")" || exit 1
exec "${PYTHON:-python3}" manage.py "$@"
