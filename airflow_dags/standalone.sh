#!/usr/bin/env bash
# Airflow on this machine, with the DAGs on the lake of `make demo`: http://localhost:8080. Its user and password are
# printed the first time. Everything it keeps is in .airflow. With arguments: that command of Airflow, for the same one.
set -euo pipefail
home=$(cd "$(dirname "$0")/.." && pwd)
demo=$home/.demo
[ -d "$demo/lake" ] || { echo "run make demo first: its lake is what the DAGs work on" >&2; exit 2; }
export AIRFLOW_HOME=$home/.airflow AIRFLOW__CORE__DAGS_FOLDER=$home/airflow_dags AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW_CONN_ROLLCALL_SPARK='{"conn_type": "spark", "host": "local[2]"}'
export AIRFLOW_VAR_ROLLCALL_HOME=$home
export AIRFLOW_VAR_ROLLCALL_SPARK_SUBMIT=$home/.venv/bin/spark-submit
export AIRFLOW_VAR_ROLLCALL_PROPERTIES=$AIRFLOW_HOME/spark.conf
export AIRFLOW_VAR_ROLLCALL_TABLES=$demo/tables
export AIRFLOW_VAR_ROLLCALL_OPTIONS="--set vision.embedder=dlib-resnet-v1"
export AIRFLOW_VAR_ROLLCALL_SOURCE="$demo/lake/{run_date}/"
export AIRFLOW_VAR_ROLLCALL_GALLERY=$demo/people AIRFLOW_VAR_ROLLCALL_GALLERY_NAME=people-dlib-resnet-v1
export AIRFLOW_VAR_ROLLCALL_PAGES=$demo/pages
mkdir -p "$AIRFLOW_HOME"
export PATH=$home/.venv-airflow/bin:$PATH
if [ $# -gt 0 ]; then exec airflow "$@"; fi

for port in 8080 8793 8794; do # Airflow itself goes on without, and says that it is ready
    if (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
        echo "port $port is taken, by another Airflow perhaps: end what listens there" >&2
        exit 2
    fi
done
rollcall=$home/.venv/bin/rollcall
# The gallery of make demo, where that had no FaceNet; a night needs one.
"$rollcall" weights fetch centerface dlib-resnet-v1 > /dev/null
"$rollcall" enroll --tables "$demo/tables" --set vision.embedder=dlib-resnet-v1 \
    --gallery "$AIRFLOW_VAR_ROLLCALL_GALLERY" --gallery-name "$AIRFLOW_VAR_ROLLCALL_GALLERY_NAME"
"$rollcall" properties local > "$AIRFLOW_HOME/spark.conf"
airflow db migrate
airflow pools import "$home/airflow_dags/pools.json"
exec airflow standalone
