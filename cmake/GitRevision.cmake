# Writes the header that says what was built: version, git revision, compiler and flags.
#
# Run at every build as a script (cmake -D... -P GitRevision.cmake); the header is touched only when
# its content changes, so that a build after a commit recompiles the one file that includes it.
#
#   SOURCE_DIR     the source tree
#   OUTPUT         the header
#   VERSION, BUILD_TYPE, COMPILER, FLAGS   texts to put into it
include(${CMAKE_CURRENT_LIST_DIR}/WriteIfChanged.cmake)
set(revision "unknown")
find_program(GIT git)
if(GIT)
  # A source tree that belongs to somebody else is fine to look at.
  execute_process(
    COMMAND ${GIT} -c safe.directory=* -C ${SOURCE_DIR} describe --always --dirty --abbrev=40
            --exclude=*
    OUTPUT_VARIABLE described RESULT_VARIABLE result ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  # A source tree unpacked inside another repository is not that repository's revision.
  execute_process(
    COMMAND ${GIT} -c safe.directory=* -C ${SOURCE_DIR} ls-files --error-unmatch .version
    RESULT_VARIABLE tracked OUTPUT_QUIET ERROR_QUIET)
  if(result EQUAL 0 AND tracked EQUAL 0)
    set(revision "${described}")
  endif()
endif()

function(c_text variable)
  string(REPLACE "\\" "\\\\" text "${${variable}}")
  string(REPLACE "\"" "\\\"" text "${text}")
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()
c_text(COMPILER)
c_text(FLAGS)

set(content "/* Written by cmake/GitRevision.cmake at build time. */
#define THRASH_BUILD_VERSION      \"${VERSION}\"
#define THRASH_BUILD_GIT_REVISION \"${revision}\"
#define THRASH_BUILD_TYPE         \"${BUILD_TYPE}\"
#define THRASH_BUILD_COMPILER     \"${COMPILER}\"
#define THRASH_BUILD_FLAGS        \"${FLAGS}\"
")
write_if_changed("${OUTPUT}" "${content}")
