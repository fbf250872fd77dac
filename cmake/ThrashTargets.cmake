# Compile options of every target, and the functions that declare a layer of src/ and a test.
add_library(thrash_options INTERFACE)
target_compile_options(thrash_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -ffp-contract=off -fno-omit-frame-pointer)
target_include_directories(thrash_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(thrash_options INTERFACE _GNU_SOURCE)
if(THRASH_WERROR)
  target_compile_options(thrash_options INTERFACE -Werror)
endif()
if(THRASH_CHECKS)
  target_compile_definitions(thrash_options INTERFACE THRASH_CHECKS=1)
endif()
if(THRASH_SANITIZE)
  target_compile_options(thrash_options INTERFACE
    -fsanitize=${THRASH_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(thrash_options INTERFACE -fsanitize=${THRASH_SANITIZE})
endif()

# thrash_layer(name SOURCES ... USES layers... LIBRARIES imported...)
# One directory of src/ as a static library. USES is the list of layers it may include from;
# tests/unit/layers_test.py checks the #include lines against it.
function(thrash_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;USES;LIBRARIES")
  add_library(thrash_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(thrash_${name} PUBLIC thrash_options ${ARG_LIBRARIES})
  foreach(layer IN LISTS ARG_USES)
    target_link_libraries(thrash_${name} PUBLIC thrash_${layer})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY THRASH_LAYERS ${name})
  set_property(GLOBAL PROPERTY THRASH_LAYER_${name} "${ARG_USES}")
endfunction()
