#include "cluster/limit_scripts.h"

namespace partywall {

// The state: arrival, epoch, then for each loan: node, held, until, sequence. Numbers are whole and
// below 2^53, so Lua's doubles hold them exactly.
const std::string_view kRateScript = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local node, sequence = ARGV[1], tonumber(ARGV[2])
local held, returned, wanted = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local lent_for, epoch, deposit = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local interval, burst = tonumber(ARGV[10]) / tonumber(ARGV[9]), tonumber(ARGV[11])
local kSlack = 1000000

local stored = redis.call('GET', KEYS[1])
local s = stored and cmsgpack.unpack(stored) or {0, 0}
local function time_of(tokens) return math.ceil(tokens * interval) end
local function lent()
  local sum = 0
  for i = 3, #s, 4 do sum = sum + s[i + 1] end
  return time_of(sum)
end
local function own()
  for i = 3, #s, 4 do if s[i] == node then return i end end
end

local mine = own()
if mine and s[mine + 3] >= sequence then return {now, 0, 0, 0, 0} end

local tolerance = time_of(burst)
if s[1] == 0 then s[1] = now end
if s[1] > now + tolerance + kSlack then s[1] = now + tolerance end
if epoch > s[2] then
  s[1] = math.max(s[1], epoch + tolerance)
  s[2] = epoch
end
local last = 0
for i = 3, #s, 4 do if s[i + 2] <= now and s[i + 2] > last then last = s[i + 2] end end
if last > 0 then
  s[1] = math.max(s[1], last + lent())
  local kept = {s[1], s[2]}
  for i = 3, #s, 4 do
    if s[i + 2] > now then for j = i, i + 3 do kept[#kept + 1] = s[j] end end
  end
  s = kept
  mine = own()
end
s[1] = math.max(s[1], now + lent())

if not mine then
  mine = #s + 1
  s[mine], s[mine + 1], s[mine + 2], s[mine + 3] = node, held, 0, 0
  s[1] = math.max(s[1], now + lent())
end
held = math.min(held, s[mine + 1])
returned = math.min(returned, s[mine + 1] - held)
s[mine + 1], s[mine + 3] = held, sequence
s[1] = math.max(s[1] - math.floor((returned + deposit) * interval), now + lent())

local available = math.floor((now + tolerance - s[1]) / interval)
local granted = math.max(0, math.min(available, wanted))
s[1] = s[1] + time_of(granted)
s[mine + 1], s[mine + 2] = held + granted, now + lent_for

local whole = s[1]
for i = 3, #s, 4 do whole = math.max(whole, s[i + 2] + lent()) end
redis.call('SET', KEYS[1], cmsgpack.pack(s), 'PX', math.ceil((whole - now) / 1000) + 1000)
return {now, granted, math.max(available - granted, 0),
        math.max(s[1] + time_of(1) - tolerance - now, 0), s[1] - now}
)lua";

}  // namespace partywall
