#!lua flags=allow-oom
-- Answers all orders, after those known to the caller that are missing here or older have been kept again.
-- KEYS orders   ARGV known: name, order, …   -> { name, order, … }
local orders = KEYS[1]

local function version_of(order)
  return tonumber(string.match(order, '^%d+'))
end

for i = 1, #ARGV, 2 do
  local name, known = ARGV[i], ARGV[i + 1]
  local held = redis.call('HGET', orders, name)
  if not held or version_of(held) < version_of(known) then redis.call('HSET', orders, name, known) end
end
return redis.call('HGETALL', orders)
