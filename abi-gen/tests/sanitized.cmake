# SPDX-License-Identifier: GPL-2.0-only
# abi-gen's core and its tests once more, under address and undefined behaviour
# sanitizers. The core's objects are those of the fuzz target in selftests/fuzz
# too, so they are clang's, whose sanitizers also compile in a quarter of the time
# that gcc's take.
find_program(KHOB_CLANGXX NAMES clang++ clang++-14 REQUIRED)

set(flags -std=c++20 -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all
          -Wall -Wextra -Werror -I${CMAKE_CURRENT_SOURCE_DIR}/src)
set(directory ${CMAKE_CURRENT_BINARY_DIR}/sanitized)
file(MAKE_DIRECTORY ${directory}/src ${directory}/tests)

# Appends the objects of a target's sources to the list OUT.
function(sanitized_objects target sanitizers out)
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    set(object ${directory}/${source}.o)
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${KHOB_CLANGXX} ${flags} ${ARGN} -fsanitize=${sanitizers} -MD -MF ${object}.d
              -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
      DEPFILE ${object}.d
      COMMENT "Compiling ${source} with sanitizers" VERBATIM)
    list(APPEND ${out} ${object})
  endforeach()
  set(${out} ${${out}} PARENT_SCOPE)
endfunction()

sanitized_objects(abi-gen-core fuzzer-no-link,address,undefined core_objects)
sanitized_objects(abi-gen-tests address,undefined test_objects "-DKHOB_SCHEMA=\"${schema}\"")

set(binary ${directory}/abi-gen-tests)
add_custom_command(
  OUTPUT ${binary}
  COMMAND ${KHOB_CLANGXX} -fsanitize=address,undefined ${test_objects} ${core_objects} -o ${binary}
          -lgtest_main -lgtest -lyaml-cpp -lfmt
  DEPENDS ${test_objects} ${core_objects}
  COMMENT "Linking abi-gen's tests with sanitizers" VERBATIM)
add_custom_target(abi-gen-core-sanitized DEPENDS ${core_objects})
add_custom_target(abi-gen-tests-sanitized ALL DEPENDS ${binary})
add_dependencies(abi-gen-tests-sanitized abi-gen-core-sanitized)
set_property(GLOBAL PROPERTY KHOB_ABI_GEN_SANITIZED "${core_objects}")

add_test(NAME abi-gen-sanitized COMMAND ${binary} --gtest_brief=1)
set_tests_properties(abi-gen-sanitized PROPERTIES TIMEOUT 180
  ENVIRONMENT "ASAN_OPTIONS=detect_leaks=1;UBSAN_OPTIONS=print_stacktrace=1")
