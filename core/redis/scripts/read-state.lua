-- Reads the record of a function.
--
-- KEYS[1]  record of the function; see acquire-lease.lua
-- returns  {version, age in ms, body}; version 0 for no record
local record = redis.call('HMGET', KEYS[1], 'version', 'at', 'body')
if not record[3] then return { 0, 0, '' } end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
return { tonumber(record[1]), math.max(0, math.floor((now - tonumber(record[2])) / 1000)), record[3] }
