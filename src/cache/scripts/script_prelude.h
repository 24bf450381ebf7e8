#pragma once

#include <string>
#include <string_view>

namespace partywall::cache {

// Redis has one interpreter of Lua for all its users' scripts. They cannot change its tables; but
// how cjson writes and reads, and how the collector collects, is set for everybody and for good.
// So every script of a tenant begins with this: it finds them as in a Redis that has just been
// started, whatever ran before it. It has no line of its own, so that errors name the lines that
// the tenant has written, and it leaves no name that a script could see.
inline constexpr std::string_view kScriptPrelude =
    "do local c,g=cjson,collectgarbage "
    "c.encode_sparse_array(false,2,10) c.encode_max_depth(1000) c.decode_max_depth(1000) "
    "c.encode_number_precision(14) c.encode_keep_buffer(true) c.encode_invalid_numbers(false) "
    "c.decode_invalid_numbers(true) "
    // Of newer ones.
    "if c.decode_array_with_array_mt then c.decode_array_with_array_mt(false) end "
    "g('setpause',200) g('setstepmul',200) g('restart') end ";

// What Redis gets instead of a tenant's script. A first line "#!lua …" stays the first.
std::string with_prelude(std::string_view script);

}  // namespace partywall::cache
