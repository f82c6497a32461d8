#!lua flags=allow-oom
-- Renews a worker's lease and names workers whose lease has lapsed, for the caller to reap.
-- KEYS load, ledger   ARGV worker, ticket, lease   -> { milliseconds until the next look, lapsed worker… } | 'unknown'
local load, ledger = KEYS[1], KEYS[2]
local worker, ticket, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local most_named = 8

local known = redis.call('HMGET', ledger, '#e', '#t')
local epoch = redis.call('HGET', load, '#e')
if not epoch or known[1] ~= epoch or known[2] ~= ticket then return 'unknown' end

local now = milliseconds()
hear(load, now, lease)
redis.call('HSET', load, '@' .. worker, now + lease)
local looks = redis.call('HMGET', load, '#hold', '#next')
local next_look = math.max(tonumber(looks[1] or 0), tonumber(looks[2] or 0))
if now < next_look then return { next_look - now } end

-- No lease can lapse before the earliest deadline there is now: deadlines only grow.
local lapsed, named = 0, {}
next_look = now + lease
local everything = redis.call('HGETALL', load)
for at = 1, #everything, 2 do
  if everything[at]:sub(1, 1) == '@' then
    local deadline = tonumber(everything[at + 1])
    if deadline > now then
      next_look = math.min(next_look, deadline)
    else
      lapsed = lapsed + 1
      if lapsed <= most_named then named[lapsed] = everything[at]:sub(2) end
    end
  end
end
-- Whoever was given the names may die before it reaps.
if lapsed > 0 then next_look = math.min(next_look, now + math.floor(lease / 4)) end
if lapsed > most_named then next_look = now end
redis.call('HSET', load, '#next', next_look)
return { next_look - now, unpack(named) }
