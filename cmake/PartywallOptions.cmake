# Compiler flags, sanitizers, ccache and the libraries that every build needs.

option(PARTYWALL_BUILD_TESTS "Build the unit tests" ON)
option(PARTYWALL_BUILD_FUZZERS "Build the libFuzzer targets (clang, preset fuzz)" OFF)
set(PARTYWALL_SANITIZE "" CACHE STRING "Comma-separated sanitizers: address,undefined or thread")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
# Assertions stay on in optimised builds: a broken invariant of a tenant boundary must stop at once.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Depend mode asks the compiler for what a file includes. Without it ccache runs the preprocessor first, which
  # cannot use a precompiled header: a build from nothing takes half as long again (with it, a seventh).
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros
      ${CCACHE_PROGRAM})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wno-missing-designated-field-initializers -Wnon-virtual-dtor -Wimplicit-fallthrough -Werror=return-type
                    -fno-omit-frame-pointer -fstack-protector-strong)
if(CCACHE_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Xclang -fno-pch-timestamp)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)
find_program(LLD_PROGRAM NAMES ld.lld-19)
if(LLD_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(-fuse-ld=lld)
endif()
if(PARTYWALL_SANITIZE)
  add_compile_options(-fsanitize=${PARTYWALL_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PARTYWALL_SANITIZE})
endif()
if(PARTYWALL_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_package(fmt 9 REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CURL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)  # its header alone: the hash is inlined
