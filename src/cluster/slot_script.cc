#include "cluster/limit_scripts.h"

namespace partywall {

// The state: scarce until, then for each loan: node, slots, until, sequence.
const std::string_view kSlotScript = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local node, sequence = ARGV[1], tonumber(ARGV[2])
local in_use, wanted, limit = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local kLentFor, kScarceFor = 3000000, 1000000

local stored = redis.call('GET', KEYS[1])
local s = stored and cmsgpack.unpack(stored) or {0}
for i = 2, #s, 4 do
  if s[i] == node and s[i + 3] >= sequence then return {now, -1, 0} end
end
local kept, others = {s[1]}, 0
for i = 2, #s, 4 do
  if s[i] ~= node and s[i + 2] > now then
    for j = i, i + 3 do kept[#kept + 1] = s[j] end
    others = others + s[i + 1]
  end
end
local granted = math.max(in_use, math.min(wanted, math.max(limit - others, 0)))
for _, value in ipairs({node, granted, now + kLentFor, sequence}) do kept[#kept + 1] = value end
if granted < wanted then kept[1] = now + kScarceFor end
redis.call('SET', KEYS[1], cmsgpack.pack(kept), 'PX', 4000)
return {now, granted, now < kept[1] and 1 or 0}
)lua";

}  // namespace partywall
