#!/usr/bin/env bash
# What a newcomer does in the first ten minutes, from a fresh clone on a machine with the .NET 10 SDK, curl and python3:
# start it, open the page, send what Telegraf sends, be told of a fault, label it, kill the program, and see it all again.
#
#   bash tests/newcomer.sh                   prints each step with the seconds since its beginning; exit code 0 where all came about
#   bash tests/newcomer.sh --keep            leaves the clone, the state and the logs where they are
#   bash tests/newcomer.sh --built PROGRAM   no clone and no build: the program that is there, as the tests do
#
# It listens on free ports of this computer alone, and ends what it started.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
keep="" built=""
while [ $# -gt 0 ]; do
    case $1 in
        --keep) keep=yes ;;
        --built) built=$2; shift ;;
        *) echo "newcomer.sh: '$1', expected --keep or --built PROGRAM" >&2; exit 2 ;;
    esac
    shift
done
began=$(date +%s.%N)
daemon="" receiver=""
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

stop_daemon() { # kill -9: the one that dotnet run has started, and dotnet run
    [ -n "$daemon" ] || return 0
    pkill -9 -P "$daemon" 2>/dev/null || true
    kill -9 "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
    daemon=""
}

end() {
    stop_daemon
    if [ -n "$receiver" ]; then
        kill "$receiver" 2>/dev/null || true
        wait "$receiver" 2>/dev/null || true
    fi
    if [ -n "$keep" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap end EXIT

step() { awk -v from="$began" -v to="$(date +%s.%N)" -v what="$*" 'BEGIN { printf "%6.1f s  %s\n", to - from, what }'; }
fail() { echo "FAILED: $*" >&2; tail -n 30 "$work"/*.log >&2 || true; exit 1; }

until_true() { # seconds, what, command...
    local left=$(($1 * 10)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || fail "never: $what"
        sleep 0.1
    done
    step "$what"
}

ports=$(python3 -c '
import socket
taken = [socket.socket() for _ in range(3)]
for one in taken: one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in taken])')
read -r http mqtt hook <<<"$ports"
url=http://127.0.0.1:$http

# --- a fresh clone, and the README's first command (on ports of its own)
cat >"$work/my.yaml" <<YAML
http: {port: $http}
sources: {mqtt_embedded: {port: $mqtt}}
storage: {directory: $work/state}
YAML
if [ -n "$built" ]; then
    program=("$built")
else
    git clone -q "$root" "$work/streamlstm"
    cd "$work/streamlstm"
    dotnet build -c Release --nologo -v quiet src/StreamLstm.Daemon >"$work/build.log" 2>&1 || fail "the build: $(tail -n 5 "$work/build.log")"
    step "built"
    program=(dotnet run -c Release --no-build --project src/StreamLstm.Daemon --)
fi

start() {
    "${program[@]}" run --config "$work/my.yaml" >>"$work/daemon.log" 2>&1 &
    daemon=$!
    until_true 60 "the page answers" curl -sf "$url/" -o /dev/null
}

json() { python3 -c "import json, sys; answer = json.load(sys.stdin); sys.exit(0 if ($1) else 1)"; }
status() { curl -sf "$url/api/v1/status" | json "$1"; }
incidents() { curl -sf "$url/api/v1/incidents?stream=$stream" | json "$1"; }

start
until_true 30 "streams of this computer are live, and the books balance" status 'sum(answer["streams"].values()) > 20 and answer["books"]["balances"]'

# --- who is told: a receiver, named while the daemon runs
python3 - "$hook" "$work/told.ndjson" >"$work/receiver.log" 2>&1 <<'PYTHON' &
import http.server, sys
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[2], "ab") as told: told.write(body.replace(b"\n", b" ") + b"\n")
        self.send_response(204); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
PYTHON
receiver=$!
cat >>"$work/my.yaml" <<YAML
sinks:
  notify:
    - {by: webhook, url: "http://127.0.0.1:$hook/"}
YAML
curl -sf -X POST "$url/api/v1/reload" | json 'all(one["outcome"] == "in_force" for one in answer["changed"]) and answer["changed"]' || fail "the reload"
until_true 10 "a receiver named by a reload gets a test message" curl -sf -X POST "$url/api/v1/notify/test"
test -s "$work/told.ndjson" || fail "the test message"
: >"$work/told.ndjson"

# --- what Telegraf's outputs.influxdb sends: a pump's temperature, a minute apart, with one value that is wrong
python3 - >"$work/lines" <<'PYTHON'
import math, random, time
random.seed(7)
began = int(time.time()) - 1600 * 60
for row in range(1500):
    value = 60 + 4 * math.sin(row / 25) + random.gauss(0, 0.3) + (25 if row == 1400 else 0)
    print(f"pump,host=plant-1 temperature={value:.3f} {(began + row * 60)}")
PYTHON
stream=telegraf/pump/host=plant-1/temperature
split -l 500 "$work/lines" "$work/part."
for part in "$work"/part.*; do
    curl -sf --data-binary "@$part" "$url/write?db=telegraf&precision=s" || fail "the write of $part"
done
until_true 30 "the fault is an incident" incidents 'len(answer["incidents"]) > 0'
until_true 30 "somebody is told of it" grep -q "temperature" "$work/told.ndjson"

# --- a person says what it was
id=$(curl -sf "$url/api/v1/incidents?stream=$stream" | python3 -c 'import json, sys; print(json.load(sys.stdin)["incidents"][0]["incident_id"])')
curl -sf -H 'Content-Type: application/json' -d "{\"incident_id\":\"$id\",\"label\":\"real\",\"note\":\"seal\"}" "$url/api/v1/labels" >/dev/null || fail "the label"
step "it is labelled"

# --- killed, and started again: nothing is gone
stop_daemon
start
until_true 30 "the incident is there with its label" incidents "any(one['incident_id'] == '$id' and one.get('label', {}).get('note') == 'seal' for one in answer['incidents'])"
until_true 30 "the stream goes on where it was" status 'answer["total"]["scored"] >= 1500'
step "done"
