-- Writes the record of a function under a condition, and publishes it.
--
-- KEYS[1]  record of the function; see acquire-lease.lua
-- ARGV[1]  condition: 'fence' wants no larger fence than this one, 'version' wants exactly this version (0 for no record)
-- ARGV[2]  value of the condition
-- ARGV[3]  channel of changes
-- ARGV[4]  who writes
-- ARGV[5]  key of the function
-- ARGV[6]  phase
-- ARGV[7]  milliseconds until another try is allowed, 0 unless failed or absent
-- ARGV[8]  milliseconds until the record may be forgotten, 0 to keep it
-- ARGV[9]  body
-- returns  {1, new version, 0, ''}, or {0, version, age in ms, body} of what stands instead; version 0 for no record
local function text(number) return string.format('%.0f', number) end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local record = redis.call('HMGET', KEYS[1], 'fence', 'version', 'at', 'body', 'until', 'holder')
local fence, version, body = tonumber(record[1]) or 0, tonumber(record[2]) or 0, record[4]
local value = tonumber(ARGV[2])

-- The version of a record that was forgotten stays, so that the next one is larger; to a writer it counts as none.
local current = body and version or 0
local isRefused
if ARGV[1] == 'fence' then isRefused = value < fence else isRefused = value ~= current end
if isRefused then
  if not body then return { 0, 0, 0, '' } end
  return { 0, version, math.max(0, math.floor((now - tonumber(record[3])) / 1000)), body }
end

if ARGV[1] == 'fence' then fence = value end
local written = math.max(version + 1, now)
redis.call('HSET', KEYS[1], 'fence', text(fence), 'version', text(written), 'at', text(now), 'phase', ARGV[6],
  'retryAt', text(now + ARGV[7] * 1000), 'body', ARGV[9])
if ARGV[8] == '0' then
  redis.call('PERSIST', KEYS[1])
else
  local leased = math.ceil((tonumber(record[5] or '0') - now) / 1000)
  redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[8]), leased, 1))
end
redis.call('PUBLISH', ARGV[3], cjson.encode({ 'state', ARGV[5], text(written), text(current), ARGV[4], ARGV[9] }))
return { 1, written, 0, '' }
