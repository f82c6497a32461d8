#!lua flags=no-writes
-- Counts a shard's live sessions by backend.
-- KEYS backends, rows   ARGV   -> { backend, count, … }
-- `rows` is what precedes `on:<backend>` in an index's key: all in the slot of its hash tag.
local backends, rows = KEYS[1], KEYS[2]

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local reply = {}
for _, backend in ipairs(redis.call('SMEMBERS', backends)) do
  -- A row is gone at its deadline, not after it.
  local count = redis.call('ZCOUNT', rows .. 'on:' .. backend, '(' .. string.format('%.0f', now), '+inf')
  if count > 0 then
    reply[#reply + 1] = backend
    reply[#reply + 1] = count
  end
end
return reply
