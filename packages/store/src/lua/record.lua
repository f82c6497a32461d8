#!lua
-- Notes cookies that responses set for live sessions; a session that ends with its last cookie ends when that is dropped.
-- KEYS backends, rows   ARGV channel, pool, items   -> 1
-- `rows` is what precedes the raw id in a row's key, and `on:<backend>` in an index's: all in the slot of its hash tag.
local backends, rows = KEYS[1], KEYS[2]
local channel, pool, items = ARGV[1], ARGV[2], ARGV[3]

local entries, changes = index_entries(), {}

local function record(id, bytes, row, set)
  local held = unpack_cookies(bytes, row.cookies_at)
  local cookies = merge_cookies(held, set, row.created)
  if row.ends_with_last_cookie and #held > 0 and #cookies == 0 then
    changes[#changes + 1] = change(id, bury(rows, id, row))
    return
  end
  if not row.ends_with_last_cookie then
    redis.call('SET', rows .. id, pack_row(row, cookies), 'KEEPTTL')
    return
  end
  local before = deadline_of(row.touched, row.created, row.age, row.lifetime, last_of(held))
  local deadline = deadline_of(row.touched, row.created, row.age, row.lifetime, last_of(cookies))
  redis.call('SET', rows .. id, pack_row(row, cookies), 'PXAT', deadline)
  add_entry(entries, row.backend, deadline, id)
  -- Whoever holds the row would honour it too long; its version stays, so what is stale lies below the next one.
  if deadline < before then changes[#changes + 1] = change(id, row.version + 1) end
end

local position = 1
while position <= #items do
  local id, set
  id, set, position = struct.unpack('>c16Hc0', items, position)
  local bytes = redis.call('GET', rows .. id)
  local row = bytes and unpack_row(bytes)
  if row and not row.ended then record(id, bytes, row, unpack_cookies(set, 1)) end
end

write_entries(entries, rows, backends)
publish_changes(channel, pool, changes)
return 1
