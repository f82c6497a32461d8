#!lua
-- Gives a live session another home without renewing it, if its row still has that version (0: whichever it has); answers the
-- shard's epoch and the row in force, '' for none.
-- KEYS epoch, backends, rows   ARGV channel, pool, id, backend, version   -> { epoch, row }
-- `rows` is what precedes the raw id in a row's key, and `on:<backend>` in an index's: all in the slot of its hash tag.
local epoch_key, backends, rows = KEYS[1], KEYS[2], KEYS[3]
local channel, pool, id, backend, version = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])

local epoch = redis.call('GET', epoch_key)
local bytes = redis.call('GET', rows .. id)
if not bytes then return { epoch, '' } end
local row = unpack_row(bytes)
local changed = version ~= 0 and row.version ~= version
if row.ended or changed or row.backend == backend then return { epoch, bytes } end

local cookies = unpack_cookies(bytes, row.cookies_at)
local last_cookie = row.ends_with_last_cookie and last_of(cookies) or nil
redis.call('ZREM', rows .. 'on:' .. row.backend, id)
row.version = next_version(row.version)
row.backend, row.backend_text = backend, string.char(#backend) .. backend
local moved = pack_row(row, cookies)
redis.call('SET', rows .. id, moved, 'KEEPTTL')
local entries = index_entries()
add_entry(entries, backend, deadline_of(row.touched, row.created, row.age, row.lifetime, last_cookie), id)
write_entries(entries, rows, backends)
publish_changes(channel, pool, { change(id, row.version) })
return { epoch, moved }
