#!lua flags=no-writes
-- Answers the announcements of live node processes, each after the end of its lease.
-- KEYS nodes   ARGV   -> { 'lease end announcement', … }
local nodes = KEYS[1]

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local live = {}
for _, announced in ipairs(redis.call('HVALS', nodes)) do
  if tonumber(string.match(announced, '^%d+')) > now then live[#live + 1] = announced end
end
return live
