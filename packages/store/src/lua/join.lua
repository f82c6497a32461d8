#!lua flags=allow-oom
-- Announces a node process until its lease lapses, and forgets those whose lease has.
-- KEYS nodes   ARGV member, lease, announcement   -> lease end
local nodes = KEYS[1]
local member, lease, announcement = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = redis.call('HGETALL', nodes)
for i = 1, #known, 2 do
  if tonumber(string.match(known[i + 1], '^%d+')) <= now then redis.call('HDEL', nodes, known[i]) end
end
local ends = string.format('%.0f', now + lease)
redis.call('HSET', nodes, member, ends .. ' ' .. announcement)
return ends
