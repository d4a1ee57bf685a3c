#!lua
--[[
Ends a recovery: the journal goes on with an entry that says so, the first of the new epoch, and gates may open.

KEYS
  1 epoch       string  the epoch in force
  2 recovering  string  the epoch whose recovery is under way
  3 journal     stream  empty; the entry is appended
  4 forgotten   string  "epoch-sequence": whoever read an order of MariaDB before this entry must read it again

ARGV
  1 epoch      integer  of this recovery
  2 committed  string   "epoch-sequence": how far MariaDB has the journal of older epochs
  3 entry      string   MessagePack: the entry, kind `recovery` (docs/DATA.md)

REPLY string: the entry's id.

ERRORS (nothing is changed): MALFORMED, FENCED.

COST MGET, XADD, SET, DEL.
]]
local epoch, recovering = unpack(redis.call('MGET', KEYS[1], KEYS[2]))
if epoch ~= ARGV[1] or recovering ~= ARGV[1] then
  return redis.error_reply('FENCED another recovery has taken over, or it is over')
end
if not string.match(ARGV[2] or '', '^%d+%-%d+$') or (ARGV[3] or '') == '' then
  return redis.error_reply('MALFORMED what is committed is no journal id, or there is no entry')
end
local id = redis.call('XADD', KEYS[3], epoch .. '-*', 'entry', ARGV[3])
redis.call('SET', KEYS[4], ARGV[2])
redis.call('DEL', KEYS[2])
return id
