# The libzmq that cmake/fetch_libzmq.sh built: Debian's sources with the patches of cmake/patches, linked statically.
# The system's libzmq, which cppzmq-dev depends on, is not used: a peer can end it.
file(GLOB zmq_inputs "${CMAKE_SOURCE_DIR}/cmake/patches/libzmq-*.patch")
list(SORT zmq_inputs)
set(zmq_key "")
foreach(input "${CMAKE_SOURCE_DIR}/cmake/patches/zeromq3.sha256" ${zmq_inputs} "${CMAKE_SOURCE_DIR}/cmake/fetch_libzmq.sh")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${input}")
  file(SHA256 "${input}" hash)
  string(APPEND zmq_key "${hash}\n")
endforeach()
string(SHA256 zmq_key "${zmq_key}")
string(SUBSTRING "${zmq_key}" 0 16 zmq_key)

set(MUSTER_DEPS_DIR "${CMAKE_SOURCE_DIR}/.deps" CACHE PATH "Where cmake/fetch_libzmq.sh put libzmq")
set(zmq_dir "${MUSTER_DEPS_DIR}/libzmq-${zmq_key}")
if(MUSTER_SANITIZE STREQUAL "thread")
  string(APPEND zmq_dir "-thread")  # ThreadSanitizer must see both sides of a lock
endif()
if(NOT EXISTS "${zmq_dir}/lib/libzmq.a")
  message(FATAL_ERROR "There is no patched libzmq in ${zmq_dir}: run cmake/setup_debian.sh, or cmake/fetch_libzmq.sh "
                      "alone, which build it.")
endif()
find_path(MUSTER_CPPZMQ_DIR zmq.hpp REQUIRED)
find_package(Threads REQUIRED)

add_library(muster_zmq STATIC IMPORTED)
add_library(muster::zmq ALIAS muster_zmq)
set_target_properties(muster_zmq PROPERTIES IMPORTED_LOCATION "${zmq_dir}/lib/libzmq.a")
target_include_directories(muster_zmq SYSTEM INTERFACE "${zmq_dir}/include")
target_link_libraries(muster_zmq INTERFACE PkgConfig::SODIUM Threads::Threads)
