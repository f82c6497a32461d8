#!lua flags=allow-oom
-- Changes what operators want of a backend, and tells every process that there is something new; '' leaves a part as it is.
-- Beyond a thousand the oldest order goes: nodes keep those of backends that they have, and backends come and go.
-- KEYS orders   ARGV channel, news, name, state, weight   -> 'version since state weight'
local orders = KEYS[1]
local channel, news, name, state, weight = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local function forget_oldest()
  local all = redis.call('HGETALL', orders)
  if #all <= 2000 then return end
  local oldest, least
  for i = 1, #all, 2 do
    local version = tonumber(string.match(all[i + 1], '^%d+'))
    if not least or version < least then oldest, least = all[i], version end
  end
  redis.call('HDEL', orders, oldest)
end

local clock = redis.call('TIME')
local microseconds = clock[1] * 1000000 + clock[2]
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
local held = redis.call('HGET', orders, name) or ('0 ' .. now .. ' ready -')
local version, since, held_state, held_weight = string.match(held, '^(%d+) (%d+) (%a+) (%S+)$')

if state == '' then state = held_state end
if weight == '' then weight = held_weight end
if state ~= held_state then since = now end
version = string.format('%.0f', math.max(microseconds, tonumber(version) + 1))
local order = version .. ' ' .. since .. ' ' .. state .. ' ' .. weight
redis.call('HSET', orders, name, order)
forget_oldest()
redis.call(string.find(channel, '{', 1, true) and 'SPUBLISH' or 'PUBLISH', channel, news)
return order
