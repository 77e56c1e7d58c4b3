-- Proves that this part of the store takes writes, and has a message sent to who asks.
--
-- KEYS[1]  a key beside the record in question
-- ARGV[1]  channel that only the asker listens to
-- ARGV[2]  message
-- returns  1
redis.call('SET', KEYS[1], ARGV[2], 'PX', 5000)
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1
