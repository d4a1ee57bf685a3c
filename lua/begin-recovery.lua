#!lua
--[[
Begins a new epoch, in which Redis is rebuilt: from here on every call of an older epoch is fenced off, and no gate
opens. A recovery that was broken off is taken over by a newer epoch.

KEYS
  1 epoch       string  the epoch in force
  2 recovering  string  the epoch whose recovery is under way

ARGV
  1 epoch  integer  the one that begins; newer than any that was ever in force

REPLY integer: 1.

ERRORS (nothing is changed): MALFORMED, FENCED.

COST GET, SET x 2.
]]
local epoch = tonumber(string.match(ARGV[1] or '', '^%d+$'))
if not epoch then
  return redis.error_reply('MALFORMED the epoch is not a whole number')
end
local current = tonumber(redis.call('GET', KEYS[1]) or 0)
if not current or current >= epoch then
  return redis.error_reply('FENCED the epoch is ' .. (current or 'spoilt') .. ' already')
end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('SET', KEYS[1], ARGV[1])
return 1
