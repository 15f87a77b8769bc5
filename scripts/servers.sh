#!/usr/bin/env bash
# Installs (Debian, as root) and starts what the tests marked postgres, mariadb, browser, ssh, prometheus and celery need. May be run again.
# The tests log in to both servers as kpi_assets_test, see kpi_assets_tests/servers.py.
set -euo pipefail
exec </dev/null

user=kpi_assets_test
password=kpi-assets-test
packages=(
  postgresql mariadb-server
  chromium
  openssh-server prometheus prometheus-alertmanager redis-server  # not started: tests start their own
  libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 libfontconfig1  # weasyprint
  fonts-dejavu-core fonts-liberation fontconfig
)

install_missing() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing ${missing[*]}"
  install -d /etc/ssh && touch /etc/ssh/sshd_not_to_be_run  # installing openssh-server shall not open port 22
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o Acquire::Retries=3 update -qq >/dev/null
  apt-get -o Acquire::Retries=3 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

wait_for() {
  local name=$1 tries
  shift
  for tries in $(seq 60); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.5
  done
  echo "$name did not start within 30 s" >&2
  return 1
}

as_postgres() { runuser -u postgres -- psql --no-psqlrc --quiet --tuples-only --no-align --port 5432 "$@"; }

start_postgres() {
  local version
  version=$(ls /etc/postgresql 2>/dev/null | sort -V | tail -n 1)
  if [ -z "$version" ] || [ ! -d "/etc/postgresql/$version/main" ]; then
    version=$(ls /usr/lib/postgresql | sort -V | tail -n 1)
    pg_createcluster "$version" main >/dev/null
  fi
  pg_ctlcluster "$version" main status >/dev/null 2>&1 ||
    pg_ctlcluster --skip-systemctl-redirect "$version" main start
  wait_for PostgreSQL as_postgres -c 'select 1'
  as_postgres -c "select 1 from pg_roles where rolname = '$user'" | grep -q 1 ||
    as_postgres -c "create role $user login createdb password '$password'"
  as_postgres -c "select 1 from pg_database where datname = '$user'" | grep -q 1 ||
    as_postgres -c "create database $user owner $user"
}

start_mariadb() {
  if ! mariadb-admin ping >/dev/null 2>&1; then
    install -d -o mysql -g mysql /run/mysqld
    [ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=mysql --datadir=/var/lib/mysql >/dev/null
    setsid nohup mariadbd --user=mysql --bind-address=127.0.0.1 >/dev/null 2>&1 &
  fi
  wait_for MariaDB mariadb-admin ping
  local host
  for host in localhost 127.0.0.1; do
    mariadb -e "create user if not exists '$user'@'$host' identified by '$password';
      grant all on \`kpi\\_assets\\_test%\`.* to '$user'@'$host'"
  done
  mariadb -e "create database if not exists $user"
}

install_missing
install -d /run/sshd
start_postgres
start_mariadb
echo "PostgreSQL and MariaDB answer on 127.0.0.1; $(chromium --version 2>/dev/null | head -n 1)"
