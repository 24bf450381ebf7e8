#include "cluster/limit_scripts.h"

namespace partywall {

const std::string_view kNodeScript = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local node, state, away = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local kAliveFor, kServedWithin, kEpochAfter = 3000000, 550000, 1500000

for i = 1, 2 do
  if i == 1 or state == 2 then
    redis.call('ZADD', KEYS[i], now, node)
  else
    redis.call('ZREM', KEYS[i], node)
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now - kAliveFor)
end
local stored = redis.call('GET', KEYS[3])
local decided, epoch = 0, 0
if stored then decided, epoch = unpack(cmsgpack.unpack(stored)) end
if state == 1 then
  local others = redis.call('ZCOUNT', KEYS[2], string.format('(%.0f', now - kServedWithin), '+inf')
  if others == 0 and not (epoch > 0 and decided >= now - away) then
    epoch = now + kEpochAfter
    redis.call('SET', KEYS[3], cmsgpack.pack({now, epoch}))
  end
end
return {now, redis.call('ZCARD', KEYS[1]), epoch}
)lua";

}  // namespace partywall
