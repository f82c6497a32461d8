#!lua flags=allow-oom
-- Takes a worker whose lease has lapsed out of the totals. If its ledger is lost, nobody knows what to take: the totals are
-- dropped, and every worker opens again.
-- KEYS load, ledger of the dead   ARGV the dead worker   -> 1 | 0 if there was nothing to do
local load, ledger = KEYS[1], KEYS[2]
local dead = ARGV[1]

local deadline = tonumber(redis.call('HGET', load, '@' .. dead) or nil)
if not deadline or deadline > milliseconds() then return 0 end

local torn = redis.call('HGET', ledger, '#e') ~= redis.call('HGET', load, '#e')
if torn then
  redis.call('DEL', load)
else
  subtract(ledger, load)
  redis.call('HDEL', load, '@' .. dead)
end
redis.call('DEL', ledger)
return 1
