# Flags of all our targets. Arithmetic that peers must agree on is done in plain IEEE order, so
# contraction to fused multiply-add is off; only the kernels of training, which nobody has to agree on, turn it on.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(MUSTER_CCACHE ccache)
if(MUSTER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without these it does not cache what is compiled with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${MUSTER_CCACHE})
endif()

find_program(MUSTER_MOLD mold)
if(MUSTER_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

option(MUSTER_WERROR "Warnings are errors" OFF)
set(MUSTER_SANITIZE "" CACHE STRING "Sanitizers, e.g. address;undefined or thread")

add_library(muster_flags INTERFACE)
target_include_directories(muster_flags INTERFACE "${CMAKE_SOURCE_DIR}")
set(warnings -Wall -Wextra -Wconversion -Wshadow
    # A short initializer leaves the rest at the defaults that the struct states.
    -Wno-missing-field-initializers
    $<$<BOOL:${MUSTER_WERROR}>:-Werror>
    # GCC 12 sees overflows in its own vector code at -O3 (GCC bug 105329 and kin).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
target_compile_options(muster_flags INTERFACE
  "$<$<NOT:$<COMPILE_LANGUAGE:CUDA>>:${warnings};-ffp-contract=off>")
# GCC collects garbage less often: 6 % of the time that compiling takes, for up to 0.4 GB more a source file.
target_compile_options(muster_flags INTERFACE
  "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<COMPILE_LANGUAGE:CUDA>>>:--param=ggc-min-heapsize=600000>")
if(MUSTER_SANITIZE)
  string(REPLACE ";" "," sanitizers "${MUSTER_SANITIZE}")
  target_compile_options(muster_flags INTERFACE
    "$<$<NOT:$<COMPILE_LANGUAGE:CUDA>>:-fsanitize=${sanitizers};-fno-sanitize-recover=all;-fno-omit-frame-pointer>")
  target_link_options(muster_flags INTERFACE -fsanitize=${sanitizers})
endif()
