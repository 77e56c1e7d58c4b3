-- Removes an entry, and publishes that.
--
-- KEYS[1]  entries; see put-entry.lua
-- KEYS[2]  when entries are over
-- ARGV[1]  channel of changes
-- ARGV[2]  who removes
-- ARGV[3]  key of the entry
-- returns  1, or 0 when there was none, or it was over
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[3]) or '0')
redis.call('HDEL', KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[3])
if ends <= now then return 0 end
redis.call('PUBLISH', ARGV[1], cjson.encode({ 'entry_gone', ARGV[3], ARGV[2] }))
return 1
