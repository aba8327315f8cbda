#!/usr/bin/env bash
# Exports a file as an Iceberg table and compares what engines read with the file.
#
#     run.sh [light]
#
# Light omits Spark and Trino. The engines take 3.5 GB, from PyPI and Maven Central. They stay in
# datasync-engines in the user's cache folder. The end of the output names the engines that cannot run here.
set -euo pipefail
cd "$(dirname "$0")"
light=${1:-}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/datasync-engines
python=$cache/py/bin/python
jars=$cache/jars
trino=$cache/trino-476
mkdir -p "$cache"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
skipped=()

install() { "$python" -m pip --quiet --disable-pip-version-check install --no-compile "$@"; }
artifact() { mvn -q -B -Dmaven.repo.local="$cache/m2" dependency:get -Dartifact="$1" "${@:2}" >&2; }

[ -x "$python" ] || python3 -m venv "$cache/py" || { echo '!! NO ENGINE RUN: they need python3 with venv' >&2; exit 1; }
install --requirement requirements.txt || { echo '!! NO ENGINE RUN: PyPI is out of reach' >&2; exit 1; }
engines=(duckdb pyiceberg)
if install chdb==4.4.0; then engines+=(chdb); else skipped+=('ClickHouse: chdb could not be installed'); fi

# The newest Java that is at least $1: JAVA_HOME, those of /usr/lib/jvm, and the one on PATH.
java_of() {
  local best='' newest=0 java version
  for java in "${JAVA_HOME:-/none}/bin/java" /usr/lib/jvm/*/bin/java "$(command -v java || true)"; do
    [ -x "$java" ] || continue
    version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    if [ "${version:-0}" -ge "$1" ] && [ "${version:-0}" -le "$2" ] && [ "$version" -gt "$newest" ]; then best=$java newest=$version; fi
  done
  [ -n "$best" ] && dirname "$(dirname "$best")"
}

# Puts the libraries of Iceberg's S3FileIO into the folder of jars.
get_jars() {
  [ -e "$jars/complete" ] && return
  local name
  artifact org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.2 -Dtransitive=false || return
  for name in s3 sts glue dynamodb kms url-connection-client; do artifact "software.amazon.awssdk:$name:2.33.0" || return; done
  rm -rf "$jars" && mkdir "$jars"
  find "$cache/m2/org/apache/iceberg/iceberg-spark-runtime-3.5_2.12" "$cache/m2/software/amazon" "$cache/m2/org/reactivestreams" -name '*.jar' -exec cp {} "$jars/" \;
  touch "$jars/complete"
}

# The server without its other connectors.
get_trino() {
  [ -e "$trino/complete" ] && return
  artifact io.trino:trino-server:476:tar.gz -Dtransitive=false || return
  rm -rf "$trino" && mkdir "$trino"
  tar -xzf "$cache/m2/io/trino/trino-server/476/trino-server-476.tar.gz" -C "$trino" --strip-components=1 || return
  find "$trino/plugin" -mindepth 1 -maxdepth 1 ! -name iceberg -exec rm -rf {} +
  touch "$trino/complete"
}

if [ -z "$light" ]; then
  if ! SPARK_JAVA=$(java_of 8 17); then skipped+=('Spark: it needs Java 8 to 17 (apt-get install openjdk-17-jre-headless)')
  elif ! { install pyspark==3.5.9 && command -v mvn >/dev/null && get_jars; }; then skipped+=('Spark: it could not be installed (it needs mvn)')
  else engines+=(spark); export SPARK_JAVA SPARK_JARS=$jars; fi
  if ! TRINO_JAVA=$(java_of 24 99); then skipped+=('Trino 476: it needs Java 24 or later; set JAVA_HOME')
  elif ! { command -v mvn >/dev/null && get_trino; }; then skipped+=('Trino: it could not be installed (it needs mvn)')
  else engines+=(trino); export TRINO_JAVA TRINO_HOME=$trino; fi
fi

(cd ../.. && go build -o "$scratch/datasync" . && cd lake && go build -o "$scratch/datasync-lake" ./cmd/datasync-lake)
"$python" check.py "$scratch" "$cache/py/bin/weed" "${engines[@]}"
for what in "${skipped[@]}"; do printf '!! NOT READ BY %s\n' "$what" >&2; done
