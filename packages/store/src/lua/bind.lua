#!lua
-- Binds sessions, each only if its row's version still is the one seen; answers the rows in force where they are not
-- plainly those asked for: pairs of item number and row, '' for none.
-- KEYS epoch, backends, rows   ARGV channel, pool, run id, items   -> { time, epoch, number, row, … }
-- `rows` is what precedes the raw id in a row's key, and `on:<backend>` in an index's: all in the slot of its hash tag.
local epoch_key, backends, rows = KEYS[1], KEYS[2], KEYS[3]
local channel, pool, run_id, items = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

-- A shard's epoch is replaced when another master serves it; redis-epoch.ts foretells the same successor.
local function present_epoch()
  local held = redis.call('GET', epoch_key)
  local epoch = string.format('%.0f', microseconds)
  if held then
    local number, master = string.match(held, '^(%d+) (%x*)$')
    if master == run_id or run_id == '' then return number end
    epoch = string.format('%.0f', tonumber(string.sub(redis.sha1hex(held .. ' ' .. run_id), 1, 12), 16))
  end
  redis.call('SET', epoch_key, epoch .. ' ' .. run_id)
  return epoch
end

local reply = { microseconds, present_epoch() }
local entries, changes = index_entries(), {}

-- What a row has before its terms when its session begins now.
local function beginning(version)
  return struct.pack('>I7I5I6', version, 0, now)
end
local first = beginning(microseconds)

local function answer(number, row)
  reply[#reply + 1] = number
  reply[#reply + 1] = row
end

-- Whom new terms name, and until when they hold. Nearly all have no flags, and need no table.
local function outlook(terms)
  local age, flags, length = struct.unpack('>I5BB', terms)
  if flags == 0 then return string.sub(terms, 8, 7 + length), deadline_of(now, now, age, 0) end
  local parsed = unpack_terms(terms, 1)
  local last_cookie = parsed.ends_with_last_cookie and last_of(unpack_cookies(terms, parsed.cookies_at)) or nil
  return parsed.backend, deadline_of(now, now, age, parsed.lifetime, last_cookie)
end

local function begin(id, head, terms, ...)
  local backend, deadline = outlook(terms)
  if not redis.call('SET', rows .. id, head .. terms, 'PXAT', deadline, ...) then return false end
  add_entry(entries, backend, deadline, id)
  return true
end

local function bind_again(id, held, held_bytes, bytes)
  local row = unpack_terms(bytes, 1)
  local cookies = merge_cookies(unpack_cookies(held_bytes, held.cookies_at), unpack_cookies(bytes, row.cookies_at),
    held.created)
  row.version, row.created, row.lifetime = next_version(held.version), held.created, held.lifetime
  row.touched = now
  local last_cookie = row.ends_with_last_cookie and last_of(cookies) or nil
  local deadline = deadline_of(now, row.created, row.age, row.lifetime, last_cookie)
  local bound = pack_row(row, cookies)
  redis.call('SET', rows .. id, bound, 'PXAT', deadline)
  if held.backend ~= row.backend then redis.call('ZREM', rows .. 'on:' .. held.backend, id) end
  add_entry(entries, row.backend, deadline, id)
  changes[#changes + 1] = change(id, row.version)
  return bound
end

-- Over a tombstone another session begins, above its version.
local function begin_again(id, held, terms)
  local cookies_at = unpack_terms(terms, 1).cookies_at
  local kept = merge_cookies({}, unpack_cookies(terms, cookies_at), now)
  local bytes = string.sub(terms, 1, cookies_at - 1) .. pack_cookies(kept)
  local version = next_version(held.version)
  local head = beginning(version)
  begin(id, head, bytes)
  changes[#changes + 1] = change(id, version)
  return head .. bytes
end

local function bind_over(id, seen, bytes)
  local held_bytes = redis.call('GET', rows .. id)
  local held = held_bytes and unpack_row(held_bytes)
  if not held or held.version ~= seen then return held_bytes or '' end
  if held.ended then return begin_again(id, held, bytes) end
  return bind_again(id, held, held_bytes, bytes)
end

local number, position = 0, 1
while position <= #items do
  local id, seen, bytes
  id, seen, bytes, position = struct.unpack('>c16dHc0', items, position)
  if seen ~= 0 or not begin(id, first, bytes, 'NX') then answer(number, bind_over(id, seen, bytes)) end
  number = number + 1
end

write_entries(entries, rows, backends)
publish_changes(channel, pool, changes)
return reply
