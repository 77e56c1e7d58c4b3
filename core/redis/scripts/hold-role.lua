-- Takes a role of the fleet when it is free, or prolongs it for its holder.
--
-- KEYS[1]  the role, a string: its holder
-- ARGV[1]  who asks
-- ARGV[2]  time to live from now on, milliseconds
-- returns  'kept', 'gained', or 'other' when somebody else holds it
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 'other' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return holder and 'kept' or 'gained'
