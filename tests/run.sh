#!/usr/bin/env bash
# Installs what the tests need, builds with warnings as errors, runs every suite, and prints the totals as its last line.
#
#   bash tests/run.sh          everything
#   bash tests/run.sh --fast   the fast suite alone (no broker, no browser)
#
# As root (or with sudo that asks nothing) it installs missing Debian packages and says which. Otherwise it says what is
# missing, and the tests that need it skip, visibly. Under CI=true a missing part fails its tests instead.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

say() { printf '\n== %s\n' "$*"; }

give_up() {
    printf '%s\n' "$*" >&2
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}

suites=(StreamLstm.Tests StreamLstm.IntegrationTests)
packages=()
if [ "${1:-}" = "--fast" ]; then
    suites=(StreamLstm.Tests)
else
    command -v mosquitto_pub >/dev/null || packages+=(mosquitto-clients)
    { command -v mosquitto || [ -x /usr/sbin/mosquitto ]; } >/dev/null || packages+=(mosquitto)
    command -v prometheus-alertmanager >/dev/null || packages+=(prometheus-alertmanager)
    [ -d /usr/lib/python3/dist-packages/aiosmtpd ] || packages+=(python3-aiosmtpd)
    command -v prometheus >/dev/null || packages+=(prometheus)
    [ -d /usr/lib/python3/dist-packages/influxdb ] || packages+=(python3-influxdb)
    command -v curl >/dev/null || packages+=(curl)
    command -v protoc >/dev/null || packages+=(protobuf-compiler)
    # Kafka itself is nobody's Debian package: with one at hand, what it runs on.
    { [ -d "${KAFKA_HOME:-/nowhere}/libs" ] || [ -d ../shared/kafka/libs ]; } && { command -v java >/dev/null || packages+=(default-jre-headless); }
    command -v chromium >/dev/null || packages+=(chromium fonts-dejavu-core)
fi

command -v dotnet >/dev/null || give_up "dotnet is missing: install the .NET 10 SDK (https://dotnet.microsoft.com/download) and run this again."

if [ ${#packages[@]} -gt 0 ]; then
    elevate=()
    if [ "$(id -u)" -ne 0 ]; then elevate=(sudo -n); fi
    if command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }; then
        say "installing ${packages[*]}"
        "${elevate[@]}" apt-get update -qq >/dev/null \
            && "${elevate[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null \
            || echo "could not install ${packages[*]}: tests that need them will skip"
    else
        echo "missing: ${packages[*]} (apt-get install ${packages[*]}); tests that need them will skip"
    fi
fi

say "restoring and building (warnings are errors)"
restore=()
if [ "${CI:-}" = "true" ]; then restore=(--locked-mode); fi
dotnet restore --nologo -v quiet "${restore[@]}" || give_up "restore failed"
dotnet build -c Release --no-restore --nologo -v quiet || give_up "build failed"

results=artifacts/test-results
rm -rf "$results"
mkdir -p "$results"
crashed=0

# A host that dies in a library leaves no word of a test: the runtime writes down where its threads were.
export DOTNET_DbgEnableMiniDump=1 DOTNET_EnableCrashReportOnly=1 DOTNET_DbgMiniDumpName="$PWD/$results/%e.%p"

where() { # the frames of the thread that died, the innermost first
    awk -F'"' '
        /"crashed": *"true"/ { mine = 1 }
        mine && /"native_thread_id"/ && seen++ { exit }
        mine && /"(method_name|unmanaged_name)"/ { name = $4 }
        mine && /"(native_module|filename)"/ { module = $4 }
        mine && /^ *},?$/ { if (name module != "") print "    " (name == "" ? "?" : name) " (" module ")"; name = module = "" }
    ' "$1" | head -60
}

for suite in "${suites[@]}"; do
    say "$suite"
    dotnet test --project "tests/$suite" -c Release --no-build --results-directory "$results" --report-xunit-trx --report-xunit-trx-filename "$suite.trx" </dev/null
    # A suite whose host died before it could write its results counts as one failure.
    [ -s "$results/$suite.trx" ] || { echo "$suite left no results"; crashed=$((crashed + 1)); }
done

for report in "$results"/*.crashreport.json; do
    [ -s "$report" ] || continue
    say "died: $(basename "$report" .crashreport.json)"
    where "$report"
done

count() { # sums one attribute of every result file's counters
    cat "$results"/*.trx 2>/dev/null | grep -o "<Counters [^>]*>" | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ n += $1 } END { print n + 0 }'
}
total=$(count total)
passed=$(count passed)
failed=$(($(count failed) + $(count error) + $(count timeout) + $(count aborted) + crashed))
skipped=$((total - passed - failed + crashed))

if [ "$skipped" -gt 0 ]; then
    say "skipped, and why"
    cat "$results"/*.trx | tr '\n' ' ' | sed 's/<UnitTestResult /\n&/g' | grep '^<UnitTestResult [^>]*outcome="NotExecuted"' \
        | sed -E 's/^<UnitTestResult [^>]*testName="([^"]*)"[^>]*>(<Output><StdOut>([^<]*))?.*/\1: \3/' | sort -u
fi
if [ "$total" -eq 0 ]; then
    failed=$((failed + 1))
    echo "no test ran"
fi

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
