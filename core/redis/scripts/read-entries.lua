-- Reads some of the entries, those that are over left out.
--
-- KEYS[1]  entries; see put-entry.lua
-- KEYS[2]  when entries are over
-- ARGV[1]  where to go on: 0 at first, then what the last call returned
-- ARGV[2]  about how many
-- returns  {where to go on, 0 at the end, {key, rank and body, milliseconds left, key, ...}}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local found = {}
for at = 1, #page[2], 2 do
  local left = tonumber(redis.call('ZSCORE', KEYS[2], page[2][at]) or '0') - now
  if left > 0 then
    found[#found + 1] = page[2][at]
    found[#found + 1] = page[2][at + 1]
    found[#found + 1] = left
  end
end
return { page[1], found }
