-- Shared by the scripts that write rows; redis-row.ts has the layout. `head` is a row's bytes up to and with its flags.
local head = '>I7I5I6I5B'
local flag_ended, flag_ends_with_last_cookie, flag_lifetime = 1, 2, 4
-- A text's first byte is its length, or from there on stands for a whole word.
local first_code = 240
local most_cookies = 64
local longest = 2 ^ 40 - 1

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local microseconds = clock[1] * 1000000 + clock[2]

-- Texts are passed on as they stand in a row, with their first byte.
local function text_at(bytes, position)
  local length = string.byte(bytes, position)
  local next = position + 1 + (length < first_code and length or 0)
  return string.sub(bytes, position, next - 1), next
end

-- What begins with the age, in a row or in the terms of a new one.
local function unpack_terms(bytes, position)
  local terms = {}
  local flags
  terms.age, flags, position = struct.unpack('>I5B', bytes, position)
  terms.flags = flags
  terms.ended = flags % 2 == flag_ended
  terms.ends_with_last_cookie = bit.band(flags, flag_ends_with_last_cookie) > 0
  terms.lifetime = 0
  if terms.ended then return terms end
  if bit.band(flags, flag_lifetime) > 0 then terms.lifetime, position = struct.unpack('>I5', bytes, position) end
  terms.backend_text, position = text_at(bytes, position)
  terms.backend = string.sub(terms.backend_text, 2)
  terms.source, terms.cookies_at = text_at(bytes, position)
  return terms
end

-- A row as a table; a tombstone has no backend.
local function unpack_row(bytes)
  local row = unpack_terms(bytes, 19)
  row.version, row.touched, row.created = struct.unpack('>I7I5I6', bytes)
  row.touched = row.created + row.touched
  return row
end

-- Cookies from `position` on; expiry is relative to the session's beginning.
local function unpack_cookies(bytes, position)
  local cookies = {}
  while position <= #bytes do
    local cookie = {}
    cookie.expiry, cookie.fingerprint, position = struct.unpack('>I5c8', bytes, position)
    cookie.name, position = text_at(bytes, position)
    cookie.attributes, position = text_at(bytes, position)
    cookies[#cookies + 1] = cookie
  end
  return cookies
end

local function pack_cookies(cookies)
  local packed = {}
  for i, cookie in ipairs(cookies) do
    packed[i] = struct.pack('>I5c8', cookie.expiry, cookie.fingerprint) .. cookie.name .. cookie.attributes
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
  local flags = row.ends_with_last_cookie and flag_ends_with_last_cookie or 0
  local lifetime = ''
  if row.lifetime > 0 then
    flags = flags + flag_lifetime
    lifetime = struct.pack('>I5', row.lifetime)
  end
  return struct.pack(head, row.version, row.touched - row.created, row.created, row.age, flags) .. lifetime
    .. row.backend_text .. row.source .. pack_cookies(cookies)
end

local function next_version(version)
  return math.max(microseconds, version + 1)
end

-- Replaces the row by a tombstone that outlives whatever is under way, and takes the session off its backend.
local function bury(rows, id, row)
  local version = next_version(row.version)
  local tombstone = struct.pack(head, version, 0, now, row.age, flag_ended)
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
    -- A channel with a hash tag is one of a cluster's, which only its slot's master hears.
    local publish = string.find(channel, '{', 1, true) and 'SPUBLISH' or 'PUBLISH'
    redis.call(publish, channel, struct.pack('>Bc0', #pool, pool) .. table.concat(changes))
  end
end

local function change(id, version)
  return struct.pack('>c16d', id, version)
end
