#!lua flags=allow-oom
-- Takes sessions past their deadline off a shard's indexes, at most `limit`; answers how many.
-- KEYS backends, rows   ARGV limit   -> removed
-- `rows` is what precedes `on:<backend>` in an index's key: all in the slot of its hash tag.
local backends, rows = KEYS[1], KEYS[2]
local limit = tonumber(ARGV[1])

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local removed = 0
for _, backend in ipairs(redis.call('SMEMBERS', backends)) do
  local index = rows .. 'on:' .. backend
  if removed < limit then
    local past = redis.call('ZRANGE', index, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit - removed)
    if #past > 0 then redis.call('ZREM', index, unpack(past)) end
    removed = removed + #past
  end
  if redis.call('EXISTS', index) == 0 then redis.call('SREM', backends, backend) end
end
return removed
