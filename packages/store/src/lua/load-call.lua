#!lua flags=allow-oom
-- Applies a worker's changes, then grants its picks: each to the least total/weight, counted before the next is made.
-- Without effect unless it is exactly the worker's next call.
-- KEYS load, ledger   ARGV ticket, sequence, changes, { backend, change }…, then groups to the end, each
--   picks, candidates, { backend, weight, limit or '' }…   -> { backend or '' if all are full }… | 'unknown'
local load, ledger = KEYS[1], KEYS[2]
local ticket, sequence = ARGV[1], tonumber(ARGV[2])
local position = 3

local function take()
  position = position + 1
  return ARGV[position - 1]
end

local epoch = redis.call('HGET', load, '#e')
local known = redis.call('HMGET', ledger, '#e', '#t', '#s')
local same_epoch = epoch and known[1] == epoch
local same_ticket = known[2] == ticket
local next_in_sequence = tonumber(known[3] or -1) + 1 == sequence
if not (same_epoch and same_ticket and next_in_sequence) then return 'unknown' end
redis.call('HSET', ledger, '#s', sequence)

for _ = 1, tonumber(take()) do
  local field, change = '+' .. take(), take()
  add(ledger, field, change)
  add(load, field, change)
end

local totals, grants = {}, {}

local function read_group()
  local group = { picks = tonumber(take()), ids = {}, weights = {}, limits = {} }
  local fields = {}
  for at = 1, tonumber(take()) do
    group.ids[at] = take()
    group.weights[at], group.limits[at] = tonumber(take()), tonumber(take())
    fields[at] = '+' .. group.ids[at]
  end
  for at, total in ipairs(redis.call('HMGET', load, unpack(fields))) do
    local id = group.ids[at]
    totals[id] = totals[id] or tonumber(total or 0)
  end
  return group
end

local function tied_for_least(group)
  local tied, weight_of_tied, least, weight_of_least = {}, 0, nil, nil
  for at, id in ipairs(group.ids) do
    local total, weight, limit = totals[id], group.weights[at], group.limits[at]
    if not limit or total < limit then
      local difference = least and total * weight_of_least - least * weight or -1
      if difference < 0 then
        tied, weight_of_tied, least, weight_of_least = {}, 0, total, weight
      end
      if difference <= 0 then
        tied[#tied + 1] = at
        weight_of_tied = weight_of_tied + weight
      end
    end
  end
  return tied, weight_of_tied
end

-- Steps of the golden ratio's fraction fall on the tied in proportion to their weights, and evenly in time.
local function pick(group, turn)
  local tied, weight_of_tied = tied_for_least(group)
  local point = (turn % 1048576) * 648055 % 1048576 / 1048576 * weight_of_tied
  for _, at in ipairs(tied) do
    if point < group.weights[at] then return group.ids[at] end
    point = point - group.weights[at]
  end
  return ''
end

local reply = {}
local turn = tonumber(redis.call('HGET', load, '#r') or 0)
while position <= #ARGV do
  local group = read_group()
  for _ = 1, group.picks do
    turn = turn + 1
    local id = pick(group, turn)
    reply[#reply + 1] = id
    if id ~= '' then
      totals[id] = totals[id] + 1
      grants[id] = (grants[id] or 0) + 1
    end
  end
end

for id, granted in pairs(grants) do
  redis.call('HINCRBY', ledger, '+' .. id, granted)
  redis.call('HINCRBY', load, '+' .. id, granted)
end
if #reply > 0 then redis.call('HINCRBY', load, '#r', #reply) end
return reply
