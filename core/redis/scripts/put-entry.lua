-- Puts an entry that is over after some time, and publishes it; one that stands as it is given is prolonged only. Others that
-- are over are removed in passing, a hundred at a time.
--
-- KEYS[1]  entries, a hash: rank and body by key, separated by a space
-- KEYS[2]  when entries are over, a sorted set: milliseconds since the Unix epoch by key
-- ARGV[1]  channel of changes
-- ARGV[2]  who writes
-- ARGV[3]  key of the entry
-- ARGV[4]  rank
-- ARGV[5]  time to live from now on, milliseconds
-- ARGV[6]  body
-- returns  1, or 0 when an entry of a larger rank stands in its place
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, over in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, 100)) do
  redis.call('HDEL', KEYS[1], over)
  redis.call('ZREM', KEYS[2], over)
end

local entry = ARGV[4] .. ' ' .. ARGV[6]
local stored = redis.call('HGET', KEYS[1], ARGV[3])
if stored and tonumber(redis.call('ZSCORE', KEYS[2], ARGV[3]) or '0') <= now then stored = false end
if stored and tonumber(string.match(stored, '^%d+') or '0') > tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[5]), ARGV[3])
if stored ~= entry then
  redis.call('HSET', KEYS[1], ARGV[3], entry)
  redis.call('PUBLISH', ARGV[1], cjson.encode({ 'entry', ARGV[3], ARGV[2], ARGV[4], ARGV[5], ARGV[6] }))
end
-- Longer than any entry lives: what nobody removes in passing any more goes with the whole.
redis.call('PEXPIRE', KEYS[1], 1200000)
redis.call('PEXPIRE', KEYS[2], 1200000)
return 1
