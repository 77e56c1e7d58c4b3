-- Prolongs entries, and publishes that. Others that are over are removed in passing, a hundred at a time.
--
-- KEYS[1]  entries; see put-entry.lua
-- KEYS[2]  when entries are over
-- ARGV[1]  channel of changes
-- ARGV[2]  who renews
-- ARGV[3]  time to live from now on, milliseconds
-- ARGV[4]  note for those who hear of it
-- ARGV[5]  keys of the entries, a JSON array of texts
-- returns  keys of those that there are not, or that were over
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, over in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, 100)) do
  redis.call('HDEL', KEYS[1], over)
  redis.call('ZREM', KEYS[2], over)
end

local ends = string.format('%.0f', now + ARGV[3])
local missing = {}
for _, key in ipairs(cjson.decode(ARGV[5])) do
  if tonumber(redis.call('ZSCORE', KEYS[2], key) or '0') > now then
    redis.call('ZADD', KEYS[2], ends, key)
  else
    missing[#missing + 1] = key
  end
end
redis.call('PEXPIRE', KEYS[1], 1200000)
redis.call('PEXPIRE', KEYS[2], 1200000)
redis.call('PUBLISH', ARGV[1], cjson.encode({ 'renewed', ARGV[2], ARGV[3], ARGV[4], ARGV[5] }))
return missing
