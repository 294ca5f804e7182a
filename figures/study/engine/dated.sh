# bash dated.sh LOG INPUT...: no input of a job that has just written its log is from the future.
#
# Where the clock was set back in between it is, and the engine would take that for a failure of every job that reads
# it, until the clock is there again.
log=$1
shift
for input in "$@"; do
    [ ! "$input" -nt "$log" ] || touch -c -- "$input"
done
