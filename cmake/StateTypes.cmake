# Writes the header that says how the types of the state are defined: a digest of the definition of
# each, as text without comments, so that a checkpoint can tell whether it was written by a program
# whose state means the same.
#
# Run at every build as a script (cmake -D... -P StateTypes.cmake); the header is touched only when
# its content changes.
#
#   SOURCE_DIR   src/ of the source tree
#   OUTPUT       the header
#
# The types are those that the state table, the saved states of contexts and what all ranks know
# alike are made of, with all structs, unions and enums that their definitions name, in comments as
# well (`uint32_t state; /* enum process_state */`), and the constants of the files they are in.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/WriteIfChanged.cmake)
file(GLOB files RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/base/*.h ${SOURCE_DIR}/machine/*.[ch]
  ${SOURCE_DIR}/designs/*.[ch] ${SOURCE_DIR}/workloads/*.h ${SOURCE_DIR}/engine/*.[ch])
list(SORT files)

# What checkpoint_common.c saves.
set(wanted common_values access_table home cell_account watch recording message metric)

string(ASCII 1 end_of_comment)
string(ASCII 2 semicolon)
string(ASCII 3 bracket)
string(ASCII 4 end_of_bracket)

# The digest of a text without comments, however it is laid out.
function(digest_of text digest_p)
  string(REGEX REPLACE "/\\*[^${end_of_comment}]*${end_of_comment}" " " text "${text}")
  string(REGEX REPLACE "[ \t\r\n\\]+" " " text "${text}")
  string(SHA256 digest "${text}")
  string(SUBSTRING ${digest} 0 16 digest)
  set(${digest_p} ${digest} PARENT_SCOPE)
endfunction()

set(known)
foreach(file IN LISTS files)
  file(READ ${SOURCE_DIR}/${file} text)
  # Characters that mean something in lists.
  string(REPLACE ";" "${semicolon}" text "${text}")
  string(REPLACE "[" "${bracket}" text "${text}")
  string(REPLACE "]" "${end_of_bracket}" text "${text}")
  string(REPLACE "*/" "${end_of_comment}" text "${text}")
  set(body "{[^{}]*({[^{}]*({[^{}]*}[^{}]*)*}[^{}]*)*}")
  string(REGEX MATCHALL "(struct|union|enum) [a-z_0-9]+[ \n]${body}" definitions "${text}")
  foreach(definition IN LISTS definitions)
    string(REGEX MATCH "^([a-z]+) ([a-z_0-9]+)" kind_and_name "${definition}")
    set(name ${CMAKE_MATCH_2})
    if(name IN_LIST known) # static in several files
      string(APPEND text_${name} "\n${definition}")
      list(APPEND files_${name} ${file})
    else()
      list(APPEND known ${name})
      set(title_${name} "${kind_and_name}")
      set(text_${name} "${definition}")
      set(files_${name} ${file})
    endif()
  endforeach()
  string(REGEX MATCHALL "\n#define [A-Z_0-9]+ [^\n]+|\nenum {[^{}]*}" constants "${text}")
  set(constants_${file} "${constants}")

  # Arrays of the state table, and what is kept in the bytes that contexts and cells have for that.
  foreach(pattern "DECLARE\\([ \n]*[a-z_]+,[ \n]+struct ([a-z_0-9]+)"
      "sizeof\\(struct ([a-z_0-9]+)\\) <= CONTEXT_STATE_BYTES"
      "\\(struct ([a-z_0-9]+) \\*\\)\\(void \\*\\)")
    string(REGEX MATCHALL "${pattern}" uses "${text}")
    foreach(use IN LISTS uses)
      string(REGEX MATCH "struct ([a-z_0-9]+)" match "${use}")
      list(APPEND wanted ${CMAKE_MATCH_1})
    endforeach()
  endforeach()
endforeach()

set(done)
set(used_files)
set(rows)
while(wanted)
  list(POP_FRONT wanted name)
  if(name IN_LIST done)
    continue()
  endif()
  list(APPEND done ${name})
  if(NOT name IN_LIST known)
    message(FATAL_ERROR "StateTypes.cmake: there is no definition of ${name}")
  endif()
  digest_of("${text_${name}}" digest)
  list(APPEND rows "    {\"${title_${name}}\", \"${digest}\"},")
  list(APPEND used_files ${files_${name}})
  string(REGEX MATCHALL "(struct|union|enum) [a-z_0-9]+" mentioned "${text_${name}}")
  foreach(mention IN LISTS mentioned)
    string(REGEX REPLACE "^[a-z]+ " "" other "${mention}")
    if(other IN_LIST known)
      list(APPEND wanted ${other})
    endif()
  endforeach()
endwhile()
list(REMOVE_DUPLICATES used_files)
foreach(file IN LISTS used_files)
  if(constants_${file})
    digest_of("${constants_${file}}" digest)
    list(APPEND rows "    {\"constants of ${file}\", \"${digest}\"},")
  endif()
endforeach()
list(SORT rows)

list(JOIN rows " \\\n" rows)
set(content "/* Written by cmake/StateTypes.cmake at build time. */
#define THRASH_STATE_TYPES \\
${rows}
")
write_if_changed("${OUTPUT}" "${content}")
