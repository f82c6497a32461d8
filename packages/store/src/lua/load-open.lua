#!lua flags=allow-oom
-- Puts a worker's absolute counts in place of its old ledger. If its lease stands without its ledger, part of the table was
-- lost: the totals are dropped, and every worker opens again.
-- KEYS load, ledger   ARGV worker, incarnation, lease, { backend, count }…   -> { epoch } | 'stale'
local load, ledger = KEYS[1], KEYS[2]
local worker, incarnation, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local first_count = 4

local epoch = redis.call('HGET', load, '#e')
local old = redis.call('HMGET', ledger, '#e', '#i')
local old_epoch, old_incarnation = old[1], tonumber(old[2] or -1)

local leased = redis.call('HEXISTS', load, '@' .. worker) == 1
local torn = leased and old_epoch ~= epoch
if torn then
  redis.call('DEL', load)
  epoch = false
end

if old_incarnation >= incarnation then return 'stale' end

local now = milliseconds()
if not epoch then
  -- Compared for equality only; the worker tells apart two that were made in one microsecond, or by a clock set back.
  epoch = table.concat(redis.call('TIME'), '.') .. '-' .. worker
  redis.call('HSET', load, '#e', epoch, '#seen', now)
end

if old_epoch == epoch then subtract(ledger, load) end
redis.call('DEL', ledger)
redis.call('HSET', ledger, '#e', epoch, '#i', incarnation, '#s', 0)
for at = first_count, #ARGV, 2 do
  add(ledger, '+' .. ARGV[at], ARGV[at + 1])
  add(load, '+' .. ARGV[at], ARGV[at + 1])
end
redis.call('HSET', load, '@' .. worker, now + lease)
return { epoch }
