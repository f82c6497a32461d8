
-- What the load scripts share. A load hash has fields #… (its own), +backend (totals) and @worker (leases); a ledger, one
-- worker's counts, has #e (epoch), #i (incarnation), #t (ticket), #s (last sequence) and +backend. Fields at zero are deleted.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function add(key, field, number)
  if redis.call('HINCRBY', key, field, number) == 0 then redis.call('HDEL', key, field) end
end

-- Notes that a worker was heard. When none was for long, or the clock was set back, nobody is named dead for a whole lease:
-- the living have to be heard first. A clock set back takes the leases with it.
local function hear(load, now, lease)
  local seen = tonumber(redis.call('HGET', load, '#seen') or now)
  local silent = now - seen > lease / 2
  local set_back = now < seen
  if silent or set_back then redis.call('HSET', load, '#hold', now + lease, '#next', 0) end
  if set_back then
    for _, field in ipairs(redis.call('HKEYS', load)) do
      if field:sub(1, 1) == '@' then redis.call('HINCRBY', load, field, now - seen) end
    end
  end
  redis.call('HSET', load, '#seen', now)
end

local function subtract(ledger, load)
  local fields = redis.call('HGETALL', ledger)
  for at = 1, #fields, 2 do
    if fields[at]:sub(1, 1) == '+' then add(load, fields[at], -fields[at + 1]) end
  end
end

