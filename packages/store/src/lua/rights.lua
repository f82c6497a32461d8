#!lua flags=no-writes
-- Answers for each command whether its caller may run it: 1 or 0. Runs none of them.
-- KEYS key   ARGV { words, word… }…   -> { 1 | 0, … }
local key = KEYS[1]

local allowed, position = {}, 1
while position <= #ARGV do
  local count = tonumber(ARGV[position])
  -- One that was renamed or taken away is an error.
  local known, may = pcall(redis.acl_check_cmd, unpack(ARGV, position + 1, position + count))
  allowed[#allowed + 1] = known and may and 1 or 0
  position = position + 1 + count
end
return allowed
