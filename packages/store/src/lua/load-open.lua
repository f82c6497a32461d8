#!lua flags=allow-oom
-- Puts a worker's absolute counts in place of its old ledger. If its lease stands without its ledger, part of the table was
-- lost: the totals are dropped, and every worker opens again. Calls and beats show the ticket, so that none fits an open
-- that was repeated after a flush.
-- KEYS load, ledger   ARGV worker, incarnation, lease, { backend, count }…   -> { ticket } | 'stale'
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
-- Worker and incarnation tell apart what was made in one microsecond, or by a clock set back.
local ticket = table.concat({ incarnation, unpack(redis.call('TIME')) }, '.')
if not epoch then
  epoch = worker .. '.' .. ticket
  redis.call('HSET', load, '#e', epoch)
end
hear(load, now, lease)

if old_epoch == epoch then subtract(ledger, load) end
redis.call('DEL', ledger)
redis.call('HSET', ledger, '#e', epoch, '#i', incarnation, '#t', ticket, '#s', 0)
for at = first_count, #ARGV, 2 do
  add(ledger, '+' .. ARGV[at], ARGV[at + 1])
  add(load, '+' .. ARGV[at], ARGV[at + 1])
end
redis.call('HSET', load, '@' .. worker, now + lease)
return { ticket }
