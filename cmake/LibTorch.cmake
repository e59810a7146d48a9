# LibTorch from the pinned wheels that cmake/fetch_libtorch.sh unpacked.
#
# find_package(Torch) would link libtorch_cuda and with it every CUDA library; the CPU part needs only
# libtorch_cpu, libc10 and the two CUDA libraries that its RPATH finds beside it.
set(MUSTER_LIBTORCH_DIR "${CMAKE_SOURCE_DIR}/.deps/libtorch" CACHE PATH
    "Where cmake/fetch_libtorch.sh put torch/ and nvidia/")
set(torch_dir "${MUSTER_LIBTORCH_DIR}/torch")
if(EXISTS "${torch_dir}/lib/libtorch_cpu.so")
  set(MUSTER_HAVE_TORCH TRUE)
  add_library(muster_torch INTERFACE)
  add_library(muster::torch ALIAS muster_torch)
  target_include_directories(muster_torch SYSTEM INTERFACE
    "${torch_dir}/include" "${torch_dir}/include/torch/csrc/api/include")
  target_link_libraries(muster_torch INTERFACE "${torch_dir}/lib/libtorch_cpu.so"
                                               "${torch_dir}/lib/libc10.so")
  target_link_options(muster_torch INTERFACE -Wl,--allow-shlib-undefined
                                             -Wl,-rpath,${torch_dir}/lib)
else()
  set(MUSTER_HAVE_TORCH FALSE)
  message(STATUS "No LibTorch in ${MUSTER_LIBTORCH_DIR}: the trainer is not built. "
                 "cmake/fetch_libtorch.sh fetches it.")
endif()
