#!lua flags=allow-oom
-- Ends a session, if its row still has that version (0: whichever it has): a tombstone takes its place; answers 0 when there was
-- no such live session.
-- KEYS rows, epoch   ARGV channel, pool, id, version   -> 1 | 0
-- `rows` is what precedes the raw id in a row's key, and `on:<backend>` in an index's: all in the slot of its hash tag.
-- The epoch is a key beside: while a slot moves, a script of several keys is refused where they are not together, so that
-- a row on its way is never taken for none.
local rows, _ = KEYS[1], KEYS[2]
local channel, pool, id, version = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local bytes = redis.call('GET', rows .. id)
if not bytes then return 0 end
local row = unpack_row(bytes)
if row.ended or (version ~= 0 and row.version ~= version) then return 0 end
publish_changes(channel, pool, { change(id, bury(rows, id, row)) })
return 1
