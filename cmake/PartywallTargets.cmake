# One static library per folder under src/, one unit-test binary per folder under tests/unit/.
# A file in a folder belongs to its library: nothing has to be listed twice.

# What nearly every file includes, itself or by another header, compiled once and reused by all targets: reading
# headers is a third of what a file takes to compile. The layers that know tenants get the directory too.
set(partywall_precompiled_headers
  <algorithm> <array> <atomic> <charconv> <chrono> <coroutine> <cstdint> <cstring> <deque> <expected> <filesystem>
  <functional> <list> <map> <memory> <mutex> <optional> <random> <set> <span> <stdexcept> <string> <string_view>
  <thread> <unordered_map> <unordered_set> <utility> <variant> <vector> <fmt/format.h>
  ${CMAKE_SOURCE_DIR}/src/base/endpoint.h ${CMAKE_SOURCE_DIR}/src/base/result.h ${CMAKE_SOURCE_DIR}/src/base/time.h)
set(partywall_precompiled_tenancy ${CMAKE_SOURCE_DIR}/src/tenancy/directory.h)

function(partywall_precompile target)  # HEADER...
  add_library(${target} STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC fmt::fmt)
endfunction()
partywall_precompile(partywall_base_pch ${partywall_precompiled_headers})
partywall_precompile(partywall_tenancy_pch ${partywall_precompiled_headers} ${partywall_precompiled_tenancy})

# partywall_layer(<folder> [USES <folder>...] [LIBRARIES <target>...])
function(partywall_layer folder)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/cli/(main|commands_[a-z]+)\\.cc$")  # the program's own
  if(NOT sources)  # nothing there yet
    return()
  endif()
  add_library(partywall_${folder} STATIC ${sources})
  if(tenancy IN_LIST ARG_USES)
    target_precompile_headers(partywall_${folder} REUSE_FROM partywall_tenancy_pch)
  else()
    target_precompile_headers(partywall_${folder} REUSE_FROM partywall_base_pch)
  endif()
  target_include_directories(partywall_${folder} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(partywall_${folder} PUBLIC fmt::fmt Threads::Threads PRIVATE ${ARG_LIBRARIES})
  foreach(used ${ARG_USES})
    if(TARGET partywall_${used})
      target_link_libraries(partywall_${folder} PUBLIC partywall_${used})
    endif()
  endforeach()
  add_dependencies(partywall_${folder} check_layers)
endfunction()

# partywall_unit_test(<folder> [LIBRARIES <target>...]): tests/unit/<folder>/*_test.cc
function(partywall_unit_test folder)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${folder}/*.cc)
  if(NOT sources OR NOT TARGET partywall_${folder})
    return()
  endif()
  add_executable(unit_${folder} ${sources})
  target_precompile_headers(unit_${folder} REUSE_FROM partywall_gtest_pch)
  target_include_directories(unit_${folder} PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(unit_${folder} PRIVATE PARTYWALL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(unit_${folder} PRIVATE partywall_${folder} partywall_test_support ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  add_dependencies(test_programs unit_${folder})
  gtest_discover_tests(unit_${folder} TEST_PREFIX ${folder}. DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 600)
endfunction()

# partywall_fuzz(<name> LIBRARIES <target>...): tests/fuzz/<name>_fuzz.cc, seeds in tests/fuzz/corpus/<name>
function(partywall_fuzz name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  add_executable(fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cc)
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_LIBRARIES})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets fuzz_${name})
endfunction()
