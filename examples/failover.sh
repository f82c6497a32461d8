#!/usr/bin/env bash
# What becomes of carts when things break: two nodes, three applications with carts in their own memory, and a Redis of its own,
# all on loopback, all ended at the end. Shoppers go on shopping meanwhile. Ends with 0 if every cart was intact all along.
# Where there is no redis-server it is installed with apt, as root or through sudo.
#
#   examples/failover.sh [--quick]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"

pause=4
case "${1-}" in
  '') ;;
  --quick) pause=1.5 ;;
  *) echo 'usage: examples/failover.sh [--quick]' >&2; exit 2 ;;
esac
[ -x node_modules/.bin/node ] || { echo 'failover: run `npx -y pnpm@12 install` first' >&2; exit 2; }
redis_server=$(node examples/failover/redis-server.ts) || exit 2

work=$(mktemp -d)
declare -A pids
cleanup() {
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# NAME COMMAND: runs it in the background, its output in a fresh log. It must not hold the way to the shoppers open.
launch() {
  local name=$1
  shift
  rm -f "$work/$name.log"
  "$@" > "$work/$name.log" 3>&- &
  pids[$name]=$!
}

# The first match of an expression in a log, once it is there.
found() {
  for _ in $(seq 300); do
    sed -nE "s|$2|\1|p" "$work/$1.log" 2>/dev/null | head -n 1 | grep . && return
    sleep 0.1
  done
  echo "failover: $1 did not start" >&2
  cat "$work/$1.log" >&2
  return 1
}

start_redis() {
  launch redis "$redis_server" --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work"
  found redis '.*(Ready to accept connections).*' > /dev/null
}

start_application() {
  launch "$1" env CART_NAME="$1" CART_PORT=0 node examples/demo/cart-server.ts
}

# NAME LISTEN ADMIN
start_node() {
  launch "$1" node packages/proxy/src/main.ts run -c examples/demo/sticky.yaml --node-id "$1" --listen "$2" --admin "$3"
  found "$1" '.*"addresses":\["([^"]*)".*"msg":"listening".*' > /dev/null
}

address_of() { found "$1" '.*"addresses":\["([^"]*)".*'; }
admin_of() { found "$1" '.*"admin":"http://([^"]*)".*'; }

sticky_cli() { node packages/cli/src/main.ts "$@" --admin "http://$n2_admin" > "$work/cli.log"; }

scene() { echo "$1" >&3; }

redis_port=$(node -e 'const probe = net.createServer().listen(0, "127.0.0.1", () => { console.log(probe.address().port); probe.close() })')
start_redis
for name in a b c; do start_application $name; done
export DEMO_STORE="redis://127.0.0.1:$redis_port"
CART_A=$(found a '.* at (.*)') CART_B=$(found b '.* at (.*)') CART_C=$(found c '.* at (.*)')
export CART_A CART_B CART_C
start_node n1 127.0.0.1:0 127.0.0.1:0
start_node n2 127.0.0.1:0 127.0.0.1:0
n1=$(address_of n1) n1_admin=$(admin_of n1) n2=$(address_of n2) n2_admin=$(admin_of n2)

cat <<SCREEN
Sticky  carts stay whole while things break

  applications  a, b, c (carts in their own memory, none shared)
  node n1       http://$n1
  node n2       http://$n2
  store         Redis at 127.0.0.1:$redis_port

SCREEN

mkfifo "$work/scenes"
node examples/failover/shoppers.ts "http://$n1" "http://$n2" < "$work/scenes" &
pids[shoppers]=$!
exec 3> "$work/scenes"

scene 'all is well'
sleep "$pause"

scene 'node n1 is killed (kill -9)'
kill -KILL "${pids[n1]}"
wait "${pids[n1]}" 2> "$work/killed.log" || true
sleep "$pause"

scene 'node n1 is back'
start_node n1 "$n1" "$n1_admin"
sleep "$pause"

sticky_cli backends drain shop/b
scene 'application b is drained'
sleep "$pause"

scene 'Redis is stopped'
kill -TERM "${pids[redis]}"
wait "${pids[redis]}" || true
sleep "$pause"

scene 'Redis is back, and empty'
start_redis
sleep "$pause"

sticky_cli backends ready shop/b
scene 'application b is ready again'
sleep "$pause"

exec 3>&-
status=0
wait "${pids[shoppers]}" || status=$?
unset 'pids[shoppers]'
echo
if [ $status -eq 0 ]; then echo '  every cart was intact all along'; else echo '  carts were lost'; fi
exit $status
