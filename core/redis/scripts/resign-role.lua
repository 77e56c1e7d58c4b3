-- Gives a role of the fleet up.
--
-- KEYS[1]  the role; see hold-role.lua
-- ARGV[1]  holder
-- returns  1, or 0 when it was not held any more
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
