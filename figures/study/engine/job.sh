# bash job.sh LOG COMMAND...: run a command of the suite, what it says going to LOG.
#
# A command takes over finished files that were made from the same inputs with the same flags, and refuses to replace
# others, naming --overwrite. In the workflow that happens when the configuration or an input has changed: then replace.
log=$1
shift
TIMEFORMAT="processor seconds: %U user, %S system"
{ time "$@"; } >"$log" 2>&1 && exit
status=$?
grep -q -e --overwrite "$log" || exit $status
"$@" --overwrite >>"$log" 2>&1
