-- Prolongs a lease, also one that has expired while nobody else asked for it.
--
-- KEYS[1]  record of the function; see acquire-lease.lua
-- ARGV[1]  holder
-- ARGV[2]  fence of the lease
-- ARGV[3]  time to live from now on, milliseconds
-- returns  1, or 0 when the lease is not held any more
local record = redis.call('HMGET', KEYS[1], 'holder', 'fence')
if record[1] ~= ARGV[1] or record[2] ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local untilAt = time[1] * 1000000 + time[2] + ARGV[3] * 1000
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', untilAt), 'ttl', ARGV[3])
local expiry = redis.call('PTTL', KEYS[1])
if expiry >= 0 and expiry < ARGV[3] * 10 then redis.call('PEXPIRE', KEYS[1], ARGV[3] * 10) end
return 1
