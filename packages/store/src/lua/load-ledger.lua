
-- What the load scripts share. A load hash has fields #… (its own), +backend (totals) and @worker (leases); a ledger, one
-- worker's counts, has #e (epoch), #i (incarnation), #t (ticket), #s (last sequence) and +backend. Fields at zero are deleted.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function add(key, field, number)
  if redis.call('HINCRBY', key, field, number) == 0 then redis.call('HDEL', key, field) end
end

local function subtract(ledger, load)
  local fields = redis.call('HGETALL', ledger)
  for at = 1, #fields, 2 do
    if fields[at]:sub(1, 1) == '+' then add(load, fields[at], -fields[at + 1]) end
  end
end

