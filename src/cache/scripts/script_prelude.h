#pragma once

#include <string>
#include <string_view>

// Redis has one interpreter of Lua for all its users' scripts. So every script of a tenant begins
// with a prelude: it takes back what scripts before it have changed for everybody, and takes away
// what would reach beyond the tenant. It has no line of its own, so that errors name the lines that
// the tenant has written.
namespace partywall::cache {

// Scripts cannot change the interpreter's tables; but how cjson writes and reads, and how the
// collector collects, is set for everybody and for good. A script finds them as in a Redis that has
// just been started, whatever ran before it. Leaves no name that a script could see.
inline constexpr std::string_view kScriptPrelude =
    "do local c,g=cjson,collectgarbage "
    "c.encode_sparse_array(false,2,10) c.encode_max_depth(1000) c.decode_max_depth(1000) "
    "c.encode_number_precision(14) c.encode_keep_buffer(true) c.encode_invalid_numbers(false) "
    "c.decode_invalid_numbers(true) "
    // Of newer ones.
    "if c.decode_array_with_array_mt then c.decode_array_with_array_mt(false) end "
    "g('setpause',200) g('setstepmul',200) g('restart') end ";

// Of scripts that use random numbers: one before it may have chosen which ones come next.
inline constexpr std::string_view kFreshRandomNumbers =
    "do local t=redis.call('TIME') math.randomseed((t[1]*1000000+t[2])%2147483647) end ";

// Of scripts that may reach these two: `redis.log`, which would let a tenant write into the log of
// Redis whatever it likes, and `redis.set_repl`, which would have replicas keep what the server,
// which is the one that counts, has no more. The names get other values, within the script and
// within what it loads: there is no other way to the tables that they stand for.
inline constexpr std::string_view kHarmlessLibrary =
    "local redis,_G,load,loadstring=(function(R,G,S) "
    "local r,g={},{} for k,v in pairs(R) do r[k]=v end for k,v in pairs(G) do g[k]=v end "
    "r.log=function() end "
    "r.set_repl=function(to) if to~=R.REPL_ALL then "
    "error('redis.set_repl is not available here: replicas keep what this server keeps',2) "
    "end end "
    "local l,s "
    // What is no program by itself must not become one by what stands around it.
    "s=function(t,n) local f,e=S(t,n) if not f then return f,e end "
    "return S('local redis,_G,load,loadstring=... return function(...) '..t..'\\nend',n or t)"
    "(r,g,l,s) end "
    "l=function(f,n) local p={} for x in f do if x=='' then break end p[#p+1]=x end "
    "return s(table.concat(p),n or '=(load)') end "
    "g.redis,g._G,g.load,g.loadstring=r,g,l,s "
    "setmetatable(g,{__metatable={},__newindex=function() "
    "error('Attempt to modify a readonly table',2) end,__index=function(_,k) "
    "error('Script attempted to access nonexistent global variable \\''..tostring(k)..'\\'',2) "
    "end}) "
    "return r,g,l,s end)(redis,_G,loadstring) ";

// What Redis gets instead of a tenant's script. A first line "#!lua …" stays the first.
std::string with_prelude(std::string_view script);

}  // namespace partywall::cache
