-- Shared by the scripts that write rows; redis-row.ts has the layout. A row's bytes up to and with its flags:
local head = '>dI6I6I5I5B'
local after_head = 32
local flag_ended, flag_ends_with_last_cookie = 1, 2
local most_cookies = 64
local longest = 2 ^ 40 - 1

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local microseconds = clock[1] * 1000000 + clock[2]

-- A row as a table; a tombstone has no backend.
local function unpack_row(bytes)
  local row = {}
  row.version, row.touched, row.created, row.age, row.lifetime, row.flags = struct.unpack(head, bytes)
  row.ended = row.flags % 2 == flag_ended
  row.ends_with_last_cookie = row.flags >= flag_ends_with_last_cookie
  if row.ended then return row end
  row.backend, row.source, row.cookies_at = struct.unpack('>Bc0Bc0', bytes, after_head)
  return row
end

-- Cookies from `position` on; expiry is relative to the session's beginning.
local function unpack_cookies(bytes, position)
  local cookies = {}
  while position <= #bytes do
    local cookie = {}
    cookie.expiry, cookie.fingerprint, cookie.name, cookie.attributes, position =
      struct.unpack('>I5c8Bc0Bc0', bytes, position)
    cookies[#cookies + 1] = cookie
  end
  return cookies
end

local function pack_cookies(cookies)
  local packed = {}
  for i, cookie in ipairs(cookies) do
    packed[i] = struct.pack('>I5c8Bc0Bc0', cookie.expiry, cookie.fingerprint, #cookie.name, cookie.name,
      #cookie.attributes, cookie.attributes)
  end
  return table.concat(packed)
end

-- The expiry of the last cookie relative to the beginning; nil when there never was one.
local function last_of(cookies)
  local last
  for _, cookie in ipairs(cookies) do
    if last == nil or cookie.expiry > last then last = cookie.expiry end
  end
  return last
end

-- When the session ends unless it is touched; ageing.ts decides the same.
local function deadline_of(touched, created, age, lifetime, last_cookie)
  local deadline = touched + age + math.floor(age / 10)
  if lifetime > 0 then deadline = math.min(deadline, created + lifetime) end
  if last_cookie then deadline = math.min(deadline, created + last_cookie) end
  return deadline
end

-- Cookies still alive with those a response just set; an age of 0 drops one. The soonest to expire go beyond the limit.
local function merge_cookies(held, set, created)
  local elapsed = now - created
  local replaced, merged = {}, {}
  for _, cookie in ipairs(set) do replaced[cookie.name] = true end
  for _, cookie in ipairs(held) do
    if not replaced[cookie.name] and cookie.expiry > elapsed then merged[#merged + 1] = cookie end
  end
  local added = {}
  for i = #set, 1, -1 do
    local cookie = set[i]
    if cookie.expiry > 0 and not added[cookie.name] then
      cookie.expiry = math.min(cookie.expiry + elapsed, longest)
      merged[#merged + 1] = cookie
    end
    added[cookie.name] = true
  end
  if #merged <= most_cookies then return merged end
  table.sort(merged, function(a, b) return a.expiry > b.expiry end)
  for i = #merged, most_cookies + 1, -1 do merged[i] = nil end
  return merged
end

local function pack_row(row, cookies)
  return struct.pack(head .. 'Bc0Bc0', row.version, row.touched, row.created, row.age, row.lifetime, row.flags,
    #row.backend, row.backend, #row.source, row.source) .. pack_cookies(cookies)
end

local function next_version(version)
  return math.max(microseconds, version + 1)
end

-- Replaces the row by a tombstone that outlives whatever is under way, and takes the session off its backend.
local function bury(rows, id, row)
  local version = next_version(row.version)
  local tombstone = struct.pack(head, version, now, row.created, row.age, 0, flag_ended)
  redis.call('SET', rows .. id, tombstone, 'PX', math.max(1, math.ceil(row.age * 1.5)))
  redis.call('ZREM', rows .. 'on:' .. row.backend, id)
  return version
end

-- Collected changes of the indexes, one ZADD for each backend.
local function index_entries()
  return { order = {}, of = {} }
end

local function add_entry(entries, backend, deadline, id)
  local list = entries.of[backend]
  if not list then
    list = {}
    entries.of[backend] = list
    entries.order[#entries.order + 1] = backend
  end
  list[#list + 1] = deadline
  list[#list + 1] = id
end

local function write_entries(entries, rows, backends)
  for _, backend in ipairs(entries.order) do
    redis.call('ZADD', rows .. 'on:' .. backend, unpack(entries.of[backend]))
    redis.call('SADD', backends, backend)
  end
end

-- One message for all changes of a script call: pool, then id and version of each.
local function publish_changes(channel, pool, changes)
  if #changes > 0 then
    redis.call('PUBLISH', channel, struct.pack('>Bc0', #pool, pool) .. table.concat(changes))
  end
end

local function change(id, version)
  return struct.pack('>c16d', id, version)
end
