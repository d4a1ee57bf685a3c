#!lua
--[[
Writes a page of what a recovery rebuilds. A recovery that was held up and overtaken by another writes nothing any more.

KEYS
  1 recovering  string  the epoch whose recovery is under way
  2 target      any     what the page is of

ARGV
  1 epoch    integer  of this recovery
  2 command  string   UNLINK (the page is empty), SET, HSET or ZADD
  3 value    string   the first of what the command takes after its key; the others follow. None with UNLINK. Not one packed
                      argument: cmsgpack has no bytes, only text, and some values are bytes

REPLY integer: values written.

ERRORS (nothing is changed): MALFORMED, FENCED.

COST GET and one command of at most 7,800 values: unpack() fails past about 8,000.
]]
local MAX_VALUES = 7800

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED another recovery has taken over, or it is over')
end
local takes_values = { UNLINK = false, SET = true, HSET = true, ZADD = true }
if takes_values[ARGV[2]] ~= (ARGV[3] ~= nil) or #ARGV > MAX_VALUES + 2 then
  return redis.error_reply('MALFORMED the command is none of a recovery, or has too many values or none')
end
redis.call(ARGV[2], KEYS[2], unpack(ARGV, 3))
return #ARGV - 2
