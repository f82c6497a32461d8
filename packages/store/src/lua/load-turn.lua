#!lua flags=allow-oom
-- Gives turns by weights that count down: each to the next candidate in their order that has any left; when none has, all get
-- their weight anew. Before that it charges backends with what they served out of turn. It forgets after a day without turns.
-- KEYS turns   ARGV charges, { backend, number }…, then groups to the end, each
--   picks, candidates, { backend, weight }…   -> { backend }…
local turns = KEYS[1]
local charges = tonumber(ARGV[1])
local position = 2
local a_day = 86400

local function take()
  position = position + 1
  return ARGV[position - 1]
end

for _ = 1, charges do
  local field, number = '+' .. take(), take()
  -- Who has had no turn yet still has its whole weight before it.
  if redis.call('HEXISTS', turns, field) == 1 then redis.call('HINCRBY', turns, field, 0 - number) end
end

local left = {}
local last = redis.call('HGET', turns, '#last')

local function read_group()
  local group = { picks = tonumber(take()), ids = {}, weights = {} }
  local fields = {}
  for at = 1, tonumber(take()) do
    group.ids[at], group.weights[at] = take(), tonumber(take())
    fields[at] = '+' .. group.ids[at]
  end
  for at, stored in ipairs(redis.call('HMGET', turns, unpack(fields))) do
    local id, weight = group.ids[at], group.weights[at]
    left[id] = math.min(left[id] or tonumber(stored or weight), weight)
  end
  return group
end

-- The first choice of all begins anywhere, as does one after a backend that is none of these.
local function place_after_last(group)
  for at, id in ipairs(group.ids) do
    if id == last then return at end
  end
  return redis.call('TIME')[2] % #group.ids
end

local function refill(group)
  local rounds = math.huge
  for at, id in ipairs(group.ids) do
    rounds = math.min(rounds, math.floor(-left[id] / group.weights[at]) + 1)
  end
  for at, id in ipairs(group.ids) do
    left[id] = left[id] + rounds * group.weights[at]
  end
end

local function next_with_turns(group)
  local place = place_after_last(group)
  for step = 0, #group.ids - 1 do
    local id = group.ids[(place + step) % #group.ids + 1]
    if left[id] > 0 then return id end
  end
end

local reply = {}
while position <= #ARGV do
  local group = read_group()
  for _ = 1, group.picks do
    local id = next_with_turns(group)
    if not id then
      refill(group)
      id = next_with_turns(group)
    end
    left[id] = left[id] - 1
    last = id
    reply[#reply + 1] = id
  end
end

for id, number in pairs(left) do
  redis.call('HSET', turns, '+' .. id, number)
end
redis.call('HSET', turns, '#last', last)
redis.call('EXPIRE', turns, a_day)
return reply
