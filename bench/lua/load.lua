-- One wrk run over one or several nodes; the last line printed is its figures as JSON.
-- STICKY_BENCH_PORTS: the nodes' ports, one thread for each. STICKY_BENCH_COOKIES: a file of Cookie values to rotate, or empty.
local ports, threads = {}, 0
for port in os.getenv("STICKY_BENCH_PORTS"):gmatch("%d+") do
  ports[#ports + 1] = port
end

function setup(thread)
  local port = ports[threads % #ports + 1]
  thread.addr = wrk.lookup("127.0.0.1", port)[1]
  thread:set("share", threads / #ports)
  threads = threads + 1
end

local requests, turn = {}, 0

function init()
  local cookies = os.getenv("STICKY_BENCH_COOKIES")
  if cookies == "" then
    requests[1] = wrk.format()
    return
  end
  for cookie in io.lines(cookies) do
    requests[#requests + 1] = wrk.format(nil, nil, { Host = wrk.headers.Host, Cookie = cookie })
  end
  turn = math.floor(share * #requests)
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.4f,"p99":%.4f,"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
