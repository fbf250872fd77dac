# Every library thrash links, each as one imported target. A missing one is an error that names the
# Debian package; ./bootstrap installs them all and also knows the Spack names.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)

function(thrash_require target module package)
  pkg_check_modules(${target} IMPORTED_TARGET ${module})
  if(NOT ${target}_FOUND)
    message(FATAL_ERROR "thrash needs ${module}: install the Debian package ${package}")
  endif()
endfunction()

thrash_require(YAML yaml-0.1 libyaml-dev)
thrash_require(XXHASH libxxhash libxxhash-dev)
thrash_require(HWLOC hwloc libhwloc-dev)
thrash_require(PAPI papi libpapi-dev)
thrash_require(JANSSON jansson libjansson-dev)

# The parallel HDF5 that was built with this MPI. Debian ships one pkg-config module per MPI.
set(THRASH_HDF5_MODULE hdf5-mpi CACHE STRING "pkg-config module of the parallel HDF5")
pkg_check_modules(HDF5 IMPORTED_TARGET ${THRASH_HDF5_MODULE})
if(NOT HDF5_FOUND)
  set(HDF5_PREFER_PARALLEL TRUE)
  find_package(HDF5 COMPONENTS C)
  if(NOT HDF5_FOUND OR NOT HDF5_IS_PARALLEL)
    message(FATAL_ERROR "thrash needs a parallel HDF5: install the Debian package libhdf5-openmpi-dev")
  endif()
  add_library(thrash_hdf5 INTERFACE)
  target_include_directories(thrash_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
  target_link_libraries(thrash_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
  add_library(PkgConfig::HDF5 ALIAS thrash_hdf5)
endif()

# Dimension scales are in the high-level library, which has no pkg-config module of its own.
if(NOT TARGET thrash_hdf5_hl)
  find_library(THRASH_HDF5_HL_LIBRARY NAMES hdf5_hl hdf5_openmpi_hl hdf5_mpich_hl
    HINTS ${HDF5_LIBRARY_DIRS})
  if(NOT THRASH_HDF5_HL_LIBRARY)
    message(FATAL_ERROR "thrash needs HDF5's high-level library: install libhdf5-openmpi-dev")
  endif()
  add_library(thrash_hdf5_hl INTERFACE)
  target_link_libraries(thrash_hdf5_hl INTERFACE ${THRASH_HDF5_HL_LIBRARY})
endif()

find_path(RANDOM123_INCLUDE_DIR Random123/philox.h)
if(NOT RANDOM123_INCLUDE_DIR)
  message(FATAL_ERROR "thrash needs Random123: install the Debian package librandom123-dev")
endif()
add_library(thrash_random123 INTERFACE)
target_include_directories(thrash_random123 SYSTEM INTERFACE ${RANDOM123_INCLUDE_DIR})

if(THRASH_TESTS)
  thrash_require(CMOCKA cmocka libcmocka-dev)
endif()
