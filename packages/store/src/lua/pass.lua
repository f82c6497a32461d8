#!lua flags=allow-oom
-- Notes that a node process has passed a barrier, if that was raised: whoever publishes what he likes adds no key.
-- KEYS barrier   ARGV instance   -> 1 | 0
local barrier = KEYS[1]
local instance = ARGV[1]

if redis.call('EXISTS', barrier) == 0 then return 0 end
redis.call('APPEND', barrier, instance)
return 1
