-- Gives the lease of a function to its caller, unless another holder has it, or the record answers the question already.
--
-- KEYS[1]  record of the function, a hash: fence, holder, until (end of the lease), ttl (what the lease was given for, milliseconds),
--          version, at (last write), phase, retryAt, body; times in microseconds of the server's clock
-- ARGV[1]  who asks
-- ARGV[2]  time to live of the lease, milliseconds
-- ARGV[3]  version of the record that the caller knows, 0 for none
-- ARGV[4]  fence that the new one must exceed, 0 for none; no time, and ignored, when it is more than 2^52
-- returns  {'leader', fence, 1 when an expired holder was replaced else 0, version, age in ms, body}
--          {'follower', remaining ms of the lease, 0, version, age in ms, body}
--          version 0 and an empty body when the caller knows the record
local function text(number) return string.format('%.0f', number) end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local record = redis.call('HMGET', KEYS[1], 'fence', 'holder', 'until', 'version', 'at', 'phase', 'retryAt', 'body',
  'ttl')
local fence, holder, untilAt = tonumber(record[1]) or 0, record[2] or '', tonumber(record[3]) or 0
local version, body = tonumber(record[4]) or 0, record[8]

local isNews = body and version > tonumber(ARGV[3])
local news = { 0, 0, '' }
if isNews then
  news = { version, math.max(0, math.floor((now - tonumber(record[5])) / 1000)), body }
end

local phase = record[6]
local refused = (phase == 'failed' or phase == 'absent') and tonumber(record[7]) > now
if isNews and (phase == 'ready' or refused) then return { 'follower', 0, 0, news[1], news[2], news[3] } end

-- A clock that is behind the one that set the end, as a replica's after a failover, would prolong the lease of a dead holder:
-- what seems to last longer than it was given for is over.
local remaining = untilAt - now
local isHeld = holder ~= '' and remaining > 0 and remaining <= (tonumber(record[9]) or 0) * 1000
-- A holder that asks again has lost the answer to its first question: it gets a new fence.
if isHeld and holder ~= ARGV[1] then
  return { 'follower', math.ceil(remaining / 1000), 0, news[1], news[2], news[3] }
end

local ttl = tonumber(ARGV[2])
local above = tonumber(ARGV[4])
-- Beyond 2^53 numbers are not exact any more: all later fences of the function would be lost.
if above > 2 ^ 52 then above = 0 end
fence = math.max(fence + 1, now, above + 1)
redis.call('HSET', KEYS[1], 'fence', text(fence), 'holder', ARGV[1], 'until', text(now + ttl * 1000), 'ttl', ARGV[2])
-- A record without a body, or one that was to expire soon, must outlive the lease.
local expiry = redis.call('PTTL', KEYS[1])
if not body or (expiry >= 0 and expiry < ttl * 10) then redis.call('PEXPIRE', KEYS[1], ttl * 10) end
local tookOver = 0
if holder ~= '' and holder ~= ARGV[1] then tookOver = 1 end
return { 'leader', fence, tookOver, news[1], news[2], news[3] }
