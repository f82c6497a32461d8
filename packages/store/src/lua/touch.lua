#!lua flags=allow-oom
-- Renews the age of sessions whose row still has the version seen; answers the numbers of those that
-- are changed or ended, and -1 less the numbers of those that are gone.
-- KEYS backends, rows   ARGV items   -> { number, … }
-- `rows` is what precedes the raw id in a row's key, and `on:<backend>` in an index's: all in the slot of its hash tag.
local backends, rows = KEYS[1], KEYS[2]
local items = ARGV[1]

local stale, entries = {}, index_entries()

local function touch(id, bytes, row)
  local last_cookie = row.ends_with_last_cookie and last_of(unpack_cookies(bytes, row.cookies_at)) or nil
  local deadline = deadline_of(now, row.created, row.age, row.lifetime, last_cookie)
  redis.call('SETRANGE', rows .. id, 7, struct.pack('>I5', now - row.created))
  redis.call('PEXPIREAT', rows .. id, deadline)
  add_entry(entries, row.backend, deadline, id)
end

local number, position = 0, 1
while position <= #items do
  local id, seen
  id, seen, position = struct.unpack('>c16d', items, position)
  local bytes = redis.call('GET', rows .. id)
  local row = bytes and unpack_row(bytes)
  if row and not row.ended and row.version == seen then
    touch(id, bytes, row)
  else
    stale[#stale + 1] = row and number or -1 - number
  end
  number = number + 1
end

write_entries(entries, rows, backends)
return stale
