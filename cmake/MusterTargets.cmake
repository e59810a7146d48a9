# The standard headers, and GoogleTest's for tests, parsed once: half of most files' time is theirs. Each file still includes
# what it uses; builds with -DMUSTER_PRECOMPILE=OFF do without.
option(MUSTER_PRECOMPILE "Precompile the headers of the standard library and of GoogleTest" ON)
if(MUSTER_PRECOMPILE)
  file(WRITE "${CMAKE_BINARY_DIR}/precompiled.cc" "")
  set(standard_headers <algorithm> <array> <atomic> <bit> <chrono> <cmath> <concepts> <cstdint> <cstdio> <deque> <filesystem>
      <functional> <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread> <tuple> <utility> <variant>
      <vector>)
  add_library(muster_precompiled OBJECT "${CMAKE_BINARY_DIR}/precompiled.cc")
  target_link_libraries(muster_precompiled PRIVATE muster_flags)
  target_precompile_headers(muster_precompiled PRIVATE ${standard_headers})
endif()
# As `from` was: muster_precompiled, or muster_precompiled_tests.
function(muster_precompile target from)
  if(MUSTER_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()

# A target whose code spends its time waiting, or in other libraries: a release build compiles it in three quarters of the time.
function(muster_compile_fast target)
  target_compile_options(${target} PRIVATE $<$<AND:$<CONFIG:Release>,$<NOT:$<COMPILE_LANGUAGE:CUDA>>>:-O1>)
endfunction()

# muster_library(NAME [COLD] SOURCES … [DEPENDS …] [PRIVATE_DEPENDS …]): static library
# muster_NAME, alias muster::NAME. COLD: no loop of it matters, see muster_compile_fast().
function(muster_library name)
  cmake_parse_arguments(arg "COLD" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(muster_${name} STATIC ${arg_SOURCES})
  add_library(muster::${name} ALIAS muster_${name})
  target_link_libraries(muster_${name} PUBLIC muster_flags ${arg_DEPENDS}
                                       PRIVATE ${arg_PRIVATE_DEPENDS})
  if(arg_COLD)
    muster_compile_fast(muster_${name})
  endif()
  muster_precompile(muster_${name} muster_precompiled)
endfunction()

# `cmake --build BUILD --target tests_LABEL` builds what `ctest -L LABEL` runs.
function(muster_add_to_label label target)
  if(NOT TARGET tests_${label})
    add_custom_target(tests_${label})
  endif()
  add_dependencies(tests_${label} ${target})
endfunction()

# muster_test(NAME SOURCES … [DEPENDS …] [LABELS …]): one GoogleTest program, one ctest entry per test
# case, run in the build folder of the test with MUSTER_SOURCE_DIR known to the code.
function(muster_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(MUSTER_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 10")
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE muster_flags ${arg_DEPENDS} GTest::gtest GTest::gmock
                                        GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE MUSTER_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             MUSTER_BINARY_DIR="${CMAKE_BINARY_DIR}")
  foreach(label IN LISTS arg_LABELS)
    muster_add_to_label(${label} ${name})
  endforeach()
  muster_compile_fast(${name})
  muster_precompile(${name} muster_precompiled_tests)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()

# muster_fuzz(NAME SOURCES … [DEPENDS …]): a decoder's fuzz target. Under clang with MUSTER_FUZZ=ON it is
# a libFuzzer program; everywhere it also replays tests/fuzz/corpus/NAME under ctest.
option(MUSTER_FUZZ "Build libFuzzer programs (clang)" OFF)
function(muster_fuzz name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(fuzz_${name} ${arg_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE muster_flags ${arg_DEPENDS})
  if(MUSTER_FUZZ)
    target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address,undefined)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  else()
    target_sources(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc")
    add_test(NAME fuzz_${name} COMMAND fuzz_${name} "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}")
    set_tests_properties(fuzz_${name} PROPERTIES LABELS "fuzz" TIMEOUT 120)
    muster_add_to_label(fuzz fuzz_${name})
  endif()
endfunction()
