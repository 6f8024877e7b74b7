# SPDX-License-Identifier: GPL-2.0-only
# Tests of what is emitted, for every version at every page size.
foreach(test expressions outputs device_outputs)
  string(REPLACE _ - name abi-${test})
  add_test(NAME ${name} COMMAND ${KHOB_PYTHON} -m unittest -v ${test}_test
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/tests)
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1;ABI_GEN=$<TARGET_FILE:abi-gen>")
endforeach()

# The C++ header against the vectors that the schema gives, which stay as old as
# they are if a change of the schema or a template leaves them the same.
set(every ${CMAKE_CURRENT_BINARY_DIR}/every)
set(vectors kho-v2-4k kho-v2-64k kho-v3-4k kho-v3-16k kho-v3-64k kho-v4-4k kho-v4-16k kho-v4-64k)
list(TRANSFORM vectors PREPEND ${every}/)
list(TRANSFORM vectors APPEND .vectors.inc)
file(GLOB renderer CONFIGURE_DEPENDS *.py templates/*.j2)
add_custom_command(
  OUTPUT ${every}.stamp BYPRODUCTS ${vectors}
  COMMAND abi-gen emit --schema ${schema} --every -o ${every}
  COMMAND ${CMAKE_COMMAND} -E touch ${every}.stamp
  DEPENDS abi-gen ${schema} ${renderer}
  COMMENT "Emitting test vectors" VERBATIM)
add_executable(abi-vectors-tests tests/vectors_test.cpp ${every}.stamp)
target_include_directories(abi-vectors-tests PRIVATE ${every} ${PROJECT_SOURCE_DIR}/tools/include)
target_link_libraries(abi-vectors-tests PRIVATE khob_flags GTest::gtest_main)
gtest_discover_tests(abi-vectors-tests TEST_PREFIX abi-vectors.)

# docs/schema.md, done as it says.
add_test(NAME abi-walkthrough COMMAND ${KHOB_PYTHON} -m unittest -v walkthrough_test
         WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/tests)
set_tests_properties(abi-walkthrough PROPERTIES ENVIRONMENT
  "PYTHONDONTWRITEBYTECODE=1;ABI_GEN=$<TARGET_FILE:abi-gen>")
