-- Deletes what is known of a function, and publishes that. Fence, version and lease stay for a minute, so that they go on
-- growing, and a wake under way goes on.
--
-- KEYS[1]  record of the function; see acquire-lease.lua
-- ARGV[1]  channel of changes
-- ARGV[2]  who writes
-- ARGV[3]  key of the function
-- returns  version of the deletion
local function text(number) return string.format('%.0f', number) end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local record = redis.call('HMGET', KEYS[1], 'version', 'body')
local version = tonumber(record[1]) or 0
local current = record[2] and version or 0
local written = math.max(version + 1, now)
redis.call('HSET', KEYS[1], 'version', text(written))
redis.call('HDEL', KEYS[1], 'at', 'phase', 'retryAt', 'body')
redis.call('PEXPIRE', KEYS[1], 60000)
redis.call('PUBLISH', ARGV[1], cjson.encode({ 'gone', ARGV[3], text(written), text(current), ARGV[2] }))
return written
