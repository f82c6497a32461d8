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
local beginning = struct.pack('>dI6I6', microseconds, now, now)

local function answer(number, row)
  reply[#reply + 1] = number
  reply[#reply + 1] = row
end

local function begin(id, terms, condition)
  local age, lifetime, flags, backend, at = struct.unpack('>I5I5BBc0', terms)
  local last_cookie
  if flags == flag_ends_with_last_cookie then
    local _, cookies_at = struct.unpack('>Bc0', terms, at)
    last_cookie = last_of(unpack_cookies(terms, cookies_at))
  end
  local deadline = deadline_of(now, now, age, lifetime, last_cookie)
  if not redis.call('SET', rows .. id, beginning .. terms, 'PXAT', deadline, unpack(condition)) then return false end
  add_entry(entries, backend, deadline, id)
  return true
end

local function bind_again(id, held, terms)
  local row = unpack_row(beginning .. terms)
  local cookies = merge_cookies(unpack_cookies(held.bytes, held.cookies_at),
    unpack_cookies(beginning .. terms, row.cookies_at), held.created)
  row.version, row.created, row.lifetime = next_version(held.version), held.created, held.lifetime
  local last_cookie = row.ends_with_last_cookie and last_of(cookies) or nil
  local deadline = deadline_of(now, row.created, row.age, row.lifetime, last_cookie)
  local bytes = pack_row(row, cookies)
  redis.call('SET', rows .. id, bytes, 'PXAT', deadline)
  if held.backend ~= row.backend then redis.call('ZREM', rows .. 'on:' .. held.backend, id) end
  add_entry(entries, row.backend, deadline, id)
  changes[#changes + 1] = change(id, row.version)
  return bytes
end

local number, position = 0, 1
while position <= #items do
  local id, seen, terms
  id, seen, terms, position = struct.unpack('>c16dHc0', items, position)
  if seen ~= 0 or not begin(id, terms, { 'NX' }) then
    local bytes = redis.call('GET', rows .. id)
    local held = bytes and unpack_row(bytes)
    if not held or held.version ~= seen then
      answer(number, bytes or '')
    elseif held.ended then
      -- Over a tombstone another session begins, above its version.
      beginning = struct.pack('>dI6I6', next_version(held.version), now, now)
      begin(id, terms, {})
      changes[#changes + 1] = change(id, next_version(held.version))
      answer(number, beginning .. terms)
      beginning = struct.pack('>dI6I6', microseconds, now, now)
    else
      held.bytes = bytes
      answer(number, bind_again(id, held, terms))
    end
  end
  number = number + 1
end

write_entries(entries, rows, backends)
publish_changes(channel, pool, changes)
return reply
