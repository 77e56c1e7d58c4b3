-- Gives a lease up, and tells those who wait for it.
--
-- KEYS[1]  record of the function; see acquire-lease.lua
-- ARGV[1]  holder
-- ARGV[2]  fence of the lease
-- ARGV[3]  channel of changes
-- ARGV[4]  key of the function
-- returns  1, or 0 when the lease was not held any more
local record = redis.call('HMGET', KEYS[1], 'holder', 'fence')
if record[1] ~= ARGV[1] or record[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'holder', '', 'until', '0')
redis.call('PUBLISH', ARGV[3], cjson.encode({ 'released', ARGV[4], ARGV[1] }))
return 1
