#!lua flags=allow-oom
-- Takes a worker that leaves in good order out of the totals at once.
-- KEYS load, ledger   ARGV worker, incarnation   -> 1 | 0 if it was not open
local load, ledger = KEYS[1], KEYS[2]
local worker, incarnation = ARGV[1], ARGV[2]

local known = redis.call('HMGET', ledger, '#e', '#i')
if not known[1] or known[1] ~= redis.call('HGET', load, '#e') or known[2] ~= incarnation then return 0 end

subtract(ledger, load)
redis.call('HDEL', load, '@' .. worker)
redis.call('DEL', ledger)
return 1
